"""What a generator's inputs are drawn from: a game declares `prior={"z": Normal(100), "y": Categorical(10)}`.

May import `errors` only.
"""

from gan_jax.priors.distributions import (
    Categorical,
    Code,
    Distribution,
    ExampleKeys,
    Keys,
    Normal,
    Prior,
    Uniform,
    draw,
)
from gan_jax.priors.latent_space import LatentSpace

__all__ = [
    "Categorical",
    "Code",
    "Distribution",
    "ExampleKeys",
    "Keys",
    "LatentSpace",
    "Normal",
    "Prior",
    "Uniform",
    "draw",
]
