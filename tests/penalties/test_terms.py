"""Penalty terms: each equals its formula, and the engine plays their sum."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from arena import BATCH, Discriminator, Generator, Z

from gan_jax import Game, Player, init, losses, make_step, move, penalties, turn
from gan_jax.augment import diff_augment
from gan_jax.engine.game import PlayerState
from gan_jax.engine.keys import normal, split, uniform
from gan_jax.engine.networks import BoundNet
from gan_jax.errors import BadInput
from gan_jax.penalties import Penalty, for_players, nothing, terms, total
from gan_jax.priors import Normal

close = partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6)

X, X_FAKE = (jnp.asarray(x, jnp.float32) for x in np.random.RandomState(0).normal(size=(2, BATCH, 2, 2, 1)))
KEYS = jax.random.split(jax.random.key(2), BATCH)
STEP = jnp.asarray(5, jnp.int32)


def shifted(x, keys):
    return x + uniform(keys).reshape(-1, 1, 1, 1)


NETS = {"g": Generator(), "d": Discriminator(norm=True), "lecam": penalties.LeCam()}
ARGS = {"g": (jnp.zeros((BATCH, Z)),), "d": (X,), "lecam": (jnp.zeros(BATCH),) * 2}


@cache
def variables(name):
    with jax.ensure_compile_time_eval():  # values are cached, even where a program that uses them is traced
        return jax.jit(NETS[name].init)(jax.random.key(3), *ARGS[name])


def fresh_nets():
    """Makes the three players' networks with fresh statistics."""

    def bound(name):
        stats = dict(variables(name))
        params = stats.pop("params", {})
        return BoundNet(NETS[name], params, PlayerState(params, stats, (), None))

    return {name: bound(name) for name in NETS}


def of(side, nets=None, step=STEP):
    return side(nets or fresh_nets(), {"x": X}, X_FAKE, KEYS, step)


def D(x):
    return fresh_nets()["d"].stateless(x)


def G(z):
    return fresh_nets()["g"].stateless(z)


def latents(keys=KEYS):
    """Draws z and its displacement as the terms do."""
    z_keys, dz_keys = split(keys, 2)
    return normal(z_keys, Z), 0.1 * normal(dz_keys, Z)


def of_d(penalty, nets):
    """Computes the discriminator's term; one of scores gets those of the discriminator."""
    return of(penalty.d, nets) if penalty.scores is nothing else penalty.scores(nets, D(X), D(X_FAKE), STEP)


D_SIDE = {
    "r1": (terms.r1, lambda: penalties.r1(D, X)),
    "r2": (terms.r2, lambda: penalties.r2(D, X_FAKE)),
    "two_sided": (terms.gradient_penalty, lambda: penalties.gradient_penalty(D, X, X_FAKE, KEYS)),
    "one_sided": (
        partial(terms.gradient_penalty, deviation=penalties.one_sided),
        lambda: penalties.gradient_penalty(D, X, X_FAKE, KEYS, penalties.one_sided),
    ),
    "dragan": (terms.dragan, lambda: penalties.dragan(D, X, KEYS)),
    "max_gradient": (terms.max_gradient, lambda: penalties.max_gradient(D, X, X_FAKE, KEYS)),
    "cr": (partial(terms.cr, transform=shifted), lambda: penalties.cr(D, X, KEYS, shifted)),
    "bcr": (partial(terms.bcr, transform=shifted), lambda: penalties.bcr(D, X, X_FAKE, KEYS, shifted)),
    "zcr_d": (partial(terms.zcr_d, z_size=Z, std=0.1), lambda: penalties.zcr_d(D, G, *latents())),
    "lecam": (
        terms.lecam,
        lambda: jnp.square(D(X) - 0.01 * D(X_FAKE).mean()) + jnp.square(D(X_FAKE) - 0.01 * D(X).mean()),
    ),
    "drift": (terms.drift, lambda: jnp.square(D(X))),
    "orthogonal": (terms.orthogonal, lambda: penalties.orthogonal(fresh_nets()["d"].params)),
}


@pytest.fixture(scope="module")
def terms_and_formulas():
    """Computes for each name of `D_SIDE` both terms, the formula, and the later statistics of d, in one program."""

    def evaluate(make, formula):
        penalty, nets = make(0.3), fresh_nets()
        return of_d(penalty, nets), formula(), of(penalty.g, nets), nets["d"].stats

    return jax.jit(lambda: {name: evaluate(*pair) for name, pair in D_SIDE.items()})()


@pytest.mark.parametrize("name", D_SIDE)
def test_discriminator_term_equals_its_formula(name, terms_and_formulas):
    term, formula, of_generator, stats = terms_and_formulas[name]
    close(term, formula)
    assert of_generator == 0
    assert D_SIDE[name][0](0.3).weight == 0.3
    jax.tree.map(np.testing.assert_array_equal, stats, fresh_nets()["d"].stats)  # unchanged


def test_generator_term_equals_its_formula():
    penalty = terms.zcr_g(0.3, Z, 0.1)
    close(of(penalty.g), penalties.zcr_g(G, *latents()))
    assert of(penalty.d) == 0


def test_lecam_records_its_averages():
    nets = fresh_nets()
    of_d(terms.lecam(1.0, decay=0.5), nets)
    close(nets["lecam"].stats["averages"]["real"], 0.01 * D(X).mean())  # the bound network's own decay, 0.99


@pytest.mark.medium
def test_penalties_for_players_of_other_names_have_the_same_values(terms_and_formulas):
    def evaluate(make):
        penalty = for_players(make(0.3), d="critic", g="artist")
        nets = fresh_nets()
        nets = {"artist": nets["g"], "critic": nets["d"], **{name: nets["lecam"] for name in penalty.memory}}
        if penalty.scores is not nothing:
            assert list(penalty.memory) == [f"{name}_critic" for name in make(0.3).memory]
            return penalty.scores(nets, D(X), D(X_FAKE), STEP)
        return of(penalty.d, nets)

    values = jax.jit(lambda: {name: evaluate(make) for name, (make, _) in D_SIDE.items()})()
    for name, value in values.items():
        close(value, terms_and_formulas[name][0], err_msg=name)


@pytest.mark.medium
def test_total_is_the_weighted_sum_of_means_with_independent_keys():
    summed = total([terms.r1(0.5), terms.dragan(2.0), terms.zcr_g(3.0, Z, 0.1)])
    r1, dragan = penalties.r1(D, X), penalties.dragan(D, X, split(KEYS, 3)[1])
    close(of(summed.d), 0.5 * r1.mean() + 2 * dragan.mean())
    close(of(summed.g), 3 * penalties.zcr_g(G, *latents(split(KEYS, 3)[2])).mean())


def test_total_of_no_penalties_is_zero():
    nothing = total([])
    assert of(nothing.d) == of(nothing.g) == 0
    assert dict(nothing.memory) == {}
    assert of(total([Penalty()]).d) == 0


def test_total_of_totals_is_the_same_sum():
    inner = total([terms.r1(0.5), terms.r2(2.0)])
    close(of(total([inner]).d), of(inner.d))
    close(of(total([inner._replace(weight=3.0)]).d), 3 * of(inner.d))


def test_consistency_moves_images_by_default_and_refuses_points():
    x, keys = (
        jnp.linspace(-1, 1, 2 * 8 * 8, dtype=jnp.float32).reshape(2, 8, 8, 1),
        jax.random.split(jax.random.key(0), 2),
    )
    np.testing.assert_array_equal(terms.moved(x, keys), diff_augment.translation(x, keys))
    with pytest.raises(BadInput, match=r"cr and bcr move images and videos, not examples of \(3,\)"):
        terms.moved(jnp.zeros((2, 3)), keys)


def test_weight_may_be_a_schedule():
    ramp = total([terms.r1(optax.linear_schedule(0.0, 4.0, 10))])
    values = jax.jit(jax.vmap(lambda step: of(ramp.d, step=step)))(jnp.array([0, 5, 20]))
    close(values, np.array([0.0, 2.0, 4.0]) * penalties.r1(D, X).mean())


def test_weight_may_be_traced_and_batched():
    weighted = lambda w: of(total([terms.r1(w), terms.orthogonal(10 * w)]).d)  # noqa: E731
    values = jax.jit(jax.vmap(weighted))(jnp.array([0.0, 1.0, 2.0]))
    one = penalties.r1(D, X).mean() + 10 * penalties.orthogonal(fresh_nets()["d"].params)
    close(values, [0.0, one, 2 * one])


def test_terms_per_pack_and_per_example_are_added():
    """A packed discriminator gives one score per pack, while R1 is per example."""
    packs = Penalty(lambda *_: jnp.array([1.0, 3.0]))
    close(of(total([packs, terms.r1(1.0)]).d), 2 + penalties.r1(D, X).mean())


def test_memories_are_merged_and_name_clashes_refused():
    lecam = terms.lecam(0.3)
    assert set(total([terms.r1(1.0), lecam]).memory) == {"lecam"}
    with pytest.raises(BadInput, match="'lecam'"):
        total([lecam, terms.lecam(0.1)])


@pytest.mark.medium
def test_engine_plays_penalties_and_updates_their_memory():
    """At learning rate 0 only the averages change, by known amounts."""
    penalty = total([terms.lecam(0.3, decay=0.5), terms.r1(0.1), terms.orthogonal(0.1)])

    def d_loss(nets, batch, keys, step):
        z_keys, penalty_keys = split(keys, 2)
        x_fake = nets["g"](normal(z_keys, Z))
        s_real, s_fake = nets["d"](batch["x"]), nets["d"](x_fake)
        loss = jnp.mean(losses.hinge.d(s_real, s_fake)) + penalty.d(nets, batch, x_fake, penalty_keys, step)
        return loss, {"real": jnp.mean(s_real), "fake": jnp.mean(s_fake)}

    tx = optax.sgd(lambda count: jnp.where(count < 2, 0.0, 0.05))
    game = Game(
        players={"g": Player(Generator(norm=False), tx), "d": Player(Discriminator(), tx), **penalty.memory},
        turns=(turn(move(("d", *penalty.memory), d_loss, name="d")),),
        prior={"z": Normal(Z)},
        inputs=lambda batch, latents: {
            "g": (latents["z"],),
            "d": (batch["x"],),
            "lecam": (latents["z"][:, 0], latents["z"][:, 0]),
        },
        sample=lambda nets, latents: nets["g"].ema(latents["z"]),
    )
    batch = {"x": X[None]}
    step, states, reports = jax.jit(make_step(game)), [init(game, jax.random.key(0), batch)], []
    for _ in range(4):
        state, metrics = step(states[-1], batch)
        states.append(state)
        reports.append(metrics)
    for side in ("real", "fake"):
        expected = 0.25 * reports[0][f"d/{side}"] + 0.5 * reports[1][f"d/{side}"]
        close(states[2].players["lecam"].stats["averages"][side], expected)
    assert reports[3]["d/loss"] < reports[2]["d/loss"]
