"""Images, pairs, points and videos in `.npz` and `.npy` files."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gan_jax.data.modality import IMAGE, LABEL, POINTS, TOKENS, Leaf, Modality, label_map
from gan_jax.data.source import Source, finite_points, from_arrays, from_points, from_spec, from_videos
from gan_jax.data.sources.windows import FRAMES, count_windows
from gan_jax.errors import BadInput

FILES = (".npy", ".npz")

SPLITS = ("train", "test", "val")
"""What names of arrays end in, as in `x_train`."""

Arrays = dict[str, np.ndarray]

WANTED = {
    ("x",): ("x [N, D]", "save the points as x"),
    ("audio",): ("audio", "save the sounds as audio"),
    ("video",): ("video [N, T, H, W, C]", "save the videos as video"),
}
"""What is looked for by these names, and the advice if it is missing."""


def array_source(path: str | Path, split: str = "train", pair: tuple[str, str] | None = None) -> Source:
    """Opens the array of a .npy file, or the array `x` of a .npz file, with labels `y` where there are.

    Bytes `[N, H, W]` or `[N, H, W, C]` are images, floats `[N, D]` are points, without labels. Names may end in a
    split, as in `x_train` and `y_test`. With `pair`, its two arrays are the inputs `a` and the targets `x`: images
    `[N, H, W, C]`, label maps `[N, H, W]`, whose classes are those of all splits, features, floats `[N, D]`, or
    captions, the integers `[N, L]` of their words.

    Raises:
        BadInput: the file is missing or damaged, has no such arrays or split, or they have another type or rank.
    """
    arrays = load_arrays(path)
    chosen, read = of_split(arrays, str(path), split, pair or ("x",))
    if pair:
        source = _pairs(path, arrays, chosen, pair)
    elif chosen["x"].dtype != np.uint8 or chosen["x"].ndim < 3:
        return from_points(str(path), chosen["x"])
    else:
        source = _images(path, arrays, chosen, read)
    report = report_split(read, arrays)
    about = [f"pairs {' -> '.join(pair)}"] if pair else []
    return source._replace(split=read, report="; ".join(filter(None, (report, *about))))


def video_array(path: str | Path, frames: int = FRAMES, split: str = "train") -> Source:
    """Opens the videos of a .npz file, cut into windows of `frames` frames: `video` `[N, T, H, W, C]`, bytes.

    Their labels are `y`, or `labels` as `gan-jax sample` writes them. Names may end in a split, as in `video_train`.

    Raises:
        BadInput: as `array_source`, or no video has so many frames.
    """
    arrays = load_arrays(path)
    chosen, read = of_split(arrays, str(path), split, ("video",))
    video, name = chosen["video"], "y" if "y" in chosen else "labels"
    if video.dtype != np.uint8 or video.ndim != 5 or video.shape[-1] not in (1, 3) or not video.size:
        found = f"{video.dtype} {list(video.shape)}"
        raise BadInput(f"{path} holds video as {found}: save it as uint8 [N, T, H, W, C] with 1 or 3 channels")
    (each, *_), cut = count_windows(len(video) * [video.shape[1]], frames, path)
    x = video[:, : each * frames].reshape(-1, frames, *video.shape[2:])
    y = np.repeat(np.atleast_1d(chosen[name]), each, axis=0) if name in chosen else None
    source = from_videos(Path(path).stem, x, y, numbered_classes(path, arrays, name, y))
    return source._replace(split=read, report="; ".join(filter(None, (report_split(read, arrays), cut))))


def pair_in(path: str | Path, known: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """Finds the one pair of names, of those known, that a .npz file has. Raises `BadInput` if there is none."""
    names = {_stem(name) for name in load_arrays(path)}
    found = [pair for pair in known if names.issuperset(pair)]
    if len(found) != 1:
        raise BadInput(f"{path} holds the arrays {', '.join(sorted(names))}: give --pair INPUT,TARGET")
    return found[0]


def load_arrays(path: str | Path) -> Arrays:
    """Loads all arrays of a file; that of a .npy file is `x`. Raises `BadInput` if it is missing or damaged."""
    try:
        loaded = np.load(Path(path).expanduser(), allow_pickle=False)
        return {"x": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except Exception as error:  # NumPy, zipfile and zlib raise many types
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BadInput(f"{path} cannot be read as arrays ({reason}): write it with numpy.save or savez") from error


def of_split(arrays: Arrays, path: str, split: str, names: tuple[str, ...]) -> tuple[Arrays, str]:
    """Returns the arrays of a split without its name, and the split that was read; `val` stands in for `test`."""
    candidates = (split, "val") if split == "test" else (split,)
    read = next((each for each in candidates if all(f"{name}_{each}" in arrays for name in names)), "")
    if read:
        return {_stem(name): array for name, array in arrays.items() if name.endswith(f"_{read}")}, read
    missing = [name for name in names if name not in arrays]
    if missing and (known := splits_of(arrays)) and all(f"{name}_{known[0]}" in arrays for name in names):
        raise BadInput(f"{path} has no split {split!r}, only {', '.join(known)}: choose one of these")
    if missing:
        what, cure = WANTED.get(names, (" and ".join(missing), "give --pair INPUT,TARGET with two of these"))
        raise BadInput(f"{path} holds no array {what}, but {', '.join(arrays) or 'nothing'}: {cure}")
    if split != "train" and (arrays[names[0]].dtype == np.uint8 or names == ("audio",)):
        raise BadInput(f"{path} has no split {split!r}: save arrays as {names[0]}_train and {names[0]}_{split}")
    return arrays, ""


def _images(path: str | Path, arrays: Arrays, chosen: Arrays, read: str) -> Source:
    x, y = chosen["x"], chosen.get("y")
    x = x[..., None] if x.ndim == 3 else x
    return from_arrays(Path(path).stem, x, y, numbered_classes(path, arrays, "y", y))


def numbered_classes(path: str | Path, arrays: Arrays, name: str, y: np.ndarray | None) -> tuple[str, ...]:
    """Numbers the classes of the labels `y` and those of all other splits; none of no labels, or of floats."""
    if y is None or y.dtype.kind not in "iu" or y.size == 0:
        return ()
    of_all = [array for each, array in arrays.items() if _stem(each) == name and array.size]
    if min(array.min() for array in of_all) < 0:
        raise BadInput(f"{path} has negative labels: number its classes from 0")
    return tuple(map(str, range(int(max(array.max() for array in of_all)) + 1)))


def _pairs(path: str | Path, arrays: Arrays, chosen: Arrays, pair: tuple[str, str]) -> Source:
    sides = dict(zip(("a", "x"), pair, strict=True))
    spec = {side: _leaf(path, name, chosen[name], arrays) for side, name in sides.items()}
    found = {side: _stored(f"{path}: {name}", chosen[name], spec[side].modality) for side, name in sides.items()}
    if len(found["a"]) != len(found["x"]) or not len(found["x"]):
        sizes = f"{len(found['a']):,} of {pair[0]} and {len(found['x']):,} of {pair[1]}"
        raise BadInput(f"{path} holds {sizes}: pairs need an input for every target, and one at least")
    if (y := chosen.get("y")) is not None and "y" not in pair and y.shape == (len(found["x"]),):
        classes = tuple(map(str, range(int(y.max()) + 1)))
        return from_spec(Path(path).stem, spec | {"y": Leaf((), LABEL)}, found | {"y": y.astype(np.int32)}, classes)
    return from_spec(Path(path).stem, spec, found)


def _leaf(path: str | Path, name: str, array: np.ndarray, arrays: Mapping[str, np.ndarray]) -> Leaf:
    if array.dtype.kind == "f" and array.ndim == 2:
        return Leaf(array.shape[1:], POINTS)
    if array.dtype.kind in "iu" and array.ndim == 2:
        return Leaf(array.shape[1:], TOKENS)
    if array.dtype != np.uint8 or not (array.ndim == 3 or (array.ndim == 4 and array.shape[-1] in (1, 3))):
        shape = f"{array.dtype} {list(array.shape)}"
        what = "images as uint8 [N, H, W, C], label maps [N, H, W], features as floats [N, D], words as integers [N, L]"
        raise BadInput(f"{path} holds {name} as {shape}: save {what}")
    if array.ndim == 4:
        return Leaf(array.shape[1:], IMAGE)
    classes = max(int(each.max(initial=0)) for other, each in arrays.items() if _stem(other) == _stem(name)) + 1
    if classes == 256:
        raise BadInput(f"{path} holds {name} [N, H, W] with values to 255: gray images are [N, H, W, 1]")
    return Leaf((*array.shape[1:], classes), label_map(classes))


def _stored(name: str, array: np.ndarray, kind: Modality) -> np.ndarray:
    """Converts an array of a kind to how it is stored. Raises `BadInput` for values that it cannot have."""
    if kind is POINTS:
        return finite_points(name, array)
    if kind is not TOKENS:
        return array
    if array.size and (array.min() < 0 or array.max() > np.iinfo(np.int32).max):
        raise BadInput(f"{name} has words from {array.min()} to {array.max()}: number them from 0, below 2**31")
    return array.astype(np.int32)


def report_split(split: str, arrays: Arrays) -> str:
    """Reports which split was read; empty for arrays without."""
    return f"split {split} of {', '.join(splits_of(arrays))}" if split else ""


def splits_of(arrays: Arrays) -> list[str]:
    """Lists the splits that names of arrays end in."""
    return [split for split in SPLITS if any(name.endswith(f"_{split}") for name in arrays)]


def _stem(name: str) -> str:
    """Removes the name of a split: `x_train` -> `x`."""
    return re.sub(rf"_({'|'.join(SPLITS)})$", "", name)
