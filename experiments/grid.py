"""Twenty-five Gaussians on a grid: modes far apart, many enough to lose some.

    gan-jax train grid
    gan-jax compare grid --vary loss=hinge,relativistic_paired --vary penalty=none,r1:0.1+r2:0.1 --seeds 10

Cost: ten seeds in five minutes on two CPU cores. Expect: all twenty-five modes, 95 % high quality (RESULTS.md).
"""

from gan_jax.cli import train_file
from gan_jax.config.experiment import RunConfig
from gan_jax.toy.gaussians import Config, bench

experiment = bench(
    RunConfig(images=3_840_000, batch_size=128, data="grid", log_every=500, sample_every=1000, checkpoint_every=5000),
    Config(anneal=0.05, floor=0.05, width=96),
)

if __name__ == "__main__":
    train_file(__file__)
