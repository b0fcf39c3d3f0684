"""Super-resolution and its kin: inputs made of the images themselves, a network trained on the mean squared error,
and then against a discriminator.

    gan-jax train srgan                                          # digits, enlarged four times
    gan-jax train srgan --data photos/ --tile 160 --crop 96 --scale 2
    gan-jax train denoise --data photos/ --tile 160 --crop 64 --sigma 25
    gan-jax train inpaint --hole random
    gan-jax sample runs/srgan-0 --inputs small/ --out large/     # images of any size, by the names they had

The first phase is the paper's SRResNet, `--mse` of the images; `--mse 1` trains nothing else, and is what the second is
compared with: it has a higher PSNR, and blurs. Pairs of your own, `--pair lr,hr`, are taken as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import jax
import jax.numpy as jnp
import optax
from tyro.conf import Fixed

from gan_jax.cli import train_file
from gan_jax.config.experiment import Evaluation, Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, PositiveFloat, PositiveInt, Share, WeightsFile
from gan_jax.data import Source, derived
from gan_jax.engine.game import Latents
from gan_jax.games import paired
from gan_jax.losses.reconstruction import squared_error
from gan_jax.metrics.features import vgg16 as vgg
from gan_jax.nets import enhancement, inpainting
from gan_jax.nets import srgan as nets
from gan_jax.nets.pair import Pair


def reduced(source: Source, config: "Config") -> Source:
    """Derives the low resolution of images."""
    return derived.low_resolution(source, config.scale)


def noisy(source: Source, config: "Config") -> Source:
    """Derives images with noise."""
    return derived.noise(source, config.sigma)


def blurred(source: Source, config: "Config") -> Source:
    """Derives blurred images."""
    return derived.blur(source, config.sigma)


def holed(source: Source, config: "Config") -> Source:
    """Derives images with a hole."""
    return derived.hole(source, config.hole)


def gray(source: Source, config: "Config") -> Source:
    """Derives gray images of colored ones."""
    return derived.grayscale(source)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of every row."""

    inputs: Fixed[Callable[[Source, "Config"], Source]]
    networks: Fixed[Callable[[tuple[int, ...], int], Pair]] = nets.small
    scale: Literal[1, 2, 4] = 1
    """Of srgan: how many times to enlarge images."""
    sigma: PositiveFloat = 25.0
    """Standard deviation, of denoise in the 256 gray levels, of deblur in pixels."""
    hole: Literal["center", "random"] = "center"
    """Of inpaint: where the hole is, which has half the side of the image."""
    crop: PositiveInt | None = None
    """Side in pixels of the random crops of the targets to train on; by default whole images."""
    mse: Share = 0.8
    """Share of the images for the first phase, on the mean squared error alone."""
    adversarial_weight: PositiveFloat = 1e-3
    """Weight of the adversarial loss beside the mean squared error in the second phase."""
    perceptual: WeightsFile = None
    """File with weights of VGG16 (of scripts/lpips_weights.py), for a perceptual loss in the second phase."""
    perceptual_weight: PositiveFloat = 0.006
    """Weight of the squared distance of the feature maps relu3_3."""
    learning_rate: PositiveFloat = 1e-3
    """Learning rate of the first phase; the second has a fifth of it."""
    b1: Fraction = 0.9
    """Adam's decay rate of the mean gradient."""
    ema: Fraction = 0.99
    """Decay rate of the generator's moving average, with which images are translated; 0 for none."""


RUN = RunConfig(80_000, batch_size=16, log_every=50, sample_every=250, checkpoint_every=500)

PRESETS = {
    "srgan": Row(
        "SRGAN, Ledig 2017 (arXiv:1609.04802): super-resolution, first on squared errors, then adversarial",
        RUN,
        {
            "small": Config(reduced, scale=4),
            "full": Config(reduced, nets.paper, scale=4, crop=96, mse=5 / 6, learning_rate=1e-4, ema=0.0),
        },
    ),
    "denoise": Row("SRGAN's game on images with Gaussian noise", RUN, {"small": Config(noisy, enhancement.small)}),
    "deblur": Row(
        "SRGAN's game on images blurred by a Gaussian", RUN, {"small": Config(blurred, enhancement.small, sigma=1.5)}
    ),
    "inpaint": Row(
        "SRGAN's game on images with a hole, as Pathak 2016 (arXiv:1604.07379)",
        RUN,
        {"small": Config(holed, inpainting.small)},
    ),
    "colorize": Row(
        "SRGAN's game on gray images, which it colors",
        replace(RUN, data="ground:mnist5k"),
        {"small": Config(gray, enhancement.small)},
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds both phases, on the inputs of the row."""
    data = derived.flip(derived.random_crop(source, config.crop)) if config.crop else source
    data = data if "a" in data.spec else config.inputs(data, config)
    g, d = config.networks(data.shape, config.scale)
    adam = optax.adam(config.learning_rate, b1=config.b1)
    slow = optax.adam(config.learning_rate / 5, b1=config.b1)
    first = paired.regression(g, adam, distance=squared_error, ema=config.ema)
    second = paired.game(
        g,
        d,
        tx_g=slow,
        tx_d=slow,
        distance=squared_error,
        distance_weight=1.0,
        adversarial_weight=config.adversarial_weight,
        conditional=False,
        features=vgg.frozen(config.perceptual) if config.perceptual else None,
        perceptual_weight=config.perceptual_weight,
        ema=config.ema,
    )
    pretrained = round(config.mse * run.images)
    phases = [(first, pretrained), (second, run.images - pretrained)]
    return Experiment(
        tuple(Phase(game, images) for game, images in phases if images),
        run,
        grid=(4, 3),
        data=data,
        evaluation=Evaluation(psnr, samples=64, higher=frozenset({"psnr", "psnr_input"})),
    )


def psnr(nets, latents: Latents) -> dict[str, jax.Array]:
    """Computes the mean PSNR of translations, clipped to [-1, 1], and of their inputs, enlarged if they are smaller."""
    a, x = latents["a"], latents["x"]
    enlarged = jax.image.resize(a[..., : x.shape[-1]], (*x.shape[:3], min(a.shape[-1], x.shape[-1])), "cubic")
    shown = {"psnr": nets["g"].ema(a, latents["keys"]), "psnr_input": enlarged}
    errors = {name: jnp.mean((jnp.clip(y, -1, 1) - x) ** 2, axis=(1, 2, 3)) for name, y in shown.items()}
    return {name: jnp.mean(10 * jnp.log10(4 / jnp.maximum(error, 1e-8))) for name, error in errors.items()}


if __name__ == "__main__":
    train_file(__file__)
