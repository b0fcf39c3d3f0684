"""A critic with parameters, and a batch that eight devices can share."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec as P

from gan_jax.engine.collectives import batch_axis, pmean
from gan_jax.engine.parallel import BATCH_AXIS, make_mesh

RANDOM = np.random.RandomState(0)


def normal(*shape, mean=0, scale=1):
    return jnp.asarray(RANDOM.normal(mean, scale, shape), jnp.float32)


PARAMS = {"w": normal(3, 4), "v": normal(4, scale=9)}
X = normal(16, 3, mean=np.arange(16).reshape(16, 1) / 4)  # the shards differ
X_FAKE = normal(16, 3)
KEYS = jax.random.split(jax.random.key(4), 16)


def critic(params):
    return lambda x: jnp.tanh(x @ params["w"]) @ params["v"]


def over_devices(means):
    """Computes `means(params, examples)`, a tree of means over examples, with the examples split over devices."""

    def share(params, examples):
        with batch_axis(BATCH_AXIS):
            return pmean(means(params, examples))

    specs = {"in_specs": (P(), P(BATCH_AXIS)), "out_specs": P()}
    return jax.jit(jax.shard_map(share, mesh=make_mesh(), check_vma=False, **specs))
