"""The closed forms of the Dirac-GAN against autodiff, simulated updates and the paper."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax import init, losses, make_step, penalties
from gan_jax.data import device_resident
from gan_jax.data.sources import toy
from gan_jax.games import vanilla
from gan_jax.toy import dirac_theory
from gan_jax.toy.networks import DiracDiscriminator, DiracGenerator

H, GAMMA, WEIGHT, START = 0.2, 0.6, 0.3, (1.0, 0.5)
REAL, Z = jnp.zeros((2, 1)), jnp.zeros((2, 3))


def gradients(loss, gamma):
    """Returns the field `v(p)`, p = (theta, psi), of the two networks under the loss and R1."""

    def scores(p):
        def d(x):
            return DiracDiscriminator().apply({"params": {"psi": p[1]}}, x)

        return d, d(REAL), d(DiracGenerator().apply({"params": {"theta": p[0]}}, Z))

    def d_loss(p):
        d, s_real, s_fake = scores(p)
        return jnp.mean(loss.d(s_real, s_fake) + gamma * penalties.r1(d, REAL))

    def g_loss(p):
        return jnp.mean(loss.g(*scores(p)[1:]))

    return lambda p: jnp.array([jax.grad(g_loss)(p)[0], jax.grad(d_loss)(p)[1]])


def simultaneous(v, p):
    return p - H * v(p)


def alternating(v, p):
    p = jnp.array([p[0], p[1] - H * v(p)[1]])
    return jnp.array([p[0] - H * v(p)[0], p[1]])


def consensus(v, p):
    return p - H * (v(p) + WEIGHT * jax.grad(lambda p: jnp.sum(v(p) ** 2) / 2)(p))


def symplectic(v, p):
    j = jax.jacobian(v)(p)
    return p - H * (v(p) + WEIGHT * (j - j.T).T @ v(p) / 2)


def extragradient(v, p):
    return p - H * v(p - WEIGHT * v(p))


UPDATES = [
    (simultaneous, lambda a: dirac_theory.simultaneous(a, H)),
    (alternating, lambda a: dirac_theory.alternating(a, H)),
    (consensus, lambda a: dirac_theory.simultaneous(dirac_theory.consensus(a, WEIGHT), H)),
    (symplectic, lambda a: dirac_theory.simultaneous(dirac_theory.symplectic(a, WEIGHT), H)),
    (extragradient, lambda a: dirac_theory.simultaneous(dirac_theory.extragradient(a, WEIGHT), H)),
]
"""Updates by definition, from gradients only, and the closed forms of their matrices."""


@pytest.mark.parametrize("gamma", [0.0, GAMMA])
@pytest.mark.parametrize(("update", "matrix"), UPDATES, ids=lambda f: f.__name__)
def test_closed_form_trajectories_equal_simulated_updates(update, matrix, gamma):
    v = gradients(losses.wasserstein, gamma)
    _, path = jax.jit(lambda p: jax.lax.scan(lambda p, _: (update(v, p), p), p, None, 31))(jnp.array(START))
    exact = dirac_theory.trajectory(matrix(dirac_theory.jacobian(gamma=gamma)), START, 30)
    assert exact.shape == (31, 2) and tuple(exact[0]) == START
    np.testing.assert_allclose(path, exact, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("loss", "slope"),
    [(losses.minimax, 0.5), (losses.non_saturating, 0.5), (losses.hinge, 1.0), (losses.wasserstein, 1.0)],
)
def test_closed_form_jacobian_equals_autodiff_at_the_equilibrium(loss, slope):
    for gamma in (0.0, GAMMA):
        measured = jax.jacobian(gradients(loss, gamma))(jnp.zeros(2))
        np.testing.assert_allclose(measured, dirac_theory.jacobian(slope, gamma), atol=1e-6)


def eigenvalues(matrix):
    return np.sort_complex(np.linalg.eigvals(matrix))


@pytest.mark.parametrize("slope", [0.5, 1.0])
def test_eigenvalues_match_the_papers(slope):
    plain, turn = dirac_theory.jacobian(slope), 1j * H * slope
    np.testing.assert_allclose(eigenvalues(plain), [-1j * slope, 1j * slope])
    for gamma in (0.1, 1.5 * slope, 3 * slope):
        root = np.sqrt(gamma**2 / 4 - slope**2 + 0j)
        expected = np.sort_complex(np.array([gamma / 2 - root, gamma / 2 + root]))
        np.testing.assert_allclose(eigenvalues(dirac_theory.jacobian(slope, gamma)), expected, atol=1e-12)
    np.testing.assert_allclose(eigenvalues(dirac_theory.simultaneous(plain, H)), [1 - turn, 1 + turn])
    shrunk = 1 - H * WEIGHT * slope**2
    for field in (
        dirac_theory.consensus(plain, WEIGHT),
        dirac_theory.symplectic(plain, WEIGHT),
        dirac_theory.extragradient(plain, WEIGHT),
    ):
        np.testing.assert_allclose(eigenvalues(dirac_theory.simultaneous(field, H)), [shrunk - turn, shrunk + turn])


def test_convergence_rates_are_below_1_for_the_convergent_methods():
    plain, r1 = dirac_theory.jacobian(), dirac_theory.jacobian(gamma=GAMMA)
    assert dirac_theory.convergence_rate(dirac_theory.simultaneous(plain, H)) == pytest.approx(np.sqrt(1 + H**2))
    for step in (0.1, 1.0, 1.99):
        assert dirac_theory.convergence_rate(dirac_theory.alternating(plain, step)) == pytest.approx(1)
    assert dirac_theory.convergence_rate(dirac_theory.alternating(plain, 2.1)) > 1
    for field in (
        r1,
        dirac_theory.consensus(plain, WEIGHT),
        dirac_theory.symplectic(plain, WEIGHT),
        dirac_theory.extragradient(plain, H),
    ):
        assert dirac_theory.convergence_rate(dirac_theory.simultaneous(field, H)) < 1
    # The best penalty weight: both eigenvalues real and equal.
    rates = [
        dirac_theory.convergence_rate(dirac_theory.simultaneous(dirac_theory.jacobian(gamma=g), 0.01))
        for g in (1.9, 2.0, 2.1)
    ]
    assert min(rates) == rates[1] == pytest.approx(1 - 0.01)


def test_convergence_rate_equals_the_decay_of_long_trajectories():
    update = dirac_theory.simultaneous(dirac_theory.jacobian(gamma=GAMMA), H)
    length = np.linalg.norm(dirac_theory.trajectory(update, START, 400), axis=1)
    assert (length[400] / length[100]) ** (1 / 300) == pytest.approx(dirac_theory.convergence_rate(update), rel=1e-3)


def test_players_have_one_parameter_each():
    z, x = jax.random.normal(jax.random.key(0), (4, 3)), jnp.array([[2.0], [-1.0]])
    g, d = DiracGenerator(theta=0.5), DiracDiscriminator(psi=-2.0)
    assert g.init(jax.random.key(1), z) == {"params": {"theta": 0.5}}
    np.testing.assert_array_equal(g.apply(g.init(jax.random.key(1), z), z), np.full((4, 1), 0.5))
    np.testing.assert_array_equal(d.apply(d.init(jax.random.key(1), x), x, None), [-4, 2])
    assert DiracGenerator().init(jax.random.key(1), z)["params"]["theta"].dtype == jnp.float32


def test_engine_follows_the_closed_form_of_alternating_play():
    """The vanilla game on the device-resident pipeline."""
    sgd = optax.sgd(H)
    game = vanilla.game(
        DiracGenerator(START[0]), DiracDiscriminator(START[1]), sgd, sgd, z_size=2, loss=losses.wasserstein
    )
    pipeline = device_resident(toy.dirac(16), seed=0, slices=1, batch_size=8)
    (inputs,) = pipeline.stream([range(12)])
    state = init(game, jax.random.key(0), {"x": jnp.zeros((1, 8, 1))})

    def play(state, each):
        state, _ = make_step(game)(state, pipeline.load(pipeline.arrays, each))
        return state, (state.players["g"].params["theta"], state.players["d"].params["psi"])

    _, path = jax.jit(lambda state, inputs: jax.lax.scan(play, state, inputs))(state, inputs)
    exact = dirac_theory.trajectory(dirac_theory.alternating(dirac_theory.jacobian(), H), START, 12)
    np.testing.assert_allclose(np.stack(path, axis=1), exact[1:], rtol=1e-4, atol=1e-5)
