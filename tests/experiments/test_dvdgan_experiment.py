"""DVD-GAN and next-frame prediction on small videos: the papers' settings, ablations, refusals, and first steps."""

import jax
import numpy as np
import pytest
from commands import command
from PIL import Image
from stepping import built, three_steps

from gan_jax import BadInput
from gan_jax.data import from_arrays, from_videos
from gan_jax.data.derived import first_frames
from gan_jax.data.source import read_batch
from gan_jax.nets.dvdgan import Generator, Predictor
from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training.restore import restore

TINY = ("--base", "2", "--g-width", "1", "--d-width", "1", "--z-size", "3")


def videos(frames=6, labeled=True):
    x = np.random.RandomState(0).randint(0, 256, (24, frames, 8, 8, 1), np.uint8)
    return from_videos("clips", x, np.arange(24) % 2, ("even", "odd")) if labeled else from_videos("clips", x)


def game(row, *flags, source=None):
    [phase] = built(row, *TINY, *flags, source=source or videos()).phases
    return phase.game


def turns(game):
    return [move.who for turn in game.turns for move in turn.moves]


def test_full_preset_has_the_papers_turns_and_frames():
    full = game("dvdgan", "--preset", "full", "--base", "2", source=videos(frames=8))
    assert turns(full) == 2 * [("d_s", "d_t")] + [("g",)]
    assert full.players["d_s"].net.frames == 8 and full.players["g"].net.blocks == 2
    assert full.players["g"].net.classes == 2


def test_predictions_are_of_the_first_frames_without_labels():
    experiment = built("nextframe", *TINY, "--given", "3", source=videos(labeled=False))
    played = experiment.phases[0].game
    assert experiment.data.spec["a"].shape == (3, 8, 8, 1) and played.conditions == ("a",) and not played.codes
    g = played.players["g"].net
    assert isinstance(g, Predictor) and g.generator.frames == 3 and played.players["d_s"].net.first == 3


@pytest.mark.parametrize(("flag", "left"), [("--no-temporal", "d_s"), ("--no-spatial", "d_t")])
def test_either_discriminator_may_be_left_out(flag, left):
    assert turns(game("dvdgan", flag)) == [(left,), ("g",)]


def test_unlabeled_videos_and_the_squared_error_alone():
    plain = game("dvdgan", "--no-conditional", source=videos(labeled=False))
    assert plain.players["g"].net == Generator(6, 1, 2, (4, 2, 1), 0, 1)
    assert turns(game("nextframe", "--given", "2", "--no-spatial", "--no-temporal")) == [("g",)]


@pytest.mark.parametrize(
    ("row", "flags", "source", "fault"),
    [
        ("dvdgan", (), videos(labeled=False), "clips has no labels: give --no-conditional"),
        ("nextframe", ("--conditional",), videos(), "predictions take no labels"),
        ("dvdgan", ("--no-spatial", "--no-temporal"), videos(), "no loss to learn from"),
        ("nextframe", ("--given", "5"), videos(), "videos of 6 frames are too short for 5 given and 2 seen"),
        ("dvdgan", (), from_arrays("digits", np.zeros((4, 8, 8, 1), np.uint8), np.arange(4), tuple("abcd")), "8x8x1"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(row, flags, source, fault):
    with pytest.raises(BadInput, match=fault) as error:
        built(row, *TINY, *flags, source=source)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_three_steps_by_class():
    played = three_steps("dvdgan", *TINY, source=videos())
    assert played.samples.shape == (10, 6, 8, 8, 1)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    """Trains a tiny predictor for two steps."""
    from gan_jax.cli.main import main

    folder = tmp_path_factory.mktemp("prediction")
    x = np.random.RandomState(0).randint(0, 256, (24, 5, 8, 8, 1), np.uint8)
    np.savez(folder / "clips.npz", video=x)
    flags = (
        "--given",
        "2",
        "--images",
        "16",
        "--data",
        f"video=5:{folder}/clips.npz",
        "--run-dir",
        str(folder / "run"),
    )
    with pytest.raises(SystemExit) as done:
        main(["train", "nextframe", *TINY, *flags])
    assert not done.value.code
    return folder / "run", x


@pytest.mark.slow
def test_samples_are_predictions_beside_the_given_frames_and_the_targets(capfd, predictor, tmp_path):
    run, x = predictor
    assert command(capfd, "sample", run, "--n", 4, "--out", tmp_path / "a.npz")[0] == 0
    arrays = np.load(tmp_path / "a.npz")
    assert set(arrays) == {"inputs", "video", "x"}
    np.testing.assert_array_equal(arrays["x"], x[np.linspace(0, 23, 4).astype(int)])
    np.testing.assert_array_equal(arrays["inputs"], arrays["x"][:, :2])
    np.testing.assert_array_equal(arrays["video"][:, :2], arrays["x"][:, :2])
    assert (arrays["video"][:, 2:] != arrays["x"][:, 2:]).any()


@pytest.mark.slow
def test_predictions_are_causal(predictor):
    """Samples of videos whose later frames differ are equal in all frames, and differ where the given ones do."""
    run, x = predictor
    game, state = restore(run, None, False)[2:4]
    draw, n = sampler(game), 4

    def predicted(x):
        examples = read_batch(first_frames(from_videos("clips", x), 2), np.arange(n))
        return draw(state, draw_latents(game, jax.random.key(0), n, examples=examples))

    made, negative = predicted(x), 255 - x
    np.testing.assert_array_equal(predicted(np.concatenate([x[:, :2], negative[:, 2:]], axis=1)), made)
    assert (predicted(np.concatenate([negative[:, :2], x[:, 2:]], axis=1)) != made)[:, 2:].any(axis=(1, 2, 3, 4)).all()


@pytest.mark.slow
def test_previews_and_animations_show_inputs_predictions_and_targets(capfd, predictor, tmp_path):
    run, _ = predictor
    preview = run / "samples" / "0000000016.png"
    assert Image.open(preview).size == (5 * 10 + 2, 3 * 6 * 10 + 2)
    assert command(capfd, "sample", run, "--n", 4, "--out", tmp_path / "a.gif")[0] == 0
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.size == (3 * 2 * 10 + 2, 2 * 10 + 2) and gif.n_frames == 5


@pytest.mark.slow
def test_videos_are_no_files_to_translate(capfd, predictor, tmp_path):
    code, _, error = command(capfd, "sample", predictor[0], "--inputs", tmp_path, "--out", tmp_path / "out")
    assert code == 2 and "this game takes gray videos of 2 frames of 8x8, which --inputs cannot read as files" in error
