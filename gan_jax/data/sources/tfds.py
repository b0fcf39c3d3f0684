"""Image data sets of TensorFlow Datasets (TFDS): prepared by the unmodified TFDS builder, then cached."""

import io
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from gan_jax.data.cache import Decoded, cache_folder, cached
from gan_jax.data.modality import spec_of
from gan_jax.data.source import Examples, Source
from gan_jax.data.sources.toy import TOY_DATA
from gan_jax.data.with_tf_data import import_tensorflow, quieten
from gan_jax.errors import BadInput


def tfds_source(name: str, data_dir: str | Path | None = None, split: str = "train") -> Source:
    """Opens the TFDS data set `name` (`mnist`, `cifar10`, `emnist/letters`, ...); downloads it if it is not cached.

    Args:
        name: of the data set.
        data_dir: if given, nothing is downloaded: TFDS reads the original archives from this folder and checks their
            sha256.
        split: as TFDS writes it: `train`, `test`, `train+test`, `train[:10%]`. A data set without `test` gives its
            validation split for it.

    Raises:
        BadInput: unknown data set or split, no 8-bit images of one size, missing or damaged archives, or no network.
    """
    if data_dir is not None and not Path(data_dir).expanduser().is_dir():
        raise BadInput(f"{data_dir} is not a folder: give the folder with the archives of {name}")
    source = cached(name, {"tfds": name, "split": split}, lambda scratch: _decode(name, data_dir, split, scratch))
    return source._replace(report=source.report or f"split {split}", split=source.split or split)


def _decode(name: str, data_dir: str | Path | None, split: str, scratch: Path) -> Decoded:
    quieten()
    import tensorflow_datasets as tfds  # late, because it imports TensorFlow, which takes seconds
    from absl import logging

    logging.set_verbosity(logging.ERROR)  # TFDS logs its own deprecations

    try:
        builder = tfds.builder(name, data_dir=cache_folder() / "tfds")
    except Exception as error:
        what = f"{name!r} is neither a file or folder nor a TFDS data set ({_first_line(error)})"
        choices = f"mnist5k, {', '.join(TOY_DATA)} or a data set of tensorflow.org/datasets"
        raise BadInput(f"{what}: choose one of {choices}") from error
    image, label = _features(name, builder.info.features, tfds)
    if not (builder.data_path / "dataset_info.json").exists():
        _prepare(name, builder, data_dir, scratch, tfds)
    import_tensorflow()
    read = held_out(builder.info.splits) if split == "test" else split
    try:
        builder.info.splits[read]
    except Exception as error:
        raise BadInput(
            f"{name} has no split {split!r}: choose one of {', '.join(sorted(builder.info.splits))}"
        ) from error

    def chunks() -> Iterator[Examples]:
        wanted = tfds.decode.PartialDecoding({"image": True} | ({"label": True} if label else {}))
        for batch in tfds.as_numpy(builder.as_dataset(read, batch_size=1024, decoders=wanted)):
            yield {"x": batch["image"]} | ({"y": batch["label"].astype(np.int32)} if label else {})

    report = "" if read == split else f"split {read}, because there is no {split}"
    return Decoded(spec_of(image.shape, label is not None), chunks(), tuple(label.names) if label else (), report, read)


def held_out(splits: Collection[str]) -> str:
    """Returns `test`, or the validation split of a data set that has no `test`."""
    return next((name for name in ("test", "validation", "valid", "val") if name in splits), "test")


def _features(name: str, features: Any, tfds: Any) -> tuple[Any, Any]:
    """Returns the image feature, and the label feature or None."""
    named = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    image, label = named.get("image"), named.get("label")
    if not isinstance(image, tfds.features.Image) or None in image.shape or image.np_dtype != np.uint8:
        found = f"image: {image}" if image else f"no image, but {', '.join(named) or features}"
        raise BadInput(f"{name} has {found}: choose a data set of 8-bit images of one size")
    return image, label if isinstance(label, tfds.features.ClassLabel) else None


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
