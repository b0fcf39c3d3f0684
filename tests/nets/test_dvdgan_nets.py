"""The networks of DVD-GAN: conditions meet their own clips, what each discriminator sees, and predictions."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax import BadInput
from gan_jax.nets import dvdgan
from gan_jax.nets.dvdgan import Encoder, Generator, Predictor, SpatialDiscriminator, TemporalDiscriminator

pytestmark = pytest.mark.usefixtures("library_convolutions")

RANDOM = np.random.default_rng(0)
B, T, SIDE, C = 3, 4, 8, 2
X = jnp.asarray(RANDOM.uniform(-1, 1, (B, T, SIDE, SIDE, C)).astype(np.float32))
Z = jnp.asarray(RANDOM.normal(size=(B, 5)).astype(np.float32))
Y = jnp.array([2, 0, 1], jnp.int32)
KEYS = jax.random.split(jax.random.key(0), B)


def drawn(init):
    """Draws all variables of a network; variances are positive."""
    random = np.random.default_rng(1)

    def draw(path, leaf):
        values = random.normal(0, 0.5, leaf.shape).astype(np.float32)
        return jnp.abs(values) + 0.1 if jax.tree_util.keystr(path).endswith("['var']") else jnp.asarray(values)

    return jax.tree_util.tree_map_with_path(draw, jax.eval_shape(init, jax.random.key(0)))


def test_conditions_meet_their_own_clips():
    """A clip whose noise or class changes does so in all frames; the other clips stay as they are."""
    g = Generator(frames=T, channels=1, base=2, widths=(3, 2), classes=3, blocks=2)
    variables = drawn(lambda key: g.init(key, Z, Y))
    made = jax.jit(partial(g.apply, variables))
    start = made(Z, Y)
    assert start.shape == (B, T, 4, 4, 1)
    for other in (made(Z.at[1].mul(-1), Y), made(Z, Y.at[1].set(1))):
        moved = np.abs(other - start).max(axis=(2, 3, 4))
        assert moved[1].min() > 1e-3 and moved[::2].max() < 1e-6


SPATIAL, TEMPORAL = SpatialDiscriminator(2, (3, 2), classes=3), TemporalDiscriminator((3,), classes=3)


def scores(d):
    """Returns a discriminator as a function of clips, with drawn variables."""
    return jax.jit(partial(d.apply, drawn(lambda key: d.init(key, X, Y))))


@pytest.mark.parametrize("first", [0, 1])
def test_spatial_discriminator_sees_frames_drawn_for_every_clip(first):
    score = scores(SPATIAL.clone(first=first))
    slopes = np.asarray(jax.jit(jax.grad(lambda x: score(x, Y, KEYS).sum()))(X))
    seen = np.abs(slopes).max(axis=(2, 3, 4)) > 0
    assert (seen.sum(axis=1) == 2).all() and not seen[:, :first].any()
    assert len({tuple(own) for own in seen}) > 1


def test_scores_of_frames_are_summed_with_the_class_of_their_clip():
    both, one = scores(SPATIAL), scores(SPATIAL.clone(frames=1))
    np.testing.assert_allclose(both(X, Y), one(X, Y) + one(X[:, 1:], Y), rtol=1e-4)


def test_motion_is_seen_by_the_temporal_discriminator_alone():
    """The order of frames changes its score, and no score of single frames."""
    shuffled, frames, motion = X[:, jnp.array([2, 0, 3, 1])], scores(SPATIAL.clone(frames=T)), scores(TEMPORAL)
    np.testing.assert_allclose(frames(X, Y), frames(shuffled, Y), rtol=1e-4)
    assert np.abs(motion(X, Y) - motion(shuffled, Y)).min() > 1e-3


def test_fine_detail_is_seen_by_the_spatial_discriminator_alone():
    """A checkerboard of single pixels has no mean over 2 x 2."""
    board = jnp.asarray((-1.0) ** np.indices((SIDE, SIDE)).sum(0), jnp.float32).reshape(1, 1, SIDE, SIDE, 1)
    frames, motion = scores(SPATIAL), scores(TEMPORAL)
    np.testing.assert_allclose(motion(X, Y), motion(X + 0.5 * board, Y), rtol=1e-3)
    assert np.abs(frames(X, Y) - frames(X + 0.5 * board, Y)).min() > 1e-2


def test_predictions_begin_with_the_given_frames_and_follow_them():
    given = X[:, :2]
    g = Predictor(Encoder((2, 3), (4, 3)), Generator(frames=3, channels=C, base=2, widths=(4, 3, 2), blocks=1))
    variables = drawn(lambda key: g.init(key, Z, None, given))
    predict = jax.jit(lambda given: g.apply(variables, Z, None, given))
    made = predict(given)
    assert made.shape == (B, 5, SIDE, SIDE, C)
    np.testing.assert_array_equal(made[:, :2], given)
    for k in range(2):
        moved = np.abs(predict(given.at[1, k].mul(-1)) - made)[:, 2:].max(axis=(2, 3, 4))
        assert moved[1].min() > 1e-4 and moved[::2].max() < 1e-6


def test_networks_have_the_widths_of_biggan():
    """Of its program for 64 x 64 pixels: 16, 16, 8, 4, 2 times the width and 1, 2, 4, 8 times."""
    g, spatial, temporal = dvdgan.networks((12, 64, 64, 3), classes=7, g_width=2, d_width=1)
    assert g == Generator(12, 3, 4, (32, 16, 8, 4, 2), 7, 2)
    assert spatial == SpatialDiscriminator(8, (1, 2, 4, 8), 7)
    assert temporal == TemporalDiscriminator((2, 4, 8), 7)


def test_predictors_make_the_rest_of_the_frames():
    g, spatial, _ = dvdgan.networks((12, 28, 28, 1), given=4, seen=3, base=8, g_width=2, d_width=1)
    assert g == Predictor(Encoder((1, 2), (8, 4)), Generator(8, 1, 7, (8, 4, 2)))
    assert spatial == SpatialDiscriminator(3, (1, 2), first=4)


@pytest.mark.parametrize(
    ("shape", "fault"),
    [
        ((32, 32, 1), "examples of 32x32x1 are not supported: give square videos, as moving:mnist5k"),
        ((16, 30, 30, 1), "examples of 16x30x30x1 are not supported"),
        ((16, 32, 28, 1), "examples of 16x32x28x1 are not supported"),
        ((16, 8, 8, 1), "whose sides can be halved twice, to 4 or less"),
        ((6, 32, 32, 1), "videos of 6 frames are too short for 4 given and 3 seen"),
    ],
)
def test_other_shapes_are_refused(shape, fault):
    with pytest.raises(BadInput, match=fault):
        dvdgan.networks(shape, given=4, seen=3, g_width=2, d_width=1)
