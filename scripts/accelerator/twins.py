"""Times the games' twins in PyTorch: describes each game to `torch_rates.py`, and reads what it measures."""

import json
import subprocess
import sys
from pathlib import Path
from threading import Timer
from typing import Any

import games
import jax

from gan_jax.data import Source
from gan_jax.engine.game import Game
from gan_jax.training.train import new_state


def section(report, source: Source) -> None:
    """Times the games' twins in PyTorch, in processes of their own: first uncompiled, then compiled."""
    names = games.TOY_COMMANDS if report.toy else games.COMMANDS
    specs = [twin_spec(name, games.build(name, source, "float32", report.toy), source) for name in names]
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


def twin_spec(name: str, built: games.Built, source: Source) -> dict[str, Any]:
    """Describes a game to the process that builds its twin, which does not import JAX."""
    game, common, config = built.stage.game, built.common, built.config
    return {
        "game": name,
        "batch": common.batch_size,
        "shape": source.shape,
        "turns": [turn.moves[0].label for turn in game.turns],
        "loss": getattr(getattr(config, "loss", None), "name", "") or "non_saturating",
        "penalty": 10.0 if name.startswith("wgan_gp") else 0.0,
        "adam": [config.learning_rate, config.b1, getattr(config, "b2", 0.999)],
        "ema": game.players["g"].ema,
        "parameters": games.parameters(jax.eval_shape(lambda: new_state(game, source, common))),
        **{player: _attributes(game, player) for player in ("g", "d")},
    }


def _attributes(game: Game, player: str) -> dict[str, Any]:
    """Lists the plain settings of a network, and the module it is from."""
    net = game.players[player].net
    plain = {name: value for name, value in vars(net).items() if isinstance(value, bool | int | float | tuple)}
    return {"family": type(net).__module__.rsplit(".", 1)[-1], **plain}
