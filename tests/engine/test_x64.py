"""Under `JAX_ENABLE_X64=1` weights, latents and frozen networks keep their types, and so do scores."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.config.discovery import entries, find
from gan_jax.config.flags import parse
from gan_jax.engine.step import init
from gan_jax.metrics.features import mnist
from gan_jax.metrics.features.network import extract
from gan_jax.priors import Categorical, Uniform, draw
from gan_jax.runs.run_data import open_data
from gan_jax.training.train import abstract_batch


@pytest.fixture
def wide():
    with jax.enable_x64(True):
        yield


def dtypes(tree):
    """Returns the path and dtype of every leaf but keys."""
    leaves = ((jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree))
    return {path: leaf.dtype for path, leaf in leaves if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(entries()))
def test_states_latents_and_examples_of_every_experiment_have_no_leaf_of_64_bits(wide, name):
    build = find(name).load()
    kwargs = parse(build, [], name, given=["source"]).kwargs
    opened = open_data(kwargs["common"])
    experiment = build(opened, **kwargs)
    game, source = experiment.phases[0].game, experiment.played_on(opened)
    batch = abstract_batch(game, source, kwargs["common"])
    state = jax.eval_shape(lambda: init(game, jax.random.key(0), batch))
    keys = jax.random.split(jax.random.key(0), 4)
    examples = jax.eval_shape(source.decode, source.read(np.arange(4)), keys)
    latents = jax.eval_shape(lambda: draw(game.prior, keys))
    found = dtypes((state, latents, examples))
    assert {path for path, dtype in found.items() if dtype.itemsize > 4} == set()
    assert jnp.float32 in found.values()


@pytest.mark.parametrize("code", [Categorical(10), Uniform()])
def test_codes_are_the_same_numbers(code):
    keys = jax.random.split(jax.random.key(3), 8)
    narrow = code.draw(keys)
    with jax.enable_x64(True):
        drawn = code.draw(keys)
    assert drawn.dtype == narrow.dtype
    np.testing.assert_array_equal(drawn, narrow)


@pytest.mark.slow
def test_frozen_features_are_the_same_numbers():
    images = np.random.RandomState(0).randint(0, 256, (3, 28, 28, 1), np.uint8)
    narrow = extract(mnist.mnist(), images)
    with jax.enable_x64(True):
        found = extract(mnist.mnist(), images)
    for a, b in zip(found, narrow, strict=True):
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
