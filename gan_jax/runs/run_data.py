"""Opens the data of a run, the one place where every command compares it with the run's manifest."""

import functools
from collections.abc import Callable
from pathlib import Path

from gan_jax.config.experiment import RunConfig
from gan_jax.data import Source, open_source
from gan_jax.errors import BadInput
from gan_jax.runs.manifest import Manifest, check_data, describe_data

OpenSplit = Callable[[str], Source]
"""`opened(split)`: a split of a data set."""


def open_data(common: RunConfig, split: str = "train") -> Source:
    """Opens a split of the data that the flags of a new run name; `RunDir.claim` compares it if the run exists."""
    return open_source(
        common.data, common.data_dir, split, common.image_size, pair=common.pair, to=common.to, tile=common.tile
    )


def run_data(run: Path, manifest: Manifest, common: RunConfig) -> OpenSplit:
    """Returns `opened(split)`, which opens a split of the data that a run was trained on.

    Before any other split, it opens the training data, whose fingerprint the manifest has.

    Raises:
        BadInput: (from `opened`) the data is not there, or no longer that of the run; says how to find data that was
            moved.
    """

    @functools.cache
    def opened(split: str) -> Source:
        if split != "train":
            opened("train")
            return open_data(common, split)
        try:
            source = open_data(common)
            check_data(run, (manifest.settings.get("data", ""), manifest.data), (common.data, describe_data(source)))
        except BadInput as error:
            moved = f"if the data of {run} was moved, repeat the command that trained it once with --data NEW"
            raise BadInput(f"{error}; {moved}") from error
        return source

    return opened
