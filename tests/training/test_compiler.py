"""Programs of networks that convolve get other options, where XLA knows them."""

import jax
import jax.numpy as jnp
import optax
import pytest

from gan_jax.engine.step import init
from gan_jax.games import vanilla
from gan_jax.nets import dcgan, mlp
from gan_jax.training import compiler
from gan_jax.training.compiler import compiler_options

DENSE = (mlp.Generator(shape=(28, 28, 1), widths=(4,)), mlp.Discriminator(widths=(4,)))
CONVOLVING = (dcgan.Generator(widths=(2,), strides=(2,)), dcgan.Discriminator(widths=(2,)))


def state(nets):
    game = vanilla.game(*nets, optax.sgd(0.1), optax.sgd(0.1), z_size=2)
    shapes = {"x": jax.ShapeDtypeStruct((1, 2, 28, 28, 1), jnp.float32)}
    return jax.eval_shape(lambda key: init(game, key, shapes), jax.random.key(0))


@pytest.fixture
def fresh_answer():
    compiler._are_known.cache_clear()
    yield
    compiler._are_known.cache_clear()


@pytest.mark.parametrize("known", [True, False])
def test_options_are_for_networks_that_convolve_and_releases_that_know_them(known, monkeypatch, fresh_answer):
    options = compiler.SUMS_ONLY if known else {"xla_cpu_option_of_another_release": "1"}
    monkeypatch.setattr(compiler, "SUMS_ONLY", options)
    if known and not compiler._are_known():
        pytest.skip("this XLA has no such options")
    assert compiler_options(state(CONVOLVING)) == (options if known else {})
    assert compiler_options(state(DENSE)) == {}
    several = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((3, *leaf.shape), leaf.dtype), state(DENSE))
    assert compiler_options(several) == {}  # a stack of runs
