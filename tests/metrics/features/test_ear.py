"""The ears: their pinned files, what they hear, and the files they are stored in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.audio import log_mel
from gan_jax.data import open_source
from gan_jax.data.modality import audio
from gan_jax.data.source import indexed
from gan_jax.errors import BadInput
from gan_jax.metrics.features import classifier_file, ear
from gan_jax.metrics.features.mnist import WEIGHTS
from gan_jax.metrics.features.network import extract

EARS = {"tones": ear.tones, "spoken_digits": ear.spoken_digits, "speakers": ear.speakers}


@pytest.fixture(scope="module")
def sounds():
    return open_source("tones").read(np.arange(200))


def test_files_in_the_package_are_small_and_say_what_they_hear():
    digits = tuple("0123456789")
    nets = {name: make() for name, make in EARS.items()}
    for name, net in nets.items():
        assert (net.name, net.sha256, net.kind) == (name, ear.SHA256[name], audio(8000))
        assert (ear.WEIGHTS / f"{name}.npz").stat().st_size < 300_000
    assert nets["spoken_digits"].classes == digits and nets["tones"].classes == open_source("tones").classes
    assert {name: net.label for name, net in nets.items()} == {
        "tones": "y",
        "spoken_digits": "y",
        "speakers": "speaker",
    }
    assert nets["speakers"].apply is not nets["tones"].apply is nets["spoken_digits"].apply, "compiled once per size"


def test_tones_are_told_apart_wherever_they_begin_and_however_loud(sounds):
    net, random = ear.tones(), np.random.default_rng(0)
    moved = np.stack([np.roll(x, random.integers(0, 600)) for x in sounds["x"]]) // 4
    outputs = extract(net, moved)
    assert outputs.features.shape == (200, 64) and outputs.features.dtype == np.float32
    assert np.mean(outputs.probabilities.argmax(axis=1) == sounds["y"]) > 0.9
    spread = np.linalg.eigvalsh(np.cov(outputs.features.T.astype(np.float64)))
    assert spread.min() > 1e-9 * spread.max(), "no dead and no redundant unit"


def test_faint_noise_is_silence_and_a_sine_at_full_level_is_one():
    t = jnp.arange(4096, dtype=jnp.float32)
    x = jnp.stack([jnp.zeros(4096), 1e-4 * jnp.sin(t), jnp.sin(2 * jnp.pi * t / 8)]).astype(jnp.float32)
    levels = np.asarray(ear.levels(x, 8000))
    assert levels.shape == (3, 33, ear.BANDS) and not levels[:2].any()
    assert 1 < levels[2, 5:-5].max() < 1.1, "bands sum a few frequencies"
    loud = np.asarray(log_mel(x[2:], 8000, 256, 128, ear.BANDS))[0] - np.log(64)
    np.testing.assert_allclose(levels[2], np.maximum(0, 1 + loud / np.log(1000)), atol=1e-5)


def test_sounds_of_another_length_are_refused():
    with pytest.raises(BadInput, match=r"^this ear takes sounds \[N, 4096\], not \[N, 100\]: cut them"):
        extract(ear.tones(), np.zeros((2, 100), np.int16))
    with pytest.raises(BadInput, match=r"not \[N, 28, 28, 1\]"):
        extract(ear.tones(), np.zeros((2, 28, 28, 1), np.uint8))


def test_disturbed_sounds_have_levels_and_noise_of_their_own():
    keys = jax.random.split(jax.random.key(0), 100)
    x = jnp.zeros((100, 500), jnp.float32).at[:, 0].set(1)
    found = np.asarray(ear.disturbed(x, keys, keys))
    noise = np.log10(found[:, 1:].std(axis=1))
    assert -4.1 < noise.min() < -3.7 and -2.3 < noise.max() < -1.9 and np.ptp(found[:, 0]) > 0.6
    assert found[:, 0].min() > 0.2 and found[:, 0].max() < 1.05


def test_ears_for_other_rates_and_lengths_are_stored_and_told_from_other_files(tmp_path):
    path, random = tmp_path / "mine.npz", np.random.default_rng(0)
    sound = jax.ShapeDtypeStruct((1, 1000), jnp.float32)
    leaves = jax.eval_shape(ear.Ear(3, 4000).init, jax.random.key(0), sound)["params"]
    params = jax.tree.map(lambda leaf: jnp.asarray(random.normal(size=leaf.shape), jnp.float32), leaves)
    sha256 = ear.save(path, "mine", ("a", "b", "c"), params, 4000, 1000)
    net = ear.load(path, sha256)
    assert (net.name, net.classes, net.kind) == ("mine", ("a", "b", "c"), audio(4000))
    jax.tree.map(np.testing.assert_array_equal, net.params, params)
    assert ear.wrote(path) and not ear.wrote(WEIGHTS)
    with pytest.raises(BadInput, match=r"mnist\.npz holds no ear: write it with scripts/train_ear\.py"):
        ear.load(WEIGHTS)
    with pytest.raises(BadInput, match="holds another network"):
        classifier_file.load(path)


@pytest.mark.slow
def test_few_epochs_tell_low_from_high():
    random = np.random.default_rng(0)
    y = (np.arange(256) % 2).astype(np.int32)
    x = 8000 * np.sin(2 * np.pi * np.arange(1000)[None] * (0.02 + 0.1 * y + random.uniform(0, 0.02, 256))[:, None])
    source = indexed("pitch", audio(4000), x.astype(np.int16), y, ("low", "high"))
    params = ear.train_ear(source, jax.random.key(0), 6)
    logits = ear.Ear(2, 4000).apply({"params": params}, jnp.asarray(x / 32767, jnp.float32))
    assert np.mean(np.asarray(logits).argmax(1) == y) > 0.95
    with pytest.raises(BadInput, match="100 sounds are too few"):
        ear.train_ear(source._replace(size=100), jax.random.key(0), 1)
