"""Networks as `flax.linen` modules, one file per family, without losses; may import `engine` and below.

There is no `train` flag: a network is training when a collection other than `params` is mutable (see
`gan_jax.engine.game.Network`). Noise is drawn from `keys` `[B]`, an optional last argument; None means no noise.
"""

from gan_jax.nets.pair import Pair

__all__ = ["Pair"]
