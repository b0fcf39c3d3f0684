"""The script that scores predictions: a row for every step ahead, and their means."""

import sys

import numpy as np

from gan_jax.metrics.prediction import prediction_scores
from scripts import load_script


def test_table_has_a_row_for_every_step_and_the_means(tmp_path, monkeypatch, capsys):
    video, x = np.random.default_rng(0).integers(0, 256, (2, 3, 5, 12, 12, 1), np.uint8)
    np.savez(tmp_path / "a.npz", video=video, x=x, inputs=x[:, :2])
    monkeypatch.setattr(sys, "argv", ["score_predictions.py", str(tmp_path / "a.npz")])
    load_script("score_predictions").main()
    head, *rows = capsys.readouterr().out.splitlines()
    scores = prediction_scores(video, x, 2)
    assert head.split() == ["step", *scores]
    assert [row.split()[0] for row in rows] == ["1", "2", "3", "mean"]
    expected = np.stack([np.append(values, values.mean()) for values in scores.values()], axis=1)
    np.testing.assert_allclose([[float(word) for word in row.split()[1:]] for row in rows], expected, atol=6e-4)
