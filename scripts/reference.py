"""Trains the reference run, which `gan-jax reproduce experiments/reference` must reproduce bit for bit.

    python scripts/reference.py

Keeps its manifest, without the paths of this machine, and the digests of its checkpoints. They hold for the versions
and the processor in the manifest. XLA is restricted to one thread and to AVX2, so that they may hold for other
processors, too.
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
    """Trains the run, and writes the two files."""
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch) / "run"
        command = [Path(sys.executable).with_name("gan-jax"), "train", "mnist_mlp", *FLAGS, "--run-dir", run]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "XLA_FLAGS": XLA_FLAGS}, check=True)
        about = json.loads((run / "manifest.json").read_text())
        about |= {"experiment": "experiments/mnist.py", "row": "mnist_mlp"}
        about["settings"] |= {"run_dir": None}
        REFERENCE.mkdir(exist_ok=True)
        (REFERENCE / "manifest.json").write_text(json.dumps(about, indent=2) + "\n")
        (REFERENCE / "digests.jsonl").write_bytes((run / "digests.jsonl").read_bytes())


if __name__ == "__main__":
    main()
