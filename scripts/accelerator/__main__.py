"""Checks and times gan_jax on one accelerator, with one command that needs no network and no installed gan_jax.

    PYTHONPATH=. python scripts/accelerator --save-data digits.npz                     # where mnist5k opens
    PYTHONPATH=. python scripts/accelerator --data digits.npz --minutes 9 --out OUT    # on the accelerator
    PYTHONPATH=. python scripts/accelerator --toy --out OUT                            # tiny sizes, on a CPU

Sections run in order of importance, each only if enough of the time is left: equality, rates, peak, bfloat16, seeds,
torch. `OUT/accelerator.json` and `OUT/accelerator.md` are written after every section, so an interrupted run keeps
what it has measured. Exits with 1 if two results that must be equal differ, or if a section raises.
"""

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # of the package `twins`

MINIMUM = {"equality": 0, "rates": 0, "peak": 15, "bfloat16": 200, "seeds": 120, "torch": 40}
"""The sections, and the seconds that must be left to start each, so that PyTorch gets some too."""


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("accelerator"), help="folder of the results")
    parser.add_argument("--minutes", type=float, default=9.0, help="time in which all sections must end")
    parser.add_argument("--data", type=Path, help="file of --save-data; random images without it")
    parser.add_argument("--save-data", type=Path, help="write mnist5k to this .npz file, and do nothing else")
    parser.add_argument("--sections", default=",".join(MINIMUM), help="names of the sections to run")
    parser.add_argument("--toy", action="store_true", help="tiny sizes, to try the script on a CPU")
    parser.add_argument("--digest", choices=("default", "deterministic"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Runs every section; returns the exit code."""
    args = arguments()
    # The processes of the determinism check and PyTorch need memory on the same device.
    os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.08" if args.digest else "0.4")
    if args.toy:  # compilation takes most of the time
        quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {quick}"
    import equality  # these import jax, which reads the variable
    import games
    import peers
    import rates
    from report import Report

    if args.save_data:
        games.save_data(args.save_data)
        return 0
    if args.digest:
        print(equality.trained_digest(args.data, args.toy, args.digest == "deterministic"))
        return 0
    report = Report(args.out, args.minutes, args.data, args.toy)
    source = games.open_data(args.data)
    functions = {
        "equality": equality.section,
        "rates": partial(rates.section, source=source, dtype="float32"),
        "peak": rates.peak_section,
        "bfloat16": partial(rates.section, source=source, dtype="bfloat16"),
        "seeds": partial(rates.seeds_section, source=source),
        "torch": partial(peers.section, source=source),
    }
    for name in args.sections.split(","):
        run_section(report, name, functions[name])
    print("\n" + (args.out / "accelerator.md").read_text())
    return int(bool(report.results["failures"]))


def run_section(report, name: str, function: Callable) -> None:
    """Runs a section if there is time for it; an exception is recorded, and the next section runs."""
    likely = report.took.get("rates", 0) if name == "bfloat16" else 0
    if report.left() < max(MINIMUM[name], likely and likely + 100):
        report.skip(name, f"{report.left():.0f} s were left")
        report.write()
        return
    report.log(f"section {name}")
    before = report.left()
    with report.catching(f"section {name}"):
        function(report)
    report.took[name] = before - report.left()
    report.write()


if __name__ == "__main__":
    sys.exit(main())
