"""Lazy regularization: a penalty in every k-th step only, with the strength it would have in every step.

Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN", sec. 3.1 and app. B,
https://arxiv.org/abs/1912.04958.
"""

import optax

from gan_jax.engine.game import Move, Turn


def lazy(move: Move, every: int) -> Turn:
    """Makes a turn of `move` in steps 0, k, 2k, ... only, with k = `every` times its loss and its gradient.

    Over k steps the penalty pulls as hard as once per step would. The move's metrics report k times the loss. A player
    that also moves in other turns makes k + 1 updates in k steps: give it the optimizer `lazy_adam`.
    """

    def loss(*args):
        value, metrics = move.loss(*args)
        return every * value, metrics

    return Turn((move._replace(loss=loss),), every)


def lazy_adam(every: int, learning_rate: float, b1: float = 0.9, b2: float = 0.999) -> optax.GradientTransformation:
    """Makes the Adam of a player with one main turn and one lazy turn: k + 1 updates for every k of plain Adam.

    With c = k / (k + 1), the learning rate c lr and the decay rates b1^c and b2^c, k + 1 updates are as long, and
    forget as much, as k updates of `optax.adam(learning_rate, b1, b2)`.
    """
    c = every / (every + 1)
    return optax.adam(c * learning_rate, b1=b1**c, b2=b2**c)
