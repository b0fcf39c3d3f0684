"""DiffAugment against loops in NumPy; gradients; one draw per example."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.augment.diff_augment import color, cutout, translation
from gan_jax.engine.keys import split, uniform

KEYS = jax.random.split(jax.random.key(0), 64)
X = jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (64, 16, 24, 3)), jnp.float32)


def test_translations_are_all_shifts_of_up_to_an_eighth_with_a_continued_border():
    moved, seen = np.asarray(translation(X, KEYS)), set()
    for image, got in zip(np.asarray(X), moved, strict=True):
        fits = {
            (i, j)
            for i in range(-2, 3)
            for j in range(-3, 4)
            if np.array_equal(got, image[np.clip(np.arange(16) + i, 0, 15)][:, np.clip(np.arange(24) + j, 0, 23)])
        }
        assert len(fits) == 1
        seen |= fits
    assert {i for i, _ in seen} == set(range(-2, 3))
    assert {j for _, j in seen} == set(range(-3, 4))


def test_cutout_sets_a_rectangle_to_zero_and_keeps_the_rest():
    shown = np.asarray(cutout(X + 2, KEYS))
    rows, columns = (shown == 0).all(axis=(2, 3)).sum(1), (shown == 0).all(axis=(1, 3)).sum(1)
    assert not rows.any()  # no row is cut out as a whole, nor a column
    assert not columns.any()
    heights, widths = (shown == 0).all(-1).any(2).sum(1), (shown == 0).all(-1).any(1).sum(1)
    np.testing.assert_array_equal((shown == 0).all(-1).sum((1, 2)), heights * widths)
    assert (heights.min(), heights.max(), widths.min(), widths.max()) == (
        4,
        8,
        6,
        12,
    )  # centers at the border and inside
    np.testing.assert_array_equal(shown[shown != 0], np.asarray(X + 2)[shown != 0])


def test_color_against_its_formulas():
    brightness, saturation, contrast = (np.asarray(uniform(each)) for each in split(KEYS, 3))
    for i in range(8):
        x = np.asarray(X[i]) + brightness[i] - 0.5
        gray = x.mean(-1, keepdims=True)
        x = gray + 2 * saturation[i] * (x - gray)
        x = x.mean() + (contrast[i] + 0.5) * (x - x.mean())
        np.testing.assert_allclose(color(X, KEYS)[i], x, atol=1e-5)


@pytest.mark.parametrize("transform", [color, translation, cutout])
def test_every_example_has_a_draw_of_its_own_and_gradients_pass(transform):
    np.testing.assert_allclose(transform(X[5:9], KEYS[5:9]), transform(X, KEYS)[5:9], atol=1e-6)
    same = transform(jnp.broadcast_to(X[0], X.shape), KEYS)
    assert len({image.tobytes() for image in np.asarray(same)}) > 16
    tangent = jnp.ones_like(X)
    _, along = jax.jvp(lambda x: transform(x, KEYS), (X,), (tangent,))
    _, back = jax.vjp(lambda x: transform(x, KEYS), X)
    np.testing.assert_allclose(jnp.vdot(along, X), jnp.vdot(tangent, back(X)[0]), rtol=1e-4)
    assert bool((jnp.abs(back(tangent)[0]).sum((1, 2, 3)) > 0).all())
