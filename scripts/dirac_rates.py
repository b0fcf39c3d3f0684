"""Compares the convergence rate of every dynamics on the Dirac-GAN, measured, with its closed form.

    python scripts/dirac_rates.py --out experiments/gallery/dirac.png

Prints a Markdown table, and draws the paths. The rate is the factor per step on the distance from (0, 0), measured as
the slope of the distance's logarithm over the second half of the path.
"""

from pathlib import Path

import numpy as np
import tyro

from gan_jax.config.discovery import find
from gan_jax.config.flags import parse
from gan_jax.data import open_source
from gan_jax.toy import dirac_theory
from gan_jax.toy.dirac import path
from gan_jax.viz import scatter2d
from gan_jax.viz.images import save_png

H = 0.1
PLAIN, R1 = dirac_theory.jacobian(), dirac_theory.jacobian(gamma=1.0)
COMPETITIVE = np.linalg.solve(np.eye(2) + H * PLAIN, PLAIN)  # the field of competitive gradient descent

# name, flags of the experiment, the matrix of one update if it has one, whether the path is drawn
ROWS = [
    ("gradient play", "", dirac_theory.simultaneous(PLAIN, H), True),
    ("gradient play, alternating", "--no-simultaneous", dirac_theory.alternating(PLAIN, H), True),
    ("gradient play, R1 weight 1", "--penalty r1:1", dirac_theory.simultaneous(R1, H), True),
    (
        "consensus 1",
        "--dynamics consensus:1",
        dirac_theory.simultaneous(dirac_theory.consensus(PLAIN, 1.0), H),
        True,
    ),
    (
        "symplectic 1",
        "--dynamics symplectic:1",
        dirac_theory.simultaneous(dirac_theory.symplectic(PLAIN, 1.0), H),
        False,
    ),
    (
        "extragradient",
        "--dynamics extragradient",
        dirac_theory.simultaneous(dirac_theory.extragradient(PLAIN, H), H),
        True,
    ),
    ("competitive", f"--dynamics competitive:{H}", dirac_theory.simultaneous(COMPETITIVE, H), False),
    ("optimistic", "--dynamics optimistic", None, False),
    ("lookahead 5", "--dynamics lookahead:5", None, False),
    (
        "negative momentum -0.5, alternating",
        "--dynamics negative_momentum:-0.5 --no-simultaneous",
        None,
        False,
    ),
    ("unrolled 5", "--dynamics unrolled:5", None, False),
]


def main(out: Path, steps: int = 500) -> None:
    """Plays every row for `steps` steps.

    Args:
        out: The picture to write.
        steps: Length of the paths; the picture shows the first 100 steps.
    """
    build, source, paths = find("dirac").load(), open_source("dirac"), {}
    print("| dynamics | rate, closed form | rate, measured | distance after 100 steps | converges |")
    print("|---|---|---|---|---|")
    for name, flags, update, drawn in ROWS:
        parsed = parse(build, ["--learning-rate", str(H), *flags.split()], "dirac", given=["source"])
        [phase] = build(source, **parsed.kwargs).phases
        taken = np.asarray(path(phase.game, steps), float)
        distance = np.linalg.norm(taken, axis=1)
        late = np.arange(steps // 2, steps + 1)
        measured = np.exp(np.polyfit(late, np.log(distance[late]), 1)[0])
        closed = "" if update is None else f"{dirac_theory.convergence_rate(update):.5f}"
        print(f"| {name} | {closed} | {measured:.5f} | {distance[100]:.4f} | {'yes' if measured < 0.9999 else 'no'} |")
        if drawn:
            paths[name] = taken[:101]
    extent = scatter2d.extent_of(np.concatenate(list(paths.values())), margin=0.3)
    save_png(out, scatter2d.trajectories(paths, extent=extent))


if __name__ == "__main__":
    tyro.cli(main)
