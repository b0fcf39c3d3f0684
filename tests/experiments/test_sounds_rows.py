"""WaveGAN and SpecGAN: what their rows build, and what they refuse."""

import jax
import numpy as np
import pytest
from stepping import built, three_steps

from gan_jax import BadInput
from gan_jax.config import user_code
from gan_jax.config.discovery import entries
from gan_jax.data import open_source
from gan_jax.data.modality import audio
from gan_jax.data.source import indexed, read_batch

ROWS = ["wavegan", "specgan"]


def noise(length, labeled=True):
    """Makes 20 sounds of two classes; the second half of each is silent."""
    x = np.random.RandomState(0).randint(-9999, 9999, (20, length)).astype(np.int16)
    x[:, length // 2 :] = 0
    return indexed("noise", audio(8000), x, np.arange(20) % 2 if labeled else None, ("a", "b") if labeled else ())


@pytest.fixture(scope="module")
def source():
    return noise(1024)


def game(row, source, *flags):
    [phase] = built(row, *flags, source=source).phases
    return phase.game


@pytest.mark.parametrize("row", ROWS)
def test_full_presets_are_the_papers(row, source):
    full = game(row, source, "--preset", "full")
    assert "".join(name for turn in full.turns for move in turn.moves for name in move.who[:1]) == "dddddg"
    assert full.prior["z"].size == 100 and full.players["g"].net.widths[-1] == 64 == full.players["d"].net.widths[0]
    assert not full.players["g"].net.norm and not full.players["d"].net.spectral and not full.players["g"].ema


def test_rows_differ_in_what_their_networks_see(source):
    of_sounds, of_spectrograms = (game(row, source).players["g"].net for row in ROWS)
    assert of_sounds.base == (16,) and of_spectrograms.base == (4, 4)
    assert game("wavegan", source, "--phase-shuffle", "3").players["d"].net.shuffle == 3


def test_spectrograms_of_the_training_data_are_normalized_and_sound_like_it():
    """Of 2,048 samples, which are twice as many frames as frequencies."""
    source = noise(2048)
    representation = user_code.load(entries()["specgan"].file).spectrograms(source)
    statistics = representation.statistics()

    @jax.jit
    def run(x, keys):
        seen = representation.encode(statistics, x)
        return seen, representation.decode(statistics, seen, keys)

    x = read_batch(source, np.arange(20))["x"]
    seen, heard = run(x, jax.random.split(jax.random.key(0), 20))
    assert seen.shape == (20, 64, 32) and heard.shape == x.shape
    np.testing.assert_allclose(seen.mean((0, 1)), 0, atol=0.02)
    np.testing.assert_allclose(seen.std((0, 1)), 1 / 3, atol=0.02)
    half = 960
    loud, silent = heard[:, :half].std(), heard[:, -half:].std()
    np.testing.assert_allclose(loud, x[:, :half].std(), rtol=0.3)
    assert silent < 0.03 * loud


@pytest.mark.parametrize("row", ROWS)
def test_bad_data_is_refused(row):
    with pytest.raises(BadInput, match=r"^this game makes sounds, and mnist5k has none: give --data tones"):
        built(row, source=open_source("mnist5k"))
    with pytest.raises(BadInput, match=r"^noise has no labels: leave out --conditional, or give a folder"):
        built(row, "--conditional", source=noise(1024, labeled=False))
    for length in (4000, 50):
        with pytest.raises(
            BadInput,
            match=rf"^examples of {length} are not supported: give sounds whose number of samples is a power of 2",
        ):
            built(row, source=noise(length))


@pytest.mark.slow
@pytest.mark.parametrize(("row", "flags"), [("wavegan", ["--conditional"]), ("specgan", [])])
def test_three_steps(row, flags):
    samples = three_steps(row, "--width", "1", *flags, source=noise(256)).samples
    assert samples.shape == (40, 256) and np.abs(samples).max() > 0
