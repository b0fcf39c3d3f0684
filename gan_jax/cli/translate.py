"""The part of `gan-jax sample` that translates given inputs, file by file."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Key, UInt8

from gan_jax.data.modality import IMAGE, LABEL_MAP, MASKED, Leaf, Spec, to_uint8
from gan_jax.engine.game import Game, State
from gan_jax.errors import BadInput
from gan_jax.evaluation.image_sets import ImageSet, Mode, open_named
from gan_jax.runs.files import save_npz
from gan_jax.sampling.translation import translator
from gan_jax.training.progress import say
from gan_jax.viz.images import save_png, side_by_side

Translated = dict[str, UInt8[np.ndarray, "1 H W C"]]
"""What was made of one input, by name; the first is the translation itself."""

MODES: dict[int, Mode] = {1: "L", 3: "RGB"}


class Inputs(NamedTuple):
    """The images to translate."""

    where: str
    """A folder, archive or .npz file of images of any sizes, or the name of a data set, as in `mnist@test`. Where the
    game takes label maps, images of one channel or a palette whose bytes are classes; where it fills holes, images that
    are transparent there."""
    image_size: int | None = None
    """If given, they are cropped and resized to squares of so many pixels, as for training."""
    data_dir: Path | None = None
    """Folder with the original archives of a data set."""
    domain: str = ""
    """The condition that they are; empty for the game's first."""
    n: int | None = None
    """How many, from the first on; None for all."""


def translate(game: Game, state: State, spec: Spec, inputs: Inputs, key: Key[Array, ""], out: Path) -> None:
    """Translates images, and writes a folder of files named as they are, or a .npz file or a picture of one size.

    `spec` is that of the data that the game was trained on; `key` is for games with noise.

    Raises:
        BadInput: the game or its inputs are of another kind, they cannot be read, a label is outside the classes, or
            `out` holds files already.
    """
    condition = inputs.domain or game.conditions[0]
    if condition not in game.conditions:
        raise BadInput(f"--domain {condition} is not an input of this game: choose one of {', '.join(game.conditions)}")
    leaf = spec[condition]
    if leaf.modality.name != LABEL_MAP and (leaf.modality not in (IMAGE, MASKED) or _colors(leaf) not in MODES):
        raise BadInput(f"this game takes {leaf.modality.describe(leaf.shape)}, which --inputs cannot read as files")
    if not out.suffix and out.is_dir() and any(out.iterdir()):
        raise BadInput(f"{out} holds files already: choose another folder for --out")
    with tempfile.TemporaryDirectory() as scratch:
        images = open_named(inputs.where, Path(scratch), size=inputs.image_size, data_dir=inputs.data_dir)
        say(f"inputs      {images.report}")
        names = list(images.images)[: inputs.n]
        if out.suffix and len({images.images[name].size for name in names}) > 1:
            raise BadInput("inputs differ in size: give a folder for --out, a name without ending")
        read = _reader(leaf, images, names)
        made = translator(game, leaf, condition, key)(state, map(read, names))
        _write(out, zip(names, map(_by_name, made), strict=True), read, leaf)
    print(out)


def _reader(leaf: Leaf, images: ImageSet, names: list[str]) -> Callable[[str], UInt8[np.ndarray, "1 ..."]]:
    """Returns the function that reads an input by its name, as it is stored; checks label maps and holes."""
    if leaf.modality is IMAGE:
        return lambda name: images.images[name].read(MODES[leaf.shape[-1]])[None]

    def read(name: str) -> UInt8[np.ndarray, "1 ..."]:
        if leaf.modality.name == LABEL_MAP:
            return images.label_map(name, leaf.shape[-1])[None]
        hole = images.hole(name)
        if not hole.any():
            raise BadInput(f"{images.where}: {name} has no hole: make a part of it transparent, in a PNG file")
        return np.dstack([images.filled(name, MODES[_colors(leaf)]), np.uint8(255) * hole])[None]

    for name in names:  # so that a label outside the classes is found before anything is written
        read(name)
    return read


def _colors(leaf: Leaf) -> int:
    """Returns the number of channels without the mask."""
    return leaf.shape[-1] - (leaf.modality is MASKED)


def _by_name(samples: np.ndarray | Mapping[str, np.ndarray]) -> Translated:
    named = samples if isinstance(samples, Mapping) else {"images": samples}
    return {name: to_uint8(array) for name, array in named.items()}


def _write(
    out: Path, made: Iterator[tuple[str, Translated]], read: Callable[[str], UInt8[np.ndarray, "1 ..."]], leaf: Leaf
) -> None:
    """Writes a file per input as it is made, or all of them as arrays or a picture."""
    if not out.suffix:
        for name, translated in made:
            save_png(out / f"{name}.png", next(iter(translated.values()))[0])
        return
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for name, translated in made:
        for key, array in {"inputs": read(name), **translated}.items():
            found[key].append(array)
    arrays = {key: np.concatenate(each) for key, each in found.items()}
    if out.suffix == ".npz":
        save_npz(out, arrays)
        return
    if leaf.modality.name == LABEL_MAP:
        arrays["inputs"] = np.eye(leaf.shape[-1], dtype=np.uint8)[arrays["inputs"]]
    save_png(out, side_by_side(list(arrays.values()), len(arrays["inputs"]), 1))
