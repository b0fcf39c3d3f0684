"""ADA's augmentations: identity at p = 0, exact maps, the shares and distributions of the paper, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from gan_jax.augment import affine
from gan_jax.augment.ada import bgc, color_maps, geometry_maps

close = np.testing.assert_allclose
KEYS = jax.random.split(jax.random.key(0), 8)
MANY = jax.random.split(jax.random.key(1), 4000)
RNG = np.random.default_rng(0)


def images(*shape):
    return jnp.asarray(RNG.uniform(-1, 1, shape), jnp.float32)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_unchanged_at_probability_0(channels):
    x = images(8, 7, 5, channels)
    close(jax.jit(bgc)(x, KEYS, jnp.float32(0)), x, atol=1e-6)
    assert np.abs(jax.jit(bgc)(x, KEYS, jnp.float32(1)) - x).mean(axis=(1, 2, 3)).min() > 0.1


def test_each_image_has_a_draw_of_its_own_that_depends_on_its_key_alone():
    x = jnp.broadcast_to(images(1, 6, 6, 3), (8, 6, 6, 3))
    change = jax.jit(bgc)
    both = change(x, KEYS, jnp.float32(1))
    assert len(np.unique(np.asarray(both).round(4), axis=0)) == 8
    close(change(x, KEYS[::-1], jnp.float32(1)), both[::-1], atol=1e-5)


@pytest.mark.parametrize(
    ("maps", "expected"),
    [
        (affine.scaling(-jnp.ones(1), jnp.ones(1)), lambda x: x[:, ::-1]),
        (affine.rotation(jnp.full(1, np.pi / 2)), lambda x: np.rot90(x, 1)),
        (affine.translation(jnp.full(1, 2.0), -jnp.ones(1)), lambda x: np.pad(x, 2, mode="reflect")[1:7, 4:10]),
    ],
)
def test_maps_of_pixels_to_pixels_are_exact(maps, expected):
    x = images(1, 6, 6, 1)
    close(affine.warp(x, maps)[0, ..., 0], expected(np.asarray(x[0, ..., 0])), atol=1e-5)


def test_other_maps_interpolate_between_four_pixels_and_mirror_outside():
    """Against SciPy, whose coordinates are rows and columns."""
    x = images(1, 7, 5, 1)
    maps = affine.rotation(jnp.full(1, 0.7)) @ affine.scaling(jnp.full(1, 1.6), jnp.full(1, 0.8))
    maps = maps @ affine.translation(jnp.full(1, 0.3), jnp.full(1, -1.2))
    a = np.asarray(maps[0])
    matrix, center = a[:2, :2][::-1, ::-1], np.array([3.0, 2.0])
    offset = center - matrix @ center + a[:2, 2][::-1]
    expected = ndimage.affine_transform(np.asarray(x[0, ..., 0]), matrix, offset, order=1, mode="mirror")
    close(affine.warp(x, maps)[0, ..., 0], expected, atol=1e-5)


def test_shares_of_the_geometric_changes_are_the_probabilities():
    p = jnp.float32(0.3)
    maps = np.asarray(jax.jit(geometry_maps, static_argnums=2)(MANY, p, (80, 160)))
    unchanged = np.isclose(maps, np.eye(3), atol=1e-6).all(axis=(1, 2)).mean()
    mirror, quarter, pixels = 1 - p / 2, 1 - 3 * p / 4, 1 - p
    assert unchanged == pytest.approx(float(mirror * quarter * pixels * (1 - p) ** 3 * (1 - p)), abs=0.01)
    determinant = np.linalg.det(maps)
    assert (determinant < 0).mean() == pytest.approx(0.15, abs=0.02), "half of the mirrors"
    log_scale = np.log2(np.abs(determinant)) / 2
    assert (np.abs(log_scale) > 1e-4).mean() == pytest.approx(0.3, abs=0.03)
    assert log_scale[np.abs(log_scale) > 1e-4].std() == pytest.approx(0.2, rel=0.1)


def test_colors_keep_the_axis_of_grays_and_change_as_the_paper_says():
    maps = np.asarray(jax.jit(color_maps)(MANY, jnp.float32(1)))
    gray = maps @ np.array([0.5, 0.5, 0.5, 1])
    close(gray[:, :3], gray[:, [1, 2, 0]], atol=1e-5, err_msg="gray stays gray")
    gain = np.linalg.norm(maps[:, :3, :3] @ np.full(3, 3**-0.5), axis=1)
    assert np.log2(gain).std() == pytest.approx(0.5, rel=0.1), "contrast"
    of_colors = np.sqrt(np.abs(np.linalg.det(maps[:, :3, :3])) / gain) / gain
    assert np.log2(of_colors).std() == pytest.approx(1, rel=0.1), "saturation"
    assert (np.linalg.det(maps[:, :3, :3]) < 0).mean() == pytest.approx(0.5, abs=0.05), "inverted luma"
    a = maps[:, :3, :3] @ np.array([1, -1, 0]) / np.sqrt(2)
    angle = np.arctan2(a @ np.array([1, 1, -2]) / np.sqrt(6), a @ np.array([1, -1, 0]) / np.sqrt(2))
    assert np.abs(np.exp(1j * angle).mean()) < 0.05, "hues are turned by any angle"


def test_gray_images_change_as_gray_colors_do():
    x, maps = images(8, 3, 3, 1), jax.jit(color_maps)(KEYS, jnp.float32(1))
    close(affine.recolor(x, maps), affine.recolor(jnp.repeat(x, 3, axis=-1), maps)[..., :1], atol=1e-5)


@pytest.mark.slow
def test_gradients_pass_through():
    x = images(4, 6, 6, 3)

    @jax.jit
    def loss(x):
        return jnp.sum(jnp.square(bgc(x, KEYS[:4], jnp.float32(0.5))))

    grad = jax.jit(jax.grad(loss))(x)
    direction = images(4, 6, 6, 3)
    slope = (loss(x + 1e-2 * direction) - loss(x - 1e-2 * direction)) / 2e-2
    close(jnp.vdot(grad, direction), slope, rtol=1e-2)
