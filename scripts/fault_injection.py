"""Interrupts a run at random moments, and checks that it ends as an undisturbed run does.

    python scripts/fault_injection.py --times 50 --dir runs/disturbed

Trains a short run on real digits once undisturbed, and then again with disturbances: killed (SIGKILL), stopped
(SIGTERM, SIGINT), killed with its newest checkpoint truncated, or with a full disk. After each disturbance the same
command resumes the run. A finished run is compared (digests of the state at every checkpoint, logged numbers,
pictures), and another one is started, until `--times` disturbances are reached; those after the end of a run do not
count. Exits with 1 if anything differs.
"""

import argparse
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.run_dir import RunDir

FLAGS = ("--log-every", "25", "--checkpoint-every", "100", "--sample-every", "500")

Disturbed = tuple[int, str, set[int]]
"""The exit code of a disturbed process, its stderr, and the allowed codes."""

STOPPED = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}
"""Signals, and the required exit codes of an unfinished run."""


def start(images: int, folder: Path, room: int | None = None) -> subprocess.Popen:
    """Starts the command; `room` limits the bytes of every file, as on a full disk."""

    def limit() -> None:
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    program = "from gan_jax.cli.main import main; main()"
    words = ["train", "mnist_mlp", "--images", str(images), *FLAGS, "--run-dir", str(folder)]
    command = [sys.executable, "-c", program, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit)


def signaled(number: int) -> Callable[[Callable, Path, random.Random, float], Disturbed]:
    """Makes a disturbance that sends a signal at a random moment."""

    def disturb(start: Callable, folder: Path, chance: random.Random, seconds: float) -> Disturbed:
        process = start(folder)
        try:
            process.wait(chance.uniform(0, seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        return process.wait(), process.communicate()[1], {0, STOPPED[number], -number}

    return disturb


def torn(start: Callable, folder: Path, chance: random.Random, seconds: float) -> Disturbed:
    """Kills the process, and then truncates a file of the newest checkpoint."""
    done = signaled(signal.SIGKILL)(start, folder, chance, seconds)
    steps = Checkpoints(folder / "checkpoints").steps()
    if len(steps) > 1:  # a single damaged checkpoint is an error
        newest = folder / "checkpoints" / str(steps[-1])
        files = sorted(path for path in newest.rglob("*") if path.is_file() and path.stat().st_size)
        file = chance.choice(files)
        file.write_bytes(file.read_bytes()[: chance.randrange(file.stat().st_size)])
    return done


def full(start: Callable, folder: Path, chance: random.Random, seconds: float) -> Disturbed:
    """Trains on a full disk."""
    process = start(folder, room=int(10 ** chance.uniform(2, 6)))
    _, errors = process.communicate()
    return process.returncode, errors, {0, 2}


DISTURBANCES = {
    "SIGKILL": signaled(signal.SIGKILL),
    "SIGTERM": signaled(signal.SIGTERM),
    "SIGINT": signaled(signal.SIGINT),
    "torn checkpoint": torn,
    "full disk": full,
}


def account(folder: Path) -> dict[str, object]:
    """Collects the results of a run that must not depend on disturbances."""
    run = RunDir(folder)
    return {
        "health": run.health.read_text(),
        "digests": run.read_digests(),
        "numbers": [{k: v for k, v in record.items() if k != "seconds"} for record in run.records()],
        "pictures": {file.name: file.read_bytes() for file in run.samples.glob("*.png")},
    }


def differences(there: dict[str, object], here: dict[str, object]) -> list[str]:
    """Describes the differences of two runs. A stopped run has additional checkpoints and pictures."""
    found = []
    ours = {line["step"]: line["digest"] for line in here["digests"]}
    found += [f"the state at step {d['step']}" for d in there["digests"] if ours.get(d["step"]) != d["digest"]]
    if there["numbers"] != here["numbers"]:
        then, now = ([record["step"] for record in numbers] for numbers in (there["numbers"], here["numbers"]))
        found.append("logged numbers" if then == now else f"logged steps: {now}, not {then}")
    if there["health"] != here["health"]:
        found.append("findings of the monitors")
    if not there["pictures"].items() <= here["pictures"].items():
        found.append("pictures")
    return found


def one_line(errors: str) -> bool:
    """Whether a command reported its error in one line, apart from what it read, and its progress."""
    told = re.compile(r"data  .*|.* images  .*|.* s so far")
    lines = [line for line in errors.strip().splitlines() if not told.fullmatch(line)]
    return len(lines) == 1 and lines[0].startswith("gan-jax: ")


def main() -> None:
    """Disturbs runs, and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="seed of the disturbances and their moments")
    parser.add_argument("--images", type=int, default=48_000, help="length of the run")
    parser.add_argument("--dir", type=Path, default=Path("runs/disturbed"))
    args = parser.parse_args()
    shutil.rmtree(args.dir, ignore_errors=True)
    chance, begin = random.Random(args.seed), partial(start, args.images)

    began = time.monotonic()
    peaceful = begin(args.dir / "peaceful")
    _, errors = peaceful.communicate()
    seconds = time.monotonic() - began
    if peaceful.returncode:
        sys.exit(errors)
    expected = account(args.dir / "peaceful")
    print(
        f"undisturbed: {seconds:.0f} s, {len(expected['numbers'])} records, digest {expected['digests'][-1]['digest']}"
    )

    suffered, ended, wrong = Counter(), 0, []
    while sum(suffered.values()) < args.times or not ended:
        folder = args.dir / f"run-{ended}"
        name = chance.choice(list(DISTURBANCES))
        began = time.monotonic()
        code, errors, allowed = DISTURBANCES[name](begin, folder, chance, seconds)
        if code == 0:  # the run ended before the disturbance
            seconds = min(seconds, time.monotonic() - began)
        else:
            suffered[name] += 1
        if code not in allowed or (code == 2 and not one_line(errors)):
            wrong.append(f"{name} in {folder}: exit code {code}, and {errors.strip()[-400:]!r}")
        last = RunDir(folder).read_digests()[-1:] if folder.exists() else []
        at = f"{last[0]['images']:,} images" if last else "nothing saved"
        print(f"{sum(suffered.values()):3}  {name:15} exit code {code:4}  {at}", flush=True)
        if code and sum(suffered.values()) >= args.times:  # enough: let the run end
            code = begin(folder).wait()
        if code == 0:
            wrong += [f"{folder}: {what}" for what in differences(expected, account(folder))]
            ended += 1
    counts = ", ".join(f"{count} x {name}" for name, count in sorted(suffered.items()))
    print(f"{sum(suffered.values())} disturbances ({counts}), {ended} runs ended; {len(wrong)} differences")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
