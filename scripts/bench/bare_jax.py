"""A game in plain JAX, to show what gan_jax adds to a step: its networks and optimizers, and nothing of its engine.

No norms, no moving average, no metrics but the losses, no count of finite steps, and one key per step instead of one
per example. `ema` and `norms` add these two again.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from bench.contender import Arrays, Contender, Spec, averaged, shuffled
from bench.with_gan_jax import assert_same_weights
from gan_jax.data import from_arrays
from gan_jax.data.modality import scale
from gan_jax.losses import non_saturating
from gan_jax.training.train import new_state
from twins.games import build

CHUNK = 100
"""Steps per dispatch."""


def make(spec: Spec, arrays: Arrays, ema: bool = False, norms: bool = False) -> Contender:
    """Prepares a game with the non-saturating loss, no penalty and no dropout."""
    source = from_arrays("digits", arrays["images"])
    built = build(spec["words"], source)
    state = new_state(built.stage.game, source, built.common)
    assert_same_weights(spec, arrays, state)
    step = make_step(spec, built.stage.game.players, spec["ema"] if ema else 0.0, norms)
    own = {"params": {}, "stats": {}, "opt": {}}
    for name, player in state.players.items():
        own["params"][name], own["stats"][name], own["opt"][name] = player.params, player.stats, player.opt
    own["average"] = jax.tree.map(jnp.copy, own["params"]["g"]) if ema else None

    def first_losses() -> dict[str, float]:
        z = np.broadcast_to(arrays["z"], (len(spec["turns"]), *arrays["z"].shape))
        _, reports = jax.jit(step)(own, arrays["x"], z)
        return averaged([(player, loss) for player, (loss, *_) in zip(spec["turns"], reports, strict=True)])

    return Contender(first_losses, _chunks(spec, arrays, step, own), CHUNK)


def _chunks(spec: Spec, arrays: Arrays, step: Callable, own: dict[str, Any]) -> Callable[[int], None]:
    """Makes the function that plays chunks of steps."""
    order, key, count = shuffled(arrays, spec), jax.random.key(0), 0
    images, latents = jnp.asarray(arrays["images"]), (len(spec["turns"]), spec["batch"], 100)

    def chunk(own, key, indices):
        def one(i, own):
            z = jax.random.normal(jax.random.fold_in(key, i), latents)
            return step(own, scale(images[indices[i]]), z)

        def body(i, carry):
            own, reports = one(i, carry[0])
            return own, jax.tree.map(jnp.add, carry[1], reports)

        zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), jax.eval_shape(one, 0, own)[1])
        return jax.lax.fori_loop(0, CHUNK, body, (own, zeros))

    play = jax.jit(chunk, donate_argnums=0)

    def run(steps: int) -> None:
        nonlocal own, count
        for _ in range(steps // CHUNK):
            indices = np.stack([[next(order) for _ in set(spec["slices"])] for _ in range(CHUNK)])
            own, reports = play(own, jax.random.fold_in(key, count), indices)
            count += 1
        jax.block_until_ready(reports)

    return run


def make_step(spec: Spec, players: dict, decay: float, norms: bool) -> Callable:
    """Makes `step(own, x [slice, B, ...], z [turn, B, Z]) -> (own, reports)`; a report is a loss, then the norm."""

    def turn(own: dict, mover: str, x: jax.Array, z: jax.Array) -> tuple[dict, list[jax.Array]]:
        def loss(moved):
            params = own["params"] | {mover: moved}

            def apply(name: str, *args: jax.Array) -> tuple:
                stats = own["stats"][name]
                return players[name].net.apply({"params": params[name], **stats}, *args, mutable=list(stats))

            x_fake, stats = apply("g", z)
            if mover == "g":
                return jnp.mean(non_saturating.g(0.0, apply("d", x_fake)[0])), stats
            (s_real, _), (s_fake, stats) = apply("d", x), apply("d", x_fake)
            return jnp.mean(non_saturating.d(s_real, s_fake)), stats

        (value, stats), grads = jax.value_and_grad(loss, has_aux=True)(own["params"][mover])
        updates, opt = players[mover].tx.update(grads, own["opt"][mover], own["params"][mover])
        moved = {"params": optax.apply_updates(own["params"][mover], updates), "stats": dict(stats), "opt": opt}
        own = own | {kind: own[kind] | {mover: new} for kind, new in moved.items()}
        return own, [value, optax.tree.norm(grads)] if norms else [value]

    def step(own: dict, x: jax.Array, z: jax.Array) -> tuple[dict, list]:
        reports = []
        for i, mover in enumerate(spec["turns"]):
            own, report = turn(own, mover, x[spec["slices"][i]], z[i])
            reports.append(report)
        if decay:
            average = jax.tree.map(lambda a, p: a + (1 - decay) * (p - a), own["average"], own["params"]["g"])
            own = own | {"average": average}
        return own, reports

    return step
