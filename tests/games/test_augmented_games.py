"""Augmentation in any game: what is transformed, with which keys, and what penalties see."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arena import BATCH, Discriminator, Generator, Z, labeled, sgd, step_batch, translation, unpaired_translation

from gan_jax import bind, init, make_step, penalties
from gan_jax.engine.game import Frozen
from gan_jax.engine.keys import example_keys, split
from gan_jax.engine.networks import BoundNet
from gan_jax.games import vanilla
from gan_jax.games.augmented import always, augmented, play_augmented
from gan_jax.penalties import terms

close = partial(np.testing.assert_allclose, rtol=1e-4)


def noisy(x, keys):
    return 3 * penalties.instance_noise(x, keys, 0.5)


def original(**options):
    return vanilla.game(Generator(norm=False), Discriminator(), sgd, sgd, z_size=Z, **options)


def first_step(game):
    batch = step_batch(game)
    start = jax.jit(partial(init, game))(jax.random.key(0), batch)
    return batch, start, jax.jit(make_step(game))(start, batch)[1]


def turn_keys(start, i=0):
    return example_keys(jax.random.fold_in(jax.random.fold_in(start.key, start.step), i), BATCH)


@pytest.mark.medium
def test_real_and_fake_examples_are_transformed_in_every_move_with_keys_of_their_own():
    seen = []

    def counted(x, keys):
        jax.debug.callback(lambda words: seen.append(words.tobytes()), jax.random.key_data(keys))
        return noisy(x, keys)

    report = first_step(augmented(original(), lambda nets, step: counted))[2]
    jax.effects_barrier()
    assert len(seen) == len(set(seen)) == 4  # real and fake, in both players' turns
    assert first_step(original())[2]["d/loss"] != report["d/loss"]


@pytest.mark.medium
def test_penalties_see_the_draw_of_the_loss_and_its_dropout():
    game = vanilla.game(
        Generator(norm=False), Discriminator(dropout=0.5), sgd, sgd, z_size=Z, penalties=(terms.r1(1.0),)
    )
    batch, start, report = first_step(augmented(game, lambda nets, step: noisy))
    draw, dropout = split(split(turn_keys(start), 4)[1], 2)
    d = bind(game, start.players)["d"].stateless
    expected = penalties.r1(lambda x: d(noisy(x, draw), dropout), batch["x"][0])
    close(report["d/penalty"], expected.mean())
    for other in (lambda x: d(x, dropout), lambda x: d(noisy(x, draw))):
        assert abs(penalties.r1(other, batch["x"][0]).mean() / expected.mean() - 1) > 0.05


def test_generators_learn_through_the_transform():
    """Scaled images scale the gradient; images that are all replaced leave none."""
    gone = augmented(original(), lambda nets, step: lambda x, keys: jnp.zeros_like(x))
    report = first_step(gone)[2]
    assert report["g/grad_norm"] == 0 and report["d/grad_norm"] > 0


def test_the_transform_may_depend_on_the_step_and_on_a_network():
    dim = Frozen(lambda w: w, lambda: np.float32(0.5))

    def at(nets, step):
        return lambda x, keys: x * nets["dim"]() * (step + 1).astype(jnp.float32)

    game = original()._replace(frozen={"dim": dim})
    reports = [first_step(each)[2] for each in (augmented(game, at), augmented(game, lambda *_: lambda x, keys: x / 2))]
    close(reports[0]["d/loss"], reports[1]["d/loss"])


def test_other_arguments_and_calls_without_keys_are_left_alone():
    calls = []

    class Recorder:
        def init(self, key, *args):
            return {}

        def apply(self, variables, *args, mutable=False):
            calls.append(args)
            return (0.0, {}) if mutable is not False else 0.0

    state = first_step(original())[1].players["d"]
    nets = {"d": BoundNet(Recorder(), state.params, state)}
    keys, x, y = turn_keys(first_step(original())[1]), jnp.ones((BATCH, 2, 2, 1)), jnp.arange(BATCH)

    def loss(nets, batch, keys, step):
        nets["d"](x, y, keys)
        nets["d"](x)

    game = original()
    (d_turn, g_turn) = game.turns
    game = game._replace(turns=(d_turn._replace(moves=(d_turn.moves[0]._replace(loss=loss),)), g_turn))
    augmented(game, lambda nets, step: noisy).turns[0].moves[0].loss(nets, {}, keys, jnp.int32(0))
    draw, own = split(keys, 2)
    (given, labels, left), (plain,) = calls
    close(given, noisy(x, draw))
    assert labels is y and plain is x
    np.testing.assert_array_equal(jax.random.key_data(left), jax.random.key_data(own))


@pytest.mark.parametrize(("make", "player"), [(labeled, "d"), (translation, "d"), (unpaired_translation, "d_b")])
def test_games_of_labels_and_of_images_can_be_augmented(make, player):
    game = make(sgd)
    changed = play_augmented(game, [always(noisy)], player)
    batch = jax.eval_shape(lambda: step_batch(game))
    state = jax.eval_shape(partial(init, game), jax.random.key(0), batch)
    texts = [str(jax.make_jaxpr(make_step(each))(state, batch)) for each in (game, changed)]
    assert texts[0].count("random_bits") < texts[1].count("random_bits")


def test_the_first_augmentation_transforms_first():
    double, shift = (lambda x, keys: 2 * x), (lambda x, keys: x + 1)
    both = play_augmented(original(), [always(double), always(shift)])
    together = augmented(original(), lambda nets, step: lambda x, keys: 2 * x + 1)
    close(first_step(both)[2]["d/loss"], first_step(together)[2]["d/loss"])
