"""GAN-TTS's networks: windows of one offset per example, aligned features, and shapes."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.errors import BadInput
from gan_jax.nets import gan_tts
from gan_jax.nets.gan_tts import DBlock, Ensemble, GBlock, WindowDiscriminator, draw_windows, factors, networks, repeat

B, T, HOP = 64, 96, 8


def drawn(seed=0, length=16, examples=slice(None)):
    """Draws windows of sounds whose samples, and features, are their numbers; returns where each begins, `[2, B]`."""
    x = jnp.tile(jnp.arange(T, dtype=jnp.float32), (B, 1)) + 1000 * jnp.arange(B, dtype=jnp.float32)[:, None]
    c = x[:, ::HOP, None]
    keys = jax.random.split(jax.random.key(seed), B)
    return *map(np.asarray, draw_windows(x[examples], c[examples], length, keys[examples])), np.asarray(c)


def test_windows_are_whole_and_every_example_has_an_offset_of_its_own():
    windows, _, _ = drawn()
    start = windows[..., 0] - 1000 * np.arange(B)
    np.testing.assert_array_equal(windows, windows[..., :1] + np.arange(16))
    assert start.min() >= 0 and start.max() <= T - 16
    assert len(np.unique(start[1])) > 30 and len(np.unique(start[0])) == 11
    assert np.abs(np.corrcoef(start)[0, 1]) < 0.4  # the two are independent
    few, _, _ = drawn(examples=slice(5, 9))
    np.testing.assert_array_equal(few, windows[:, 5:9])


def test_conditional_windows_begin_with_a_frame_and_meet_their_own_features():
    windows, features, _ = drawn()
    np.testing.assert_array_equal(features[0, :, :, 0], windows[0, :, ::HOP])
    assert not features[1].any()
    assert (windows[1, :, 0] % HOP).any()


def test_without_keys_windows_are_at_the_beginning():
    x = jnp.arange(24.0).reshape(2, 12)
    windows, features = draw_windows(x, x[:, ::4, None], 8, None)
    np.testing.assert_array_equal(windows, jnp.stack(2 * [x[:, :8]]))
    np.testing.assert_array_equal(features[0, ..., 0], x[:, :8:4])


def test_members_have_offsets_of_their_own(monkeypatch):
    """A score is the first sample of a window."""
    lengths = []

    def first_sample(fold, width, dtype):
        return lambda windows, features: lengths.append(windows.shape[2]) or windows[..., 0]

    monkeypatch.setattr(gan_tts, "Both", first_sample)
    x = jnp.tile(jnp.arange(T, dtype=jnp.float32), (B, 1))
    start = np.asarray(Ensemble(16, (1, 2)).apply({}, x, x[:, ::HOP, None], jax.random.split(jax.random.key(0), B)))
    assert start.shape == (B, 4) and lengths == [16, 32]
    assert not (start[:, ::2] % HOP).any() and (start.max(0) > T / 2).all()
    assert np.abs(np.corrcoef(start.T) - np.eye(4)).max() < 0.4


def test_samples_side_by_side_become_channels():
    def stop(call, args, kwargs, context):
        if isinstance(context.module, DBlock):
            raise StopIteration(args[0])
        return call(*args, **kwargs)

    with gan_tts.nn.intercept_methods(stop), pytest.raises(StopIteration) as stopped:
        WindowDiscriminator(fold=2, width=2).init(jax.random.key(0), jnp.arange(8.0)[None], jnp.ones((1, 2, 1)))
    np.testing.assert_array_equal(stopped.value.value, [[[0, 1], [2, 3], [4, 5], [6, 7]]])


def test_a_block_raises_the_rate_by_repetition():
    x = jnp.arange(6.0).reshape(1, 3, 2)
    np.testing.assert_array_equal(repeat(x, 2)[0], np.repeat(np.asarray(x[0]), 2, axis=0))
    shape = jax.eval_shape(
        lambda: GBlock(5, 3).init_with_output(jax.random.key(0), x, jnp.ones((1, 4)))[0],
    )
    assert shape.shape == (1, 9, 5)


@pytest.mark.parametrize("n", [1, 8, 15, 30, 32, 60, 120])
def test_factors_are_few_and_small(n):
    assert math.prod(factors(n)) == n and max(factors(n)) <= 5 and min(factors(n)) > (n > 1)


@pytest.mark.slow
def test_the_full_networks_have_the_papers_rates_and_widths():
    widths, ups = (768, 768, 384, 384, 384, 192, 96), (1, 1, 2, 2, 2, 3, 5)
    g, d = networks(4800, widths, ups, 240, (1, 2, 4, 8, 15), 64)
    z, c = jnp.ones((1, 128)), jnp.ones((1, 40, 567))
    x, variables = jax.eval_shape(lambda: g.init_with_output(jax.random.key(0), z, c))
    assert x.shape == (1, 4800)
    kernels = [leaf for path, leaf in jax.tree.leaves_with_path(variables["params"]) if "'kernel'" in str(path)]
    wide = [leaf.shape[1:] for leaf in kernels if leaf.ndim == 3 and leaf.shape[0] == 3]
    inner = [(width, width) for width in widths for _ in range(3)]
    first = list(zip((567, 768, *widths), (768, *widths, 1), strict=True))
    assert sorted(wide) == sorted(inner + first)
    scores = jax.eval_shape(lambda: d.init_with_output(jax.random.key(0), jnp.ones((1, 4800)), c)[0])
    assert scores.shape == (1, 10)


@pytest.mark.parametrize(
    ("samples", "base", "folds", "says"),
    [
        (100, 32, (1,), "100 samples are no whole number of frames of 8"),
        (96, 32, (1, 4), "windows of 128 are longer than sounds of 96"),
        (96, 32, (3,), "windows of 32 x 3 samples do not fit: choose --folds that divide the 8"),
        (96, 12, (1,), "windows of 12 x 1 samples do not fit"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(samples, base, folds, says):
    with pytest.raises(BadInput, match=says) as error:
        networks(samples, (4, 4), (2, 4), base, folds, 2)
    assert "\n" not in str(error.value)
