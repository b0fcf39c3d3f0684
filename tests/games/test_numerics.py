"""Numerics of games: activations in bfloat16 with float32 parameters and outputs; what the backward pass keeps."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from arena import Discriminator, Generator
from jax.extend.core import jaxprs_in_params

from gan_jax import BadInput, init, make_step
from gan_jax.augment.ada import bgc
from gan_jax.games import vanilla
from gan_jax.games.adaptive import adaptive
from gan_jax.games.numerics import Rematerialized, compute_in, rematerialized
from gan_jax.nets import dcgan, mlp, sagan
from gan_jax.penalties import terms

ADAM = optax.adam(1e-3)
SHAPE = (4, 4, 1)
BATCH = {"x": jax.ShapeDtypeStruct((1, 4, *SHAPE), jnp.float32)}


def plain(*terms):
    """Makes a game with batch norm, a gradient penalty and players without parameters."""
    g, d = mlp.Generator(SHAPE, widths=(6, 5)), mlp.Discriminator((5,))
    return vanilla.game(g, d, ADAM, ADAM, z_size=3, penalties=terms, ema=0.9)


def products(jaxpr):
    """Lists the types of all matrix products of a program, those inside of others too."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            yield str(equation.outvars[0].aval.dtype)
        for inner in jaxprs_in_params(equation.params):
            yield from products(inner)


def test_all_but_the_last_product_of_a_discriminator_are_in_bfloat16():
    game = compute_in(plain(terms.r1(1.0)), jnp.bfloat16, BATCH)
    for name, arguments, float32 in (("g", jnp.zeros((4, 3)), 0), ("d", jnp.zeros((4, *SHAPE)), 1)):
        net = game.players[name].net
        variables = jax.eval_shape(net.init, jax.random.key(0), arguments)
        found = list(products(jax.make_jaxpr(net.apply)(variables, arguments).jaxpr))
        assert found.count("float32") == float32 and found.count("bfloat16") == len(found) - float32 > 0


@pytest.mark.slow
def test_what_is_kept_and_reported_is_float32():
    game = compute_in(plain(terms.r1(1.0), terms.lecam(1.0)), jnp.bfloat16, BATCH)
    state = jax.eval_shape(lambda: init(game, jax.random.key(0), BATCH))
    after, metrics = jax.eval_shape(make_step(game), state, BATCH)
    assert jax.tree.map(lambda leaf: leaf.dtype, after) == jax.tree.map(lambda leaf: leaf.dtype, state)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves((after.players, metrics))} == {"float32", "int32"}


def test_players_without_parameters_are_left_as_they_are():
    game = adaptive(plain(terms.lecam(1.0)), bgc)
    changed = compute_in(game, jnp.bfloat16, BATCH)
    assert [name for name, player in game.players.items() if changed.players[name] == player] == ["lecam", "ada"]


def test_modules_that_wrap_a_network_pass_the_type_on():
    pair = sagan.pair((12, 12, 1), 4, 4)
    game = compute_in(vanilla.game(pair.g, pair.d, ADAM, ADAM), jnp.bfloat16, BATCH)
    g, d = (game.players[name].net for name in "gd")
    assert (g.layer_instance.dtype, d.dtype, g.dtype) == (jnp.bfloat16, jnp.bfloat16, None)


def test_networks_without_a_type_are_refused_by_the_name_of_their_player():
    with pytest.raises(BadInput, match=r"^the network of player 'd' has no field dtype: give it one, or [^\n]*$"):
        compute_in(vanilla.game(mlp.Generator(SHAPE, (4,)), Discriminator(), ADAM, ADAM), jnp.bfloat16, BATCH)
    with pytest.raises(BadInput, match="player 'g'"):
        compute_in(vanilla.game(Generator(), mlp.Discriminator(), ADAM, ADAM, z_size=3), jnp.bfloat16, BATCH)


@pytest.mark.slow
def test_a_step_in_bfloat16_is_near_that_in_float32():
    game = plain(terms.r1(1.0))
    batch = {"x": jax.random.uniform(jax.random.key(1), BATCH["x"].shape, minval=-1.0)}
    state = init(game, jax.random.key(0), batch)
    _, wide = jax.jit(make_step(game))(state, batch)
    _, narrow = jax.jit(make_step(compute_in(game, jnp.bfloat16, batch)))(state, batch)
    for name, value in wide.items():
        assert jnp.isfinite(narrow[name]) and abs(narrow[name] - value) < 0.03 * max(1, abs(value)), name
    assert narrow["d/loss"] != wide["d/loss"]


def kept(net, *args):
    """Counts the numbers that a backward pass of a network keeps, besides its parameters."""
    variables = jax.eval_shape(net.init, jax.random.key(0), *args)
    params, stats = variables["params"], {name: each for name, each in variables.items() if name != "params"}

    def forward(params, stats, *args):
        return jax.vjp(lambda params: net.apply({"params": params, **stats}, *args, mutable=list(stats))[0], params)[1]

    back = jax.eval_shape(forward, params, stats, *args)
    return sum(leaf.size for leaf in jax.tree.leaves(back)) - sum(leaf.size for leaf in jax.tree.leaves(params))


def test_backward_passes_keep_the_results_of_products_only():
    """Of a layer the product, not what is activated and normalized of it; of the network its input and output."""
    net, z = mlp.Generator(SHAPE, widths=(6, 5)), jax.ShapeDtypeStruct((64, 3), jnp.float32)
    products = 64 * (6 + 5 + 16)
    assert kept(Rematerialized(net), z) <= products + 64 * (3 + 16)
    assert kept(net, z) > 2 * products


@pytest.mark.slow
@pytest.mark.parametrize("penalty", [terms.r1(1.0), terms.gradient_penalty(1.0)], ids=lambda each: each.name)
def test_rematerialized_steps_are_equal_up_to_rounding(penalty):
    """With batch norm, dropout, second derivatives and a moving average."""
    g, d = mlp.Generator(SHAPE, widths=(6, 5)), dcgan.Discriminator((4, 5), norm=True)
    game = vanilla.game(g, d, optax.sgd(0.1), optax.sgd(0.1), z_size=3, penalties=(penalty,), ema=0.9)
    batch = {"x": jax.random.uniform(jax.random.key(1), BATCH["x"].shape, minval=-1.0)}
    state = init(game, jax.random.key(0), batch)
    assert jax.tree.all(
        jax.tree.map(np.array_equal, state.players, init(rematerialized(game), jax.random.key(0), batch).players)
    )
    plain, again = (jax.jit(make_step(each))(state, batch) for each in (game, rematerialized(game)))
    for one, other in zip(
        *map(jax.tree.leaves, ((plain[0].players, plain[1]), (again[0].players, again[1]))), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
