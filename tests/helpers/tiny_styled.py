"""A GAN with a style for each of three layers, small enough for tests."""

import flax.linen as nn
import jax.numpy as jnp
import optax

from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.data import Source
from gan_jax.games import vanilla
from gan_jax.nets import mlp
from gan_jax.priors import LatentSpace

LAYERS = 3


class Generator(nn.Module):
    """Maps `z [B, Z]` to styles `[B, 3, 5]`, and these to images."""

    shape: tuple[int, ...]

    def setup(self):
        self.mapper = nn.Dense(5)
        self.styles = [nn.Dense(6) for _ in range(LAYERS)]
        self.image = mlp.Generator(self.shape, widths=(8,))

    def mapping(self, z):
        w = nn.tanh(self.mapper(z))
        return jnp.broadcast_to(w[:, None], (len(w), LAYERS, 5))

    def synthesis(self, ws):
        styled = zip(self.styles, jnp.unstack(ws, axis=1), strict=True)
        return self.image(jnp.concatenate([nn.tanh(layer(w)) for layer, w in styled], axis=1))

    def __call__(self, z):
        return self.synthesis(self.mapping(z))


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=80, batch_size=8, log_every=10, sample_every=10, checkpoint_every=10),
) -> Experiment:
    """A tiny GAN with styles.

    Args:
        source: The real images.
        common: The flags of every experiment.
    """
    adam = optax.adam(1e-2)
    game = vanilla.game(Generator(source.shape), mlp.Discriminator(widths=(8,)), adam, adam, z_size=4, ema=0.5)
    space = LatentSpace(
        "w",
        encode=lambda nets, latents: nets["g"].ema(latents["z"], method="mapping"),
        decode=lambda nets, latents: nets["g"].ema(latents["w"], method="synthesis"),
        mean=lambda nets: jnp.zeros(5, jnp.float32),
    )
    return Experiment((Phase(game._replace(space=space), common.images),), common, grid=(2, 4))
