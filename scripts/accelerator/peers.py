"""Times the games' twins in PyTorch: describes each game to `torch_rates.py`, and reads what it measures."""

import json
import subprocess
import sys
from pathlib import Path
from threading import Timer

import games

from gan_jax.data import Source
from twins.games import describe


def section(report, source: Source) -> None:
    """Times the games' twins in PyTorch, in processes of their own: first uncompiled, then compiled."""
    names = games.TOY_COMMANDS if report.toy else games.COMMANDS
    specs = [describe(name, games.build(name, source, "float32", report.toy), source) for name in names]
    (report.out / "twins.json").write_text(json.dumps(specs, indent=1))
    for kind in ("eager", "compile"):
        _time_twins(report, kind)


def _time_twins(report, kind: str) -> None:
    """Reads the result lines of one process, which ends before the time does, or is ended."""
    seconds = (report.left() - 10) * (0.6 if kind == "eager" else 1.0)
    command = [sys.executable, str(Path(__file__).parent / "torch_rates.py"), str(report.out / "twins.json"), kind]
    command += [str(seconds - 5), *(["--toy"] if report.toy else [])]
    log = report.out / f"torch-{kind}.log"
    with log.open("w") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as child:
        killer = Timer(seconds, child.kill)
        killer.start()
        for line in child.stdout:
            row = json.loads(line)
            report.results["torch"].append(row)
            report.log(f"torch {row}")
            report.write()
        killer.cancel()
    if child.returncode:
        report.skip(f"torch {kind}, the rest", f"exit code {child.returncode}: {log.read_text()[-300:]}")
