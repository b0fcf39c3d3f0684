"""Mixtures of Gaussians in the plane, whose modes can be counted.

    gan-jax train ring
    gan-jax sweep ring --vary loss=hinge,non_saturating --vary penalty=none,r1:0.1+r2:0.1 --seeds 10
    gan-jax train ring --data spiral          # moons, or points of your own: --data mine.npy
    gan-jax sweep grid --vary loss=hinge,relativistic_paired --seeds 10

Cost: ten seeds of ring in two and a half minutes on two CPU cores, of grid in five.
"""

from gan_jax.cli import train_file
from gan_jax.config.experiment import Row, RunConfig
from gan_jax.toy.gaussians import Config, build

__all__ = ["PRESETS", "build"]

PRESETS = {
    "ring": Row(
        "Eight Gaussians on a ring, the smallest data set on which a GAN can lose modes",
        RunConfig(2_816_000, 128, data="ring", log_every=500, sample_every=1000, checkpoint_every=5000),
        {"good": Config()},
        expect="all 8 modes, 97 % high quality",
    ),
    "grid": Row(
        "Twenty-five Gaussians on a grid, so many that most GANs lose some",
        RunConfig(3_840_000, 128, data="grid", log_every=500, sample_every=1000, checkpoint_every=5000),
        {"good": Config(anneal=0.05, floor=0.05, width=96)},
        expect="all 25 modes, 95 % high quality",
    ),
}

if __name__ == "__main__":
    train_file(__file__)
