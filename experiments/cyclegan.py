"""CycleGAN: two sets of images that nobody has paired, each translated to the other.

gan-jax train cyclegan                                       # digits, and digits on colored grounds
gan-jax train cyclegan --data mnist --to usps.npz --image-size 32
gan-jax train cyclegan --data horse2zebra.tar.gz --to auto
gan-jax sample runs/cyclegan-0 --inputs photos/ --out translated/           # a to b
gan-jax sample runs/cyclegan-0 --inputs photos/ --domain b --out back/      # b to a
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import optax
from tyro.conf import Fixed

from gan_jax.cli import train_file
from gan_jax.config.augmentations import Augmentations
from gan_jax.config.experiment import Evaluation, Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import Fraction, NonNegativeFloat, NonNegativeInt, PositiveFloat, WeightsFile
from gan_jax.data import Source
from gan_jax.engine.game import Latents
from gan_jax.engine.keys import split
from gan_jax.errors import BadInput
from gan_jax.games import cyclegan
from gan_jax.games.augmented import play_augmented
from gan_jax.losses.reconstruction import l1
from gan_jax.metrics.features import classifier_file
from gan_jax.nets import cyclegan as nets
from gan_jax.nets.pair import Pair


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiment."""

    networks: Fixed[Callable[[tuple[int, ...]], Pair]] = nets.small
    cycle_weight: NonNegativeFloat = 10.0
    """Weight of the distance of an image from its translation there and back."""
    identity_weight: NonNegativeFloat = 5.0
    """Weight of the distance of an image from its translation to its own domain; it keeps colors. Domains of different
    channels take 0."""
    classifier_a: WeightsFile = None
    """File with a classifier of --data (of scripts/train_classifier.py): translations keep the class it reads in their
    inputs, as in CyCADA, Hoffman 2018 (arXiv:1711.03213)."""
    classifier_b: WeightsFile = None
    """The same of --to. With both, each reads the translations that come into its domain."""
    semantic_weight: PositiveFloat = 1.0
    """Weight of these terms."""
    augment_a: Augmentations = ()
    """What is done at random to the images that the discriminator of --data sees. Translators need not learn what is
    undone by it, as the place or the size of things."""
    augment_b: Augmentations = ()
    """The same of --to."""
    pool: NonNegativeInt = 50
    """Past translations that a discriminator is shown again; 0 for none."""
    learning_rate: PositiveFloat = 2e-4
    """Learning rate of all players: constant for half of the images, then falling to 0 on a line."""
    b1: Fraction = 0.5
    """Adam's decay rate of the mean gradient."""
    ema: Fraction = 0.99
    """Decay rate of the translators' moving averages, with which images are translated; the paper has none, 0."""


PRESETS = {
    "cyclegan": Row(
        "CycleGAN, Zhu 2017 (arXiv:1703.10593): translation learned from two sets of unpaired images",
        RunConfig(
            160_000,
            batch_size=4,
            data="color:mnist5k",
            to="ground:mnist5k",
            log_every=200,
            sample_every=1000,
            checkpoint_every=2000,
        ),
        {"small": Config(), "full": Config(networks=nets.paper, ema=0.0)},
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds the game on the two domains. Raises `BadInput` if there is only one, or they differ in size."""
    if not source.parts:
        raise BadInput(f"{source.name} is one set of images: give the other with --to, or --to auto for two classes")
    shapes = {name: source.spec[name].shape for name in "ab"}
    if shapes["a"][:2] != shapes["b"][:2]:
        sizes = " and ".join(f"{width}x{height}" for height, width, _ in shapes.values())
        raise BadInput(f"{source.name} has domains of {sizes}: give --image-size, or another --to for this --data")
    (g_ba, d_a), (g_ab, d_b) = (config.networks(shapes[name]) for name in "ab")
    steps = run.images // run.batch_size
    rate = optax.join_schedules(
        [
            optax.constant_schedule(config.learning_rate),
            optax.linear_schedule(config.learning_rate, 0.0, steps - steps // 2),
        ],
        [steps // 2],
    )
    adam = optax.adam(rate, b1=config.b1)
    files = {"a": config.classifier_a, "b": config.classifier_b}
    game = cyclegan.game(
        g_ab,
        g_ba,
        d_a,
        d_b,
        tx_g=adam,
        tx_d=adam,
        cycle_weight=config.cycle_weight,
        identity_weight=config.identity_weight,
        pool_size=config.pool,
        classifiers={domain: classifier_file.frozen(file) for domain, file in files.items() if file},
        semantic_weight=config.semantic_weight,
        ema=config.ema,
    )
    for domain, augmentations in (("a", config.augment_a), ("b", config.augment_b)):
        game = play_augmented(game, augmentations, f"d_{domain}")
    evaluation = Evaluation(cycle_errors, samples=64)
    return Experiment((Phase(game, run.images),), run, grid=(5, 2), evaluation=evaluation)


SIGMA = 0.02
"""Standard deviation of the noise of `cycle_errors`, for images in [-1, 1]."""


def cycle_errors(nets, latents: Latents) -> dict[str, jax.Array]:
    """Computes the mean L1 distance of images from their translation there and back, without noise and with it.

        cycle_a = mean |a - g_ba(g_ab(a))|      cycle_a_noisy = mean |a - g_ba(g_ab(a) + N(0, SIGMA^2))|      b likewise

    A translator may hide the image in a pattern too faint to see, from which the other restores it. Noise destroys the
    pattern: `cycle_a_noisy` is then far larger than `cycle_a`.

    Chu et al. 2017, "CycleGAN, a master of steganography", https://arxiv.org/abs/1712.02950.
    """
    found = {}
    for domain, there, back in (("a", "g_ab", "g_ba"), ("b", "g_ba", "g_ab")):
        x, (keys, noise_keys) = latents[domain], split(latents["keys"], 2)
        fake = nets[there].ema(x, keys)
        noise = SIGMA * jax.vmap(lambda key, image: jax.random.normal(key, image.shape, image.dtype))(noise_keys, fake)
        for name, shown in ((f"cycle_{domain}", fake), (f"cycle_{domain}_noisy", fake + noise)):
            found[name] = jnp.mean(l1(x, nets[back].ema(shown, keys)))
    return found


if __name__ == "__main__":
    train_file(__file__)
