"""MetricsLog writes records of any shape one chunk late and continues after a stop."""

import jax.numpy as jnp

from gan_jax.runs.run_dir import RunDir
from gan_jax.training.logger import MetricsLog


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
