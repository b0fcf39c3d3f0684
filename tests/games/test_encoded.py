"""Games on another representation: the losses of the original on encoded examples, decoded samples, statistics kept."""

import arena
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax import init, make_step
from gan_jax.games import vanilla
from gan_jax.games.encoded import Representation, encoded
from gan_jax.sampling.sampler import generate

B, LONG = 6, (4, 2, 1)
SCALE = jnp.float32(0.5)
X = jnp.asarray(np.random.RandomState(0).normal(size=(1, B, *LONG)), jnp.float32)


def halve(scale, x):
    """Encodes `[B, 4, 2, 1]` as `[B, 2, 2, 1]`."""
    return scale * x[:, ::2]


def restore(scale, x, keys):
    """Decodes, with a constant drawn for every example in the rows that were lost."""
    lost = jnp.broadcast_to(jax.vmap(jax.random.uniform)(keys)[:, None, None, None], x.shape)
    return jnp.stack([x / scale, lost], axis=2).reshape(-1, *LONG)


@pytest.fixture(scope="module")
def played():
    """Plays a step of the original game on encoded examples, and of the encoded game; counts how often it reads."""
    g, d, tx = arena.Generator(norm=False), arena.Discriminator(), optax.sgd(0.1)
    original = vanilla.game(g, d, tx, tx, z_size=arena.Z)
    reads = []
    like = jax.ShapeDtypeStruct((), jnp.float32)
    game = encoded(original, Representation(arena.SHAPE, halve, restore, lambda: reads.append(1) or SCALE, like))

    @jax.jit
    def run(x):
        starts = [init(each, jax.random.key(0), {"x": seen}) for each, seen in zip((original, game), x, strict=True)]
        assert not reads
        steps = [make_step(each) for each in (original, game)]
        return starts, [step(start, {"x": seen}) for step, start, seen in zip(steps, starts, x, strict=True)]

    starts, ends = run((halve(SCALE, X[0])[None], X))
    return game, starts[1], ends, reads


def test_networks_learn_as_on_encoded_examples(played):
    _, _, [(expected, others), (got, metrics)], _ = played
    for name, player in expected.players.items():
        jax.tree.map(np.testing.assert_allclose, got.players[name].params, player.params)
    jax.tree.map(np.testing.assert_allclose, metrics, others)


def test_statistics_are_read_in_training_only_and_kept_in_the_state(played):
    """`init`, whose shapes every command needs, reads nothing: a run is restored without its data."""
    _, start, [_, (state, _)], reads = played
    assert len(reads) == 1
    [before], [kept] = (jax.tree.leaves(each.players["statistics"].stats) for each in (start, state))
    assert before == 0 and kept == SCALE and not state.players["statistics"].params


def test_samples_are_decoded_by_the_kept_statistics_and_their_own_keys(played):
    game, _, [_, (state, _)], _ = played

    @jax.jit
    def run(keys):
        latents = game.draw(keys, {})
        rows = game.players["g"].net.apply({"params": state.players["g"].params}, latents["z"])
        return generate(game, state.players, latents, 0), rows, jax.vmap(jax.random.uniform)(latents["keys"])

    made, rows, drawn = run(jax.random.split(jax.random.key(1), 3))
    np.testing.assert_allclose(made[:, ::2], rows / SCALE, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(made[:, 1::2], np.broadcast_to(drawn[:, None, None, None], (3, 2, 2, 1)))
    assert len(set(drawn.tolist())) == 3
