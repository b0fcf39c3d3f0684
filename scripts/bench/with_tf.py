"""A game in TensorFlow: the whole step in one `tf.function`."""

import keras
import numpy as np
import tensorflow as tf

from bench.contender import Arrays, Contender, Spec, averaged, shuffled, weights, without_dropout
from twins import keras_nets
from twins.tf_step import Draw, make_step


def limit(threads: int) -> None:
    """Sets the number of threads."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def make(spec: Spec, arrays: Arrays, jit: bool) -> Contender:
    """Prepares a game."""
    play, batch = make_step(spec, *build(spec, arrays)), spec["batch"]
    data, order = tf.constant(arrays["images"]), shuffled(arrays, spec)

    @tf.function(jit_compile=jit)
    def step(indices: tf.Tensor) -> list[tf.Tensor]:
        def real(turn: int) -> tf.Tensor:
            return tf.cast(tf.gather(data, indices[spec["slices"][turn]]), tf.float32) * (2 / 255) - 1

        draw = Draw(real, lambda: tf.random.normal((batch, 100)), lambda: tf.random.uniform((batch, 1, 1, 1)))
        return [loss for _, loss in play(draw)]

    def run(steps: int) -> None:
        for _ in range(steps):
            losses = step(np.stack([next(order) for _ in set(spec["slices"])]))
        [loss.numpy() for loss in losses]

    return Contender(lambda: _first_losses(spec, arrays), run)


def build(spec: Spec, arrays: Arrays) -> tuple[keras.Model, keras.Model]:
    """Builds both networks, with the reference's weights."""
    nets = keras_nets.build(spec)
    for player, net in zip(("g", "d"), nets, strict=True):
        keras_nets.load(net, weights(arrays, player))
    return nets


def _first_losses(spec: Spec, arrays: Arrays) -> dict[str, float]:
    """Plays a step uncompiled: compiling it with given inputs would take as long again."""
    other, x = without_dropout(spec), tf.constant(arrays["x"])
    z, mix = tf.constant(arrays["z"]), tf.constant(arrays["mix"].reshape(-1, 1, 1, 1))
    return averaged(
        make_step(other, *build(other, arrays))(Draw(lambda turn: x[spec["slices"][turn]], lambda: z, lambda: mix))
    )
