"""Every game reports the share of pairs, and accuracies if its loss has an undecided score."""

import jax
import jax.numpy as jnp
import optax
import pytest
from arena import (
    BATCH,
    CLASSES,
    SHAPE,
    CodedGenerator,
    Discriminator,
    Generator,
    LabeledDiscriminator,
    LabeledGenerator,
    Recognizer,
    Z,
)

from gan_jax import bind, init, losses
from gan_jax.engine.keys import example_keys
from gan_jax.games import acgan, conditional, infogan, lapgan, vanilla
from gan_jax.nets.layers.packed import Packed
from gan_jax.priors import Categorical

TX = optax.sgd(0.1)
CODES = {"c": Categorical(CLASSES)}
GAMES = {
    "vanilla": lambda loss: vanilla.game(Generator(), Packed(Discriminator(), 4), TX, TX, z_size=Z, loss=loss),
    "conditional": lambda loss: conditional.game(
        LabeledGenerator(), LabeledDiscriminator(), TX, TX, classes=CLASSES, z_size=Z, loss=loss
    ),
    "acgan": lambda loss: acgan.game(
        LabeledGenerator(), Recognizer(CLASSES), TX, TX, classes=CLASSES, z_size=Z, loss=loss
    ),
    "infogan": lambda loss: infogan.game(
        CodedGenerator(CODES), Recognizer({"c": CLASSES}), TX, TX, codes=CODES, z_size=Z, loss=loss
    ),
    "lapgan": lambda loss: lapgan.game([Generator()], [Discriminator()], TX, TX, shape=SHAPE, z_size=Z, loss=loss),
}


def accuracies(game):
    """Returns the names of the accuracies that the discriminator's move reports."""
    shape = (1, BATCH)
    batch = {"x": jax.ShapeDtypeStruct((*shape, *SHAPE), jnp.float32), "y": jax.ShapeDtypeStruct(shape, jnp.int32)}

    def report():
        x = {name: jnp.zeros(leaf.shape[1:], leaf.dtype) for name, leaf in batch.items()}
        nets = bind(game, init(game, jax.random.key(0), batch).players)
        return game.turns[0].moves[0].loss(nets, x, example_keys(jax.random.key(0), BATCH), jnp.int32(0))[1]

    return {name for name in jax.eval_shape(report) if name.startswith("accuracy_")}


@pytest.mark.parametrize("game", GAMES)
def test_games_report_the_share_of_pairs_and_accuracies_only_of_calibrated_losses(game):
    assert accuracies(GAMES[game](losses.hinge)) == {"accuracy_pairs", "accuracy_real", "accuracy_fake"}
    assert accuracies(GAMES[game](losses.wasserstein)) == {"accuracy_pairs"}
