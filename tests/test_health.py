"""A run whose numbers are no longer finite stops, says so, and keeps what was sound."""

import json
import math

import pytest
import tiny

from gan_jax import cli
from gan_jax.checkpoint import Checkpoints
from gan_jax.health import Broken, broken, check_finite

RECORD = {"step": 40, "images": 320, "seconds": 1.0, "d/loss": 0.7, "g/loss": 0.9, "r1/grad_norm": 2.0, "fid": math.nan}


def test_only_what_a_move_says_of_itself_is_looked_at():
    assert broken(RECORD) == []
    assert broken(RECORD | {"d/score_real": math.inf}) == [], "scores of a clipped loss may be what they want"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_move_and_the_steps_are_named(value):
    with pytest.raises(Broken, match=r"^the numbers of g and r1 are no longer finite \(in steps 21 to 40\): lower"):
        check_finite(RECORD | {"g/loss": value, "r1/grad_norm": value}, before=20)
    check_finite(RECORD, before=20)


def test_a_run_that_breaks_is_told_in_a_line_and_is_not_saved(tmp_path, capfd):
    """At such a learning rate the first updates lead beyond every float32."""
    for _ in range(2):  # the same command comes to the same end
        with pytest.raises(SystemExit) as done:
            cli.main(["train", tiny.__file__, "--learning-rate", "1e38", "--run-dir", str(tmp_path / "run")])
        _, errors = capfd.readouterr()
        assert done.value.code == 3
        assert errors.splitlines()[-1].startswith(
            "gan-jax: the numbers of d and g are no longer finite (in steps 1 to 20)"
        )
        [record] = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
        assert record["step"] == 20 and not math.isfinite(record["d/loss"])
        assert Checkpoints(tmp_path / "run" / "checkpoints").steps() == []
