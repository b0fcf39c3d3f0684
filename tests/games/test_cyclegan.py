"""CycleGAN: its losses by hand, its pools in play, and its samples."""

import arena
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from test_paired import PerPixel, Times

from gan_jax import init, losses, make_step
from gan_jax.engine.game import Frozen
from gan_jax.games import cyclegan
from gan_jax.sampling.sampler import generate

SGD = optax.sgd(0.1)
RNG = np.random.RandomState(0)
A, B = (RNG.uniform(-1, 1, (4, 2, 2, 1)).astype(np.float32) for _ in "ab")
BATCH = {"a": jnp.asarray(A)[None], "b": jnp.asarray(B)[None]}


def stepped(**options):
    nets = (Times(), Times(), PerPixel(), PerPixel())
    game = cyclegan.game(*nets, SGD, SGD, loss=losses.least_squares, **options)
    state, metrics = jax.jit(make_step(game))(init(game, jax.random.key(0), BATCH), BATCH)
    return game, state, metrics


def test_losses_are_those_of_the_equation():
    """With both translators 0.5 and both discriminators 0.3 times their input; the pool returns the first fakes."""
    *_, metrics = stepped(cycle_weight=10.0, identity_weight=5.0)
    cycle = np.mean(np.abs(A - 0.25 * A)) + np.mean(np.abs(B - 0.25 * B))
    identity = np.mean(np.abs(0.5 * B)) + np.mean(np.abs(0.5 * A))
    fooled = [np.mean(0.5 * (0.3 * 0.5 * images - 1) ** 2) for images in (B, A)]
    np.testing.assert_allclose(metrics["g/cycle"], cycle, rtol=1e-5)
    np.testing.assert_allclose(metrics["g/identity"], identity, rtol=1e-5)
    np.testing.assert_allclose(metrics["g/loss"], sum(fooled) + 10 * cycle + 5 * identity, rtol=1e-5)
    for d, real, fake in (("d_a", A, 0.5 * B), ("d_b", B, 0.5 * A)):
        wanted = np.mean(0.5 * (0.3 * real - 1) ** 2 + 0.5 * (0.3 * fake) ** 2)
        np.testing.assert_allclose(metrics[f"{d}/loss"], wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("weights", "read_with"),
    [({"a": 4.0}, {"a": 4.0}), ({"b": -6.0}, {"b": 6.0}), ({"a": 4.0, "b": -6.0}, {"a": -6.0, "b": -4.0})],
)
def test_semantic_loss_holds_translations_to_the_class_of_their_inputs(weights, read_with):
    """Classifiers have two classes, the sign of the mean; their logits of a translation are half of the input's.

    Inputs are read by the classifier of their domain, translations by that of the other domain if there is one. A
    classifier of negative weight contradicts the other one.
    """

    def classify(w, x):
        return jnp.stack([w * x.mean((1, 2, 3)), -w * x.mean((1, 2, 3))], axis=-1)

    classifiers = {name: Frozen(classify, lambda w=w: w) for name, w in weights.items()}
    *_, without = stepped()
    *_, metrics = stepped(classifiers=classifiers, semantic_weight=3.0)
    images = {"a": A, "b": B}
    kept = sum(np.mean(np.log1p(np.exp(-w * np.abs(images[x].mean((1, 2, 3)))))) for x, w in read_with.items())
    np.testing.assert_allclose(metrics["g/semantic"], kept, rtol=1e-5)
    np.testing.assert_allclose(metrics["g/loss"], without["g/loss"] + 3 * kept, rtol=1e-5)


def test_both_pools_hold_the_translations_made_before_the_update():
    _, state, _ = stepped(pool_size=6)
    for pool, source in (("pool_a", B), ("pool_b", A)):
        kept = state.players[pool].stats["pool"]
        assert kept["count"] == 4
        np.testing.assert_allclose(kept["images"][:4], 0.5 * source, rtol=1e-6)
        assert not np.any(kept["images"][4:])


def test_without_identity_term_and_pool_there_is_neither():
    game, _, metrics = stepped(identity_weight=0.0, pool_size=0)
    assert "g/identity" not in metrics and not [name for name in game.players if "pool" in name]


def test_one_domain_alone_is_translated_and_back():
    game, state = arena.started(arena.unpaired_translation)
    latents = {"a": jnp.ones((2, *arena.SHAPE)), "keys": jax.random.split(jax.random.key(3), 2)}
    found = generate(game, state.players, latents, 0)
    assert found.keys() == {"fake_b", "cycle_a"} and found["fake_b"].shape == (2, *arena.SHAPE)
    assert generate(game, state.players, latents | {"b": latents["a"]}, 0).keys() == {
        *found,
        "fake_a",
        "cycle_b",
    }
