"""A game in gan_jax: chunks of steps as `gan-jax train` dispatches them, or one step a call."""

from collections.abc import Callable

import jax
import numpy as np

from bench.contender import Arrays, Contender, Spec, shuffled, weights
from bench.reference import named_leaves
from gan_jax.data import Source, device_resident, from_arrays
from gan_jax.engine.game import State, slice_count
from gan_jax.engine.parallel import make_mesh
from gan_jax.training.train import chunks, new_state
from twins.games import Built, build, parameters


def make(spec: Spec, arrays: Arrays, chunk: bool) -> Contender:
    """Prepares a game. Its first losses are the reference's, whose step it plays, if its weights are."""
    source = from_arrays("digits", arrays["images"])
    built = build(spec["words"], source)
    state = new_state(built.stage.game, source, built.common)
    assert_same_weights(spec, arrays, state)
    if not chunk:
        return Contender(lambda: spec["losses"], _one_by_one(built, source, state, spec, arrays))
    return Contender(lambda: spec["losses"], _chunks(built, source, state), min(built.stage.periods(built.common)))


def assert_same_weights(spec: Spec, arrays: Arrays, state: State) -> None:
    """Asserts that a state has the reference's weights, which another program has drawn."""
    assert parameters(state) == spec["parameters"]
    for player in ("g", "d"):
        own, others = named_leaves(state.players[player]), weights(arrays, player)
        assert own.keys() == others.keys()
        for path, leaf in own.items():
            np.testing.assert_allclose(leaf, others[path], rtol=1e-4, atol=1e-6, err_msg=path)


def _chunks(built: Built, source: Source, state: State) -> Callable[[int], None]:
    """Makes the function that plays steps with the loop of `train`."""
    played = chunks(built.stage, state, built.common, source, make_mesh(jax.devices()[:1]))
    reached = 0

    def run(steps: int) -> None:
        nonlocal reached
        end = reached + steps
        while reached < end:
            reached, _, metrics = next(played)
        jax.block_until_ready(metrics)

    return run


def _one_by_one(built: Built, source: Source, state: State, spec: Spec, arrays: Arrays) -> Callable[[int], None]:
    """Makes the function that plays steps in one dispatch each."""
    count = slice_count(built.stage.game)
    pipeline = device_resident(source, built.common.seed, count, spec["batch"])
    order = shuffled(arrays, spec)
    keys = np.zeros((count, spec["batch"], 2), np.uint32)  # decoding these images draws nothing
    play = jax.jit(
        lambda state, data, drawn: built.stage.phase.step(state, pipeline.load(data, drawn)), donate_argnums=0
    )

    def run(steps: int) -> None:
        nonlocal state
        for _ in range(steps):
            drawn = {"indices": (np.stack([next(order) for _ in range(count)]),), "keys": keys}
            state, metrics = play(state, pipeline.arrays, drawn)
        jax.block_until_ready(metrics)

    return run
