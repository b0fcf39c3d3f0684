"""flax's own layers, misused in a user's network, give the user's line and what to use instead; NNX is refused."""

import optax
import pytest
import tiny
from flax import linen as nn
from flax import nnx

from gan_jax import BadInput
from gan_jax.config import user_code
from gan_jax.data.modality import spec_of
from gan_jax.data.source import stored
from gan_jax.engine.validate import check_game
from gan_jax.games import vanilla
from gan_jax.nets import mlp
from gan_jax.training.train import check_fit

NET = """
import jax.numpy as jnp
from flax import linen as nn

class Generator(nn.Module):
    @nn.compact
    def __call__(self, z):
        x = nn.Dense(16)(z)
        x = {layer}(x)
        return x.reshape(-1, 4, 4, 1)
"""

MISUSES = {
    "nn.BatchNorm()": "normalization.BatchNorm",
    "nn.BatchNorm(use_running_average=False)": "normalization.BatchNorm",
    "nn.Dropout(0.5)": "dropout.Dropout",
    "nn.Dropout(0.5, deterministic=False)": "dropout.Dropout",
}

SOURCE = stored("x", 8, spec_of((4, 4, 1), labeled=False), lambda indices: {})
COMMON = tiny.experiment.__defaults__[0]


def game_of(g):
    return vanilla.game(g, mlp.Discriminator(widths=(4,)), optax.sgd(1e-2), optax.sgd(1e-2), z_size=4)


@pytest.mark.parametrize("layer", MISUSES)
def test_misused_layer_gives_the_line_and_what_to_use(tmp_path, layer):
    file = tmp_path / "mine.py"
    file.write_text(NET.format(layer=layer))
    game = game_of(user_code.load(file).Generator())
    with pytest.raises(Exception) as raised:
        check_fit(game, SOURCE, COMMON)
    found = str(user_code.locate(raised.value))
    assert f"mine.py:9: in __call__: {type(raised.value).__name__}" in found and MISUSES[layer] in found, found
    assert found.splitlines()[1].strip() == f"x = {layer}(x)" and len(found.splitlines()) == 2


@pytest.mark.parametrize("given", ["", ", z, size"])
def test_network_with_other_arguments_gives_the_line_of_its_definition(tmp_path, given):
    """Its frame is not in the traceback: the call itself fails."""
    file = tmp_path / "mine.py"
    file.write_text(NET.format(layer="nn.relu").replace("(self, z)", f"(self{given})"))
    game = game_of(user_code.load(file).Generator())
    with pytest.raises(TypeError) as raised:
        check_fit(game, SOURCE, COMMON)
    found, line = str(user_code.locate(raised.value)).splitlines()
    assert "mine.py:7: in __call__: TypeError: Generator.__call__() " in found
    assert line.strip() == f"def __call__(self{given}):"
    assert ("Use `def __call__(self, x, keys=None)`" in found) == (given == "")


@pytest.mark.parametrize(
    "make",
    [lambda: nnx.Linear(4, 16, rngs=nnx.Rngs(0)), lambda: nn.Dense, lambda: abs, lambda: None],
    ids=["nnx", "class", "function", "none"],
)
def test_network_that_is_no_linen_module_is_refused_by_its_player(make):
    game = game_of(mlp.Generator(shape=(4, 4, 1)))
    check_game(game)
    players = game.players | {"g": game.players["g"]._replace(net=make())}
    with pytest.raises(BadInput, match=r"the network of 'g' has no init and apply, .*flax\.linen"):
        check_game(game._replace(players=players))
