"""Phase shuffle by hand, and one shift per example and layer."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from gan_jax.nets.layers.phase_shuffle import PhaseShuffle

N, T = 2, 8


def shuffled(keys, module):
    """Shifts a ramp of two channels by every key."""
    ramp = np.arange(T, dtype=np.float32)
    x = jnp.asarray(np.stack(len(keys) * [np.stack([ramp, -ramp], axis=1)]))
    return np.asarray(jax.jit(module.apply)({}, x, keys))


def shifts(y):
    """Returns the shift of every example, of which the middle is not reflected."""
    return np.rint(y[:, T // 2, 0]).astype(int) - T // 2


def test_sequences_are_reflected_at_their_ends_and_channels_move_alike():
    y = shuffled(jax.random.split(jax.random.key(1), 20), PhaseShuffle(N))
    np.testing.assert_array_equal(y[..., 0], -y[..., 1])
    reflected = np.array([2, 1, *range(T), T - 2, T - 3])
    for example, shift in zip(y[..., 0], shifts(y), strict=True):
        np.testing.assert_array_equal(example, reflected[N + shift : N + shift + T])


def test_shifts_are_uniform_and_independent_of_the_other_examples():
    """One draw per batch, as in the authors' program, would give equal shifts."""
    keys = jax.random.split(jax.random.key(0), 1000)
    found = shifts(shuffled(keys, PhaseShuffle(N)))
    assert np.bincount(found + N).min() > 150 and set(found) == {-2, -1, 0, 1, 2}
    np.testing.assert_array_equal(shifts(shuffled(keys[::-7], PhaseShuffle(N))), found[::-7])


def test_layers_with_the_same_keys_shift_on_their_own():
    class Two(nn.Module):
        @nn.compact
        def __call__(self, x, keys):
            return PhaseShuffle(1)(PhaseShuffle(1)(x, keys), keys)

    found = shifts(shuffled(jax.random.split(jax.random.key(0), 100), Two()))
    assert set(found) == {-2, -1, 0, 1, 2}  # equal shifts would add up to -2, 0 or 2


def test_without_keys_or_samples_nothing_moves():
    x, keys = jnp.ones((2, T, 1)), jax.random.split(jax.random.key(0), 2)
    assert PhaseShuffle(N).apply({}, x) is x and PhaseShuffle(0).apply({}, x, keys) is x
