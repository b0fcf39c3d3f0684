"""Networks, one file per family, as `flax.linen` modules: no losses, no `train` flag.

A network is *training* when a collection other than `params` is mutable (see `gan_jax.engine.game.Network`): batch
norm then
uses the statistics of its batch. Noise is drawn from `keys`, one per example, an optional second argument: without
them there is none.
"""
