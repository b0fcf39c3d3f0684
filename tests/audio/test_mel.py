"""The mel scale, its filters and the log-mel spectrogram."""

import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.audio import from_mel, log_mel, mel_filters, stft, to_mel


def test_mel_scale_has_its_published_values():
    """1,000 Hz are 1,000 mel by definition; 700 Hz are 2595 log10(2); 4,000 Hz are 2,146 mel."""
    np.testing.assert_allclose(to_mel(np.array([0.0, 700, 1000, 4000])), [0, 781.17, 1000, 2146.06], atol=0.02)
    hertz = np.linspace(0, 8000, 9)
    np.testing.assert_allclose(from_mel(to_mel(hertz)), hertz, atol=1e-9)


@pytest.mark.parametrize(
    ("rate", "size", "count", "low", "high"), [(8000, 256, 20, 0.0, None), (16000, 64, 5, 80.0, 7600.0)]
)
def test_filters_are_triangles_between_their_neighbors(rate, size, count, low, high):
    found = mel_filters(rate, size, count, low, high)
    top = high or rate / 2
    mel = [2595 * np.log10(1 + f / 700) for f in (low, top)]
    edges = [700 * (10 ** ((mel[0] + (mel[1] - mel[0]) * i / (count + 1)) / 2595) - 1) for i in range(count + 2)]
    for k in range(size // 2 + 1):
        f = k * rate / size
        for m in range(count):
            below, center, above = edges[m : m + 3]
            if f <= below or f >= above:
                expected = 0.0
            elif f <= center:
                expected = (f - below) / (center - below)
            else:
                expected = (above - f) / (above - center)
            assert found[k, m] == pytest.approx(expected, abs=1e-6)
    assert found.shape == (size // 2 + 1, count)


def test_log_mel_of_a_sine_peaks_in_its_band_and_of_silence_is_its_floor():
    t = np.arange(1024, dtype=np.float32) / 8000
    x = jnp.asarray(np.stack([np.sin(2 * np.pi * 1000 * t), np.zeros_like(t)]), jnp.float32)
    found = np.asarray(log_mel(x, 8000, 256, 64, 20))
    assert found.shape == (2, 17, 20) and found.dtype == np.float32
    centers = from_mel(np.linspace(0, to_mel(4000.0), 22))[1:-1]
    assert (found[0].argmax(axis=1) == np.abs(centers - 1000).argmin()).all()
    np.testing.assert_allclose(found[1], np.log(1e-5), rtol=1e-6)
    bands = np.abs(np.asarray(stft(x, 256, 64))[0]) @ mel_filters(8000, 256, 20)
    np.testing.assert_allclose(found[0], np.log(np.maximum(bands, 1e-5)), atol=1e-3)
