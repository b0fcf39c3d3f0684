"""A GAN with codes, small enough for tests: `c1` of three classes, `c2` uniform in [-1, 1]."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from gan_jax import Game, Player, losses, move, priors, turn
from gan_jax.config.experiment import Experiment, Phase, RunConfig
from gan_jax.data import Source
from gan_jax.nets import mlp

CODES = {"c1": priors.Categorical(3), "c2": priors.Uniform()}


class Generator(nn.Module):
    """Maps `z [B, Z]` and codes `[B]` to images."""

    shape: tuple[int, ...]

    @nn.compact
    def __call__(self, z, c1, c2):
        return mlp.Generator(self.shape, widths=(8,))(jnp.concatenate([z, jax.nn.one_hot(c1, 3), c2[:, None]], axis=1))


PRIOR = {"z": priors.Normal(4), **CODES}


def experiment(
    source: Source,
    common: RunConfig = RunConfig(images=80, batch_size=8, log_every=10, sample_every=10, checkpoint_every=10),
) -> Experiment:
    """A tiny GAN with codes.

    Args:
        source: The real images.
        common: The flags of every experiment.
    """

    def score(nets, keys):
        return nets["d"](nets["g"](*priors.draw(PRIOR, keys).values()))

    def d_loss(nets, batch, keys, step):
        return jnp.mean(losses.hinge.d(nets["d"](batch["x"]), score(nets, keys))), {}

    def g_loss(nets, batch, keys, step):
        s_fake = score(nets, keys)
        return jnp.mean(losses.hinge.g(s_fake, s_fake)), {}

    adam = optax.adam(1e-2)
    game = Game(
        players={
            "g": Player(Generator(source.shape), adam, ema=0.5),
            "d": Player(mlp.Discriminator(widths=(8,)), adam),
        },
        turns=(turn(move("d", d_loss)), turn(move("g", g_loss))),
        prior=PRIOR,
        inputs=lambda batch, latents: {"g": (latents["z"], latents["c1"], latents["c2"]), "d": (batch["x"],)},
        sample=lambda nets, latents: nets["g"].ema(latents["z"], latents["c1"], latents["c2"]),
    )
    return Experiment((Phase(game, common.images),), common, grid=(2, 4))
