"""Metrics of videos: real clips, and the same with other frames, in another order, or none that move."""

import numpy as np
import pytest
import tiny_features

from gan_jax import BadInput
from gan_jax.data import from_videos, open_source
from gan_jax.evaluation.inputs import EvalInputs, Features, LabeledExamples, read_examples
from gan_jax.evaluation.suite import compute_scores, parse_metrics

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clips():
    return read_examples(open_source("moving:mnist5k"), np.arange(0, 5000, 125))


def scores(metrics, real, fake):
    """Computes metrics that see no features of the network."""
    seen = [Features(each, np.zeros((len(each.examples), 1)), None) for each in (fake, real)]
    return compute_scores(parse_metrics(metrics), EvalInputs(tiny_features.watching, *seen))


def test_real_clips_keep_their_digit_and_move_steadily(clips):
    x = clips.examples
    mixed = clips._replace(examples=np.stack([np.roll(x[:, t], 7 * t, axis=0) for t in range(16)], axis=1))
    order = np.random.default_rng(0).permutation(16)
    good, bad, shuffled, still = (
        scores("identity,motion,frame_fid", clips, fake)
        for fake in (
            clips,
            mixed,
            clips._replace(examples=x[:, order]),
            clips._replace(examples=x[:, :1].repeat(16, 1)),
        )
    )
    assert good["identity"]["identity"] == good["identity"]["identity_real"] > 0.97
    assert bad["identity"]["identity"] < 0.5 and bad["identity"]["identity_real"] == good["identity"]["identity"]
    assert shuffled["identity"] == good["identity"] and abs(shuffled["frame_fid"]["frame_fid"]) < 1e-3
    assert good["motion"]["acceleration"] < 0.1 < 1 < good["motion"]["speed"] < 3
    assert shuffled["motion"]["acceleration"] > shuffled["motion"]["speed"] > good["motion"]["speed"]
    assert still["motion"]["speed"] == 0 and still["motion"]["speed_real"] == good["motion"]["speed"]


def test_black_frames_and_colors():
    dark = LabeledExamples(np.zeros((3, 4, 8, 8, 1), np.uint8), kind=tiny_features.watching.kind)
    assert np.isnan(scores("motion", dark, dark)["motion"]["speed"])
    color = read_examples(from_videos("color", np.zeros((3, 4, 8, 8, 3), np.uint8)), np.arange(3))
    with pytest.raises(BadInput, match="identity: this metric sees gray digits, and the videos are in color"):
        scores("identity", color, color)
