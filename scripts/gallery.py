"""Puts the last previews of runs, or pictures, side by side, for experiments/gallery.

python scripts/gallery.py runs/mnist_mlp-0 runs/mnist_dcgan-0 --out experiments/gallery/mnist.png
python scripts/gallery.py runs/*/evaluation/neighbors.png --scale 1 --out experiments/gallery/neighbors.png
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from gan_jax.viz.images import WHITE, save_png


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scale", type=int, default=2, help="factor on the size of the picture")
    parser.add_argument(
        "--shared", type=int, default=0, help="width of what all begin with, such as inputs: shown once"
    )
    args = parser.parse_args()
    files = [run if run.is_file() else max((run / "samples").glob("*.png")) for run in args.runs]
    grids = [np.atleast_3d(np.asarray(Image.open(file))) for file in files]
    grids = [grid[:, args.shared * (i > 0) :] for i, grid in enumerate(grids)]
    gap = np.full((grids[0].shape[0], 8, grids[0].shape[2]), WHITE, np.uint8)
    row = np.concatenate([part for grid in grids for part in (gap, grid)][1:], axis=1)
    save_png(args.out, row.repeat(args.scale, 0).repeat(args.scale, 1))


if __name__ == "__main__":
    main()
