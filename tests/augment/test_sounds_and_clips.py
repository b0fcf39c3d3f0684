"""Transforms of sounds against loops in NumPy; clips whose frames all change alike; examples of another kind."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from unchecked import unchecked

from gan_jax import BadInput
from gan_jax.augment.ada import bgc
from gan_jax.augment.diff_augment import color, cutout, translation
from gan_jax.augment.sound import gain, gain_shift_mask, mask, shift
from gan_jax.engine.keys import uniform

KEYS = jax.random.split(jax.random.key(0), 64)
SOUNDS = jnp.asarray(np.random.default_rng(0).uniform(0.5, 1, (64, 40)), jnp.float32)
CLIPS = jnp.asarray(np.random.default_rng(1).uniform(-1, 1, (4, 3, 8, 8, 3)), jnp.float32)


def test_gains_are_uniform_from_a_half_to_three_halves():
    np.testing.assert_allclose(gain(SOUNDS, KEYS), SOUNDS * (0.5 + uniform(KEYS))[:, None], atol=1e-6)


def test_shifts_are_all_those_of_up_to_an_eighth_with_silence_behind():
    seen = set()
    for sound, got in zip(np.asarray(SOUNDS), np.asarray(shift(SOUNDS, KEYS)), strict=True):
        fits = {by for by in range(-5, 6) if np.array_equal(got, np.pad(sound, 5)[5 + by : 45 + by])}
        assert len(fits) == 1
        seen |= fits
    assert seen == set(range(-5, 6))


def test_masks_silence_a_quarter_around_any_sample():
    shown = np.asarray(mask(SOUNDS, KEYS))
    silent = shown == 0
    np.testing.assert_array_equal(shown[~silent], np.asarray(SOUNDS)[~silent])
    assert silent.sum(1).max() == 10
    assert 5 <= silent.sum(1).min() < 10  # where the center is near an end
    assert ((np.diff(silent.astype(int), axis=1) == 1).sum(1) + silent[:, 0] == 1).all()  # in one piece
    assert silent.any(0).all()


@pytest.mark.parametrize("transform", [gain, shift, mask])
def test_every_sound_has_a_draw_of_its_own_and_gradients_pass(transform):
    np.testing.assert_array_equal(transform(SOUNDS[5:9], KEYS[5:9]), transform(SOUNDS, KEYS)[5:9])
    same = np.asarray(transform(jnp.broadcast_to(SOUNDS[0], SOUNDS.shape), KEYS))
    assert len({sound.tobytes() for sound in same}) > 8
    slope = jax.grad(lambda x: transform(x, KEYS).sum())(SOUNDS)
    assert bool((jnp.abs(slope).sum(1) > 0).all())


def test_with_probability_0_sounds_are_unchanged_and_with_1_all_change():
    np.testing.assert_array_equal(gain_shift_mask(SOUNDS, KEYS, jnp.float32(0)), SOUNDS)
    once, twice = (gain_shift_mask(SOUNDS, KEYS, jnp.float32(p)) for p in (0.5, 1.0))
    unchanged = (np.asarray(once) == SOUNDS).all(1)
    assert 0 < unchanged.mean() < 0.3  # an eighth is expected
    assert not (np.asarray(twice) == SOUNDS).all(1).any()


@pytest.mark.parametrize("transform", [color, translation, cutout, lambda x, keys: bgc(x, keys, jnp.float32(1))])
def test_all_frames_of_a_clip_change_alike(transform):
    """A still clip stays still, and is the image changed; clips differ from each other."""
    still = jnp.broadcast_to(CLIPS[:1, :1], CLIPS.shape)
    changed = np.asarray(transform(still, KEYS[:4]))
    np.testing.assert_allclose(changed, np.broadcast_to(changed[:, :1], CLIPS.shape), atol=1e-5)
    np.testing.assert_allclose(changed[:, 0], transform(still[:, 0], KEYS[:4]), atol=1e-4)
    assert len({clip.tobytes() for clip in changed}) == 4


@pytest.mark.parametrize("transform", [translation, cutout, lambda x, keys: bgc(x, keys, jnp.float32(1))])
def test_frames_of_a_moving_clip_stay_in_order(transform):
    """Frame by frame as the images that they are."""
    changed = np.asarray(transform(CLIPS, KEYS[:4]))
    for frame in range(3):
        np.testing.assert_allclose(changed[:, frame], transform(CLIPS[:, frame], KEYS[:4]), atol=1e-5)


@pytest.mark.parametrize(
    ("module", "name", "x", "says"),
    [
        (
            "sound",
            "shift",
            CLIPS,
            r"shift changes sounds, and examples are \[3, 8, 8, 3\] here: for images and videos choose",
        ),
        ("diff_augment", "translation", SOUNDS, r"translation changes images and videos, and examples are \[40\] here"),
        ("diff_augment", "color", SOUNDS, "color changes images and videos"),
        ("ada", "bgc", SOUNDS, "ada changes images and videos"),
    ],
)
def test_examples_of_another_kind_are_refused(module, name, x, says):
    probability = [jnp.float32(1)] if name == "bgc" else []
    with pytest.raises(BadInput, match=says):
        getattr(unchecked(f"augment.{module}"), name)(x, KEYS[: len(x)], *probability)
