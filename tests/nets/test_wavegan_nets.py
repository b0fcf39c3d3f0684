"""WaveGAN's and SpecGAN's networks: the paper's layers and sizes, labels, phase shuffle."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from gan_jax import BadInput
from gan_jax.nets import wavegan

G, D = 19_065_345, 17_427_969
"""Parameters by tables 3 to 6 of the paper with d = 64. Every kernel has 25 values, of 25 samples or 5 x 5.

G: 100 x 16,384 + 25 (1024 x 512 + 512 x 256 + 256 x 128 + 128 x 64 + 64), and biases of 16,384 + 512 + ... + 64 + 1.
D: 25 (64 + 64 x 128 + 128 x 256 + 256 x 512 + 512 x 1024) + 16,384, and biases of 64 + 128 + ... + 1024 + 1.
"""


def count(net, *inputs):
    variables = jax.eval_shape(net.init, jax.random.key(0), *inputs)
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def zeros(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


@pytest.mark.parametrize("shape", [(16_384,), (128, 128)])
def test_both_have_as_many_parameters_as_in_the_paper(shape):
    g, d = wavegan.pair(shape)
    assert (count(g, zeros(1, 100)), count(d, zeros(1, *shape))) == (G, D)
    assert g.widths == (1024, 512, 256, 128, 64) == d.widths[::-1]


@pytest.mark.parametrize(
    ("shape", "classes"), [((2048,), 0), pytest.param((64,), 3, marks=pytest.mark.slow), ((12, 8), 3)]
)
def test_samples_have_the_shape_of_the_data(shape, classes):
    g, d = wavegan.pair(shape, 1, classes, norm=True, spectral=True)
    y = [jax.ShapeDtypeStruct((2,), jnp.int32)] if classes else []
    made, _ = jax.eval_shape(g.init_with_output, jax.random.key(0), zeros(2, 5), *y)
    scores, _ = jax.eval_shape(d.init_with_output, jax.random.key(0), made, *y)
    assert made.shape == (2, *shape) and scores.shape == (2,)


@pytest.mark.parametrize("shape", [(32,), (4000,), (4097,), (6, 6), (64, 63)])
def test_other_lengths_are_refused(shape):
    with pytest.raises(BadInput, match="are not supported: give sounds whose number of samples is a power of 2"):
        wavegan.pair(shape, 1)


def test_every_layer_but_the_last_is_shuffled():
    layers = []

    def note(call, args, kwargs, at):
        layers.append(type(at.module).__name__)
        return call(*args, **kwargs)

    with nn.intercept_methods(note):
        jax.eval_shape(
            wavegan.pair((1024,), 1).d.init, jax.random.key(0), zeros(1, 1024), jax.random.split(jax.random.key(0), 1)
        )
    assert [name for name in layers if name != "Discriminator"] == [*2 * ["Conv1d", "PhaseShuffle"], "Conv1d", "Dense"]


@pytest.mark.parametrize(("shape", "modern"), [((64,), True), pytest.param((8, 8), False, marks=pytest.mark.slow)])
def test_labels_reach_both_networks(shape, modern):
    """With the networks of either preset."""
    g, d = wavegan.pair(shape, 1, 3, norm=modern, spectral=modern)
    z, y = jnp.ones((2, 4)), jnp.array([0, 2])

    @jax.jit
    def run(key):
        x, _ = g.init_with_output(key, z, y)
        return x, d.init_with_output(key, jnp.stack([x[0], x[0]]), y)[0]

    x, scores = run(jax.random.key(0))
    assert np.abs(x[0] - x[1]).max() > 1e-3 and scores[0] != scores[1]
