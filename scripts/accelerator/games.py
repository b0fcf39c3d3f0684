"""The games that are timed, each by the words of its `gan-jax train` command, and their data."""

from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gan_jax.config.discovery import find
from gan_jax.config.experiment import Phase, RunConfig, ScheduledPhase, schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import Source, from_arrays, open_source
from gan_jax.engine.game import State

FULL = ("--preset", "full", "--batch-size", "64")
ENDLESS = ("--images", str(10**9))

COMMANDS = {
    "mnist_mlp": ("mnist_mlp",),
    "mnist_dcgan": ("mnist_dcgan",),
    "dcgan small": ("dcgan",),
    "dcgan full": ("dcgan", *FULL),
    "wgan_gp full": ("wgan_gp", *FULL),
    "hinge full": ("hinge", *FULL),
}
TINY = ("--batch-size", "4", "--log-every", "2")
TOY_COMMANDS = {
    "mnist_mlp": ("mnist_mlp", *TINY),
    "mnist_dcgan": ("mnist_dcgan", *TINY),
    "dcgan small": ("dcgan", *TINY, "--g-width", "2", "--d-width", "2"),
    "dcgan full": ("dcgan", *TINY, "--preset", "full", "--g-width", "4", "--d-width", "4"),
    "wgan_gp full": ("wgan_gp", *TINY, "--preset", "full", "--g-width", "4", "--d-width", "4", "--n-critic", "1"),
    "hinge full": ("hinge", *TINY, "--preset", "full", "--g-width", "4", "--d-width", "4", "--n-critic", "1"),
}


class Built(NamedTuple):
    """A game with the settings of its row."""

    stage: ScheduledPhase
    common: RunConfig
    config: object
    """The row's `Config`."""


def build(name: str, source: Source, dtype: str, toy: bool) -> Built:
    """Builds a game of the table, its networks computing in `dtype`."""
    row, *flags = (TOY_COMMANDS if toy else COMMANDS)[name]
    make = find(row).load(flags)
    kwargs = parse(make, [*flags, *ENDLESS], row, given=["source"]).kwargs
    [stage] = schedule_phases(make(source, **kwargs))
    players = {
        key: player._replace(net=player.net.clone(dtype=None if dtype == "float32" else jnp.dtype(dtype)))
        for key, player in stage.game.players.items()
    }
    phase = Phase(stage.game._replace(players=players), stage.phase.images)
    return Built(stage._replace(phase=phase), kwargs["common"], kwargs["config"])


def parameters(state: State) -> dict[str, int]:
    """Counts the parameters of every player."""
    return {name: sum(leaf.size for leaf in jax.tree.leaves(p.params)) for name, p in state.players.items()}


def open_data(file: Path | None) -> Source:
    """Opens the file of `save_data`, or makes 5,000 random images."""
    if file is None:
        images = np.random.default_rng(0).integers(0, 256, (5000, 28, 28, 1), np.uint8)
        return from_arrays("random images", images)
    with np.load(file) as arrays:
        return from_arrays(file.stem, arrays["images"], arrays["labels"], tuple("0123456789"))


def save_data(file: Path) -> None:
    """Writes mnist5k as uint8 `images` `[N, 28, 28, 1]` and `labels` `[N]`."""
    source = open_source("mnist5k")
    examples = source.read(np.arange(source.size))
    np.savez_compressed(file, images=examples["x"], labels=examples["y"])
    print(f"wrote {source.size} images to {file}")
