"""Where examples come from: one file per kind of source.

Every source is a `Source` of `gan_jax.data.source`.
May import `data.source`, `data.cache` and `errors` only.
"""
