"""Plays one step of a game with given inputs, and writes all that its twins need to play the same step."""

import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np


def compile_quickly() -> None:
    """Makes JAX compile without optimization, and keep what it has compiled: to be called before it starts."""
    flags = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}"
    os.environ["JAX_PLATFORMS"] = "cpu"
    from gan_jax.cli import compilation_cache

    compilation_cache.enable()


def write(name: str, words: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Writes `NAME.json`, a game's description with the losses of its first step, and `NAME.npz`.

    Its arrays: real `images` uint8 for training; the weights by their paths (`g/Dense_0/kernel`); and the inputs of the
    step, `x` `[slice, B, H, W, C]`, and for every turn the same latents `z` `[B, Z]` and penalty weights `mix` `[B]`.
    """
    import jax

    from gan_jax.data import open_source
    from gan_jax.data.modality import scale
    from gan_jax.engine.game import slice_count
    from gan_jax.training.train import new_state
    from twins.games import build, describe

    source = open_source("mnist5k")
    built = build(words, source)
    images = source.read(np.arange(source.size))["x"]
    state = new_state(built.stage.game, source, built.common)
    count, batch = slice_count(built.stage.game), built.common.batch_size
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(images))[: count * batch].reshape(count, batch)
    x = np.asarray(scale(jax.numpy.asarray(images[chosen])))
    z, mix = rng.standard_normal((batch, 100), np.float32), rng.random(batch, np.float32)
    losses = first_losses(built.stage.game, state, x, z, mix)
    arrays = {
        f"{player}/{path}": leaf for player in ("g", "d") for path, leaf in named_leaves(state.players[player]).items()
    }
    np.savez(folder / f"{name}.npz", images=images, x=x, z=z, mix=mix, **arrays)
    spec = describe(name, built, source) | {"words": words, "losses": losses}
    (folder / f"{name}.json").write_text(json.dumps(spec, indent=1))
    return spec


def first_losses(game, state, x, z, mix) -> dict[str, float]:
    """Plays a step without dropout on given inputs; returns every player's loss, averaged over its turns."""
    import jax

    from gan_jax.engine.step import make_step
    from gan_jax.penalties import gradient
    from gan_jax.priors import Normal

    z, mix = jax.numpy.asarray(z), jax.numpy.asarray(mix)
    players = {
        name: p._replace(net=p.net.clone(dropout=0.0) if hasattr(p.net, "dropout") else p.net)
        for name, p in game.players.items()
    }
    with patch.object(Normal, "draw", lambda self, keys: z), patch.object(gradient, "uniform", lambda keys: mix):
        _, metrics = jax.jit(make_step(game._replace(players=players)))(state, {"x": x})
    return {player: float(metrics[f"{player}/loss"]) for player in ("d", "g")}


def named_leaves(player) -> dict[str, np.ndarray]:
    """Returns parameters and statistics of a player by their paths."""
    import jax

    trees = (player.params, player.stats.get("batch_stats", {}))
    leaves = jax.tree_util.tree_leaves_with_path(trees)
    return {"/".join(key.key for key in path[1:]): np.asarray(leaf) for path, leaf in leaves}
