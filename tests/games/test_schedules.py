"""Every family follows a loss that changes during training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arena import (
    BATCH,
    CLASSES,
    SHAPE,
    Coarse,
    CodedGenerator,
    Detail,
    DetailDiscriminator,
    Discriminator,
    Generator,
    LabeledDiscriminator,
    LabeledGenerator,
    Recognizer,
    Z,
    started,
    step_batch,
)

from gan_jax import losses
from gan_jax.engine.keys import example_keys
from gan_jax.engine.networks import bind
from gan_jax.games import acgan, conditional, infogan, lapgan, vanilla
from gan_jax.priors import Categorical


def always(value):
    """Makes a loss that ignores the scores."""
    return losses.AdversarialLoss(
        lambda s_real, s_fake: jnp.full_like(s_real, value), lambda s_real, s_fake: jnp.full_like(s_fake, 10 * value)
    )


LOSS = losses.scheduled(always)


def families(tx):
    plain = {"z_size": Z, "loss": LOSS}
    codes = {"c1": Categorical(3)}
    return {
        "vanilla": vanilla.game(Generator(), Discriminator(), tx, tx, **plain),
        "conditional": conditional.game(LabeledGenerator(), LabeledDiscriminator(), tx, tx, classes=CLASSES, **plain),
        "acgan": acgan.game(LabeledGenerator(), Recognizer(CLASSES), tx, tx, classes=CLASSES, **plain),
        "infogan": infogan.game(CodedGenerator(codes), Recognizer({"c1": 3}), tx, tx, codes=codes, **plain),
        "lapgan": lapgan.game(
            (Coarse(), Detail()), (Discriminator(), DetailDiscriminator()), tx, tx, shape=SHAPE, **plain
        ),
    }


@pytest.mark.medium
@pytest.mark.parametrize("family", ["vanilla", "conditional", "acgan", "infogan", "lapgan"])
def test_game_plays_the_loss_of_its_step(family):
    game, start = started(lambda tx: families(tx)[family])
    batch = {name: leaf[0] for name, leaf in step_batch(game).items()}
    keys = example_keys(jax.random.key(1), BATCH)

    @jax.jit
    def values(step):
        nets = bind(game, start.players)
        return {m.label: m.loss(nets, batch, keys, step)[0] for turn in game.turns for m in turn.moves}

    first, later = values(jnp.int32(3)), values(jnp.int32(5))
    for label in first:
        np.testing.assert_allclose(later[label] - first[label], 2 if label[0] == "d" else 20, rtol=1e-4)
