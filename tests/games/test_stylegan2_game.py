"""StyleGAN2's game on players with known outputs: mixing, the four losses, and what moves when."""

import arena
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from gan_jax import init, make_step
from gan_jax.games import stylegan2
from gan_jax.games.stylegan2 import mix

BATCH, LAYERS, SIZE, SHAPE = 8, 3, 2, (2, 2, 1)
RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(BATCH, *SHAPE)).astype(np.float32)
MATRIX = RANDOM.normal(size=(LAYERS, SIZE, 4)).astype(np.float32)
SLOPE = RANDOM.normal(size=4).astype(np.float32)


def test_layers_before_the_crossover_are_of_the_first_style_and_after_it_of_the_second():
    first, second = jnp.zeros((4000, 5, 2)), jnp.ones((4000, 5, 2))
    keys = jax.random.split(jax.random.key(0), 4000)
    mixed = np.asarray(jax.jit(lambda *args: mix(*args, 0.9))(first, second, keys))
    assert not np.any(mixed[..., 0] - mixed[..., 1])
    assert not np.any(np.diff(mixed[..., 0], axis=1) < 0), "one crossover"
    from_first = (mixed[..., 0] == 0).sum(axis=1)
    share = np.bincount(from_first, minlength=6) / 4000
    np.testing.assert_allclose(share, [0, *4 * [0.9 / 4], 0.1], atol=0.03)


@pytest.mark.parametrize(("probability", "shares"), [(0.0, {5}), (1.0, {1, 2, 3, 4})])
def test_mixing_may_be_left_out_or_certain(probability, shares):
    keys = jax.random.split(jax.random.key(0), 200)
    mixed = mix(jnp.zeros((200, 5, 1)), jnp.ones((200, 5, 1)), keys, probability)
    assert set(np.asarray((mixed[..., 0] == 0).sum(axis=1)).tolist()) == shares


class Linear(nn.Module):
    """A generator of images that are linear in the latents of its layers, which are `z` itself."""

    brightness: float = 1.0

    @nn.compact
    def __call__(self, z, keys):
        return self.synthesis(self.mapping(z), keys)

    def mapping(self, z):
        return jnp.broadcast_to(z[:, None], (z.shape[0], LAYERS, SIZE))

    @nn.compact
    def synthesis(self, ws, keys):
        scale = self.param("scale", nn.initializers.constant(self.brightness), (1, 1, 1, 1))
        return scale * jnp.einsum("blw,lwp->bp", ws, MATRIX).reshape(-1, *SHAPE)


class Slope(nn.Module):
    """A discriminator of known gradient."""

    @nn.compact
    def __call__(self, x, keys=None):
        scale = self.param("scale", nn.initializers.ones, (1,))
        return x.reshape(-1, 4) @ (scale * SLOPE)


def stepped(steps, brightness=1.0, **options):
    still = optax.sgd(0.0)
    game = stylegan2.game(Linear(brightness), Slope(), still, still, z_size=SIZE, r1_every=3, path_every=2, **options)
    batch = {"x": jnp.asarray(X)[None]}
    state, step, reports = init(game, jax.random.key(0), batch), jax.jit(make_step(game)), []
    for _ in range(steps):
        state, metrics = step(state, batch)
        reports.append({name: float(value) for name, value in metrics.items()})
    return state, reports


@pytest.fixture(scope="module")
def played():
    return stepped(4, gamma=0.5, path_weight=3.0)


def test_lazy_turns_are_played_in_their_steps(played):
    _, reports = played
    assert [report["r1/played"] for report in reports] == [1, 0, 0, 1]
    assert [report["path/played"] for report in reports] == [1, 0, 1, 0]


def test_r1_is_half_of_gamma_times_the_squared_gradient_times_its_interval(played):
    _, [report, *_] = played
    np.testing.assert_allclose(report["r1/loss"], 3 * 0.5 / 2 * np.sum(SLOPE**2), rtol=1e-5)


def test_path_length_is_that_of_noise_by_the_square_root_of_the_pixels(played):
    """The squared length is y^T M y / 4 in the mean, with y^T y / 4 of mean 1; M is the mean over layers."""
    _, reports = played
    expected = np.mean(np.sum(MATRIX**2, axis=(1, 2))) / 4
    lengths = [report["path/length"] for report in reports if report["path/played"]]
    assert 0.5 * expected**0.5 < np.mean(lengths) < 1.5 * expected**0.5


def test_path_penalty_is_from_the_running_mean_which_is_in_the_state(played):
    """At decay 0.99, from 0; the mean of squares is at least the square of the mean."""
    state, reports = played
    first, second = (report["path/length"] for report in reports if report["path/played"])
    mean = 0.01 * first
    assert reports[0]["path/loss"] >= 2 * 3.0 * (first - mean) ** 2
    mean = 0.99 * mean + 0.01 * second
    np.testing.assert_allclose(state.players["path"].stats["averages"]["mean"], mean, rtol=1e-5)


def test_adversarial_losses_are_those_of_the_scores():
    """Of black images the scores are 0."""
    _, [report] = stepped(1, brightness=0.0)
    real = X.reshape(-1, 4) @ SLOPE
    np.testing.assert_allclose(report["d/loss"], np.mean(np.log1p(np.exp(-real))) + np.log(2), rtol=1e-5)
    np.testing.assert_allclose(report["g/loss"], np.log(2), rtol=1e-5)


@pytest.mark.slow
def test_both_running_means_move():
    _, start, _, end, *_ = arena.reference(arena.styled)
    for player, collection in (("g", "w_average"), ("path", "averages")):
        before, after = (state.players[player].stats[collection]["mean"] for state in (start, end))
        assert not np.any(before) and np.all(after), player
    assert jax.tree.leaves(end.players["g"].ema["w_average"])
