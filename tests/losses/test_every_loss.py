"""Properties of every loss: finite values, correct gradients and their signs, and equality over devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from gan_jax import losses
from gan_jax.engine.collectives import batch_axis, pmean
from gan_jax.engine.parallel import BATCH_AXIS, make_mesh

DIVERGENCES = {
    "kullback_leibler": losses.kullback_leibler,
    "reverse_kullback_leibler": losses.reverse_kullback_leibler,
    "pearson": losses.pearson,
    "squared_hellinger": losses.squared_hellinger,
    "jensen_shannon": losses.jensen_shannon,
    "gan_divergence": losses.gan_divergence,
}

RELATIVISTIC = {
    "relativistic_paired": losses.relativistic_paired,
    "relativistic_average(non_saturating)": losses.relativistic_average(losses.non_saturating),
    "relativistic_average(hinge)": losses.relativistic_average(losses.hinge),
}

KERNEL = {
    "mmd(gaussian)": losses.mmd_gaussian,
    "mmd(rational_quadratic)": losses.mmd_rational_quadratic,
    "cramer": losses.cramer,
}

TOP_K = {
    "top_k": losses.top_k(losses.non_saturating, 0.5),
    "top_k(relativistic_average)": losses.top_k(losses.relativistic_average(losses.hinge), 0.5),
}

LOSSES = {
    "minimax": losses.minimax,
    "non_saturating": losses.non_saturating,
    "label_smoothing": losses.label_smoothing(),
    "least_squares": losses.least_squares,
    "lsgan": losses.lsgan(-1.0, 1.0, 0.0),
    "hinge": losses.hinge,
    "wasserstein": losses.wasserstein,
    **{f"f_gan({name})": losses.f_gan(divergence) for name, divergence in DIVERGENCES.items()},
    **RELATIVISTIC,
    **KERNEL,
    **TOP_K,
}

BATCH, H = 16, 3e-3

X = np.random.RandomState(0).normal(size=(2, BATCH, 3)).astype(np.float32)
S_REAL, S_FAKE = X[0, :, 0] + 0.5, X[1, :, 0] - 0.5
ALONG_REAL, ALONG_FAKE = X[:, :, 1]
EXTREMES = np.repeat(np.array([-1e4, 0.0, 0.0, 1e4], np.float32), 4)
RISING = np.linspace(0.1, 0.4, BATCH, dtype=np.float32)

BATCHES = {
    "extreme, mixed": (EXTREMES, np.tile(EXTREMES[::4], 4)),
    "extreme, right": (0 * RISING + 1e4, 0 * RISING - 1e4),
    "extreme, wrong": (0 * RISING - 1e4, 0 * RISING + 1e4),
    "extreme, alike": (0 * RISING + 1e4, 0 * RISING + 1e4),
    "ordinary": (S_REAL, S_FAKE),
    "ahead": (S_REAL + H * ALONG_REAL, S_FAKE + H * ALONG_FAKE),
    "behind": (S_REAL - H * ALONG_REAL, S_FAKE - H * ALONG_FAKE),
    "shifted": (S_REAL + 7, S_FAKE + 7),
    "called fake": (RISING + 0.5, RISING - 0.5),
    "called real": (RISING + 0.1, RISING),
}


def every(names):
    return pytest.mark.parametrize("name", names)


def mean_and_gradients(side, s_real, s_fake):
    """Returns the mean of one side over the batch, and its gradients by real and fake scores."""
    return jax.value_and_grad(lambda *scores: jnp.mean(side(*scores)), (0, 1))(s_real, s_fake)


@pytest.fixture(scope="module")
def at():
    """Returns `at[batch][loss]`: values, means and gradients of both sides, from one program."""

    def evaluate(s_real, s_fake):
        return {
            name: [(side(s_real, s_fake), *mean_and_gradients(side, s_real, s_fake)) for side in (loss.d, loss.g)]
            for name, loss in LOSSES.items()
        }

    lanes = jax.jit(jax.vmap(evaluate))(*map(jnp.stack, zip(*BATCHES.values(), strict=True)))
    lanes = jax.tree.map(np.asarray, lanes)
    return {batch: jax.tree.map(lambda leaf, i=i: leaf[i], lanes) for i, batch in enumerate(BATCHES)}


@every(LOSSES)
def test_values_and_gradients_are_finite_at_extreme_scores(name, at):
    for batch in BATCHES:
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(at[batch][name])), batch


@every(LOSSES)
def test_gradients_equal_finite_differences(name, at):
    """Along a random direction, by central differences."""
    for side in (0, 1):
        slope = (at["ahead"][name][side][1] - at["behind"][name][side][1]) / (2 * H)
        by_real, by_fake = at["ordinary"][name][side][2]
        np.testing.assert_allclose(by_real @ ALONG_REAL + by_fake @ ALONG_FAKE, slope, rtol=3e-3, atol=1e-3)


@every(LOSSES)
def test_generator_loss_falls_as_fake_scores_rise(name, at):
    """For fakes scored as fake, raised together."""
    _, (_, _, (_, by_fake)) = at["called fake"][name]
    assert by_fake.sum() < 0


@every(LOSSES)
def test_discriminator_loss_falls_as_scores_separate(name, at):
    """With all real scores raised, or all fake scores lowered."""
    (_, _, (by_real, by_fake)), _ = at["called real"][name]
    assert by_real.sum() < 0 < by_fake.sum()


@every([*RELATIVISTIC, *KERNEL])
def test_relativistic_and_kernel_losses_are_invariant_to_shifts(name, at):
    for (shifted, *_), (values, *_) in zip(at["shifted"][name], at["ordinary"][name], strict=True):
        np.testing.assert_allclose(shifted, values, rtol=1e-4, atol=1e-5)


LEVELS = np.arange(-400, 401, dtype=np.float32) / 100


@pytest.fixture(scope="module")
def at_one_score():
    """Returns the mean of `d` of every loss where all scores, real and fake, are one of `LEVELS`."""

    def evaluate(level):
        s = jnp.full(2, level)
        return {name: jnp.mean(loss.d(s, s)) for name, loss in LOSSES.items()}

    return jax.tree.map(np.asarray, jax.jit(jax.vmap(evaluate))(LEVELS))


@every(LOSSES)
def test_undecided_score_is_optimal_where_real_and_fake_are_equally_likely(name, at_one_score):
    """There a discriminator cannot tell them apart, so all scores are equal; the hinge is flat between -1 and 1."""
    means, undecided = at_one_score[name], LOSSES[name].undecided
    optimal = LEVELS[means <= means.min() + 1e-5]
    if undecided is None:
        assert len(optimal) == len(LEVELS)
    else:
        assert (optimal[0] + optimal[-1]) / 2 == pytest.approx(undecided, abs=0.02)
        assert optimal[0] > LEVELS[0] and optimal[-1] < LEVELS[-1]


COMPARING = {
    **{name: (loss, (S_REAL, S_FAKE)) for name, loss in {**RELATIVISTIC, **TOP_K}.items()},
    **{name: (loss, (X[0], X[1])) for name, loss in KERNEL.items()},
}


def compare(batches):
    """Computes, for both sides of each loss, the mean over the whole batch and the gradients of this shard's mean."""

    def of(loss, batch):
        both = [mean_and_gradients(side, *batch) for side in (loss.d, loss.g)]
        return [(pmean(mean), gradients) for mean, gradients in both]

    return {name: of(loss, batches[name]) for name, (loss, _) in COMPARING.items()}


@pytest.fixture(scope="module")
def shared_and_whole():
    """Computes all losses on the same batches, on eight devices and on one, in one program each."""
    batches = {name: batch for name, (_, batch) in COMPARING.items()}

    def share(batches):
        with batch_axis(BATCH_AXIS):
            return compare(batches)

    batch, mesh = PartitionSpec(BATCH_AXIS), make_mesh()
    assert mesh.size == 8
    specs = {name: [(PartitionSpec(), batch)] * 2 for name in COMPARING}
    shared = jax.shard_map(share, mesh=mesh, in_specs=batch, out_specs=specs, check_vma=False)
    return jax.jit(shared)(batches), jax.jit(compare)(batches)


@every(COMPARING)
def test_losses_over_eight_devices_compare_the_whole_batch(name, shared_and_whole):
    shared, whole = shared_and_whole
    for (mean, gradients), (whole_mean, whole_gradients) in zip(shared[name], whole[name], strict=True):
        np.testing.assert_allclose(mean, whole_mean, rtol=1e-5, atol=1e-6)
        # Each device differentiates the mean of its own two examples; the step averages over the eight.
        np.testing.assert_allclose(np.asarray(gradients) / 8, whole_gradients, rtol=1e-4, atol=1e-6)
