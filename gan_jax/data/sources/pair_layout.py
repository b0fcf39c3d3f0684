"""Finds pairs of images, their inputs and targets, from the paths of their files."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gan_jax.data.sources.layout import SPLITS, Paths
from gan_jax.data.sources.survey import first_three
from gan_jax.errors import BadInput

Pair = tuple[str, str]

KNOWN: tuple[Pair, ...] = (
    ("label", "photo"),
    ("labels", "photos"),
    ("label", "image"),
    ("labels", "images"),
    ("a", "b"),
    ("lr", "hr"),
    ("noisy", "clean"),
    ("input", "target"),
    ("a", "x"),
)
"""Names of inputs and targets that `auto` takes, in lower case."""

HALVES = {"left", "right"}
"""Names of the halves of one image."""

CURE = "give --pair INPUT,TARGET with two of these, or left,right for the halves of one image"


class PairLayout(NamedTuple):
    """The pairs of one split, sorted by name."""

    pair: Pair
    """Names of the folders of inputs and targets."""
    images: list[tuple[str, str]]
    """File names of an input and its target."""
    split: str
    report: str
    training: list[tuple[str, str]]
    """The pairs of the training split, by which the classes of label maps are counted."""
    other_splits: tuple[list[str], list[str]]
    """File names of the inputs and of the targets of all other splits."""


class _Place(NamedTuple):
    """Where an image belongs: `side` 0 for inputs and 1 for targets, and what its partner's path has in common."""

    side: int
    split: str
    key: str


def words_of(pair: str) -> Pair:
    """Splits `INPUT,TARGET`. Raises `BadInput` for anything else."""
    words = tuple(word.strip() for word in pair.split(","))
    if len(words) != 2 or not all(words) or words[0] == words[1]:
        raise BadInput(f"--pair {pair} does not name an input and a target: give two names, as in label,photo")
    return words


def find_pairs(paths: Paths, where: Path, split: str, pair: Pair | None, left_out: Counter[str]) -> PairLayout:
    """Matches the images in the folders of inputs and targets by their names, without the ending.

    The names of the two folders may be joined to a split, as in `trainA`; folders around and inside them count as part
    of the name. Without `pair`, one of those `KNOWN` is taken.

    Raises:
        BadInput: no such folders or split, an image without partner, or two of one name.
    """
    pair = pair or _known_pair(paths, where)
    places = {name: place for name, path in paths.items() if (place := _place(path, pair))}
    if count := len(paths) - len(places):
        left_out[f"in neither {pair[0]} nor {pair[1]}"] += count
    splits = {place.split for place in places.values()} - {""}
    read, report = _choose_split(splits, split, where)
    for side, word in enumerate(pair):
        if not any(place.side == side and place.split == read for place in places.values()):
            what = f"{where} has no images in a folder {word}" + f" of split {read}" * bool(read)
            raise BadInput(f"{what}, but the folders {_folders(paths)}: {CURE}")
    if count := sum(place.split == "" for place in places.values()) * bool(read):
        left_out["beside the splits"] += count
    images = _matched(places, read, pair, where)
    training = images if "train" not in splits or read == "train" else _matched(places, "train", pair, where)
    others = tuple(
        [name for name, place in places.items() if place.side == side and place.split not in ("", read)]
        for side in (0, 1)
    )
    report = "; ".join(filter(None, (report, f"pairs {pair[0]} -> {pair[1]}, matched by name")))
    return PairLayout(pair, images, read, report, training, others)


def _known_pair(paths: Paths, where: Path) -> Pair:
    def sides(pair: Pair) -> set[int]:
        return {place.side for path in paths.values() if (place := _place(path, pair))}

    found = [pair for pair in KNOWN if len(sides(pair)) == 2]
    if len(found) != 1:
        known = f", of which {' and '.join(map(','.join, found))} can be pairs" if found else ""
        raise BadInput(f"{where} has the folders {_folders(paths)}{known}: {CURE}")
    return found[0]


def _place(path: list[str] | tuple[str, ...], pair: Pair) -> _Place | None:
    side, split, rest = None, "", []
    for folder in path[:-1]:
        for i, word in enumerate(pair):
            if match := re.fullmatch(_frame(word.lower()), folder.lower()):
                side, split = i, SPLITS.get(match["before"] or match["after"] or "", split)
                break
        else:
            if folder.lower() in SPLITS:
                split = SPLITS[folder.lower()]
            else:
                rest.append(folder)
    return None if side is None else _Place(side, split, "/".join([*rest, PurePosixPath(path[-1]).stem]))


def _frame(word: str) -> str:
    splits = "|".join(SPLITS)
    return rf"(?:(?P<before>{splits})[\W_]?)?{re.escape(word)}(?:[\W_]?(?P<after>{splits}))?"


def _choose_split(splits: set[str], split: str, where: Path) -> tuple[str, str]:
    """Returns the split to read, and a description; `val` is held out where there is no `test`."""
    wanted, names = SPLITS.get(split.lower(), split), ", ".join(sorted(splits))
    if not splits and wanted == "train":
        return "", ""
    if wanted in splits:
        return wanted, f"split {wanted}" + f" of {names}" * (len(splits) > 1)
    if wanted == "test" and "val" in splits:
        return "val", "split val, because there is no test"
    raise BadInput(f"{where} has no split {split!r}, only {names or 'train'}: choose one of these")


def _matched(places: Mapping[str, _Place], split: str, pair: Pair, where: Path) -> list[tuple[str, str]]:
    sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for name, place in sorted(places.items()):
        if place.split != split:
            continue
        if other := sides[place.side].get(place.key):
            raise BadInput(f"{where} has {other} and {name}, two images of one name in {pair[place.side]}: keep one")
        sides[place.side][place.key] = name
    alone = [sides[i][key] for i in (0, 1) for key in sorted(sides[i].keys() - sides[1 - i].keys())]
    if alone:
        what = f"{where} has {len(alone):,} images without a partner of the same name, first {first_three(alone)}"
        raise BadInput(f"{what}: add their {' or '.join(pair)}, or remove them")
    return [(sides[0][key], sides[1][key]) for key in sorted(sides[0])]


def _folders(paths: Paths) -> str:
    """Lists the folders that may be sides: not those that hold everything, nor splits."""
    counts = Counter(folder for path in paths.values() for folder in set(path[:-1]) if folder.lower() not in SPLITS)
    names = sorted(folder for folder, count in counts.items() if count < len(paths))
    return ", ".join([*names[:6], *["..."] * (len(names) > 6)]) or "(none)"
