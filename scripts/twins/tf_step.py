"""One training step of a described game in TensorFlow: every turn, Adam, and the moving average."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from twins.keras_nets import Spec, Spectral

LOSSES = {  # of the discriminator and of the generator, on scores
    "non_saturating": (
        lambda r, f: tf.reduce_mean(tf.nn.softplus(-r)) + tf.reduce_mean(tf.nn.softplus(f)),
        lambda f: tf.reduce_mean(tf.nn.softplus(-f)),
    ),
    "wasserstein": (lambda r, f: tf.reduce_mean(f) - tf.reduce_mean(r), lambda f: -tf.reduce_mean(f)),
    "hinge": (
        lambda r, f: tf.reduce_mean(tf.nn.relu(1 - r)) + tf.reduce_mean(tf.nn.relu(1 + f)),
        lambda f: -tf.reduce_mean(f),
    ),
}

Losses = list[tuple[str, tf.Tensor]]
"""The player and the loss of every turn of a step."""


class Draw(NamedTuple):
    """The inputs of a turn."""

    real: Callable[[int], tf.Tensor]
    """Draws the real images of a turn."""
    latents: Callable[[], tf.Tensor]
    mix: Callable[[], tf.Tensor]
    """Draws the weights of the gradient penalty, `[B, 1, 1, 1]`."""


class Adam:
    """Adam by TensorFlow's fused kernel, which is faster than the operations of `keras.optimizers.Adam`."""

    def __init__(self, variables: list, rate: float, b1: float, b2: float):
        self.variables = [variable.value for variable in variables]
        self.moments = [(tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in self.variables]
        self.powers = tf.Variable(b1), tf.Variable(b2)
        # The kernel adds epsilon to the root before its bias is corrected, optax after: equal in the first step.
        self.options = {"lr": rate, "beta1": b1, "beta2": b2, "epsilon": 1e-8 * (1 - b2) ** 0.5}

    def descend(self, gradients: list[tf.Tensor]) -> None:
        """Updates the variables."""
        b1, b2 = self.powers
        for variable, (m, v), gradient in zip(self.variables, self.moments, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                grad=gradient,
                beta1_power=b1,
                beta2_power=b2,
                **self.options,
            )
        b1.assign(b1 * self.options["beta1"])
        b2.assign(b2 * self.options["beta2"])


def gradient_penalty(d: keras.Model, x: tf.Tensor, x_fake: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """Computes the penalty of WGAN-GP."""
    between = weight * x + (1 - weight) * x_fake
    with tf.GradientTape() as tape:
        tape.watch(between)
        total = tf.reduce_sum(d(between, training=True))
    squares = tf.reduce_sum(tf.square(tape.gradient(total, between)), axis=(1, 2, 3))
    return tf.reduce_mean(tf.square(tf.sqrt(squares + 1e-12) - 1))


def make_step(game: Spec, g: keras.Model, d: keras.Model) -> Callable[[Draw], Losses]:
    """Makes the function that plays all turns of one step, for `tf.function`."""
    nets = {"g": g, "d": d}
    optimizers = {name: Adam(net.trainable_variables, *game["adam"]) for name, net in nets.items()}
    averages = [(variable, tf.Variable(variable.value)) for variable in g.trainable_variables]
    normalized = [layer for layer in d.layers if isinstance(layer, Spectral)]
    d_loss, g_loss = LOSSES[game["loss"]]

    def turn_d(draw: Draw, turn: int) -> tf.Tensor:
        x, x_fake = draw.real(turn), g(draw.latents(), training=True)
        loss = d_loss(d(x, training=True), d(x_fake, training=True))
        penalty = game["penalty"]
        return loss + penalty * gradient_penalty(d, x, x_fake, draw.mix()) if penalty else loss

    def turn_g(draw: Draw, turn: int) -> tf.Tensor:
        # In the game, this turn also scores real images: of that remains what it does to the scores of fakes.
        for layer in normalized:
            layer.iterate()
        return g_loss(d(g(draw.latents(), training=True), training=True))

    def step(draw: Draw) -> Losses:
        losses = []
        for turn, player in enumerate(game["turns"]):
            vectors = [tf.identity(layer.u) for layer in normalized]
            variables = [variable.value for variable in nets[player].trainable_variables]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(variables)
                loss = (turn_d if player == "d" else turn_g)(draw, turn)
            optimizers[player].descend(tape.gradient(loss, variables))
            losses.append((player, loss))
            if player == "g":  # only those who move keep their statistics
                for layer, vector in zip(normalized, vectors, strict=True):
                    layer.u.assign(vector)
        if game["ema"]:
            for variable, average in averages:
                average.assign_add((1 - game["ema"]) * (variable - average))
        return losses

    return step
