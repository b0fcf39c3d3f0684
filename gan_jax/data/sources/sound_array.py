"""Recordings in a `.npz` file."""

from pathlib import Path

import numpy as np

from gan_jax.data.modality import audio
from gan_jax.data.source import Source, indexed
from gan_jax.data.sources.array_file import Arrays, load_arrays, numbered_classes, of_split, report_split
from gan_jax.data.sources.recordings import normalized
from gan_jax.errors import BadInput


def sound_array(path: Path, split: str) -> Source:
    """Opens the array `audio` `[N, M]`, floats or int16, of `rate` samples a second, with labels `y` or `labels`.

    Recordings that are shorter than M have zeros behind them. Other arrays of integers `[N]` from 0 are further labels,
    such as `speaker`, whose classes are named by an array of the plural, `speakers`. Names but those and `rate` may end
    in a split, as in `audio_train`.

    Raises:
        BadInput: the file is damaged or has no such arrays or split, they have another type or rank, or a recording is
            silent or not finite.
    """
    arrays = load_arrays(path)
    chosen, read = of_split(arrays, str(path), split, ("audio",))
    x, rate = chosen["audio"], arrays.get("rate")
    if rate is None or rate.shape != () or not rate > 0:
        raise BadInput(f"{path} has no rate: save the samples a second of its sounds as the number rate")
    if x.ndim != 2 or (x.dtype != np.int16 and x.dtype.kind != "f") or not x.size:
        raise BadInput(f"{path} holds audio as {x.dtype} {list(x.shape)}: save sounds as floats or int16 [N, T]")
    x = np.stack([normalized(each, f"{path}: audio[{i}]") for i, each in enumerate(x)])
    labels = next((name for name in ("y", "labels") if name in chosen), None)
    y = chosen.get(labels)
    further = {name: array for name, array in chosen.items() if name != labels and _is_label(array, len(x))}
    classes = numbered_classes(path, arrays, labels or "", y)
    source = indexed(str(path), audio(int(rate)), x, y, classes, further)
    named = {name: _classes(path, arrays, name, array) for name, array in further.items()}
    return source._replace(name=path.stem, split=read, report=report_split(read, arrays), labels=named)


def _is_label(array: np.ndarray, count: int) -> bool:
    return array.shape == (count,) and array.dtype.kind in "iu" and bool(array.min() >= 0)


def _classes(path: Path, arrays: Arrays, name: str, y: np.ndarray) -> tuple[str, ...]:
    """Returns the names of the classes of a further label. Raises `BadInput` if there are fewer names than classes."""
    numbered, names = numbered_classes(path, arrays, name, y), arrays.get(f"{name}s")
    if names is None:
        return numbered
    if names.ndim != 1 or len(names) < len(numbered):
        raise BadInput(f"{path} has {names.size} {name}s for {len(numbered)} classes of {name}: name every class")
    return tuple(map(str, names))
