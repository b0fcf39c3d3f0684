"""Finds the images, the split and the classes of a data set from the paths of its files."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gan_jax.errors import BadInput

SPLITS = {
    "training": "train",
    "train": "train",
    "testing": "test",
    "test": "test",
    "validation": "val",
    "valid": "val",
    "val": "val",
}
"""Names of splits, in lower case, and what they mean; longer ones first."""

SPLIT = re.compile("|".join(SPLITS), re.IGNORECASE)
SPLIT_WORD = re.compile(rf"(?<![A-Za-z])(?i:{'|'.join(SPLITS)})+(?![a-z])")
"""A split's name within another name: anywhere, and as a word, as in `trainval` or `testB` but not in `valley`."""

NO_CLASSES = {"unlabeled", "unlabelled", "unsupervised", "unsup", "extra", "pred", "predict", "prediction"}
"""Names of folders that are left out beside a single split; beside several, every other folder is."""

RUN_FILE = re.compile(
    r"(?:(.*)/)?(?:metrics\.jsonl|digests\.jsonl|samples/\d{10}\.png|programs/[^/]+/program\.json)", re.DOTALL
)
"""Files that a run or sweep has beside its `manifest.json`, and its folder."""

Paths = Mapping[str, Sequence[str]]
"""The folders and file name of every image, by the name of the file."""


class Layout(NamedTuple):
    """The images of one split, sorted by class and name."""

    images: list[tuple[str, str]]
    """Name and class; the class of an image without a folder has no meaning."""
    classes: tuple[str, ...]
    """Empty for images that are in no folders."""
    split: str
    """What was read: `train`, `test`, `val`, or a folder beside them; empty if there are no splits."""
    report: str
    """Which folder was read, and which other splits there are; empty if there are no splits."""
    other_splits: list[str]
    """Names of the images of all other splits."""


def find_images(
    names: Iterable[str], endings: Collection[str], left_out: Counter[str], what: str = "images"
) -> dict[str, list[str]]:
    """Selects the images and splits their paths; counts the files left out: hidden, outputs of runs, and not images.

    They may be other files, such as sounds, as `what` says.
    """
    parts = {name: [part for part in name.split("/") if part != "."] or [""] for name in names}
    runs = _run_folders({"/".join(path) for path in parts.values()})
    found: dict[str, list[str]] = {}
    others: Counter[str] = Counter()
    for name, path in parts.items():
        ending = PurePosixPath(path[-1]).suffix.lower()
        if any(part.startswith((".", "__MACOSX")) for part in path):
            left_out["hidden"] += 1
        elif runs and any("/".join(path[:i]) in runs for i in range(len(path))):
            left_out["from runs"] += 1
        elif ending not in endings:
            others[ending or "no ending"] += 1
        else:
            found[name] = path
    if others:
        kinds = [ending for ending, _ in others.most_common(4)]
        left_out[f"not {what} ({', '.join(kinds[:3] + ['...'] * (len(kinds) > 3))})"] = others.total()
    return found


def list_counts(title: str, counts: Counter[str], end: str = "") -> str:
    """Lists what was left out, as in `left out 3: 2 hidden, 1 not images (.txt)`; nothing if there is nothing."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
    return f"{title} {counts.total():,}: {reasons}{end}" if reasons else ""


def find_layout(paths: Paths, where: Path, split: str, left_out: Counter[str]) -> Layout:
    """Finds the images of a split and their classes.

    A folder that wraps everything is skipped if it holds folders only, or has the name of the archive or folder
    `where`; otherwise it is a class. Folders beside those of splits are left out.

    Raises:
        BadInput: no such split, images both in folders and beside them, or folders that may be splits or classes.
    """
    paths, name, report, others = _skip_wrappers(paths, where.resolve().name), "", "", []
    _refuse_mixed(paths, where)
    if splits := find_splits(paths, where):
        folder, name, report = _choose(splits, _tops(paths), where, split)
        beside = _tops(paths) - set(splits.values()) - {folder}
        if count := sum(path[0] in beside for path in paths.values()):
            left_out[f"beside the splits, in {', '.join(sorted(beside))}"] += count
        others = [file for file, path in paths.items() if path[0] in set(splits.values()) - {folder}]
        paths = _skip_wrappers(_inside(folder, paths), folder)
    elif split != "train":  # data without splits is training data
        raise BadInput(f"{where} has no folder {split!r}: choose another split")
    _refuse_mixed(paths, where)
    _refuse_inner_splits(paths, where)
    images = sorted(paths.items(), key=lambda item: item[1])
    return Layout([(file, path[0]) for file, path in images], tuple(sorted(_tops(paths))), name, report, others)


def find_splits(paths: Paths, where: Path) -> dict[str, str]:
    """Returns the top folder of each split, as in `{"train": "seg_train", "test": "seg_test"}`; none for classes.

    Folders are splits if their names differ in the word for the split only. One such folder is a split if the others
    are known to be no classes, and unclear if not: beside `cat`, a folder `train` may hold trains or the training data.

    Raises:
        BadInput: the folders may be splits or classes.
    """
    tops = sorted(_tops(paths))
    families: dict[str, list[tuple[str, str]]] = {}
    for name in tops:
        if word := SPLIT.search(name):
            frame = f"{name[: word.start()]}*{name[word.end() :]}".lower()
            families.setdefault(frame, []).append((SPLITS[word[0].lower()], name))
    several = {frame: family for frame, family in families.items() if len({split for split, _ in family}) > 1}
    plain = families.get("*", [])
    if not several:
        return _single_split(families, tops, where)
    if "*" not in several and len(several) > 1:
        raise _unclear(tops, where)
    frame, family = ("*", plain) if "*" in several else next(iter(several.items()))
    if len(dict(family)) < len(family) or _framed(set(tops) - {name for _, name in family}, frame) is None:
        raise _unclear(tops, where)
    return dict(family)


def _single_split(families: Mapping[str, list[tuple[str, str]]], tops: list[str], where: Path) -> dict[str, str]:
    """Returns the one folder that is a split: `train`, or `seg_train` if all names begin alike; none for classes."""
    for frame, family in families.items():
        names = {name for _, name in family}
        others = _framed(set(tops) - names, frame)
        if others is None or (frame != "*" and not (others and any(map(SPLIT_WORD.search, names)))):
            continue
        if len(family) > 1 or not others <= NO_CLASSES:
            raise _unclear(tops, where)
        return dict(family)
    if len(tops) > 1 and all(map(SPLIT_WORD.search, tops)):
        raise _unclear(tops, where)
    return {}


def _framed(names: Collection[str], frame: str) -> set[str] | None:
    """Returns what is at the `*` of a frame in each of the names, in lower case; None if it does not fit them all."""
    start, end = frame.split("*")
    inner = {name.lower().removeprefix(start).removesuffix(end) for name in names}
    return inner if {f"{start}{each}{end}" for each in inner} == {name.lower() for name in names} else None


def _choose(splits: Mapping[str, str], tops: set[str], where: Path, split: str) -> tuple[str, str, str]:
    """Returns the folder of a split, its name, and a description; `val` is held out where there is no `test`."""
    wanted = SPLITS.get(split.lower(), split)
    others = ", ".join(sorted(splits.values()))
    if wanted in splits:
        return splits[wanted], wanted, f"split {splits[wanted]}" + f" of {others}" * (len(splits) > 1)
    if split in tops:
        return split, split, f"split {split} beside {others}"
    if wanted == "test" and "val" in splits:
        return splits["val"], "val", f"split {splits['val']}, because there is no test"
    raise BadInput(f"{where} has no folder {split!r}, only {others}: choose one of these with --split, or as --data")


def _refuse_mixed(paths: Paths, where: Path) -> None:
    if _tops(paths) and _is_flat(paths):
        raise BadInput(f"{where} has files both in folders and beside them: keep one of the two")


def _refuse_inner_splits(paths: Paths, where: Path) -> None:
    """Raises `BadInput` if a folder of images that are all taken for one split holds several, as in `cat/train`."""
    inside: dict[str, set[str]] = {}
    for path in paths.values():
        for i, folder in enumerate(path[:-1]):
            if folder.lower() in SPLITS:
                inside.setdefault("/".join(path[:i]), set()).add(folder)
    for parent, folders in inside.items():
        if len({SPLITS[folder.lower()] for folder in folders}) > 1:
            names = " and ".join(sorted(folders))
            raise BadInput(
                f"{where} has {names} inside {parent}, where splits are not looked for: move them to the top"
            )


def _unclear(tops: Sequence[str], where: Path) -> BadInput:
    shown = ", ".join([*tops[:6], "..."] if len(tops) > 6 else tops)
    return BadInput(
        f"{where} has the folders {shown}, which can be splits or classes: for splits call them train and test, "
        f"or give one of them as --data {where}/{tops[0]}; for classes rename them, "
        "or move all into one folder called train"
    )


def _skip_wrappers(paths: Paths, named: str) -> Paths:
    """Skips single folders that hold folders only, or whose name is `named`; a folder `train` may be a split."""
    while len(tops := _tops(paths)) == 1 and not _is_flat(paths):
        (only,) = tops
        holds_images = any(len(path) == 2 for path in paths.values())
        if _stem(only) != _stem(named) and (holds_images or only.lower() in SPLITS):
            break
        paths = _inside(only, paths)
    return paths


def _inside(folder: str, paths: Paths) -> Paths:
    return {name: path[1:] for name, path in paths.items() if path[0] == folder and len(path) > 1}


def _tops(paths: Paths) -> set[str]:
    return {path[0] for path in paths.values() if len(path) > 1}


def _is_flat(paths: Paths) -> bool:
    """Whether any image lies at the top."""
    return any(len(path) == 1 for path in paths.values())


def _stem(name: str) -> str:
    """Removes the suffix of an archive from its name."""
    return re.sub(r"\.(tar|tar\.gz|tgz|zip)$", "", name.lower())


def _run_folders(names: Collection[str]) -> set[str]:
    """Finds the folders of runs and sweeps, recognized by the names of their files."""
    found = {match[1] or "" for name in names if (match := RUN_FILE.fullmatch(name))}
    return {folder for folder in found if f"{folder}/manifest.json".lstrip("/") in names}
