"""SAGAN's networks: SNGAN's with self-attention at half the size, and spectral norm in both."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn import converged, drawn
from flax import linen as nn
from jax.sharding import PartitionSpec as P

from gan_jax import BadInput
from gan_jax.engine.collectives import batch_axis, pmean
from gan_jax.nets import resnet, sagan
from gan_jax.nets.layers.attention import SelfAttention

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)
KEY = jax.random.key(0)

pytestmark = pytest.mark.usefixtures("library_convolutions")


def arguments(pixels, n=2, channels=1):
    """Draws latents and images, the inputs of both networks."""
    return jax.random.normal(KEY, (n, 5)), jax.random.uniform(KEY, (n, pixels, pixels, channels), minval=-1.0)


def abstract(net, x):
    """Returns the shape of the output, those of the variables, and the shapes of maps that attend."""
    attending = set()

    def record(call, args, kwargs, context):
        if isinstance(context.module, SelfAttention) and context.method_name == "__call__":
            attending.add(args[0].shape[1:])
        return call(*args, **kwargs)

    with nn.intercept_methods(record):
        y, tree = jax.eval_shape(net.init_with_output, KEY, x)
    return y.shape, tree, attending


@pytest.mark.parametrize("pixels", [28, pytest.param(32, marks=pytest.mark.medium), 12])
def test_networks_attend_at_half_the_size_and_every_kernel_has_spectral_norm(pixels):
    z, x = arguments(pixels)
    for net, arg, shape, width in zip(sagan.pair(x.shape[1:], 8, 6), (z, x), (x.shape, (2,)), (8, 6), strict=True):
        made, tree, attending = abstract(net, arg)
        assert made == shape and attending == {(pixels // 2, pixels // 2, width)}
        kernels = [leaf for leaf in jax.tree.leaves(tree["params"]) if leaf.ndim > 1]
        norms = [path for path, _ in jax.tree.leaves_with_path(tree["batch_stats"]) if "sigma" in str(path[-1])]
        assert len(kernels) == len(norms)


@pytest.mark.medium
def test_attention_adds_the_parameters_of_four_matrices_and_gamma():
    """Counts at the paper's widths, C^2 (1 / 8 + 1 / 8 + 1 / 2 + 1 / 2) + 1; `test_resnet.py` counts the rest."""
    z, x = arguments(32, channels=3)
    count = lambda net, arg: sum(leaf.size for leaf in jax.tree.leaves(abstract(net, arg)[1]["params"]))  # noqa: E731
    plain, attending = resnet.pair(x.shape[1:]), sagan.pair(x.shape[1:])
    assert count(attending.g, z) - count(plain.g, z) == 256**2 * 5 // 4 + 1
    assert count(attending.d, x) - count(plain.d, x) == 128**2 * 5 // 4 + 1


@pytest.mark.parametrize("shape", [(28, 32, 1), (30, 30, 1), (2,)])
def test_unsupported_image_shapes_are_refused(shape):
    with pytest.raises(BadInput, match=r"examples of .* are not supported: give square images of 12, 16"):
        sagan.pair(shape)


def divided(tree):
    """Divides every kernel by its largest singular value."""
    norm = lambda leaf: np.linalg.norm(np.reshape(leaf, (-1, leaf.shape[-1])), 2)  # noqa: E731
    return jax.tree.map(lambda leaf: leaf / norm(leaf) if leaf.ndim > 1 else leaf, tree)


@pytest.mark.medium
def test_generator_is_the_plain_one_with_divided_kernels():
    (z, _), g = arguments(12), sagan.pair((12, 12, 1), 4, 4).g
    variables = converged(drawn(g, z))
    params, stats = (variables[kind]["layer_instance"] for kind in ("params", "batch_stats"))
    plain = {"params": divided(params), "batch_stats": stats}
    close(*jax.jit(lambda ours, plain: (g.apply(ours, z), g.layer_instance.apply(plain, z)))(variables, plain))


@pytest.mark.slow
def test_without_attention_the_discriminator_is_that_of_sngan():
    (_, x), d = arguments(12), sagan.pair((12, 12, 1), 4, 4).d
    variables = drawn(d, x)
    scores = jax.jit(lambda variables: d.apply(variables, x))
    attentive = scores(variables)
    variables["params"]["SelfAttention_0"]["gamma"] *= 0
    plain = {"params": {**variables["params"]}, "batch_stats": {**variables["batch_stats"]}}
    del plain["params"]["SelfAttention_0"]
    del plain["batch_stats"]["SpectralNorm_0"]  # of the attention layer; the others belong to blocks
    close(scores(variables), resnet.pair((12, 12, 1), 4, 4).d.apply(plain, x))
    assert np.abs(attentive - scores(variables)).min() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("player", ["g", "d"])
def test_eight_devices_equal_one_and_every_parameter_learns(player):
    """Compares values, statistics and gradients; the shards differ, so that statistics of a shard would fail."""
    z, x = arguments(12, 16)
    net, arg = {"g": (sagan.pair((12, 12, 1), 4, 4).g, z), "d": (sagan.pair((12, 12, 1), 4, 4).d, x)}[player]
    variables, arg = drawn(net, arg), arg + jnp.arange(16.0).reshape(16, *(1,) * (arg.ndim - 1)) / 16

    def play(variables, arg):
        def loss(params):
            y, stats = net.apply({**variables, "params": params}, arg, mutable=["batch_stats"])
            return jnp.mean(jnp.tanh(y) ** 2), (y, stats)

        return jax.grad(loss, has_aux=True)(variables["params"])

    def share(variables, arg):
        with batch_axis("batch"):
            grads, made = play(variables, arg)
            return pmean(grads), made

    mesh = jax.make_mesh((8,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    specs = P(), (P("batch"), P())
    mapped = jax.shard_map(share, mesh=mesh, in_specs=(P(), P("batch")), out_specs=specs, check_vma=False)
    whole = jax.jit(play)(variables, arg)
    jax.tree.map(partial(close, rtol=1e-3), jax.jit(mapped)(variables, arg), whole)
    without = [jax.tree_util.keystr(path) for path, slope in jax.tree.leaves_with_path(whole[0]) if not np.any(slope)]
    assert all("bias" in path for path in without), without  # batch norm removes the bias before it


@pytest.mark.slow
@pytest.mark.parametrize("family", [resnet, sagan])
def test_first_images_and_scores_have_a_scale_near_1(family):
    g, d = family.pair((12, 12, 1), 16, 16)

    @jax.jit
    def start(key):
        z = jax.random.normal(key, (16, 128))
        x, _ = g.apply(g.init(key, z), z, mutable=["batch_stats"])
        return x, d.init_with_output(key, x)[0]

    x, scores = start(KEY)
    assert 0.05 < x.std() < 0.9 and np.abs(scores).max() < 10, (x.std(), scores)
