"""A conditional GAN on sounds small enough for tests."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.data import Source
from gan_jax.games import conditional
from gan_jax.nets import mlp


class Generator(nn.Module):
    """Maps `z [B, Z]` and labels `[B]` to sounds `[B, T]`."""

    length: int
    classes: int

    @nn.compact
    def __call__(self, z, y):
        return jnp.tanh(nn.Dense(self.length)(jnp.concatenate([z, jax.nn.one_hot(y, self.classes)], axis=1)))


class Discriminator(nn.Module):
    """Maps sounds `[B, T]` and labels `[B]` to scores."""

    classes: int

    @nn.compact
    def __call__(self, x, y, keys=None):
        return mlp.Discriminator(widths=(8,))(jnp.concatenate([x, jax.nn.one_hot(y, self.classes)], axis=1))


def experiment(
    source: Source,
    common: RunConfig = RunConfig(
        images=16, batch_size=8, data="tones", log_every=1, sample_every=1, checkpoint_every=1
    ),
) -> Experiment:
    """A tiny conditional GAN.

    Args:
        source: The real sounds.
        common: The flags of every experiment.
    """
    classes, adam = len(source.classes), optax.adam(1e-3)
    g, d = Generator(source.shape[0], classes), Discriminator(classes)
    game = conditional.game(g, d, adam, adam, classes=classes, z_size=4, ema=0.5)
    return Experiment((Phase(game, common.images),), common, grid=(3, 4))
