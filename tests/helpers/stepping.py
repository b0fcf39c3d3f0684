"""Builds an experiment and plays its first steps."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gan_jax.config.discovery import find
from gan_jax.config.experiment import Experiment, Phase, schedule_phases
from gan_jax.config.flags import parse
from gan_jax.data import Source, open_source
from gan_jax.engine.game import Game, State, images_per_step
from gan_jax.engine.parallel import make_mesh
from gan_jax.runs.digest import digest
from gan_jax.sampling.preview import preview_latents
from gan_jax.sampling.sampler import generate, sampler
from gan_jax.training.train import abstract_state, check, chunks, logged, new_state

SHARED = {"lsgan", "wgan", "dragan", "rpgan", "denoise", "deblur", "inpaint", "colorize"}
"""Rows that differ from another of their table in loss, penalty, optimizer or inputs only, with every preset."""


class Stepped(NamedTuple):
    """The result of `three_steps`."""

    experiment: Experiment
    game: Game
    state: State
    metrics: dict[str, float]
    samples: np.ndarray


def built(name: str, *flags: str, source: Source) -> Experiment:
    """Builds the named experiment with flags as on the command line."""
    build = find(name).load(flags)
    return build(source, **parse(build, flags, name, given=["source"]).kwargs)


def traced(name: str, *flags: str, source: Source) -> tuple[int, ...] | dict[str, tuple[int, ...]]:
    """Traces an experiment's steps without compiling them; returns the shape of the preview's samples, or shapes."""
    experiment = built(name, "--images", "8", "--batch-size", "8", *flags, source=source)
    source = experiment.played_on(source)
    check(experiment, source, devices=1)
    logged(experiment, source)
    phase = experiment.phases[-1]
    players = abstract_state(phase.game, source, experiment.common, make_mesh(jax.devices()[:1])).players
    shown = preview_latents(experiment, phase.game, source)
    made = jax.eval_shape(lambda players: generate(phase.game, players, shown, jnp.int32(0)), players)
    return {name: each.shape for name, each in made.items()} if isinstance(made, dict) else made.shape


def schedules(experiment: Experiment) -> list[tuple[range, list[str]]]:
    """Writes every phase as text, schedules included: its steps, and the optimizers of its players."""

    def program(tx: optax.GradientTransformation) -> str:
        params = {"w": jnp.zeros(())}
        with jax.numpy_dtype_promotion("standard"):  # of optax
            return str(jax.make_jaxpr(tx.update)(params, tx.init(params), params))

    stages = schedule_phases(experiment)
    return [(stage.steps, [program(player.tx) for player in stage.game.players.values()]) for stage in stages]


def three_steps(name: str, *flags: str, source: Source | None = None, batch_size: int = 8) -> Stepped:
    """Plays three steps of an experiment on one device and draws its preview; checks that all metrics are finite."""
    source = source or open_source("mnist5k")
    flags = ["--images", "1", "--batch-size", str(batch_size), "--log-every", "3", *flags]
    experiment = built(name, *flags, source=source)
    [phase] = experiment.phases
    images = 3 * images_per_step(phase.game, batch_size)
    experiment = experiment._replace(phases=(Phase(phase.game, images),))
    [stage] = schedule_phases(experiment)
    check(experiment, source, devices=1)
    start = new_state(stage.game, source, experiment.common)
    initial = {name: digest(player.params) for name, player in start.players.items()}  # before it is donated
    mesh = make_mesh(jax.devices()[:1])
    [(_, state, metrics)] = chunks(stage, start, experiment.common, source, mesh)
    assert int(state.step) == 3
    found = {name: float(np.mean(value)) for name, value in metrics.items()}
    assert all(map(np.isfinite, found.values()))
    for name in {name for turn in stage.game.turns for move in turn.moves for name in move.who}:
        assert not state.players[name].params or digest(state.players[name].params) != initial[name], name
    samples = sampler(stage.game)(state, preview_latents(experiment, stage.game, source))
    return Stepped(experiment, stage.game, state, found, samples)
