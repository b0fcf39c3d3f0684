"""Any image data set of TensorFlow Datasets, by its name: prepared by the unmodified TFDS builder, then cached."""

import io
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from gan_jax.data.cache import Decoded, cache_folder, cached
from gan_jax.data.source import Examples, Source
from gan_jax.data.sources.toy import WORLDS
from gan_jax.data.with_tf_data import import_tensorflow, quieten
from gan_jax.errors import BadInput


def tfds_source(name: str, data_dir: str | Path | None = None, split: str = "train") -> Source:
    """The TFDS data set `name` (`mnist`, `cifar10`, `emnist/letters`, ...), downloaded unless it is in the cache.

    With `data_dir` nothing is downloaded: TFDS takes the original archives from that folder and checks their sha256.
    `split` is written as TFDS writes it: `train`, `test`, `train+test`, `train[:10%]`.
    """
    if data_dir is not None and not Path(data_dir).expanduser().is_dir():
        raise BadInput(f"{data_dir} is not a folder: give the one that holds the archives of {name}")
    return cached(name, {"tfds": name, "split": split}, lambda scratch: _decode(name, data_dir, split, scratch))


def _decode(name: str, data_dir: str | Path | None, split: str, scratch: Path) -> Decoded:
    quieten()
    import tensorflow_datasets as tfds  # imports TensorFlow, which takes seconds, late: mistakes are found before
    from absl import logging

    logging.set_verbosity(logging.ERROR)  # it warns of its own deprecations

    try:
        builder = tfds.builder(name, data_dir=cache_folder() / "tfds")
    except Exception as error:
        what = f"{name!r} is no file or folder here, and no TFDS data set ({_first_line(error)})"
        raise BadInput(f"{what}: choose one of tensorflow.org/datasets, mnist5k, {', '.join(WORLDS)}") from error
    image, label = _features(name, builder.info.features, tfds)
    if not (builder.data_path / "dataset_info.json").exists():
        _prepare(name, builder, data_dir, scratch, tfds)
    import_tensorflow()
    try:
        size = builder.info.splits[split].num_examples
    except Exception as error:
        raise BadInput(f"{name} has no split {split!r}: it has {', '.join(sorted(builder.info.splits))}") from error

    def chunks() -> Iterator[Examples]:
        wanted = tfds.decode.PartialDecoding({"image": True} | ({"label": True} if label else {}))
        for batch in tfds.as_numpy(builder.as_dataset(split, batch_size=1024, decoders=wanted)):
            yield {"x": batch["image"]} | ({"y": batch["label"].astype(np.int32)} if label else {})

    return Decoded(size, image.shape, chunks(), tuple(label.names) if label else ())


def _features(name: str, features: Any, tfds: Any) -> tuple[Any, Any]:
    """The image feature, and the label feature or None."""
    named = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    image, label = named.get("image"), named.get("label")
    if not isinstance(image, tfds.features.Image) or None in image.shape or image.np_dtype != np.uint8:
        found = f"image: {image}" if image else f"no image, but {', '.join(named) or features}"
        raise BadInput(f"{name} has {found}: only 8-bit images of one size can be used")
    return image, label if isinstance(label, tfds.features.ClassLabel) else None


def _prepare(name: str, builder: Any, data_dir: str | Path | None, scratch: Path, tfds: Any) -> None:
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    if data_dir is None:
        _require_network(name, builder)
        folders = {"download_dir": cache_folder() / "tfds" / "downloads"}
    else:
        _require_archives(name, builder, Path(data_dir).expanduser())
        # What is unpacked goes to the scratch folder: a failed attempt leaves nothing for the next one to trip over.
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
        raise BadInput(f"{found[1] if found else name} has the wrong sha256: fetch the original again") from error
    except Exception as error:
        raise BadInput(f"TFDS cannot prepare {name} ({_first_line(error)})") from error


def _require_archives(name: str, builder: Any, folder: Path) -> None:
    if builder.builder_configs:
        return  # the archives listed are those of all configurations
    missing = [info.filename for info in builder.url_infos.values() if not (folder / (info.filename or "")).exists()]
    if missing:
        raise BadInput(f"{folder} lacks {', '.join(missing)}: put the original archives of {name} there")


def _require_network(name: str, builder: Any) -> None:
    """One quick question first: TFDS itself retries for minutes before it gives up."""
    import requests

    try:
        for url in list(builder.url_infos)[:1]:
            requests.get(url, stream=True, timeout=20).close()
    except (requests.ConnectionError, requests.Timeout) as error:
        raise BadInput(
            f"{name} cannot be downloaded from {url} (no connection): "
            "put its archives in a folder and give that as data_dir"
        ) from error
    except requests.RequestException:
        pass  # not for a plain request to judge


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
