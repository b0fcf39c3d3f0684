"""Recordings in the files of a folder or archive, read with soundfile; folders are classes and splits as for images."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int

from gan_jax.data.cache import Decoded, cached
from gan_jax.data.modality import LABEL, Leaf, audio
from gan_jax.data.source import Examples, Source, in_chunks, stored
from gan_jax.data.sources.archives import (
    Files,
    Listing,
    archive_of,
    identifier,
    in_archive,
    in_folder,
    state_of_archive,
    within,
)
from gan_jax.data.sources.layout import find_images, find_layout, list_counts
from gan_jax.data.sources.recordings import normalized
from gan_jax.errors import BadInput

ENDINGS = (".flac", ".wav")

VERSION = 1
"""Version of how recordings are stored, for keys of the cache."""


class Header(NamedTuple):
    """What a sound file says of itself before its samples are read."""

    rate: int
    samples: int


def sound_files(path: Path, split: str) -> Source:
    """Opens the recordings of a folder, or of an archive or a folder inside it, which are decoded into the cache.

    They are stored with zeros behind them, all as long as the longest.

    Raises:
        BadInput: there are none, or no such split; a file is empty, damaged, silent or not mono; rates differ; or
            folders are unclear, as for images.
    """
    if path.is_dir():
        return _source(in_folder(path), path, split)
    archive = archive_of(path)
    if archive is None:
        raise BadInput(f"{path} holds no sounds: give a folder or archive of .wav or .flac files, or a .npz file")
    inside = path.relative_to(archive)

    def decode(scratch: Path) -> Decoded:
        listing = in_archive(archive, scratch)
        source = _source(within(listing, str(inside), archive) if inside.name else listing, path, split)
        return Decoded(source.spec, in_chunks(source), source.classes, source.report, source.split)

    return cached(
        identifier(path), state_of_archive(archive) | {"inside": str(inside), "split": split, "audio": VERSION}, decode
    )


def _source(listing: Listing, where: Path, split: str) -> Source:
    files, left_out = listing.files, listing.left_out.copy()
    paths = find_images(files, ENDINGS, left_out, "sounds")
    if not paths:
        missing = list_counts(" (left out", left_out, ")")
        raise BadInput(f"{where} has no sounds{missing}: give a folder or an archive of .wav or .flac files")
    sounds, classes, found, about, _ = find_layout(paths, where, split, left_out)
    names = [name for name, _ in sounds]
    rate, longest = _survey(names, files, where)
    labels = np.array([classes.index(name) for _, name in sounds] if classes else [], np.int32)

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        x = np.zeros((len(indices), longest), np.int16)
        for row, i in enumerate(indices):
            recording = normalized(_read(files, names[i], where), where / names[i])
            x[row, : len(recording)] = recording
        return {"x": x} | ({"y": labels[indices]} if classes else {})

    spec = {"x": Leaf((longest,), audio(rate))} | ({"y": Leaf((), LABEL)} if classes else {})
    report = "; ".join(filter(None, (about, list_counts("left out", left_out))))
    return stored(identifier(where), len(names), spec, read, classes)._replace(report=report, split=found)


def _survey(names: Sequence[str], files: Files, where: Path) -> tuple[int, int]:
    """Returns the rate of all files, and the number of samples of the longest."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        headers = list(pool.map(lambda name: _read_header(files, name, where), names))
    rate = headers[0].rate
    if other := next((i for i, header in enumerate(headers) if header.rate != rate), None):
        both = f"{where / names[other]} has {headers[other].rate:,} Hz, {names[0]} {rate:,} Hz"
        raise BadInput(f"{both}: resample all to one rate")
    return rate, max(header.samples for header in headers)


def _read_header(files: Files, name: str, where: Path) -> Header:
    import soundfile

    try:
        with files[name]() as file, soundfile.SoundFile(file) as sound:
            rate, samples, channels = sound.samplerate, sound.frames, sound.channels
    except soundfile.LibsndfileError as error:
        raise _damaged(where / name, error) from error
    if channels > 1:
        raise BadInput(f"{where / name} has {channels} channels: convert all sounds to mono")
    if not samples:
        raise BadInput(f"{where / name} is empty: leave it out")
    return Header(rate, samples)


def _read(files: Files, name: str, where: Path) -> Float64[np.ndarray, " n"]:
    import soundfile

    try:
        with files[name]() as file, soundfile.SoundFile(file) as sound:
            samples, expected = sound.read(), sound.frames
    except soundfile.LibsndfileError as error:
        raise _damaged(where / name, error) from error
    if len(samples) < expected:
        raise _damaged(where / name, f"it ends after {len(samples):,} of {expected:,} samples")
    return samples


def _damaged(file: Path, reason: object) -> BadInput:
    return BadInput(f"{file} cannot be read as a sound ({reason}): export it again, or leave it out")
