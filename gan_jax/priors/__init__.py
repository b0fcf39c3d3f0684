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

__all__ = ["Categorical", "Code", "Distribution", "ExampleKeys", "Keys", "Normal", "Prior", "Uniform", "draw"]
