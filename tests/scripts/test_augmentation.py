"""The augmentation script: balanced training sets, samples of every class, the table, and a full run."""

import jax
import numpy as np
import pytest
import tiny_codes
import tiny_conditional
from PIL import Image

from gan_jax.cli.main import main
from gan_jax.data import open_source
from gan_jax.data.modality import to_uint8
from gan_jax.errors import BadInput
from gan_jax.evaluation import tables
from gan_jax.evaluation.inputs import LabeledExamples
from gan_jax.sampling.preview import preview_latents
from gan_jax.sampling.sampler import sampler
from gan_jax.training.restore import restore
from scripts import load_script

augmentation = load_script("augmentation")
WAYS, accuracies, labeled_samples = augmentation.WAYS, augmentation.accuracies, augmentation.labeled_samples
results, training_sets = augmentation.results, augmentation.training_sets

KEY = jax.random.key(0)
CLASSES = tuple("0123456789")


def numbered(n, first=0, classes=CLASSES):
    """Makes 8 x 8 images that encode their index, with sorted labels."""
    x = np.zeros((n, 8, 8, 1), np.uint8)
    x[:, 0, :4, 0] = np.arange(first, first + n, dtype="<u4").view(np.uint8).reshape(n, 4)
    return LabeledExamples(x, np.arange(n, dtype=np.int32) * len(classes) // n, classes)


def numbers(shown):
    return np.ascontiguousarray(shown.examples[:, 0, :4, 0]).view("<u4").ravel()


def stripes(n, seed, wrong=False):
    """Makes noisy 8 x 8 images of vertical and horizontal stripes; `wrong` swaps the labels."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % 2
    down = np.where(np.arange(8) // 2 % 2, 200, 50) * np.ones((8, 1), int)
    x = np.where(y[:, None, None] == 0, down, down.T) + random.integers(-50, 50, (n, 8, 8))
    return LabeledExamples(x[..., None].astype(np.uint8), (1 - y if wrong else y).astype(np.int32), ("down", "across"))


@pytest.mark.parametrize(("real", "fake"), [(500, 1000), (1000, 300), (70, 130)])
def test_training_sets_have_one_size_and_repeat_images_equally_often(real, fake):
    sets = training_sets(numbered(real), numbered(fake, first=10_000))
    n = 2 * max(real, fake, 128)
    assert tuple(sets) == WAYS and all(len(shown.examples) == len(shown.labels) == n for shown in sets.values())
    shares = {"real": (n, 0), "real + generated": (n // 2, n // 2), "generated": (0, n)}
    for way, shown in sets.items():
        found = numbers(shown)
        for share, first, size in ((shares[way][0], 0, real), (shares[way][1], 10_000, fake)):
            times = np.bincount(found[(found >= first) & (found < first + size)] - first, minlength=size)
            assert times.sum() == share and times.max() - times.min() <= 1
        of = np.where(found < 10_000, found * 10 // real, (found - 10_000) * 10 // fake)
        np.testing.assert_array_equal(shown.labels, of)  # each image keeps its label


def test_partial_passes_cover_all_classes():
    shown = training_sets(numbered(1000), numbered(800))["generated"]  # 2.5 passes
    counts = np.bincount(shown.labels)
    assert counts.max() < 2 * 1.25 * counts.min() and counts.min() > 160


@pytest.mark.slow
def test_accuracy_reflects_the_labels_of_the_training_set():
    real, swapped, test = stripes(128, 0), stripes(200, 1, wrong=True), stripes(100, 2)
    found = accuracies(real, swapped, test, KEY, 40)
    assert tuple(found) == WAYS
    assert found["real"] > 0.9 and found["generated"] < 0.1


def test_every_training_set_gets_equal_steps_and_key(monkeypatch):
    calls = []
    monkeypatch.setattr(augmentation, "train_classifier", lambda *args: calls.append(args))
    monkeypatch.setattr(augmentation, "accuracy", lambda *args: 0.5)
    accuracies(numbered(500), numbered(1000), numbered(100), KEY, 100)
    assert [(len(images), classes, passes) for images, _, classes, _, passes in calls] == 3 * [(2000, 10, 7)]  # 7 * 15
    assert all(key is KEY for *_, key, _ in calls)


@pytest.mark.parametrize(
    ("generated", "test", "says"),
    [
        (numbered(9, classes=CLASSES[:9]), numbered(9), "generated images are 8x8x1 of 9 classes 0, 1, 2"),
        (
            numbered(9),
            LabeledExamples(np.zeros((9, 28, 28, 1), np.uint8), np.arange(9), CLASSES),
            "test images are 28x28x1",
        ),
        (numbered(9), numbered(9, classes=tuple("abcdefghij")), "of 10 classes a, b, c, but .* 0, 1, 2"),
    ],
)
def test_mismatched_images_and_classes_are_refused(generated, test, says):
    with pytest.raises(BadInput, match=says) as error:
        accuracies(numbered(200), generated, test, KEY, 10)
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Writes folders of 28 x 28 images: ten classes, three training and one test image each."""
    folder = tmp_path_factory.mktemp("data") / "noise"
    random = np.random.default_rng(0)
    for split, n in (("train", 3), ("test", 1)):
        for name in CLASSES:
            (folder / split / name).mkdir(parents=True)
            for i in range(n):
                Image.fromarray(random.integers(0, 256, (28, 28), np.uint8)).save(folder / split / name / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory, digits):
    """Trains two tiny runs of a conditional game."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        flags = ["--data", f"{digits}:20", "--seed", str(seed), "--run-dir", str(folder / str(seed))]
        with pytest.raises(SystemExit) as done:
            main(["train", tiny_conditional.__file__, *flags])
        assert not done.value.code
    return [folder / "0", folder / "1"]


@pytest.mark.slow
def test_samples_cycle_through_classes_and_match_the_preview(runs):
    run = restore(runs[1])
    drawn = labeled_samples(run, 30)
    assert drawn.labels.tolist() == 3 * list(range(10)) and drawn.classes == CLASSES
    assert drawn.examples.shape == (30, 28, 28, 1) and drawn.examples.dtype == np.uint8
    grid = to_uint8(sampler(run.game)(run.state, preview_latents(run.experiment, run.game, open_source("mnist5k"))))
    np.testing.assert_array_equal(drawn.examples[:12], grid)


@pytest.mark.slow
def test_game_without_labels_is_refused(runs):
    run = restore(runs[0])
    with pytest.raises(BadInput, match="makes no labeled images: give runs of a conditional game"):
        labeled_samples(run._replace(game=run.game._replace(prior=tiny_codes.PRIOR)), 30)


@pytest.mark.slow
def test_runs_that_differ_only_in_seed_share_a_row(runs):
    shares = [dict(zip(WAYS, values, strict=True)) for values in ((0.90, 0.92, 0.80), (0.94, 0.92, 0.84))]
    found = [results(restore(run), "noise_20", share) for run, share in zip(runs, shares, strict=True)]
    head, _, row = tables.markdown(tables.rows(found)).splitlines()
    assert head == "|  | runs | real | real + generated | generated | gain |"
    # In percent: mean 92, sample standard deviation of 90 and 94 is 2 sqrt 2; gains of 2 and -2.
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells == ["tiny_conditional on noise_20", "2", "92 ± 2.83", "92 ± 0", "82 ± 2.83", cells[-1]]
    gain, spread = map(float, cells[-1].split(" ± "))
    assert abs(gain) < 1e-10 and spread == pytest.approx(2.83)


@pytest.mark.slow
def test_script_writes_a_table(capfd, digits, runs):
    augmentation.main(tuple(runs[:1]), samples=20, steps=1, test=str(digits))
    out, errors = capfd.readouterr()
    assert "tiny_conditional on noise_20 | 1 |" in out and "on the 10 test images" in out
    assert errors.count("real + generated") == 1
