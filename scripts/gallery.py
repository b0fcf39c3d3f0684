"""Puts the last sample grids of runs side by side, for experiments/gallery.

python scripts/gallery.py runs/mnist_mlp-0 runs/mnist_dcgan-0 --out experiments/gallery/mnist.png
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from gan_jax.pictures import WHITE, save_png


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scale", type=int, default=2, help="every pixel becomes this many, in both directions")
    args = parser.parse_args()
    grids = [np.asarray(Image.open(max((run / "samples").glob("*.png")))) for run in args.runs]
    gap = np.full((grids[0].shape[0], 8), WHITE, np.uint8)
    row = np.concatenate([part for grid in grids for part in (gap, grid)][1:], axis=1)
    save_png(args.out, row.repeat(args.scale, 0).repeat(args.scale, 1)[..., None])


if __name__ == "__main__":
    main()
