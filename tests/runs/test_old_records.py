"""Records of 0.1.0 are read under the present names of their metrics; a user's metrics keep theirs."""

import pytest

from gan_jax.evaluation import protocol
from gan_jax.runs.files import write_jsonl
from gan_jax.runs.run_dir import RunDir

CLOCK = {"step": 1, "images": 8, "seconds": 0.5}
POINTS = {"modes": 8.0, "high_quality": 0.9, "reverse_kl": 0.01}
OLD = {
    "points": (POINTS | {"diversity": 0.9}, {"reverse_kl": "reverse_kl_modes", "diversity": "diversity_ratio"}),
    "points in a sweep": ({name: [value] for name, value in POINTS.items()}, {"reverse_kl": "reverse_kl_modes"}),
    "images": ({"modes": 9.0, "reverse_kl": 0.3}, {"reverse_kl": "reverse_kl_classes"}),
    "preview": ({"d/loss": 1.0, "diversity": 0.9}, {"diversity": "diversity_ratio"}),
    "a user's reverse KL": ({"reverse_kl": 0.3, "success": 1.0}, {}),
    "a user's scores in a sweep": ({"modes": [9.0], "reverse_kl": [0.3], "diversity": [0.9]}, {}),
    "a user's diversity": ({"diversity": 0.1, "diversity_ratio": 0.9}, {}),
}


@pytest.mark.parametrize(("record", "renamed"), OLD.values(), ids=OLD)
def test_old_names_of_metrics_are_read_as_the_present_ones(record, renamed, tmp_path):
    folder = RunDir(tmp_path)
    write_jsonl(folder.metrics, [CLOCK | record])
    expected = CLOCK | {renamed.get(name, name): value for name, value in record.items()}
    assert folder.records() == [expected]
    assert folder.rewind(1) == folder.records() == [expected]


def test_old_scores_are_read_as_the_present_ones(tmp_path):
    about = {"samples": 10, "reference": None, "features": {"name": "tiny", "sha256": "00"}, "drawn": {}}
    old = protocol.Results({"name": "mine"}, {"modes": {"modes": 9.0, "reverse_kl": 0.3, "protocol": about}})
    protocol.write(old, tmp_path / "scores.json")
    assert protocol.read(tmp_path / "scores.json").scores["modes"].keys() == {"modes", "reverse_kl_classes", "protocol"}
