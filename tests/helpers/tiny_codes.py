"""A GAN with codes, small enough for tests: `c1` of three classes, `c2` uniform in [-1, 1]."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from gan_jax import Game, Player, losses, move, turn
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.data import Source
from gan_jax.engine import priors
from gan_jax.engine.keys import normal
from gan_jax.nets import mlp

CODES = {"c1": priors.Categorical(3), "c2": priors.Uniform()}


class Generator(nn.Module):
    """Maps `z [B, Z]` and codes `[B]` to images."""

    shape: tuple[int, ...]

    @nn.compact
    def __call__(self, z, c1, c2):
        return mlp.Generator(self.shape, widths=(8,))(jnp.concatenate([z, jax.nn.one_hot(c1, 3), c2[:, None]], axis=1))


def prior(keys):
    return {"z": normal(keys, 4), **priors.draw(CODES, keys)}


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=80, batch_size=8, log_every=10, sample_every=10, checkpoint_every=10),
) -> Experiment:
    """A tiny GAN with codes.

    Args:
        source: The real images.
        common: The flags of every experiment.
    """

    def d_loss(nets, batch, keys, step):
        return jnp.mean(losses.hinge.d(nets["d"](batch["x"]), nets["d"](nets["g"](*prior(keys).values())))), {}

    def g_loss(nets, batch, keys, step):
        s_fake = nets["d"](nets["g"](*prior(keys).values()))
        return jnp.mean(losses.hinge.g(s_fake, s_fake)), {}

    adam = optax.adam(1e-2)
    game = Game(
        players={
            "g": Player(Generator(source.shape), adam, ema=0.5),
            "d": Player(mlp.Discriminator(widths=(8,)), adam),
        },
        turns=(turn(move("d", d_loss)), turn(move("g", g_loss))),
        prior=prior,
        inputs=lambda batch, latents: {"g": (latents["z"], latents["c1"], latents["c2"]), "d": (batch["x"],)},
        sample=lambda nets, latents: nets["g"].ema(latents["z"], latents["c1"], latents["c2"]),
        codes=CODES,
    )
    return Experiment((Phase(game, common.images),), common, grid=(2, 4))
