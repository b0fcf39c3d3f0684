"""Logs write records of any shape one chunk late and continue after a stop; that of a run also writes findings."""

import sys

import jax.numpy as jnp
import pytest

from gan_jax.monitoring.monitor import Finding, read_findings
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.logger import MetricsLog, RunLogger
from gan_jax.training.progress import ProgressBar


def test_records_are_written_by_the_next_flush_and_continue_after_a_stop(tmp_path):
    folder, shown = RunDir(tmp_path), []
    records = MetricsLog(folder, 0, lambda record, rate: shown.append((record["step"], rate)))
    assert records.flush() == {"step": 0, "images": 0, "seconds": 0.0}
    records.add(5, 40, {"g/loss": jnp.float32(0.5), "d/loss": jnp.array([1.0, jnp.inf])})
    assert folder.records() == [] == shown
    first = records.flush()
    assert records.flush() is first and folder.records() == [first]
    assert list(first) == ["step", "images", "seconds", "d/loss", "g/loss"]
    assert (first["step"], first["images"], first["g/loss"]) == (5, 40, 0.5) and first["d/loss"] == [1.0, float("inf")]
    records.add(10, 80, {})
    assert [record["step"] for record in (first, records.flush())] == [5, 10] == [step for step, _ in shown]
    assert all(rate > 0 for _, rate in shown)

    again = MetricsLog(folder, 5, lambda record, rate: shown.append((record["images"], rate)))
    assert again.last == first and folder.records() == [first]
    again.add(10, 80, {})
    assert again.flush()["seconds"] >= first["seconds"] and len(folder.records()) == 2


@pytest.fixture
def without_tensorboard(monkeypatch):
    """Makes the next import of tensorboardX run its code, and an import of torch fail."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tensorboardX", "torch")]:
        monkeypatch.delitem(sys.modules, name)


def test_run_logger_writes_findings_and_imports_no_torch(tmp_path, monkeypatch, without_tensorboard):
    (tmp_path / "torch.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    folder = RunDir(tmp_path / "run")
    with ProgressBar(1000) as bar, RunLogger(folder, bar, resumed=0) as log:
        for step in range(1, 21):
            log.add(step, 10 * step, {"d/grad_norm": jnp.asarray(1.0 if step <= 15 else 500.0)})
            log.flush()
    assert read_findings(folder) == [Finding("exploding norms", since=180)]
    assert any(file.name.startswith("events") for file in folder.tensorboard.iterdir())
    with pytest.raises(RuntimeError, match="imported"):
        import torch  # noqa: F401  # only hidden from tensorboardX
