"""The accelerator script: twins in PyTorch are as large as the games, results are written, failures exit with 1."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "accelerator"


@pytest.fixture
def modules(monkeypatch):
    """Imports modules of the script by name, as the script does."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    monkeypatch.syspath_prepend(str(SCRIPT))
    return importlib.import_module


def test_a_twin_with_other_widths_is_refused_and_every_full_size_twin_is_accepted(modules):
    pytest.importorskip("torch")
    games, describe, torch_nets = modules("games"), modules("twins.games").describe, modules("twins.torch_nets")
    source = games.open_data(None)
    for name in games.COMMANDS:
        spec = describe(name, games.build(name, source, "float32", toy=False), source)
        spec = json.loads(json.dumps(spec))
        torch_nets.build(spec, "cpu")
        spec["d"]["widths"][0] += 1
        with pytest.raises(AssertionError):
            torch_nets.build(spec, "cpu")


def test_an_error_over_its_tolerance_and_an_exception_are_failures_and_nan_is_over_every_tolerance(modules, tmp_path):
    report = modules("report").Report(tmp_path, 1.0, None, toy=True)
    report.check("equal", 1e-6, 1e-5)
    assert not report.results["failures"]
    report.check("different", 1e-4, 1e-5)
    report.check("not a number", float("nan"), 1e-5)
    with report.catching("a section"):
        raise ValueError("no")
    assert [line.partition(":")[0] for line in report.results["failures"]] == ["different", "not a number", "a section"]


@pytest.mark.slow
def test_the_script_writes_its_results_for_random_images(tmp_path):
    command = [sys.executable, SCRIPT, "--toy", "--sections", "peak", "--out", tmp_path]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    results = json.loads((tmp_path / "accelerator.json").read_text())
    assert set(results["peak"]) == {"float32", "float32 highest", "bfloat16"}
    assert not results["failures"]
    assert "| bfloat16 |" in (tmp_path / "accelerator.md").read_text()
