"""The bench script: all libraries play the step that gan_jax plays, ways take turns, and failures exit with 1."""

import importlib
import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
GAMES = ("mlp", "conv", "dcgan", "wgan_gp", "hinge")
"""One of each kind: `dcgan_full` is a wider `dcgan`."""


@pytest.fixture
def modules(monkeypatch):
    """Imports modules of the script by name, as the script does."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


class Steady:
    """A worker whose steps take `seconds` each, and which ends after `lives` runs."""

    def __init__(self, name, seconds, runs, lives=1000):
        self.name, self.seconds, self.runs, self.lives = name, seconds, runs, lives

    def ready(self):
        return {"every": 1, "error": 0.0, "imported_mb": 1.0, "ready_s": 1.0}

    def close(self):
        pass

    def run(self, steps):
        self.lives -= 1
        if self.lives < 0:
            return {"failed": "it ended"}
        self.runs.append((self.name, steps))
        return {"seconds": self.seconds * steps, "peak_mb": 1.0}


def test_ways_take_turns_with_steps_for_the_same_time_and_one_that_ends_leaves_the_others(modules):
    play_rounds, runs = modules("bench.rounds").play_rounds, []
    workers = {"a": Steady("a", 0.01, runs), "b": Steady("b", 0.1, runs), "c": Steady("c", 0.1, runs, lives=3)}
    rows = {"a": {"every": 20}, "b": {"every": 1}, "c": {"every": 1}, "d": {"skipped": "no library"}}
    play_rounds(rows, workers, rounds=3, seconds=1.0, log=lambda line: None)
    assert [way for way, _ in runs[6:]] == ["a", "b", "c", "b", "a", "a", "b"]
    assert [rows[way]["steps"] for way in "abc"] == [100, 10, 10]
    assert [len(rows[way]["rates"]) for way in "abc"] == [3, 3, 1]
    np.testing.assert_allclose(rows["a"]["rates"], 100.0)
    assert rows["c"]["failed"] == "it ended"
    assert rows["d"] == {"skipped": "no library"}


def test_the_ratio_is_of_rates_in_one_round_and_to_the_best_of_the_other_libraries(modules):
    ratio = modules("bench.report").ratio
    rows = {
        "gan_jax": {"steps_per_s": 20.0, "rates": [10.0, 20.0, 40.0]},
        "jax_bare": {"steps_per_s": 99.0, "rates": [99.0, 99.0, 99.0]},
        "torch_eager": {"steps_per_s": 10.0, "rates": [8.0, 10.0, 16.0]},
        "tf_function": {"steps_per_s": 9.0, "rates": [9.0, 9.0, 90.0]},
        "keras": {"failed": "other losses"},
    }
    assert ratio(rows) == {"best": "torch_eager", "ratio": 2.0, "ratios": [1.25, 2.0, 2.5]}
    assert ratio({"gan_jax": rows["gan_jax"], "keras": rows["keras"]}) == {}
    assert ratio({"torch_eager": rows["torch_eager"]}) == {}


def test_a_way_with_other_losses_is_not_timed_and_a_missing_library_is_only_named(modules, monkeypatch, tmp_path):
    worker, games, contender = (modules(f"bench.{name}") for name in ("worker", "games", "contender"))
    (tmp_path / "game.json").write_text(json.dumps({"losses": {"d": 1.0, "g": 2.0}}))
    np.savez(tmp_path / "game.npz", x=np.zeros(1))

    def made(spec, arrays, **losses):
        return contender.Contender(lambda: losses, lambda steps: None, every=2)

    monkeypatch.setitem(sys.modules, "bench.fake", SimpleNamespace(make=made))
    for name, g in (("equal", 2.00001), ("other", 2.001)):
        monkeypatch.setitem(worker.CONTENDERS, name, games.Way("fake", {"d": 1.0, "g": g}))
    _, found = worker.prepare("equal", tmp_path / "game", threads=1)
    assert found["every"] == 2 and found["error"] < 1e-4
    with pytest.raises(AssertionError, match="the first losses are"):
        worker.prepare("other", tmp_path / "game", threads=1)
    monkeypatch.setitem(worker.CONTENDERS, "missing", games.Way("no_such_module", {}))
    with pytest.raises(ImportError):
        worker.prepare("missing", tmp_path / "game", threads=1)


@pytest.mark.parametrize(("later", "prepared"), [(50.0, True), (58.0, False)])
def test_ways_are_prepared_only_with_time_for_their_rounds_and_for_the_next_games(
    modules, monkeypatch, tmp_path, later, prepared
):
    main = modules("bench.__main__")
    monkeypatch.setattr(main, "Worker", lambda way, file, threads: Steady(way, 0.5, []))
    args = Namespace(out=tmp_path / "bench.json", minutes=1.0, threads=1, rounds=2, seconds=1.0, toy=True)
    args.contenders = ["gan_jax", "tf_function"]
    report = main.Report(args)
    spec = dict.fromkeys(("words", "turns", "parameters", "losses"), ()) | {"batch": 1, "ema": 0.0}
    main.time_game(report, args, spec, tmp_path / "mlp", later)
    rows = json.loads(args.out.read_text())["games"]["mlp"]["rows"]
    assert list(rows) == args.contenders
    for row in rows.values():
        assert row.get("rates") == ([2.0, 2.0] if prepared else None)
        assert ("skipped" in row) is not prepared
    assert not report.failed()


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
def test_every_library_plays_the_first_step_of_gan_jax(modules, tmp_path, name):
    pytest.importorskip("torch")
    pytest.importorskip("tensorflow")
    games, reference = modules("bench.games"), modules("bench.reference")
    spec = json.loads(json.dumps(reference.write(name, games.words(name, toy=True), tmp_path)))
    with np.load(tmp_path / f"{name}.npz") as file:
        arrays = dict(file)
    ways = [way for way in games.ways(name) if way != "torch_compile" and not way.startswith("gan_jax")]
    for way in ways:
        module, options, *_ = games.CONTENDERS[way]
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam needs it, called by bare JAX
            losses = modules(f"bench.{module}").make(spec, arrays, **options).first_losses()
        for player in ("d", "g"):
            np.testing.assert_allclose(losses[player], spec["losses"][player], rtol=1e-4, err_msg=f"{way} {player}")


@pytest.mark.slow
def test_the_script_times_a_tiny_game_in_processes_and_writes_both_files(tmp_path):
    command = [sys.executable, SCRIPTS / "bench", "--toy", "--games", "mlp", "--contenders", "gan_jax,tf_function"]
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS.parent)}
    subprocess.run([*command, "--out", tmp_path / "bench.json"], check=True, env=environment)
    game = json.loads((tmp_path / "bench.json").read_text())["games"]["mlp"]
    assert game["best"] == "tf_function"
    assert all(len(row["rates"]) == 2 and row["peak_mb"] > row["imported_mb"] > 50 for row in game["rows"].values())
    assert "| mlp |" in (tmp_path / "bench.md").read_text()
