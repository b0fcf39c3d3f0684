"""PatchGAN: receptive fields measured by gradients, sizes of the score maps, the authors' parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.nets import patchgan

KEY = jax.random.key(0)


pytestmark = pytest.mark.usefixtures("library_convolutions")


def shapes(net, *shape):
    return jax.eval_shape(net.init_with_output, KEY, jax.ShapeDtypeStruct(shape, jnp.float32))


@pytest.mark.medium
@pytest.mark.parametrize("field", [*patchgan.STRIDED])
def test_a_score_depends_on_a_square_of_the_receptive_field(field):
    """Measures where the gradient of one score is not 0, inside the image."""
    d = patchgan.Discriminator(field, width=1, norm="none")
    side = 384 if field == 286 else 2 * field + 16

    @jax.jit
    def gradient(x):
        def score(x):
            scores, _ = d.init_with_output(KEY, x)
            return scores[0, scores.shape[1] // 2, scores.shape[2] // 2]

        return jax.grad(score)(x)[0, :, :, 0]

    rows, columns = np.nonzero(np.asarray(gradient(jnp.ones((1, side, side, 1)))))
    for axis in (rows, columns):
        assert axis.min() > 0 and axis.max() < side - 1
        assert axis.max() - axis.min() + 1 == field


def test_scores_of_pixels_equal_the_layers_computed_by_hand():
    d = patchgan.Discriminator(1, width=3, norm="none")
    x = jax.random.normal(KEY, (2, 3, 4, 2))
    scores, variables = jax.jit(d.init_with_output)(KEY, x)
    h = np.asarray(x)
    for i in range(3):
        h = h if i == 0 else np.where(h > 0, h, 0.2 * h)
        h = h @ np.asarray(variables["params"][f"Conv_{i}"]["kernel"])[0, 0]
    np.testing.assert_allclose(scores, h[..., 0], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("field, side", [(1, 256), (16, 126), (34, 62), (70, 30), (142, 14), (286, 6)])
def test_score_maps_of_256_pixels_have_the_authors_sizes(field, side):
    scores, _ = shapes(patchgan.Discriminator(field, width=2), 2, 256, 256, 6)
    assert scores.shape == (2, side, side)


def test_networks_have_the_papers_parameters():
    """Lists the kernels of C64-C128-C256-C512 and the score; of images in pairs, 2.77 million parameters."""
    _, variables = shapes(patchgan.Discriminator(norm="batch"), 1, 256, 256, 6)
    params = variables["params"]
    widths = (6, 64, 128, 256, 512, 1)
    assert [params[f"Conv_{i}"]["kernel"].shape for i in range(5)] == [(4, 4, *widths[i : i + 2]) for i in range(5)]
    assert [s["mean"].shape for s in variables["batch_stats"].values()] == [(128,), (256,), (512,)]
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == pytest.approx(2.769e6, rel=1e-3)
    _, pixels = shapes(patchgan.Discriminator(1), 1, 256, 256, 6)
    kernels = [layer["kernel"].shape for layer in pixels["params"].values()]
    assert kernels == [(1, 1, 6, 64), (1, 1, 64, 128), (1, 1, 128, 1)]
    _, largest = shapes(patchgan.Discriminator(286), 1, 256, 256, 6)
    assert [layer["bias"].size for layer in largest["params"].values()] == [64, 128, 256, 512, 512, 512, 1]


@pytest.mark.parametrize("field, least", [(1, 1), (16, 6), (34, 12), (70, 24), (142, 48), (286, 96)])
def test_the_smallest_images_have_one_score_and_smaller_ones_are_refused(field, least):
    d = patchgan.Discriminator(field, width=1)
    assert shapes(d, 1, least, least + 1, 1)[0].shape == (1, 1, 1 + (field == 1))
    if field > 1:
        with pytest.raises(BadInput, match=f"too small for patches of {field}: give {least} pixels or more"):
            shapes(d, 1, least - 1, 300, 1)


def test_an_unknown_receptive_field_is_refused():
    with pytest.raises(BadInput, match=r"choose one of \[1, 16, 34, 70, 142, 286\]"):
        shapes(patchgan.Discriminator(64), 1, 64, 64, 3)


def test_bfloat16_network_returns_float32():
    assert shapes(patchgan.Discriminator(34, dtype=jnp.bfloat16), 1, 32, 32, 3)[0].dtype == jnp.float32
