"""Clips of any length as examples of one length."""

from collections.abc import Sequence
from pathlib import Path

from gan_jax.errors import BadInput

FRAMES = 16
"""The length of a window, unless the name of the data gives another, as in `video=24:clips/`."""


def count_windows(lengths: Sequence[int], frames: int, where: str | Path) -> tuple[list[int], str]:
    """Counts the windows of every clip, and reports what is left out.

    Windows of `frames` frames follow one another from the first frame on; frames after the last whole one are left out.

    Raises:
        BadInput: no clip has as many frames.
    """
    if not 1 <= frames <= max(lengths):
        longest = f"{where} has no clip of {frames} frames, the longest has {max(lengths)}"
        raise BadInput(f"{longest}: give a length up to that, as in video={max(lengths)}:{where}")
    counts = [length // frames for length in lengths]
    short, ends = counts.count(0), sum(length % frames for length in lengths if length >= frames)
    left_out = [f"{short:,} clip{'s' * (short > 1)} of fewer frames"] * (short > 0)
    left_out += [f"{ends:,} frame{'s' * (ends > 1)} at the ends of clips"] * (ends > 0)
    used = len(lengths) - short
    report = f"windows of {frames} frames of {used:,} clip{'s' * (used > 1)}"
    return counts, report + (f", without {' and '.join(left_out)}" if left_out else "")
