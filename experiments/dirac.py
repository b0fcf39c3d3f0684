"""The Dirac-GAN: players of one parameter each, whose trajectories have closed forms.

    gan-jax train dirac                                          # plain simultaneous play: spirals outwards
    gan-jax train dirac --penalty r1:1                           # spirals in
    gan-jax train dirac --dynamics consensus:1 --run-dir runs/consensus
    python scripts/dirac_rates.py --out rates.png                # every dynamics beside its closed form

Cost: seconds. Expect: with sgd of step h, plain play moves away from (0, 0) by the factor sqrt(1 + h^2) in every step;
`gan_jax/toy/dirac_theory.py` has the factors of the others. Mescheder et al. 2018, "Which training methods for GANs do
actually converge?", sec. 2.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import optax

from gan_jax import losses
from gan_jax.cli import train_file
from gan_jax.config.experiment import Evaluation, Experiment, Phase, Row, RunConfig
from gan_jax.config.flags import PositiveFloat
from gan_jax.config.registry import Dynamics, Loss, Penalties
from gan_jax.data import Source
from gan_jax.engine.dynamics import gradient_play
from gan_jax.errors import BadInput
from gan_jax.games import vanilla
from gan_jax.toy.dirac import preview
from gan_jax.toy.networks import DiracDiscriminator, DiracGenerator


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Config:
    """The flags of the experiment."""

    loss: Loss = losses.wasserstein
    """Adversarial loss."""
    penalty: Penalties = ()
    """Penalties added to the losses."""
    dynamics: Dynamics = gradient_play
    """Replaces plain gradient play, as in consensus:1 or extragradient."""
    simultaneous: bool = True
    """Move both players at once, instead of the discriminator first."""
    learning_rate: PositiveFloat = 0.1
    """Step size of gradient descent, for both players."""


PRESETS = {
    "dirac": Row(
        "The Dirac-GAN, Mescheder 2018 (arXiv:1801.04406): players of one parameter, in closed form",
        RunConfig(images=800, batch_size=8, data="dirac", log_every=10, sample_every=10),
        {"good": Config()},
        expect="plain play moves away from the equilibrium by sqrt(1 + h^2) per step",
    ),
}


def build(source: Source, run: RunConfig, config: Config) -> Experiment:
    """Builds a generator of one point against a discriminator with one slope; both start at 1."""
    if source.shape != (1,):
        raise BadInput(f"{source.name} has examples of shape {source.shape}, not (1,): leave --data out")
    turns = vanilla.simultaneous if config.simultaneous else vanilla.alternating
    game = vanilla.game(
        DiracGenerator(),
        DiracDiscriminator(),
        tx_g=optax.sgd(config.learning_rate),
        tx_d=optax.sgd(config.learning_rate),
        z_size=1,
        loss=config.loss,
        penalties=config.penalty,
        turns=partial(turns, dynamics=config.dynamics),
    )
    return Experiment(
        phases=(Phase(game, run.images),),
        common=run,
        evaluation=Evaluation(distance, samples=1, success=lambda scores: scores["distance"] < 0.1),
        preview=preview,
    )


def distance(nets, latents):
    """Computes the distance of (theta, psi) from the equilibrium (0, 0)."""
    theta, psi = nets["g"].params["theta"], nets["d"].params["psi"]
    return {"distance": jnp.sqrt(theta**2 + psi**2)}


if __name__ == "__main__":
    train_file(__file__)
