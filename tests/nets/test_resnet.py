"""The residual networks: SNGAN's sizes, fused resizing convolutions, with and without labels."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from drawn import converged, drawn

from gan_jax import BadInput, init, losses, make_step
from gan_jax.games import conditional, vanilla
from gan_jax.nets import resnet

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5)
KEY = jax.random.key(0)
Y = jnp.array([1, 0, 2], jnp.int32)


def images(size, channels=2):
    return jax.random.normal(KEY, (3, size, size, channels))


def size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def shapes(net, *args):
    return jax.eval_shape(net.init_with_output, KEY, *args)


@pytest.mark.medium
def test_parameters_have_the_sizes_of_table_4():
    """Counts the paper's parameters for CIFAR-10, with and without classes, and checks one layer of each kind."""
    z, x, y = jnp.zeros((2, 128)), jnp.zeros((2, 32, 32, 3)), jnp.zeros(2, jnp.int32)
    conv = lambda n, m, k=3: k * k * n * m + m  # noqa: E731
    up = 2 * conv(256, 256) + conv(256, 256, 1)
    dense_and_end = 129 * 16 * 256 + 2 * 256 + conv(256, 3)
    d_blocks = conv(3, 128) + conv(128, 128) + conv(3, 128, 1) + 6 * conv(128, 128) + conv(128, 128, 1)
    for classes in (0, 10):
        g, d = resnet.pair((32, 32, 3), classes=classes)
        labels = (y,) if classes else ()
        made, g_tree = shapes(g, z, *labels)
        scores, d_tree = shapes(d, x, *labels)
        assert made.shape == x.shape and scores.shape == (2,)
        assert size(g_tree["params"]) == dense_and_end + 3 * (up + 2 * 2 * 256 * (classes or 1))
        assert size(d_tree["params"]) == d_blocks + 128 + classes * 128
        assert set(g_tree["params"]) == {"Dense_0", "UpBlock_0", "UpBlock_1", "UpBlock_2", "BatchNorm_0", "Conv_0"}
        assert set(d_tree["params"]) == {"DownBlock_0", "DownBlock_1", "Block_0", "Block_1", "Projection_0"}
    norm = g_tree["params"]["UpBlock_1"]["ConditionalBatchNorm_1"]
    assert {name: leaf.shape for name, leaf in norm.items()} == {"scale": (10, 256), "bias": (10, 256)}
    assert d_tree["params"]["Projection_0"]["Embed_0"]["embedding"].shape == (10, 128)
    assert d_tree["params"]["DownBlock_0"]["DownConv_0"]["kernel"].shape == (3, 3, 128, 128)


def test_every_kernel_of_the_discriminator_has_spectral_norm():
    _, tree = shapes(resnet.pair((32, 32, 3), classes=10).d, jnp.zeros((2, 32, 32, 3)), jnp.zeros(2, jnp.int32))
    kernels = [path for path, leaf in jax.tree_util.tree_leaves_with_path(tree["params"]) if leaf.ndim > 1]
    norms = [path for path, _ in jax.tree_util.tree_leaves_with_path(tree["batch_stats"]) if "sigma" in str(path[-1])]
    assert len(kernels) == len(norms) == 2 * 3 + 2 * 2 + 2


@pytest.mark.medium
@pytest.mark.parametrize("pixels, base, blocks, down", [(28, 7, 2, 2), (32, 4, 3, 2), (64, 4, 4, 3), (16, 4, 2, 1)])
def test_networks_fit_the_images(pixels, base, blocks, down):
    g, d = resnet.pair((pixels, pixels, 3), g_width=4, d_width=2)
    assert (g.base, g.blocks, d.down) == (base, blocks, down)
    made, _ = shapes(g, jnp.zeros((2, 5)))
    assert made.shape == (2, pixels, pixels, 3)
    assert shapes(d, made)[0].shape == (2,)


@pytest.mark.parametrize("shape", [(28, 32, 1), (30, 30, 1), (2,)])
def test_unsupported_image_shapes_are_refused(shape):
    with pytest.raises(BadInput, match=r"examples of .* are not supported"):
        resnet.pair(shape)


def test_initial_kernels_have_the_authors_bounds():
    """Uniform within sqrt(6 s / (fan_in + fan_out)), with s = 2 in blocks and 1 elsewhere."""
    params = jax.jit(resnet.UpBlock(32).init)(KEY, images(4, 32))["params"]
    for name, gain, fan in (("UpConv_0", 2, 9 * 64), ("Conv_0", 2, 9 * 64), ("Conv_1", 1, 64)):
        bound = (6 * gain / fan) ** 0.5
        assert 0.97 * bound < jnp.abs(params[name]["kernel"]).max() <= bound


def divided(kernel):
    """Divides a kernel by its largest singular value."""
    kernel = np.asarray(kernel, np.float64)
    return kernel / np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), 2)


def conv_by_hand(x, layer):
    """Computes a `SAME` convolution with a normalized odd kernel as a sum over taps."""
    kernel = divided(layer["kernel"])
    k, (h, w) = kernel.shape[0], x.shape[1:3]
    padded = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2), (0, 0)))
    taps = (padded[:, i : i + h, j : j + w] @ kernel[i, j] for i in range(k) for j in range(k))
    return sum(taps) + np.asarray(layer["bias"], np.float64)


def pool_by_hand(x):
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


@pytest.mark.medium
def test_scores_equal_numpy():
    """Covers blocks, sum over positions, and the product with the label embedding."""
    net, x = resnet.ProjectionDiscriminator(classes=3, down=2, width=4), images(8)
    variables = converged(drawn(net, x, Y))
    params = jax.tree.map(np.asarray, variables["params"])
    relu = partial(np.maximum, 0)

    h = np.asarray(x, np.float64)
    for i in range(2):
        block = params[f"DownBlock_{i}"]
        inner = conv_by_hand(relu(h) if i else h, block["Conv_0"])
        inner = pool_by_hand(conv_by_hand(relu(inner), block["DownConv_0"]))
        h = inner + conv_by_hand(pool_by_hand(h), block["Conv_1"])
    for i in range(2):
        block = params[f"Block_{i}"]
        h = h + conv_by_hand(relu(conv_by_hand(relu(h), block["Conv_0"])), block["Conv_1"])
    phi = relu(h).sum(axis=(1, 2))
    psi, rows = divided(params["Projection_0"]["Dense_0"]["kernel"]), params["Projection_0"]["Embed_0"]["embedding"]
    expected = [phi[b] @ psi[:, 0] + phi[b] @ divided(rows)[Y[b]] for b in range(3)]
    close(jax.jit(net.apply)(variables, x, Y), expected, rtol=1e-3)


@pytest.mark.medium
def test_unconditional_score_lacks_only_the_label_product():
    labeled, plain = resnet.ProjectionDiscriminator(3, down=1, width=4), resnet.Discriminator(down=1, width=4)
    x = images(4)
    variables = drawn(labeled, x, Y)
    variables["params"]["Projection_0"]["Embed_0"]["embedding"] *= 0
    own = jax.tree.map(lambda leaf: leaf, variables)  # copies the dictionaries
    del own["params"]["Projection_0"]["Embed_0"], own["batch_stats"]["Projection_0"]["SpectralNorm_1"]
    assert jax.tree.structure(own) == jax.tree.structure(jax.eval_shape(plain.init, KEY, x))
    keys = jax.random.split(KEY, 3)
    close(*jax.jit(lambda variables, own: (labeled.apply(variables, x, Y), plain.apply(own, x, keys)))(variables, own))


@pytest.mark.medium
def test_generator_depends_on_labels_only_through_gains_and_biases():
    g, z = resnet.Generator(1, 3, 2, 4, classes=3), jax.random.normal(KEY, (3, 5))
    variables = drawn(g, z, Y)
    play = jax.jit(lambda v, y: g.apply(v, z, y, mutable=["batch_stats"])[0])
    assert jnp.abs(play(variables, Y) - play(variables, (Y + 1) % 3)).reshape(3, -1).max(axis=1).min() > 1e-3
    equal = jax.tree.map(lambda v: jnp.broadcast_to(v[:1], v.shape) if v.shape[:1] == (3,) else v, variables["params"])
    variables["params"] = equal
    close(play(variables, Y), play(variables, Y[::-1]))


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.slow
def test_networks_fit_the_games_and_every_parameter_has_a_gradient(classes):
    """Both games trace, the score of fakes has a gradient in every parameter, and spectral vectors are updated."""
    g, d = resnet.pair((12, 12, 1), g_width=4, d_width=4, classes=classes)
    sgd, choices = optax.sgd(0.1), {"z_size": 5, "loss": losses.hinge}
    game = (
        conditional.game(g, d, sgd, sgd, classes=3, **choices) if classes else vanilla.game(g, d, sgd, sgd, **choices)
    )
    batch = {"x": jnp.zeros((1, 3, 12, 12, 1))} | ({"y": Y[None]} if classes else {})
    state = jax.eval_shape(lambda: init(game, KEY, batch))
    assert jax.tree.structure(jax.eval_shape(make_step(game), state, batch)[0]) == jax.tree.structure(state)

    z, labels = jax.random.normal(KEY, (3, 5)), (Y,) if classes else ()
    start = {"g": drawn(g, z, *labels), "d": drawn(d, jnp.zeros((3, 12, 12, 1)), *labels)}

    @jax.jit
    def play(start):
        def loss(params):
            nets = {name: {**start[name], "params": params[name]} for name in start}
            x, _ = g.apply(nets["g"], z, *labels, mutable=["batch_stats"])
            scores, stats = d.apply(nets["d"], x, *labels, mutable=["batch_stats"])
            return jnp.mean(jnp.tanh(scores)), stats["batch_stats"]

        return jax.grad(loss, has_aux=True)({name: net["params"] for name, net in start.items()})

    gradients, stats = play(start)
    leaves = jax.tree_util.tree_leaves_with_path(gradients)
    without = [jax.tree_util.keystr(path) for path, gradient in leaves if not np.any(gradient)]
    assert all("UpConv_0']['bias" in path or "Conv_0']['bias" in path for path in without), without  # before batch norm
    assert all((a != b).any() for a, b in zip(*map(jax.tree.leaves, (stats, start["d"]["batch_stats"])), strict=True))
