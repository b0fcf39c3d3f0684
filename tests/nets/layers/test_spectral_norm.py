"""Spectral normalization against the singular values of known kernels."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_jax import penalties
from gan_jax.engine.game import PlayerState
from gan_jax.engine.networks import BoundNet
from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.spectral_norm import SpectralNorm

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)
KEY = jax.random.key(0)
X = jnp.asarray(np.random.RandomState(0).normal(size=(3, 4, 4, 2)), jnp.float32)


class Critic(nn.Module):
    @nn.compact
    def __call__(self, x, keys=None):
        x = nn.softplus(SpectralNorm(Conv(3, 3, 2))(x))
        return SpectralNorm(nn.Dense(1))(x.reshape(x.shape[0], -1))[:, 0]


def settled(net, variables, *args):
    """Returns the variables after many calls in training."""

    def call(_, stats):
        return net.apply({"params": variables["params"], "batch_stats": stats}, *args, mutable=["batch_stats"])[1][
            "batch_stats"
        ]

    stats = jax.jit(lambda stats: jax.lax.fori_loop(0, 100, call, stats))(variables["batch_stats"])
    return {"params": variables["params"], "batch_stats": stats}


@pytest.fixture(scope="module")
def settled_critic():
    return settled(Critic(), jax.jit(Critic().init)(KEY, X), X)


def test_power_iteration_finds_the_largest_singular_value():
    kernel = jnp.array([[3.0, 0.0], [4.0, 5.0]])  # singular values sqrt(45) and sqrt(5)
    layer, x = SpectralNorm(nn.Dense(2, use_bias=False)), jnp.array([[1.0, 2.0], [0.0, 1.0]])
    variables = {**layer.init(KEY, x), "params": {"layer_instance": {"kernel": kernel}}}
    variables = settled(layer, variables, x)
    (sigma,) = (v for k, v in variables["batch_stats"].items() if k.endswith("sigma"))
    close(sigma, 45**0.5)
    close(layer.apply(variables, x), x @ kernel / 45**0.5)


def test_kernels_are_divided_by_the_norm_of_their_matrix(settled_critic):
    sigmas = {
        name: np.linalg.norm(np.asarray(layer["kernel"]).reshape(-1, layer["kernel"].shape[-1]), 2)
        for name, layer in settled_critic["params"].items()
    }
    found = {
        k.split("/")[0]: v for stats in settled_critic["batch_stats"].values() for k, v in stats.items() if "sigma" in k
    }
    assert sigmas.keys() == found.keys() == {"Conv_0", "Dense_0"}
    jax.tree.map(close, found, sigmas)


@pytest.mark.medium
def test_vectors_are_updated_only_in_training_and_not_by_stateless_calls():
    variables = jax.jit(Critic().init)(KEY, X)
    stats = {"batch_stats": variables["batch_stats"]}
    net = BoundNet(Critic(), variables["params"], PlayerState(variables["params"], stats, (), None))
    same = partial(jax.tree.map, np.testing.assert_array_equal)
    frozen, slow = net.stateless(X), net.ema(X)
    same(net.stats, stats)
    same(net(X), frozen)
    close(slow, frozen)
    moved = [bool((a != b).any()) for a, b in zip(*map(jax.tree.leaves, (net.stats, stats)), strict=True)]
    assert any(moved)


def by_hand(params, x):
    """Computes the same critic with singular values from a differentiable SVD."""
    divided = jax.tree.map(lambda p: p if p.ndim < 2 else p / jnp.linalg.norm(p.reshape(-1, p.shape[-1]), 2), params)
    x = nn.softplus(Conv(3, 3, 2).apply({"params": divided["Conv_0"]}, x))
    return (nn.Dense(1).apply({"params": divided["Dense_0"]}, x.reshape(x.shape[0], -1)))[:, 0]


@pytest.mark.medium
def test_forward_and_second_derivatives_equal_division_by_the_svd_norm(settled_critic):
    """The vectors are constants; once converged, the kernel's derivative is that of the singular value."""

    def critic(params, x):
        return Critic().apply({**settled_critic, "params": params}, x, mutable=["batch_stats"])[0]

    params = settled_critic["params"]
    direction = jax.tree.map(lambda p: jax.random.normal(KEY, p.shape), params)

    def all_of(critic):
        tangent = jax.jvp(lambda p: critic(p, X), (params,), (direction,))[1]
        penalty = lambda p: jnp.mean(penalties.r1(partial(critic, p), X))  # noqa: E731
        return tangent, jax.value_and_grad(penalty)(params), jax.jvp(penalty, (params,), (direction,))[1]

    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-4),
        *(jax.jit(all_of, static_argnums=0)(c) for c in (critic, by_hand)),
    )
