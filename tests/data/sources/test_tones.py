"""Synthetic sounds: fixed bytes, ten classes that can be told apart, and no two alike."""

from hashlib import sha256

import jax
import numpy as np
import pytest

from gan_jax.audio import log_mel
from gan_jax.data import open_source
from gan_jax.data.modality import audio, from_int16
from gan_jax.data.source import describe_source
from gan_jax.data.sources.tones import SOUNDS


@pytest.fixture(scope="module")
def source():
    return open_source("tones")


def test_tones_have_fixed_bytes(source):
    said = "tones: 5,000 sounds of 4,096 samples at 8,000 Hz, 10 classes"
    assert describe_source(source) == said and source.spec["x"].modality is audio(8000)
    assert source.classes == tuple(SOUNDS) and len(SOUNDS) == 10
    examples = source.read(np.arange(5000))
    assert np.bincount(examples["y"]).tolist() == [500] * 10
    assert sha256(examples["x"].tobytes()).hexdigest()[:16] == "47ecb1d68346a798"


def test_no_two_sounds_are_alike_and_all_are_audible(source):
    x = source.read(np.arange(5000))["x"]
    assert len({each.tobytes() for each in x}) == 5000
    peaks = np.abs(x.astype(int)).max(axis=1) / 32767
    assert peaks.min() > 0.1 and peaks.max() <= 1
    assert np.std(peaks) > 0.1  # levels differ
    onsets = (x != 0).argmax(axis=1)
    assert onsets.min() < 100 and np.std(onsets) > 200


def test_classes_are_told_apart_by_the_nearest_mean_of_log_mel_features(source):
    examples = source.read(np.arange(1500))
    features = np.asarray(jax.jit(lambda x: summaries(from_int16(x)))(examples["x"]))
    features = (features - features.mean(0)) / features.std(0)
    half, y = slice(None, 1000), examples["y"]
    means = np.stack([features[half][y[half] == label].mean(0) for label in range(10)])
    distances = np.linalg.norm(features[1000:, None] - means, axis=-1)
    assert np.mean(distances.argmin(axis=1) == y[1000:]) > 0.9


def summaries(x):
    """Returns what log-mel spectrograms are on average and how they change, without where a sound begins."""
    levels = log_mel(x, 8000, 256, 64, 40)
    t = np.arange(levels.shape[1], dtype=np.float32)
    sounding = (levels.max(axis=2) > -4).astype(np.float32)
    count = sounding.sum(axis=1)
    bands = np.arange(40, dtype=np.float32)[None, None]
    heights = (bands * jax.nn.softmax(levels, axis=2)).sum(axis=2)
    when = t[None] - ((t[None] * sounding).sum(axis=1) / count)[:, None]
    slope = (when * heights * sounding).sum(axis=1) / (when**2 * sounding).sum(axis=1)
    change = abs(levels[:, 1:] - levels[:, :-1])
    mean = (levels * sounding[..., None]).sum(axis=1) / count[:, None]
    return jax.numpy.concatenate([mean, change.mean(axis=1), 10 * slope[:, None]], axis=1)
