"""How fast each dynamics comes to rest, or not, on the Dirac-GAN: measured, and in closed form.

    python scripts/dirac_rates.py --out experiments/gallery/dirac.png

Prints a Markdown table, and draws the paths. A rate is what the distance from (0, 0) is multiplied by in a step; it is
measured as the slope of the distance's logarithm over the second half of the path.
"""

from pathlib import Path

import numpy as np
import tyro

from gan_jax.config import discovery
from gan_jax.data import open_source
from gan_jax.engine import dynamics
from gan_jax.penalties import terms
from gan_jax.toy import dirac_theory
from gan_jax.toy.dirac import path
from gan_jax.viz import scatter2d
from gan_jax.viz.images import save_png

H = 0.1
PLAIN, R1 = dirac_theory.jacobian(), dirac_theory.jacobian(gamma=1.0)
EXPECTING = np.linalg.solve(np.eye(2) + H * PLAIN, PLAIN)  # the field of players who expect each other's step

# name, arguments of the experiment, the matrix of one update where there is one, whether the path is drawn
ROWS = [
    ("gradient play", {}, dirac_theory.simultaneous(PLAIN, H), True),
    ("gradient play, alternating", {"simultaneous": False}, dirac_theory.alternating(PLAIN, H), True),
    ("gradient play, R1 weight 1", {"penalty": (terms.r1(1.0),)}, dirac_theory.simultaneous(R1, H), True),
    (
        "consensus 1",
        {"dynamics": dynamics.consensus(1.0)},
        dirac_theory.simultaneous(dirac_theory.consensus(PLAIN, 1.0), H),
        True,
    ),
    (
        "symplectic 1",
        {"dynamics": dynamics.symplectic(1.0)},
        dirac_theory.simultaneous(dirac_theory.symplectic(PLAIN, 1.0), H),
        False,
    ),
    (
        "extragradient",
        {"dynamics": dynamics.extragradient},
        dirac_theory.simultaneous(dirac_theory.extragradient(PLAIN, H), H),
        True,
    ),
    ("competitive", {"dynamics": dynamics.competitive(H)}, dirac_theory.simultaneous(EXPECTING, H), False),
    ("optimistic", {"dynamics": dynamics.optimistic}, None, False),
    ("lookahead 5", {"dynamics": dynamics.lookahead(5)}, None, False),
    (
        "negative momentum -0.5, alternating",
        {"dynamics": dynamics.negative_momentum(-0.5), "simultaneous": False},
        None,
        False,
    ),
    ("unrolled 5", {"dynamics": dynamics.unrolled(5)}, None, False),
]


def main(out: Path, steps: int = 500) -> None:
    """Plays every row for `steps` steps.

    Args:
        out: The picture to write.
        steps: How long; the picture shows the first 100.
    """
    experiment = discovery.load(discovery.find("dirac"))
    source, paths = open_source("dirac"), {}
    print("| dynamics | rate, closed form | rate, measured | distance after 100 steps | comes to rest |")
    print("|---|---|---|---|---|")
    for name, settings, update, drawn in ROWS:
        [phase] = experiment(source, learning_rate=H, **settings).phases
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
