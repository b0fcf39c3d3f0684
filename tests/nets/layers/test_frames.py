"""Frames of videos: convolutions over time against the library's, and independent draws for every video."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gan_jax.nets.layers.convolution import Conv
from gan_jax.nets.layers.frames import draw_frames, each_frame, with_neighbors

RANDOM = np.random.default_rng(0)
B, T, SIDE, C, F = 2, 4, 5, 3, 6


def videos():
    return jnp.asarray(RANDOM.normal(size=(B, T, SIDE, SIDE, C)).astype(np.float32))


def test_convolution_beside_neighbors_is_a_convolution_of_volumes():
    x, kernel = videos(), RANDOM.normal(size=(3, 3, 3, C, F)).astype(np.float32)  # height, width, time
    layout = lax.conv_dimension_numbers(x.shape, kernel.shape, ("NDHWC", "HWDIO", "NDHWC"))
    expected = lax.conv_general_dilated(x, kernel, (1, 1, 1), "SAME", dimension_numbers=layout)
    params = {"kernel": jnp.asarray(kernel.reshape(3, 3, 3 * C, F)), "bias": jnp.zeros(F)}
    layer = partial(Conv(F).apply, {"params": params})
    found = layer(with_neighbors(x.reshape(-1, *x.shape[2:]), T)).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_layers_see_every_frame_by_itself():
    x = videos()
    found = each_frame(lambda images: images[:, :2, :3] - images.mean((1, 2, 3), keepdims=True), x)
    for b, t in np.ndindex(B, T):
        np.testing.assert_allclose(found[b, t], x[b, t, :2, :3] - x[b, t].mean(), atol=1e-6)


def test_frames_are_drawn_for_every_video_by_itself_without_repeats():
    n, k = 300, 3
    numbered = jnp.broadcast_to(jnp.arange(T)[None, :, None], (n, T, 1))
    keys = jax.random.split(jax.random.key(0), n)
    drawn = np.asarray(jax.jit(partial(draw_frames, k=k))(numbered, keys=keys))[..., 0]
    assert all(len(set(own)) == k for own in drawn.tolist())
    assert len({tuple(own) for own in drawn.tolist()}) == 24  # all orders of 3 of 4 frames
    counts = np.stack([np.bincount(drawn[:, i], minlength=T) for i in range(k)])
    assert (np.abs(counts - n / T) < 5 * (n * 3 / 16) ** 0.5).all()


def test_draws_depend_on_the_key_of_the_video_alone():
    numbered, keys = jnp.broadcast_to(jnp.arange(T)[None], (6, T)), jax.random.split(jax.random.key(0), 6)
    drawn, part = jax.jit(lambda x, keys: (draw_frames(x, 2, keys), draw_frames(x[3:5], 2, keys[3:5])))(numbered, keys)
    np.testing.assert_array_equal(part, drawn[3:5])
