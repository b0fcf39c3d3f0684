"""Trains the reference run anew, of which `gan-jax reproduce experiments/reference` must come to the same bits.

    python scripts/reference.py

Only what says what the run is and what it came to is kept: its manifest, without the paths of this machine, and the
digests of its checkpoints. They hold for the versions and the processor that the manifest names. XLA is told to use one
thread and no instructions that only some processors have, so that they may hold for others, too.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "experiments" / "reference"
XLA_FLAGS = "--xla_cpu_max_isa=AVX2 --xla_cpu_multi_thread_eigen=false"
FLAGS = ("--images", "9600", "--log-every", "50", "--checkpoint-every", "100")


def main() -> None:
    """Trains, and writes the two files."""
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch) / "run"
        command = [sys.executable, ROOT / "experiments" / "mnist_mlp.py", *FLAGS, "--run-dir", run]
        subprocess.run(command, env={**os.environ, "XLA_FLAGS": XLA_FLAGS}, check=True)
        about = json.loads((run / "manifest.json").read_text())
        about |= {"experiment": "experiments/mnist.py", "settings": about["settings"] | {"run_dir": None}}
        REFERENCE.mkdir(exist_ok=True)
        (REFERENCE / "manifest.json").write_text(json.dumps(about, indent=2) + "\n")
        (REFERENCE / "digests.jsonl").write_bytes((run / "digests.jsonl").read_bytes())


if __name__ == "__main__":
    main()
