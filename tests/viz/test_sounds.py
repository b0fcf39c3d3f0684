"""Pictures and files of sounds."""

import numpy as np
import pytest
import soundfile

from gan_jax.viz.sounds import BANDS, in_sequence, save_wav, spectrograms


def sine(hertz, level=1.0, rate=8000):
    return (level * np.sin(2 * np.pi * hertz * np.arange(4096) / rate)).astype(np.float32)


def test_low_frequencies_are_at_the_bottom_and_time_runs_to_the_right():
    sounds = np.stack([sine(150), sine(3500), np.zeros(4096, np.float32)])
    sounds[0, :2048] = 0
    drawn = spectrograms(sounds, 8000)
    assert drawn.shape == (3, BANDS, 65, 1) and drawn.dtype == np.uint8
    low, high, silent = drawn[..., 0].astype(int)
    assert low.sum(axis=1).argmax() > 0.85 * BANDS and high.sum(axis=1).argmax() < 0.15 * BANDS
    assert low[:, :28].max() == 0 < low[:, 40:].max() and silent.max() == 0


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
def test_a_sine_at_full_level_is_white_and_40_decibels_below_gray(rate):
    drawn = spectrograms(np.stack([sine(1000, level, rate) for level in (1, 0.5, 0.005)]), rate)[:, :, 20]
    full, half, low = (int(column.max()) for column in drawn)
    assert full > 245
    assert half - low == pytest.approx(127.5, abs=1.5)


def test_files_hold_the_sound_and_equal_ones_are_equal_bytes(tmp_path):
    x = np.concatenate([sine(440, 0.5), np.array([2, -2, np.nan], np.float32)])
    for name in "ab":
        save_wav(tmp_path / "new" / f"{name}.wav", x, 8000)
    read, rate = soundfile.read(tmp_path / "new" / "a.wav")
    assert rate == 8000 and soundfile.info(tmp_path / "new" / "a.wav").subtype == "PCM_16"
    np.testing.assert_allclose(read[:4096], x[:4096], atol=6e-5)
    np.testing.assert_allclose(read[4096:], [1, -1, 0], atol=6e-5)
    assert (tmp_path / "new" / "a.wav").read_bytes() == (tmp_path / "new" / "b.wav").read_bytes()


def test_sounds_follow_one_another_with_silence_between():
    found = in_sequence(np.array([[1, 2], [3, 4]], np.float32), 8)
    assert found.tolist() == [1, 2, 0, 0, 3, 4, 0, 0]
