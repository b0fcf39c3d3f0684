"""Writes the inputs of super-resolution, denoising, deblurring and inpainting, and their targets, from a fixed seed.

python scripts/degrade.py noise set14/ --sigma 25 --out noisy                   # noisy/inputs, noisy/targets
python scripts/degrade.py low super-resolution.tar.gz/super-resolution/set5 --scale 4 --out low
python scripts/degrade.py hole photos/ --image-size 64 --hole random --out holes

All are made by the functions that training uses, image by image at its own size, and rounded to 8 bits. So noise is
clipped at black and white, which training's is not: at sigma 25, the PSNR is a few tenths above 20.17 dB. Holes are
transparent. If any image is in color, all are written in color. `low` crops targets to multiples of the scale.
"""

import argparse
import tempfile
from pathlib import Path

import jax
import numpy as np

from gan_jax.data import Source, derived, from_arrays
from gan_jax.data.modality import MASKED, to_bytes
from gan_jax.evaluation.image_sets import open_named
from gan_jax.viz.images import save_png


def main() -> None:
    """Writes both folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["noise", "low", "blur", "hole"])
    parser.add_argument("images", help="folder, archive or .npz file, or data set as in mnist@test")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sigma", type=float, default=25.0, help="of noise in gray levels, of blur in pixels")
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--hole", choices=["center", "random"], default="center")
    parser.add_argument("--image-size", type=int, help="crop and resize images first")
    parser.add_argument("--n", type=int, help="the first so many images only")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        images = open_named(args.images, Path(scratch), size=args.image_size)
        keys = jax.random.split(jax.random.key(args.seed), len(images.images))
        for name, key in list(zip(images.images, keys, strict=True))[: args.n]:
            target = images.images[name].read(images.mode)
            if args.kind == "low":
                target = target[: len(target) // args.scale * args.scale, : target.shape[1] // args.scale * args.scale]
            save_png(args.out / "targets" / f"{name}.png", target)
            save_png(args.out / "inputs" / f"{name}.png", degraded(derive(target, args), key))
    print(args.out)


def derive(target: np.ndarray, args: argparse.Namespace) -> Source:
    """Derives the input from one image."""
    source = from_arrays("image", target[None])
    if args.kind == "noise":
        return derived.noise(source, args.sigma)
    if args.kind == "blur":
        return derived.blur(source, args.sigma)
    return derived.low_resolution(source, args.scale) if args.kind == "low" else derived.hole(source, args.hole)


def degraded(source: Source, key: jax.Array) -> np.ndarray:
    """Decodes the input of the only image to bytes, with a channel for the alpha if it has a hole."""
    a = np.asarray(jax.jit(source.decode)(source.read(np.array([0])), key[None])["a"])[0]
    if source.spec["a"].modality is not MASKED:
        return to_bytes(a)
    return np.dstack([to_bytes(a[..., :-1]), np.uint8(255) * (a[..., -1] == 0)])


if __name__ == "__main__":
    main()
