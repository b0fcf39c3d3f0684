"""Translation of inputs in batches: by neighbors of one size, each with noise of its own."""

import arena
import jax
import numpy as np
import optax

from gan_jax.data.modality import IMAGE, Leaf
from gan_jax.engine.step import init
from gan_jax.sampling import translation


def noisy_game():
    """The output is the input, in [-1, 1], plus noise of the example's key."""
    game = arena.translation(optax.sgd(0.1))

    def sample(nets, latents):
        noise = jax.vmap(lambda key: jax.random.uniform(key, ()))(latents["keys"])
        return latents["a"] + noise[:, None, None, None]

    return game._replace(sample=sample)


def test_every_input_gives_what_it_gives_alone_at_its_place(monkeypatch):
    """In order, whatever its neighbors; equal inputs get different noise."""
    game = noisy_game()
    state = init(game, jax.random.key(0), arena.step_batch(game))
    leaf = Leaf((4, 4, 1), IMAGE)
    sizes = [(4, 4)] * 5 + [(6, 4)] * 2 + [(4, 4)]
    inputs = [np.full((1, *size, 1), 51 * (i % 2), np.uint8) for i, size in enumerate(sizes)]

    def made(pixels):
        monkeypatch.setattr(translation, "PIXELS", pixels)
        return list(translation.translator(game, leaf, "a", jax.random.key(1))(state, iter(inputs)))

    alone, together = made(1), made(3 * 4 * 4)
    assert [each.shape for each in alone] == [each.shape for each in inputs]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    noise = [float(each.ravel()[0] - (image.ravel()[0] / 127.5 - 1)) for each, image in zip(alone, inputs, strict=True)]
    assert len({round(each, 4) for each in noise}) == len(inputs) and all(0 <= each < 1.001 for each in noise)
