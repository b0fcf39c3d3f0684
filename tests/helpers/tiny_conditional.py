"""A conditional GAN small enough for tests: ten classes of gray 28 x 28 images, whatever the data set."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from gan_jax import Game, Player, losses, move, priors, turn
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.data import Source
from gan_jax.engine.keys import normal
from gan_jax.nets import mlp

CLASSES = 10


class Generator(nn.Module):
    """Maps `z [B, Z]` and labels `[B]` to images."""

    @nn.compact
    def __call__(self, z, y):
        return mlp.Generator(widths=(8,))(jnp.concatenate([z, jax.nn.one_hot(y, CLASSES)], axis=1))


class Discriminator(nn.Module):
    """Maps images and labels `[B]` to scores."""

    @nn.compact
    def __call__(self, x, y):
        flat = x.reshape(x.shape[0], -1)
        return mlp.Discriminator(widths=(8,))(jnp.concatenate([flat, jax.nn.one_hot(y, CLASSES)], axis=1))


def d_loss(nets, batch, keys, step):
    x_fake = nets["g"](normal(keys, 4), batch["y"])
    return jnp.mean(losses.hinge.d(nets["d"](batch["x"], batch["y"]), nets["d"](x_fake, batch["y"]))), {}


def g_loss(nets, batch, keys, step):
    s_fake = nets["d"](nets["g"](normal(keys, 4), batch["y"]), batch["y"])
    return jnp.mean(losses.hinge.g(s_fake, s_fake)), {}


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=80, batch_size=8, log_every=10, sample_every=10, checkpoint_every=10),
) -> Experiment:
    """A tiny conditional GAN.

    Args:
        source: The real images.
        common: The flags of every experiment.
    """
    adam = optax.adam(1e-2)
    game = Game(
        players={"g": Player(Generator(), adam, ema=0.5), "d": Player(Discriminator(), adam)},
        turns=(turn(move("d", d_loss)), turn(move("g", g_loss))),
        prior={"z": priors.Normal(4), "y": priors.Categorical(CLASSES)},
        inputs=lambda batch, latents: {"g": (latents["z"], latents["y"]), "d": (batch["x"], batch["y"])},
        sample=lambda nets, latents: nets["g"].ema(latents["z"], latents["y"]),
    )
    return Experiment((Phase(game, common.images),), common, grid=(3, 4))
