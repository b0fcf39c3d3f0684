"""Path lengths of linear generators, whose Jacobian is known, and the running mean over steps and devices."""

import jax
import jax.numpy as jnp
import numpy as np
from known import X_FAKE, X, over_devices

from gan_jax.penalties import PathLength, path_lengths

RANDOM = np.random.RandomState(0)
LAYERS, SIZE, PIXELS = 3, 4, 5
MATRIX = RANDOM.normal(size=(LAYERS, SIZE, PIXELS)).astype(np.float32)
WS, Y = (jnp.asarray(RANDOM.normal(size=(6, *shape)), jnp.float32) for shape in ((LAYERS, SIZE), (PIXELS,)))
ZERO = {"averages": {"mean": jnp.zeros(())}}


def linear(matrix):
    return lambda ws: jnp.einsum("blw,lwp->bp", ws, matrix)


def lengths_by_hand(matrix):
    """Computes `|J^T y|`: the mean over layers of squared norms of `matrix[l] @ y`."""
    return [np.sqrt(np.mean([np.sum((m @ y) ** 2) for m in matrix])) for y in Y]


def test_lengths_of_a_linear_generator_are_those_of_its_matrix():
    np.testing.assert_allclose(path_lengths(linear(MATRIX), WS, Y), lengths_by_hand(MATRIX), rtol=1e-5)


def test_parameters_have_the_gradient_of_the_lengths():
    """The mean length is homogeneous in the matrix: its gradient along the matrix is the mean length itself."""
    mean = lambda matrix: jnp.mean(path_lengths(linear(matrix), WS, Y))  # noqa: E731
    value, slope = jax.jit(jax.value_and_grad(mean))(MATRIX)
    np.testing.assert_allclose(np.sum(slope * MATRIX), value, rtol=1e-4)


def test_gradients_are_finite_where_latents_have_no_effect():
    slope = jax.grad(lambda matrix: jnp.sum(path_lengths(linear(matrix), WS, Y)))(jnp.zeros_like(MATRIX))
    assert not np.any(slope)


def train(variables, lengths):
    return jax.jit(lambda v, lengths: PathLength(0.75).apply(v, lengths, mutable=["averages"]))(variables, lengths)


def test_two_steps_equal_hand_computation():
    penalty, averages = train(ZERO, jnp.array([1.0, 3.0]))  # mean 2
    np.testing.assert_allclose(averages["averages"]["mean"], 0.5)
    np.testing.assert_allclose(penalty, [0.5**2, 2.5**2])
    penalty, averages = train(averages, jnp.array([4.0, 6.0]))  # mean 5
    np.testing.assert_allclose(averages["averages"]["mean"], 0.375 + 1.25)
    np.testing.assert_allclose(penalty, [(4 - 1.625) ** 2, (6 - 1.625) ** 2])


def test_mean_is_constant_unless_mutable_and_has_no_gradient():
    variables = {"averages": {"mean": jnp.array(1.0)}}
    np.testing.assert_allclose(PathLength().apply(variables, jnp.array([3.0, 0.5])), [4.0, 0.25])
    slope = jax.grad(lambda lengths: train(variables, lengths)[0].sum())(jnp.array([3.0, 1.0]))  # the mean becomes 1.25
    np.testing.assert_allclose(slope, [2 * 1.75, 2 * -0.25])


def test_mean_over_eight_devices_is_of_the_whole_batch():
    def means(scale, examples):
        lengths = scale * jnp.sum(jnp.square(examples[0] - examples[1]), axis=1)
        penalty, averages = PathLength().apply(ZERO, lengths, mutable=["averages"])
        return jnp.mean(penalty), averages

    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5),
        over_devices(means)(jnp.array(2.0), (X, X_FAKE)),
        means(jnp.array(2.0), (X, X_FAKE)),
    )
