"""Data sets of TensorFlow Datasets (TFDS): prepared by the unmodified TFDS builder, then cached."""

import io
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import redirect_stdout
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from gan_jax.data.cache import Decoded, cache_folder, cached
from gan_jax.data.modality import IMAGE, LABEL, Leaf
from gan_jax.data.source import Examples, Source
from gan_jax.data.sources import decoding
from gan_jax.data.sources.pair_layout import words_of
from gan_jax.data.sources.tfds_sequences import Reading, find_sequences
from gan_jax.data.sources.tiles import tile_chunks
from gan_jax.data.sources.toy import TOY_DATA
from gan_jax.data.sources.windows import FRAMES
from gan_jax.data.with_tf_data import import_tensorflow, quieten
from gan_jax.errors import BadInput

DOMAINS = "cycle_gan/"
"""Data sets of TFDS whose splits are those of two domains: `trainA`, `trainB`, `testA`, `testB`."""


def tfds_source(
    name: str,
    data_dir: str | Path | None = None,
    split: str = "train",
    size: int | None = None,
    pair: str = "",
    tile: int | None = None,
    frames: int = FRAMES,
) -> Source:
    """Opens the TFDS data set `name` (`mnist`, `cifar10`, `emnist/letters`, ...); downloads it if it is not cached.

    Of a data set without images, opens the sounds, as recordings (see `recordings.windows`), or the videos.

    Args:
        name: of the data set.
        data_dir: if given, nothing is downloaded: TFDS reads the original archives from this folder and checks their
            sha256.
        split: as TFDS writes it: `train`, `test`, `train+test`, `train[:10%]`. A data set without `test` gives its
            validation split for it; one whose only split is another gives nine tenths of that for `train`, and the
            rest for `test`.
        size: if given, images are cropped to their central square and resized to `size` pixels a side.
        pair: `INPUT,TARGET`, two features that are images; `auto` takes those that TFDS calls supervised.
        tile: if given, images are cut into squares of `tile` pixels a side.
        frames: the number of frames of a video, which is cut into windows.

    Raises:
        BadInput: unknown data set or split, no 8-bit images, sounds or videos, images of no stated size without `size`
            or `tile`, missing or damaged archives, or no network.
    """
    if data_dir is not None and not Path(data_dir).expanduser().is_dir():
        raise BadInput(f"{data_dir} is not a folder: give the folder with the archives of {name}")
    asked = {"size": size, "pair": pair, "tile": tile, "frames": frames if frames != FRAMES else None}
    key = {"tfds": name, "split": split} | {name: value for name, value in asked.items() if value}
    decode = partial(_decode, name, data_dir, split, size=size, pair=pair, tile=tile, frames=frames)
    source = cached(name, key, decode)
    return source._replace(report=source.report or f"split {split}", split=source.split or split)


def _decode(
    name: str,
    data_dir: str | Path | None,
    split: str,
    scratch: Path,
    *,
    size: int | None,
    pair: str,
    tile: int | None,
    frames: int,
) -> Decoded:
    quieten()
    import tensorflow_datasets as tfds  # late, because it imports TensorFlow, which takes seconds
    from absl import logging

    logging.set_verbosity(logging.ERROR)  # TFDS logs its own deprecations

    builder = _builder(name, tfds)
    sequences = None if pair or tile else find_sequences(name, builder.info, size, tfds)
    images, classes = ({}, _classes(builder.info, tfds)) if sequences else _features(name, builder.info, pair, tfds)
    if not (size or tile) and any(None in feature.shape for _, feature in images.values()):
        what = f"{name} has images of no stated size"
        raise BadInput(f"{what}: give --image-size for one size, or --tile to cut them into squares")
    if not (builder.data_path / "dataset_info.json").exists():
        _prepare(name, builder, data_dir, scratch, tfds)
    import_tensorflow()
    read = _split(name, builder, split)
    report = "" if read == split else f"split {read}, because there is no {split}"
    sides = {side: feature for side, (feature, _) in images.items()}
    sides |= ({"x": sequences.feature} if sequences else {}) | ({"y": "label"} if classes else {})
    wanted = tfds.decode.PartialDecoding(dict.fromkeys(sides.values(), True))

    def batches(at_once: int) -> Iterator[Examples]:
        for batch in tfds.as_numpy(builder.as_dataset(read, batch_size=at_once, decoders=wanted)):
            yield {side: batch[feature] for side, feature in sides.items()}

    if sequences:
        decoded = sequences.decode(Reading(name, partial(batches, 1), classes, frames, size))
        return decoded._replace(report="; ".join(filter(None, (report, decoded.report))), split=read)
    # Images of several sizes make no batch.
    chunks = (_arrays(batch, size) for batch in batches(1 if size or tile else 1024))
    first = next(chunks, None)
    if first is None:
        raise BadInput(f"the split {read} of {name} is empty: choose another")
    spec = {side: Leaf(first[side].shape[1:], IMAGE if side in images else LABEL) for side in sides}
    if pair:
        report = "; ".join((report or f"split {read}", f"pairs {sides['a']} -> {sides['x']}"))
    decoded = Decoded(spec, chain([first], chunks), classes, report, read)
    return tile_chunks(name, decoded, tile) if tile else decoded


def _builder(name: str, tfds: Any) -> Any:
    try:
        return tfds.builder(name, data_dir=cache_folder() / "tfds")
    except Exception as error:
        what = f"{name!r} is neither a file or folder nor a TFDS data set ({_first_line(error)})"
        choices = f"mnist5k, {', '.join(TOY_DATA)} or a data set of tensorflow.org/datasets"
        raise BadInput(f"{what}: choose one of {choices}") from error


def _split(name: str, builder: Any, split: str) -> str:
    """Returns the split to read for the one asked for."""
    read = held_out(builder.info.splits) if split == "test" else split
    if split in ("train", "test") and len(builder.info.splits) == 1 and "train" not in builder.info.splits:
        (only,) = builder.info.splits
        return f"{only}[{':90%' if split == 'train' else '90%:'}]"
    try:
        builder.info.splits[read]
    except Exception as error:
        raise BadInput(
            f"{name} has no split {split!r}: choose one of {', '.join(sorted(builder.info.splits))}"
        ) from error
    return read


def _arrays(batch: Examples, size: int | None) -> Examples:
    """Returns images, resized if they are one, and labels of a batch."""

    def array(name: str) -> np.ndarray:
        if name == "y":
            return batch[name].astype(np.int32)
        images, largest = batch[name], batch["x"].shape[1]
        return decoding.fit(images[0], size * images.shape[1] // largest)[None] if size else images

    return {name: array(name) for name in batch}


def held_out(splits: Collection[str]) -> str:
    """Returns `test`, or the validation split of a data set that has no `test`."""
    return next((name for name in ("test", "validation", "valid", "val") if name in splits), "test")


def _features(name: str, info: Any, pair: str, tfds: Any) -> tuple[dict[str, tuple[str, Any]], tuple[str, ...]]:
    """Returns the features that become `a` and `x`, each with its name, and the classes of the labels, if any."""
    features = info.features
    named = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    kind = tfds.features.Image
    images = {key: each for key, each in named.items() if isinstance(each, kind) and each.np_dtype == np.uint8}
    inner = info.supervised_keys or ()
    if pair:
        words = inner if pair == "auto" else words_of(pair)
        if len(words) != 2 or not images.keys() >= set(words):
            what = f"{name} has the images {', '.join(images) or '(none)'}"
            raise BadInput(f"{what}: give --pair INPUT,TARGET with two of these")
    else:
        words = [key for key in ("image", *inner[1:], *images) if key in images][:1]
        if not words:
            image = named.get("image")
            found = f"image: {image}" if image else f"no image, but {', '.join(named) or features}"
            raise BadInput(f"{name} has {found}: choose a data set of 8-bit images, sounds or videos")
    sides = {side: (word, images[word]) for side, word in zip("ax"[-len(words) :], words, strict=True)}
    return sides, _classes(info, tfds)


def _classes(info: Any, tfds: Any) -> tuple[str, ...]:
    label = dict(info.features.items()).get("label") if isinstance(info.features, tfds.features.FeaturesDict) else None
    return tuple(label.names) if isinstance(label, tfds.features.ClassLabel) else ()


def _prepare(name: str, builder: Any, data_dir: str | Path | None, scratch: Path, tfds: Any) -> None:
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    if data_dir is None:
        _require_network(name, builder)
        folders = {"download_dir": cache_folder() / "tfds" / "downloads"}
    else:
        _require_archives(name, builder, Path(data_dir).expanduser())
        # Unpacked files go to the scratch folder, so that a failed attempt leaves nothing behind.
        folders = {
            "download_dir": scratch / "downloads",
            "download_config": tfds.download.DownloadConfig(manual_dir=Path(data_dir).expanduser()),
        }
    import_tensorflow()
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    try:
        with redirect_stdout(io.StringIO()):
            builder.download_and_prepare(**folders)
    except NonMatchingChecksumError as error:
        found = re.search(r"downloaded to (.*), has wrong checksum", str(error))
        raise BadInput(f"{found[1] if found else name} has the wrong sha256: download the original again") from error
    except Exception as error:
        raise BadInput(f"TFDS cannot prepare {name} ({_first_line(error)}): fix that, or choose other data") from error


def _require_archives(name: str, builder: Any, folder: Path) -> None:
    if builder.builder_configs:
        return  # TFDS lists the archives of all configurations
    missing = [info.filename for info in builder.url_infos.values() if not (folder / (info.filename or "")).exists()]
    if missing:
        raise BadInput(f"{folder} lacks {', '.join(missing)}: put the original archives of {name} there")


def _require_network(name: str, builder: Any) -> None:
    """Sends one request to the first URL: without a network, TFDS retries for minutes before it fails."""
    import requests

    try:
        for url in list(builder.url_infos)[:1]:
            requests.get(url, stream=True, timeout=20).close()
    except (requests.ConnectionError, requests.Timeout) as error:
        raise BadInput(
            f"{name} cannot be downloaded from {url} (no connection): "
            "put its archives in a folder and give it as --data-dir"
        ) from error
    except requests.RequestException:
        pass  # the server answered, TFDS handles the rest


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
