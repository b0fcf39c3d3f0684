"""Times a training step of six games on a CPU, beside the same step in Keras, TensorFlow and PyTorch.

    python scripts/bench --out bench.json                       # all games: at most 15 minutes on two idle cores
    python scripts/bench --games mlp,conv --rounds 9 --out bench.json
    python scripts/bench --games mlp --contenders gan_jax,tf_function --toy

Every way to train has a process of its own, which is idle while another one runs. They take turns: in every round each
plays steps for `--seconds`. Before that, each must have the reference's number of parameters and, from its weights and
on its inputs, the losses of its first step (relative difference at most 1e-4). Writes the JSON and, beside it, a table
in Markdown, after every game. Exits with 1 if a way fails; one whose library is missing is only named.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))  # of the packages `bench` and `twins`

from bench import games, reference
from bench.report import Report
from bench.rounds import play_rounds
from bench.worker import Worker

AT_ONCE = 2
"""Processes that import and compile at the same time."""


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("bench.json"), help="file of the results; a .md beside it")
    parser.add_argument("--games", default=",".join(games.GAMES), help="games to time")
    parser.add_argument("--contenders", default=",".join(games.CONTENDERS), help="ways to train")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of every way in every round")
    parser.add_argument("--minutes", type=float, default=15.0, help="time after which no way to train is prepared")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of every process")
    parser.add_argument("--toy", action="store_true", help="tiny sizes and two short rounds, to try the script")
    args = parser.parse_args()
    for kind, known in (("games", games.GAMES), ("contenders", games.CONTENDERS)):
        chosen = getattr(args, kind).split(",")
        if unknown := set(chosen) - set(known):
            parser.error(f"unknown {kind}: {', '.join(sorted(unknown))}; choose from {', '.join(known)}")
        setattr(args, kind, chosen)
    return args


def main() -> int:
    """Times every game; returns the exit code."""
    args = arguments()
    if args.toy:
        args.rounds, args.seconds = 2, 0.05
    report = Report(args)
    with tempfile.TemporaryDirectory() as folder:
        report.log("plays the step of every game that all must play")
        specs = references(args.games, args.toy, Path(folder))
        for i, name in enumerate(args.games):
            later = report.left() * (1 - 1 / (len(args.games) - i))
            time_game(report, args, specs[name], Path(folder) / name, later)
    print("\n" + report.markdown())
    return int(report.failed())


def references(names: list[str], toy: bool, folder: Path) -> dict[str, dict[str, Any]]:
    """Writes the references, in processes that end: this one stays without JAX, so that its children start small."""
    with multiprocessing.get_context("spawn").Pool(AT_ONCE, reference.compile_quickly) as pool:
        specs = pool.starmap(reference.write, [(name, games.words(name, toy), folder) for name in names], chunksize=1)
    return dict(zip(names, specs, strict=True))


def time_game(report: Report, args: argparse.Namespace, spec: dict[str, Any], file: Path, later: float) -> None:
    """Prepares every way to train a game, and times those that are ready.

    Stops to prepare when no more time is left than for the rounds and, `later` seconds, for the next games.
    """
    name = file.name
    rows = report.begin_game(name, spec)
    chosen, workers = [way for way in games.ways(name) if way in args.contenders], {}

    until = later + 1.4 * args.rounds * args.seconds * len(chosen)

    def prepare(way: str) -> dict[str, Any]:
        if report.left() < until:
            found = {"skipped": "no time was left to prepare it"}
        else:
            workers[way] = Worker(way, file, args.threads)
            found = workers[way].ready()
        report.log(f"{name}: {way}: {found.get('failed') or found.get('skipped') or 'ready'}")
        return found

    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            rows |= dict(zip(chosen, pool.map(prepare, chosen), strict=True))
        play_rounds(rows, workers, args.rounds, args.seconds, lambda line: report.log(f"{name}: {line}"))
        report.end_game(name)
    finally:
        for worker in workers.values():
            worker.close()


if __name__ == "__main__":
    sys.exit(main())
