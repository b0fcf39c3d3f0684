"""Writes the inputs of super-resolution, denoising, deblurring and inpainting, and their targets, from a fixed seed.

python scripts/degrade.py noise set14/ --sigma 25 --out noisy                   # noisy/inputs, noisy/targets
python scripts/degrade.py low super-resolution.tar.gz/super-resolution/set5 --scale 4 --out low
python scripts/degrade.py hole photos/ --image-size 64 --hole random --out holes

All are made by the functions that training uses, image by image at its own size, and rounded to 8 bits. So noise is
clipped at black and white, which training's is not: at sigma 25, the PSNR is a few tenths above 20.17 dB. Holes are
transparent. If any image is in color, all are written in color. `low` crops targets to multiples of the scale, and also
writes low/bicubic, the inputs enlarged.
"""

import argparse
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from PIL import Image

from gan_jax.data import derived, from_arrays
from gan_jax.data.modality import to_uint8
from gan_jax.evaluation.image_sets import open_named
from gan_jax.viz.images import save_png


def main() -> None:
    """Writes the folders."""
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
            save_png(args.out / "inputs" / f"{name}.png", made := degraded(target, key, args))
            if args.kind == "low":
                enlarged = Image.fromarray(made.squeeze()).resize(target.shape[1::-1], Image.Resampling.BICUBIC)
                save_png(args.out / "bicubic" / f"{name}.png", np.asarray(enlarged).reshape(target.shape))
    print(args.out)


def degraded(target: np.ndarray, key: jax.Array, args: argparse.Namespace) -> np.ndarray:
    """Makes the input of one image as bytes, with a channel for the alpha if it has a hole."""
    decode = decoder(target.shape, args.kind, args.sigma, args.scale, args.hole)
    a = np.asarray(decode({"x": target[None]}, key[None])["a"])[0]
    if args.kind != "hole":
        return to_uint8(a)
    return np.dstack([to_uint8(a[..., :-1]), np.uint8(255) * (a[..., -1] == 0)])


@functools.cache  # one program for all images of one size
def decoder(shape: tuple[int, ...], kind: str, sigma: float, scale: int, hole: str) -> Callable:
    """Returns the function that derives the inputs of images of one shape."""
    source = from_arrays("image", np.zeros((1, *shape), np.uint8))
    derive = {
        "noise": lambda: derived.noise(source, sigma),
        "low": lambda: derived.low_resolution(source, scale),
        "blur": lambda: derived.blur(source, sigma),
        "hole": lambda: derived.hole(source, hole),
    }[kind]
    return jax.jit(derive().decode)


if __name__ == "__main__":
    main()
