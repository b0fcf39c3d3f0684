"""The GAN-TTS experiment: phases, codes of its samples, data that do not fit, and a run on sounds with speakers."""

import numpy as np
import pytest
from commands import command
from stepping import built

from gan_jax.config.experiment import schedule_phases
from gan_jax.data import from_arrays, open_source
from gan_jax.data.modality import audio
from gan_jax.data.source import indexed
from gan_jax.errors import BadInput
from gan_jax.priors import Categorical, Uniform
from gan_jax.sampling.latents import cycle_classes

TINY = ["--ups", "4", "4", "--widths", "4", "4", "--base", "32", "--folds", "1", "--d-width", "2", "--waves", "2"]
TINY += ["--shortest", "24", "--longest", "48"]


def sounds(classes=("a", "b"), length=64):
    return indexed("beeps", audio(8000), np.ones((4, length), np.int16), np.arange(4) % 2, classes)


def test_the_generator_learns_spectra_before_it_meets_discriminators():
    experiment = built("gan_tts", "--images", "640", "--batch-size", "16", *TINY, source=sounds())
    first, second = schedule_phases(experiment)
    assert (len(first.steps), len(second.steps)) == (20, 20)
    assert list(first.game.players) == ["g"] and list(second.game.players) == ["g", "d"]
    assert first.game.prior == second.game.prior
    flags = "--spectral", "0", "--spectral-weight", "0"
    assert len(built("gan_tts", *flags, *TINY, source=sounds()).phases) == 1


def test_samples_have_codes_for_every_label_and_for_where_the_word_is():
    source = sounds()._replace(labels={"speaker": ("ann", "bob", "cy")})
    game = built("gan_tts", *TINY, source=source).phases[-1].game
    place, length = Uniform(0.0, 1.0), Uniform(24.0, 48.0)
    assert game.codes == {"y": Categorical(2), "speaker": Categorical(3), "place": place, "length": length}
    assert cycle_classes(game) == {"y": range(2)}


@pytest.mark.parametrize(
    ("source", "flags", "says"),
    [
        (from_arrays("drawn", np.zeros((4, 8, 8, 1), np.uint8)), (), "drawn has no sounds: give --data tones"),
        (sounds(classes=()), (), "beeps has no labels: give --data tones"),
        (sounds(length=60), (), "sounds of 60 samples are no whole number of frames of 16"),
        (sounds(), ("--folds", "1", "4"), "windows of 128 are longer than sounds of 64 samples"),
        (sounds(), ("--shortest", "49"), "--shortest 49 is longer than --longest 48"),
    ],
)
def test_data_that_do_not_fit_are_refused_in_one_line(source, flags, says):
    with pytest.raises(BadInput, match=says) as error:
        built("gan_tts", *TINY, *flags, source=source)
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Trains a step of both phases on sounds of two classes and three speakers."""
    folder = tmp_path_factory.mktemp("tts")
    x = np.random.default_rng(0).normal(size=(12, 48)).astype(np.float32)
    labels = {"y": np.arange(12) % 2, "speaker": np.arange(12) % 3, "speakers": np.array(["ann", "bob", "cy"])}
    np.savez(folder / "words.npz", audio=x, rate=8000, **labels)
    from gan_jax.cli.main import main

    data = ["--data", f"audio=64:{folder / 'words.npz'}", "--images", "16", "--batch-size", "8", "--log-every", "1"]
    with pytest.raises(SystemExit) as done:
        main(["train", "gan_tts", *data, *TINY, "--checkpoint-every", "1", "--run-dir", str(folder / "run")])
    assert not done.value.code
    return folder / "run"


@pytest.mark.slow
def test_samples_are_drawn_with_labels_speakers_and_lengths(run, capfd, tmp_path):
    out = tmp_path / "s.npz"
    flags = "--labels", "1", "--codes", "speaker=2,0", "length=40", "--n", 4
    assert command(capfd, "sample", run, *flags, "--out", out)[0] == 0
    arrays = np.load(out)
    assert arrays["audio"].shape == (4, 64) and arrays["rate"] == 8000 and np.isfinite(arrays["audio"]).all()
    assert arrays["labels"].tolist() == 4 * [1] and arrays["speaker"].tolist() == [2, 0, 2, 0]
    assert (arrays["length"] == 40).all() and len(set(arrays["place"].tolist())) == 4
    again = open_source(f"audio=64:{out}")
    assert list(again.labels) == ["speaker"] and again.size == 4
    for vary in ("speaker", "length:24:48"):
        assert command(capfd, "sample", run, "--vary", vary, "--n", 1, "--out", tmp_path / "rows.png")[0] == 0


@pytest.mark.slow
def test_both_phases_are_reproduced(run, capfd):
    code, out, errors = command(capfd, "reproduce", run)
    assert code == 0, (out, errors)
