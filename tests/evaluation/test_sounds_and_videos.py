"""Scores of sounds and videos: read, told apart, compared and drawn as what they are."""

import numpy as np
import pytest
import tiny_features
from PIL import Image

from gan_jax import BadInput
from gan_jax.data import from_arrays, from_videos
from gan_jax.data.modality import IMAGE, LABEL, VIDEO, Leaf, audio
from gan_jax.data.source import from_spec, indexed, read_batch
from gan_jax.data.sources.recordings import windows
from gan_jax.evaluation import protocol
from gan_jax.evaluation.figures import draw_figures
from gan_jax.evaluation.inputs import EvalInputs, LabeledExamples, Reference, compute_features, read_all
from gan_jax.evaluation.real_data import open_examples
from gan_jax.evaluation.suite import compute_scores, parse_metrics

RANDOM = np.random.RandomState(3)
SOUND = audio(8000)
LABELS = (np.arange(40) % 4).astype(np.int32)


def recordings(n=40, length=40):
    """Draws sounds of as many periods as their number says, and noise, with zeros behind them."""
    t = np.arange(length)[None] / length
    x = np.sin(2 * np.pi * (1 + np.arange(n)[:, None] % 16) * t) + 0.3 * RANDOM.standard_normal((n, length))
    return np.pad((8000 * x).astype(np.int16), ((0, 0), (0, 24)))


SOUNDS = indexed("hums", SOUND, recordings(), LABELS, tuple("abcd"))
PLACED = windows(SOUNDS, 64)
VIDEOS = from_videos("clips", RANDOM.randint(0, 256, (40, 3, 8, 8, 1)).astype(np.uint8), LABELS, tuple("abcd"))


def inputs_of(net, source, fake=None):
    reference = Reference("train", source, lambda: source)
    return EvalInputs(net, compute_features(net, fake or read_all(source)), reference.features(net, 40), reference)


def test_sounds_are_read_as_windows_of_16_bits():
    sounds = read_all(PLACED)
    assert sounds.examples.dtype == np.int16 and sounds.examples.shape == (40, 64) and sounds.kind == SOUND
    np.testing.assert_allclose(sounds.examples / 32767, read_batch(PLACED, np.arange(40))["x"], atol=1e-4)
    np.testing.assert_array_equal(np.sort(sounds.examples, axis=1), np.sort(SOUNDS.read(np.arange(40))["x"], axis=1))
    np.testing.assert_array_equal(read_all(VIDEOS).examples, VIDEOS.read(np.arange(40))["x"])


def test_labels_besides_the_class_are_read_by_name():
    spec = {"x": Leaf((64,), SOUND), "y": Leaf((), LABEL), "speaker": Leaf((), LABEL)}
    source = from_spec("said", spec, {"x": recordings(), "y": LABELS, "speaker": LABELS[::-1]}, tuple("abcd"))
    found = read_all(source)
    assert found.others["speaker"].tolist() == LABELS[::-1].tolist() and found.labels.tolist() == LABELS.tolist()
    net = tiny_features.hearing._replace(label="speaker", classes=("ann", "bob", "cy", "di"))
    inputs = inputs_of(net, source)
    right = float(np.mean(inputs.fake.predicted == LABELS[::-1]))
    metric = parse_metrics("label_accuracy")
    assert compute_scores(metric, inputs)["label_accuracy"]["label_accuracy"] == right != 0
    with pytest.raises(BadInput, match="label_accuracy: this metric needs samples with labels speaker"):
        compute_scores(metric, inputs_of(net, SOUNDS))


@pytest.mark.parametrize(
    ("net", "source", "words"),
    [
        (tiny_features.net, SOUNDS, "tiny is for images, not for audio at 8,000 Hz"),
        (tiny_features.hearing, VIDEOS, "hearing is for audio at 8,000 Hz, not for video"),
        (tiny_features.hearing._replace(kind=audio(16000)), SOUNDS, "for audio at 16,000 Hz, not for audio at 8,000"),
    ],
)
def test_a_network_for_another_kind_or_rate_is_refused(net, source, words):
    with pytest.raises(BadInput, match=words):
        compute_features(net, read_all(source))


def test_metrics_of_images_refuse_sounds():
    inputs = inputs_of(tiny_features.hearing, SOUNDS)
    for name in ("ms_ssim", "cas", "ppl"):
        with pytest.raises(BadInput, match=f"^{name}: this metric is for image data, not for audio: leave it out$"):
            compute_scores(parse_metrics(name), inputs)


def test_copies_at_other_places_are_found_memorized():
    """By features; of waveforms, hardly any would be nearest to its own recording."""
    others = PLACED._replace(decode=lambda examples, keys: PLACED.decode(examples, keys[::-1]))
    copies, fresh = read_all(others), LabeledExamples(recordings(), kind=SOUND)
    assert (copies.examples != read_all(PLACED).examples).any(axis=1).mean() > 0.8
    found = [
        compute_scores(parse_metrics("memorized"), inputs_of(tiny_features.hearing, PLACED, fake))["memorized"]
        for fake in (copies, fresh)
    ]
    assert found[0]["memorized"] > 0.9 and found[1]["memorized"] < 0.2


def test_protocols_name_the_kind_and_how_it_is_stored():
    chosen = parse_metrics("memorized,ndb,fid")
    for net, source, name, rounded, space in (
        (tiny_features.hearing, SOUNDS, "audio", "int16", "features"),
        (tiny_features.watching, VIDEOS, "video", "uint8", "features"),
        (tiny_features.net, from_arrays("tiles", VIDEOS.read(np.arange(40))["x"][:, 0]), "image", "uint8", "pixels"),
    ):
        reference, leaf = Reference("train", source, None), source.spec["x"]
        common = protocol.make_protocol(net, reference.features(net, 9), reference, 9, leaf, {})
        assert common[name] == list(source.shape) and common["quantization"] == rounded
        stamped = protocol.per_metric(chosen, common, reference, leaf.modality)
        assert stamped["memorized"]["space"] == stamped["ndb"]["space"] == space and "space" not in stamped["fid"]


def test_samples_in_a_file_are_as_they_were_written(tmp_path):
    x = np.array([[0.5, -1, 0.25], [0, 2, -0.1]], np.float32)  # quieter than recordings, which are scaled
    np.savez(tmp_path / "s.npz", audio=x, rate=8000, labels=[3, 1], speaker=[0, 2], level=np.zeros(2))
    found = read_all(open_examples(str(tmp_path / "s.npz")))
    assert found.examples.tolist() == [[16384, -32767, 8192], [0, 32767, -3277]] and found.kind == SOUND
    assert found.labels.tolist() == [3, 1] and {name: y.tolist() for name, y in found.others.items()} == {
        "speaker": [0, 2]
    }
    video = VIDEOS.read(np.arange(2))["x"]
    np.savez(tmp_path / "v.npz", video=video)
    found = read_all(open_examples(str(tmp_path / "v.npz")))
    np.testing.assert_array_equal(found.examples, video)
    assert found.kind == VIDEO and found.labels is None and not found.others
    np.savez(tmp_path / "bad.npz", audio=x)
    with pytest.raises(BadInput, match=r"bad\.npz cannot be read as samples \('rate.*: write it with gan-jax sample"):
        open_examples(str(tmp_path / "bad.npz"))


@pytest.mark.slow
def test_neighbors_are_drawn_as_what_they_are(tmp_path):
    tiles = from_arrays("tiles", VIDEOS.read(np.arange(40))["x"][:, 0])
    sizes = {}
    for net, source in ((tiny_features.net, tiles), (tiny_features.hearing, SOUNDS), (tiny_features.watching, VIDEOS)):
        neighbors, _ = draw_figures(inputs_of(net, source), tmp_path / net.name)
        sizes[net.name] = Image.open(neighbors).size
    assert sizes["watching"][0] > sizes["tiny"][0] != sizes["hearing"][0]


def test_kinds_are_equal_only_with_their_rate():
    assert audio(8000) == SOUND != audio(16000) and IMAGE != VIDEO
