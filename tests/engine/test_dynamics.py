"""Every dynamics on games solved by hand or in numpy, and with networks, lazy turns and devices."""

import arena
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax import BadInput, Game, Player, State, init, make_step, move, penalties, turn
from gan_jax.engine.dynamics import (
    competitive,
    consensus,
    extragradient,
    gradient_play,
    lookahead,
    negative_momentum,
    optimistic,
    symplectic,
    unrolled,
)
from gan_jax.engine.game import slice_count
from gan_jax.engine.parallel import BATCH_AXIS, make_mesh, over_seeds, over_shards
from gan_jax.engine.step import optimizers

H = 0.1
"""The step size of every player."""


class Vector(nn.Module):
    """A player whose only parameter is a vector or scalar."""

    start: tuple[float, ...] | float

    @nn.compact
    def __call__(self, x):
        return self.param("w", lambda key: jnp.array(self.start))


def vectors(starts, losses, dynamics=gradient_play, *, txs=None, alternating=False) -> Game:
    """Makes a game of vectors `p[name]` with losses `losses[name](p)`."""

    def mover(name):
        return move(name, lambda nets, batch, keys, step: (losses[name]({n: nets[n].params["w"] for n in nets}), {}))

    moves, txs = [mover(name) for name in starts], txs or {}
    return Game(
        players={name: Player(Vector(start), txs.get(name, optax.sgd(H))) for name, start in starts.items()},
        turns=tuple(turn(m, dynamics=dynamics) for m in moves) if alternating else (turn(*moves, dynamics=dynamics),),
        prior={},
        inputs=lambda batch, latents: dict.fromkeys(starts, (batch["x"],)),
        sample=lambda nets, latents: nets["g"].ema(latents),
        clock=next(iter(starts)),
    )


def path(game: Game, steps: int):
    """Plays a game of vectors; returns the concatenated parameters before and after every step, `[steps + 1, N]`."""
    batch = {"x": jnp.zeros((slice_count(game), 2, 1))}

    def joint(state):
        return jnp.concatenate([state.players[name].params["w"].reshape(-1) for name in game.players])

    def step(state, _):
        state, _ = make_step(game)(state, batch)
        return state, joint(state)

    @jax.jit
    def play(key):
        start = init(game, key, batch)
        return jnp.concatenate([joint(start)[None], jax.lax.scan(step, start, None, steps)[1]])

    return np.asarray(play(jax.random.key(0)))


# By hand


def curved(dynamics):
    """At x = 1, y = 2, of L_x = x^2 y and L_y = y^3 / 3 - x^2 y: v = (4, 3) and J = [[4, 2], [-2, 4]]."""
    return vectors(
        {"x": 1.0, "y": 2.0},
        {"x": lambda p: p["x"] ** 2 * p["y"], "y": lambda p: p["y"] ** 3 / 3 - p["x"] ** 2 * p["y"]},
        dynamics,
    )


def bilinear(dynamics, **kwargs):
    """At x = 1, y = 2, of L_x = x y = -L_y: v = (2, -1) and J = [[0, 1], [-1, 0]]."""
    return vectors(
        {"x": 1.0, "y": 2.0}, {"x": lambda p: p["x"] * p["y"], "y": lambda p: -p["x"] * p["y"]}, dynamics, **kwargs
    )


def unstable(dynamics):
    """At x = 1, y = 2, of L_x = x y - x^2 / 2 and L_y = -x y - y^2 / 2: v = (1, -3) and J = [[-1, 1], [-1, -1]]."""
    return vectors(
        {"x": 1.0, "y": 2.0},
        {"x": lambda p: p["x"] * p["y"] - p["x"] ** 2 / 2, "y": lambda p: -p["x"] * p["y"] - p["y"] ** 2 / 2},
        dynamics,
    )


BY_HAND = {
    "plain": (curved, gradient_play, (4, 3)),
    "consensus": (curved, consensus(0.1), (4 + 0.1 * 10, 3 + 0.1 * 20)),  # J^T v = (10, 20)
    "symplectic": (curved, symplectic(0.5), (4 - 0.5 * 6, 3 + 0.5 * 8)),  # A = [[0, 2], [-2, 0]], A^T v = (-6, 8)
    "symplectic, S = 0": (bilinear, symplectic(0.5), (2 + 0.5 * 1, -1 + 0.5 * 2)),  # A^T v = J^T v = (1, 2)
    "symplectic, turned": (unstable, symplectic(0.5), (1 - 0.5 * 3, -3 - 0.5 * 1)),  # <v, J^T v> = -10, A^T v = (3, 1)
    "extragradient": (curved, extragradient, (2 * 0.6 * 1.7, 1.7**2 - 0.6**2)),  # ahead: (1 - 0.4, 2 - 0.3)
    "competitive": (curved, competitive(0.5), (0.5, 3.5)),  # u_x + u_y = 4, u_y - u_x = 3
    "unrolled": (bilinear, unrolled(2, leader="x"), (2 + 2 * 2 * H, -1)),  # L_x then: x (y + 2 H x)
}
"""A game, its dynamics, and the gradients that the optimizers get."""


@pytest.mark.parametrize(("game", "dynamics", "expected"), BY_HAND.values(), ids=BY_HAND.keys())
def test_one_step_equals_hand_computation(game, dynamics, expected):
    before, after = path(game(dynamics), 1)
    np.testing.assert_allclose((before - after) / H, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "dynamics, states, expected",
    [
        (optimistic, 2, [0.0, -0.4, -0.8]),  # one state for both turns would end step 1 at -0.1 - (2 * 0.3 - 0.1)
        (negative_momentum(-0.5), 2, [0.0, -0.4, -0.75]),  # the main turn's updates: -0.1, then -0.1 + 0.05
        (gradient_play, 1, [0.0, -0.4, -0.8]),
    ],
    ids=["optimistic", "negative momentum", "plain"],
)
def test_dynamics_of_one_turn_leave_the_updates_of_other_turns_alone(dynamics, states, expected):
    """A main turn of slope 1 by `dynamics` and a plain turn of slope 3, with steps of 0.1."""

    def slope(times):
        return move("g", lambda nets, batch, keys, step: (times * nets["g"].params["w"], {}))

    game = vectors({"g": 0.0}, {"g": None})
    game = game._replace(turns=(turn(slope(1), dynamics=dynamics), turn(slope(3))))
    np.testing.assert_allclose(path(game, 2)[:, 0], expected, rtol=1e-5)
    assert len(optimizers(game, "g")) == states


def test_optimistic_steps_equal_hand_computation():
    x, y = 1.0, 2.0
    expected, before = [(x, y)], None
    for _ in range(3):
        v = np.array([y, -x])
        before = v if before is None else before
        (x, y), before = (x, y) - H * (2 * v - before), v
        expected.append((x, y))
    np.testing.assert_allclose(expected[1], (1 - 0.2, 2 + 0.1))
    np.testing.assert_allclose(expected[2], (0.8 - 0.1 * (2 * 2.1 - 2), 2.1 - 0.1 * (-2 * 0.8 + 1)))
    np.testing.assert_allclose(path(bilinear(optimistic), 3), expected, rtol=1e-5)


def test_negative_momentum_equals_hand_computation():
    p, u, expected = np.array([1.0, 2.0]), np.zeros(2), [(1.0, 2.0)]
    for _ in range(3):
        u = -H * np.array([p[1], -p[0]]) - 0.5 * u
        p = p + u
        expected.append(p)
    np.testing.assert_allclose(expected[2], (0.8 - 0.21 + 0.1, 2.1 + 0.08 - 0.05))
    np.testing.assert_allclose(path(bilinear(negative_momentum()), 3), expected, rtol=1e-5)


def test_lookahead_equals_hand_computation():
    """Seven steps at a constant slope of 1: back to a quarter of the way after the third and the sixth."""
    game = vectors({"x": 0.0}, {"x": lambda p: p["x"]}, lookahead(every=3, share=0.25))
    expected = [0, -0.1, -0.2, -0.075, -0.175, -0.275, -0.15, -0.25]
    np.testing.assert_allclose(path(game, 7)[:, 0], expected, rtol=1e-5)
    plain = vectors({"x": 0.0}, {"x": lambda p: p["x"]}, lookahead(every=3, share=1.0))
    np.testing.assert_allclose(path(plain, 7)[:, 0], -0.1 * np.arange(8), rtol=1e-5, atol=1e-7)


# Against numpy

SIZES = {"zero-sum": (2, 3), "general": (3, 2), "three players": (2, 1, 3)}


def linear(sizes, zero_sum: bool):
    """Draws a game with the field `v(p) = J p + c`; returns `J`, `c`, each player's slice of `p`, and the start."""
    rng = np.random.default_rng(3)
    ends = np.cumsum(sizes)
    parts = {name: slice(end - n, end) for name, n, end in zip("xyz", sizes, ends, strict=False)}
    n = ends[-1]
    j = rng.normal(size=(n, n))
    own = np.zeros((n, n))
    for part in parts.values():
        own[part, part] = j[part, part] + j[part, part].T
    off = j * (own == 0)
    return own + (off - off.T if zero_sum else off), rng.normal(size=n), parts, rng.normal(size=n)


def linear_game(j, c, parts, start, dynamics):
    j, c = jnp.array(j, jnp.float32), jnp.array(c, jnp.float32)

    def loss(name):
        def of(p):
            own, part = p[name], parts[name]
            others = sum(j[part, parts[other]] @ p[other] for other in parts if other != name)
            return own @ (j[part, part] @ own / 2 + others + c[part])

        return of

    starts = {name: tuple(start[part].tolist()) for name, part in parts.items()}
    return vectors(starts, {name: loss(name) for name in parts}, dynamics)


def antisymmetric(j):
    return (j - j.T) / 2


def sign(j, v):
    return np.sign((v @ j.T @ v) * ((antisymmetric(j).T @ v) @ (j.T @ v)) / len(v) + 0.1)


def interaction(j, parts):
    """Returns the Jacobian without its diagonal blocks."""
    k = j.copy()
    for part in parts.values():
        k[part, part] = 0
    return k


NUMPY = {
    "consensus": (consensus(0.3), lambda j, v, parts: v + 0.3 * j.T @ v),
    "symplectic": (symplectic(0.7), lambda j, v, parts: v + sign(j, v) * 0.7 * antisymmetric(j).T @ v),
    "extragradient": (extragradient, lambda j, v, parts: v - H * j @ v),
    "competitive": (
        competitive(H),
        lambda j, v, parts: np.linalg.solve(np.eye(len(v)) + H * interaction(j, parts), v),
    ),
    "competitive, far": (
        competitive(2.0, iterations=20),
        lambda j, v, parts: np.linalg.solve(np.eye(len(v)) + 2 * interaction(j, parts), v),
    ),
}


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(("dynamics", "update"), NUMPY.values(), ids=NUMPY.keys())
def test_one_step_of_a_random_linear_game_equals_numpy(dynamics, update, sizes):
    j, c, parts, start = linear(SIZES[sizes], sizes == "zero-sum")
    before, after = path(linear_game(j, c, parts, start, dynamics), 1)
    np.testing.assert_allclose((before - after) / H, update(j, j @ start + c, parts), rtol=1e-3, atol=1e-4)


def test_competitive_play_solves_the_papers_systems_in_a_zero_sum_game():
    j, c, parts, start = linear((2, 3), zero_sum=True)
    v, x, y = j @ start + c, parts["x"], parts["y"]
    d_xy, d_yx = j[x, y], j[x, y].T  # of f = L_x = -L_y
    u_x = np.linalg.solve(np.eye(2) + H**2 * d_xy @ d_yx, v[x] - H * d_xy @ v[y])
    u_y = np.linalg.solve(np.eye(3) + H**2 * d_yx @ d_xy, v[y] + H * d_yx @ v[x])
    before, after = path(linear_game(j, c, parts, start, competitive(H)), 1)
    np.testing.assert_allclose((before - after) / H, np.concatenate([u_x, u_y]), rtol=1e-3, atol=1e-4)


def numpy_sgd(gradient, state):
    return -H * gradient, state


def numpy_adam(gradient, state, rate=H, b1=0.9, b2=0.999, eps=1e-8, eps_root=1e-8):
    t, m, n = state or (0, 0.0, 0.0)
    t, m, n = t + 1, b1 * m + (1 - b1) * gradient, b2 * n + (1 - b2) * gradient**2
    return -rate * m / (1 - b1**t) / (np.sqrt(n / (1 - b2**t) + eps_root) + eps), (t, m, n)


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize(
    ("tx", "update"), [(optax.sgd(H), numpy_sgd), (optax.adam(H, eps_root=1e-8), numpy_adam)], ids=["sgd", "adam"]
)
def test_unrolled_gradient_equals_finite_differences_through_opponent_steps(tx, update, steps):
    """Over three steps of an opponent with optimizer state."""
    rng = np.random.default_rng(5)
    a, g, d = rng.normal(size=(2, 3)), rng.normal(size=2), rng.normal(size=3)
    a32 = jnp.array(a, jnp.float32)
    game = vectors(
        {"g": tuple(g.tolist()), "d": tuple(d.tolist())},
        {
            "g": lambda p: jnp.tanh(p["g"]) @ a32 @ p["d"],
            "d": lambda p: (p["d"] @ p["d"]) ** 2 / 4 - jnp.tanh(p["g"]) @ a32 @ p["d"],
        },
        unrolled(steps),
        txs={"d": tx},
    )

    def d_gradient(g, d):
        return d @ d * d - np.tanh(g) @ a

    def loss_then(g, d, memory):
        for _ in range(steps):
            change, memory = update(d_gradient(g, d), memory)
            d = d + change
        return np.tanh(g) @ a @ d

    expected, memory = [np.concatenate([g, d])], None
    for _ in range(3):
        slope = [(loss_then(g + e, d, memory) - loss_then(g - e, d, memory)) / 2e-5 for e in 1e-5 * np.eye(2)]
        change, memory = update(d_gradient(g, d), memory)  # gradient play for the others
        g, d = g - H * np.array(slope), d + change
        expected.append(np.concatenate([g, d]))
    np.testing.assert_allclose(path(game, 3), expected, rtol=2e-4, atol=1e-5)


# Around the equilibrium of L_x = x y = -L_y

PLAIN = np.array([[1, -H], [H, 1]])
J, EYE = np.array([[0.0, 1.0], [-1.0, 0.0]]), np.eye(2)
IN_TURNS = np.array([[1, -H], [H, 1 - H**2]])
MOMENTUM_IN_TURNS = np.array(  # of (x, y, change of x, change of y)
    [[1, -H, -0.5, 0], [H, 1 - H**2, -0.5 * H, -0.5], [0, -H, -0.5, 0], [H, -(H**2), -0.5 * H, -0.5]]
)
MOMENTUM = np.block([[EYE - H * J, -0.5 * EYE], [-H * J, -0.5 * EYE]])
OPTIMISTIC = np.block([[EYE - 2 * H * J, H * EYE], [J, 0 * EYE]])  # of (x, y, previous v)

ROUND = {
    "plain": (gradient_play, {}, 1, PLAIN, "grows"),
    "alternating": (gradient_play, {"alternating": True}, 1, IN_TURNS, "stays"),
    "consensus": (consensus(0.5), {}, 1, PLAIN - 0.5 * H * EYE, "shrinks"),
    "symplectic": (symplectic(0.5), {}, 1, PLAIN - 0.5 * H * EYE, "shrinks"),
    "extragradient": (extragradient, {}, 1, PLAIN - H**2 * EYE, "shrinks"),
    "competitive": (competitive(H), {}, 1, EYE - H * np.linalg.inv(EYE + H * J) @ J, "shrinks"),
    "unrolled": (unrolled(3, leader="x"), {}, 1, np.array([[1 - 2 * 3 * H**2, -H], [H, 1]]), "shrinks"),
    "optimistic": (optimistic, {}, 1, OPTIMISTIC, "shrinks"),
    "negative momentum": (negative_momentum(), {"alternating": True}, 1, MOMENTUM_IN_TURNS, "shrinks"),
    "negative momentum, simultaneous": (negative_momentum(), {}, 1, MOMENTUM, "grows"),
    "lookahead": (lookahead(every=4, share=0.5), {}, 4, (EYE + np.linalg.matrix_power(PLAIN, 4)) / 2, "shrinks"),
}
"""Dynamics, arguments of `bilinear`, a number of steps and their matrix, and how the distance to 0 behaves."""


@pytest.mark.parametrize(("dynamics", "how", "steps", "matrix", "fate"), ROUND.values(), ids=ROUND.keys())
def test_convergence_rate_on_the_bilinear_game(dynamics, how, steps, matrix, fate):
    radius = np.abs(np.linalg.eigvals(matrix)).max()
    found = "stays" if abs(radius - 1) < 1e-12 else "grows" if radius > 1 else "shrinks"
    assert found == fate
    points = path(bilinear(dynamics, **how), 320)[::steps]
    now = np.zeros(len(matrix))
    now[:2] = 1, 2
    if dynamics is optimistic:
        now[2:] = J @ now[:2]
    exact = [now := matrix @ now for _ in points[1:]]
    np.testing.assert_allclose(points[1:], np.array(exact)[:, :2], rtol=1e-3, atol=1e-3)
    # Orbits are ellipses, so estimating a rate needs many steps.
    lengths = np.linalg.norm(points, axis=1)
    rate = (lengths[-1] / lengths[len(lengths) // 4]) ** (1 / (len(lengths) - 1 - len(lengths) // 4))
    np.testing.assert_allclose(rate, radius, atol=2e-3)
    growth = lengths / lengths[0]
    assert {"grows": growth[-1] > 1.2, "stays": growth.max() < 1.2, "shrinks": growth[-1] < 0.8}[fate]


# In the engine

DYNAMICS = {
    "gradient_play": gradient_play,
    "consensus": consensus(0.1),
    "symplectic": symplectic(),
    "extragradient": extragradient,
    "competitive": competitive(0.1),
    "unrolled": unrolled(2),
    "optimistic": optimistic,
    "negative_momentum": negative_momentum(),
    "lookahead": lookahead(),
}


@pytest.mark.medium
@pytest.mark.parametrize("dynamics", DYNAMICS.values(), ids=DYNAMICS.keys())
def test_every_dynamics_traces_with_networks_adam_a_lazy_turn_and_seeds(dynamics):
    """The state must keep its structure for the loop and `cond`; only shapes are computed."""

    def r1_loss(nets, batch, keys, step):
        return jnp.mean(penalties.r1(nets["d"].stateless, batch["x"])), {}

    both = turn(move("d", arena.d_loss), move("g", arena.g_loss), dynamics=dynamics)
    lazy = turn(move("d", r1_loss, name="r1"), every=2)
    adam = optax.adam(1e-3, eps_root=1e-8)
    game = arena.gan(arena.Generator(), arena.LinearDiscriminator(), adam, (both, lazy), ema=0.9)
    batch = arena.step_batch(game)
    start = jax.eval_shape(lambda: init(game, jax.random.key(0), batch))
    starts = State(
        start.step, *jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((2, *leaf.shape), leaf.dtype), start[1:])
    )
    after, metrics = jax.eval_shape(over_seeds(make_step(game)), starts, {"x": jnp.stack([batch["x"]] * 2)})
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), after) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), starts
    )
    assert {"d/loss", "g/loss", "r1/loss", "r1/played"} <= metrics.keys()


NAMES = {
    "gradient_play": gradient_play,
    "extragradient": extragradient,
    "optimistic": optimistic,
    "consensus:0.1": consensus(0.1),
    "symplectic:1.0": symplectic(),
    "competitive:0.1": competitive(0.1),
    "competitive:0.1:3": competitive(0.1, iterations=3),
    "unrolled:2": unrolled(2),
    "negative_momentum:-0.5": negative_momentum(),
    "lookahead:5": lookahead(),
    "lookahead:5:0.3": lookahead(share=0.3),
    "": unrolled(2, leader="x"),  # words take only numbers
}


def test_every_dynamics_has_its_command_line_name():
    assert [dynamics.name for dynamics in NAMES.values()] == list(NAMES)


@pytest.mark.slow
def test_competitive_play_over_devices_equals_one_device():
    """Competitive play compiles too slowly for `arena`, which holds the other dynamics."""
    nets = arena.Generator(norm=False), arena.LinearDiscriminator()
    both = turn(move("d", arena.d_loss), move("g", arena.g_loss), dynamics=competitive(0.5, iterations=3))
    game = arena.gan(*nets, optax.sgd(0.5), (both,))
    batch = arena.step_batch(game)
    start = init(game, jax.random.key(0), batch)
    alone, _ = jax.jit(make_step(game))(start, batch)
    shared, _ = over_shards(make_step(game, BATCH_AXIS), make_mesh())(start, batch)
    for x, y in zip(*map(jax.tree.leaves, (shared.players, alone.players)), strict=True):
        np.testing.assert_allclose(x, y, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lookahead(every=0), "every=0"),
        (lambda: lookahead(share=0.0), r"share=0\.0"),
        (lambda: lookahead(share=1.5), r"share=1\.5"),
        (lambda: path(bilinear(unrolled(1, leader="g")), 1), r"'g' and another mover .* only \['x', 'y'\] move"),
        (lambda: path(bilinear(unrolled(1, leader="x"), alternating=True), 1), r"only \['x'\] move"),
    ],
)
def test_invalid_arguments_and_turns_are_refused(make, message):
    with pytest.raises(BadInput, match=message) as error:
        make()
    assert "\n" not in str(error.value)
