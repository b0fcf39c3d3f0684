"""The convolutional GRU against loops in NumPy, and its spectral norm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.nets.layers.recurrent import ConvGRU
from gan_jax.nets.layers.spectral_norm import SpectralNorm

RANDOM = np.random.default_rng(0)
B, T, H, W, C, F = 2, 3, 3, 4, 2, 3


def drawn(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


X, FIRST = drawn(B, T, H, W, C), np.abs(drawn(B, H, W, F))
PARAMS = {f"{gate}_kernel": 0.5 * drawn(3, 3, C + F, F) for gate in ("reset", "update", "candidate")}
PARAMS |= {f"{gate}_bias": drawn(F) for gate in ("reset", "update", "candidate")}


def convolved(x, gate, params):
    """Convolves `x` `[B, H, W, C + F]` pixel by pixel, with zeros outside."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    out = np.empty((*x.shape[:-1], F))
    for i, j in np.ndindex(*x.shape[1:3]):
        out[:, i, j] = np.tensordot(padded[:, i : i + 3, j : j + 3], params[f"{gate}_kernel"], 3)
    return out + params[f"{gate}_bias"]


def by_hand(x, h, params=PARAMS):
    """Computes the states frame by frame."""
    states = []
    for t in range(x.shape[1]):
        joined = np.concatenate([x[:, t], h], axis=-1)
        r, u = (1 / (1 + np.exp(-convolved(joined, gate, params))) for gate in ("reset", "update"))
        c = np.maximum(convolved(np.concatenate([x[:, t], r * h], axis=-1), "candidate", params), 0)
        h = u * h + (1 - u) * c
        states.append(h)
    return np.stack(states, axis=1)


@pytest.mark.parametrize("first", [FIRST, None])
def test_states_equal_plain_loops(first):
    states = jax.jit(ConvGRU(F).apply)({"params": PARAMS}, X, first)
    expected = by_hand(X, np.zeros_like(FIRST) if first is None else first)
    np.testing.assert_allclose(states, expected, rtol=1e-4, atol=1e-5)


def test_spectral_norm_divides_every_kernel_once_a_call():
    """After one power iteration from the same vectors, in training; the vectors move once for all frames."""
    layer = SpectralNorm(ConvGRU(F))
    start = jax.tree.map(lambda leaf: drawn(*leaf.shape), jax.eval_shape(layer.init, jax.random.key(0), X))
    train = jax.jit(lambda variables, x: layer.apply(variables, x, mutable=["batch_stats"]))
    states, after = train({**start, "params": {"layer_instance": PARAMS}}, X)
    divided = dict(PARAMS)
    for name in (name for name in PARAMS if name.endswith("kernel")):
        matrix, vector = PARAMS[name].reshape(-1, F), f"layer_instance/{name}/u"
        v = start["batch_stats"][vector] @ matrix.T
        u = (v / np.linalg.norm(v)) @ matrix
        divided[name] = PARAMS[name] / np.linalg.norm(u)
        np.testing.assert_allclose(after["batch_stats"][vector], u / np.linalg.norm(u), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(states, by_hand(X, np.zeros_like(FIRST), divided), rtol=1e-3, atol=1e-4)


def test_half_precision_stays_in_the_loop():
    states = jax.eval_shape(ConvGRU(F, jnp.bfloat16).apply, {"params": PARAMS}, jnp.asarray(X))
    assert states.dtype == jnp.bfloat16
