"""One training step of a described game by `train_on_batch`, as the Keras tutorials write it.

The discriminator is a model of real and fake images with two losses; the generator is trained in a combined model, in
which the discriminator is not trainable. Expresses games with the non-saturating loss and no penalty.
"""

from collections.abc import Callable

import keras
import numpy as np

from twins.keras_nets import Spec

Losses = list[tuple[str, float]]
"""The player and the loss of every turn of a step."""


def make_step(game: Spec, g: keras.Model, d: keras.Model) -> Callable[[Callable, Callable], Losses]:
    """Makes `step(real, latents)`, which plays all turns of one step on arrays from two functions."""
    d_model, combined, generate = _models(game, g, d)
    real_labels, fake_labels = np.ones((game["batch"], 1)), np.zeros((game["batch"], 1))
    traced = set()

    def step(real: Callable[[], np.ndarray], latents: Callable[[], np.ndarray]) -> Losses:
        losses = []
        for player in game["turns"]:
            if player not in traced:  # only then does Keras look which weights are trainable
                d.trainable = player == "d"
                traced.add(player)
            if player == "d":
                inputs = [real(), generate.predict_on_batch(latents())]
                total, *_ = d_model.train_on_batch(inputs, [real_labels, fake_labels])
            else:
                total = combined.train_on_batch(latents(), real_labels)
            losses.append((player, total))
        return losses

    return step


def _models(game: Spec, g: keras.Model, d: keras.Model) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Builds the discriminator's model, the combined one, and the generator's."""
    real, fake, z = keras.Input(tuple(game["shape"])), keras.Input(tuple(game["shape"])), keras.Input((100,))
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    d_model = keras.Model([real, fake], [d(real), d(fake)])
    d_model.compile(_adam(game), [cross_entropy, cross_entropy])
    combined = keras.Model(z, d(g(z)))
    average = {"use_ema": True, "ema_momentum": game["ema"]} if game["ema"] else {}
    combined.compile(_adam(game, **average), cross_entropy)
    return d_model, combined, keras.Model(z, g(z))


def _adam(game: Spec, **average: object) -> keras.optimizers.Adam:
    rate, b1, b2 = game["adam"]
    # Keras adds epsilon to the root before its bias is corrected, optax after: equal in the first step.
    return keras.optimizers.Adam(rate, b1, b2, epsilon=1e-8 * (1 - b2) ** 0.5, **average)
