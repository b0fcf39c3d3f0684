"""The games that are timed, their contenders, and the ratio that gan_jax should reach in each."""

from typing import NamedTuple


class Timed(NamedTuple):
    """A game, by the words of its `gan-jax train` command."""

    words: tuple[str, ...]
    toy: tuple[str, ...]
    """Flags that make it tiny."""
    bar: float
    """The rate of gan_jax, relative to the best of the others, that is aimed at."""
    about: str


class Way(NamedTuple):
    """A way to train: `MODULE.make(spec, arrays, **options)`."""

    module: str
    options: dict[str, object]
    games: tuple[str, ...] = ()
    """The games it is for; without any, all."""
    ours: bool = False


TINY = ("--batch-size", "4", "--log-every", "2")
NARROW = (*TINY, "--g-width", "2", "--d-width", "2")

# `--log-every` is the length of a chunk: about half a second. The default of 100 would be 25 s of the widest game.
GAMES = {
    "mlp": Timed(("mnist_mlp",), TINY, 1.25, "the tutorials' fully connected GAN: a turn of d, two of g, EMA 0.999"),
    "conv": Timed(
        ("mnist_dcgan", "--preset", "tutorial", "--log-every", "5"), TINY, 1.1, "the TensorFlow tutorial's DCGAN"
    ),
    "dcgan": Timed(("dcgan", "--log-every", "50"), NARROW, 2.0, "DCGAN, an eighth as wide as the paper's"),
    "dcgan_full": Timed(
        ("dcgan", "--preset", "full", "--batch-size", "64", "--log-every", "4"), NARROW, 1.2, "DCGAN, as wide"
    ),
    "wgan_gp": Timed(("wgan_gp", "--log-every", "20"), NARROW, 1.3, "WGAN-GP: five turns of d, narrow"),
    "hinge": Timed(("hinge", "--log-every", "50"), NARROW, 1.3, "hinge loss and spectral norm, narrow"),
}

CONTENDERS = {
    "gan_jax": Way("with_gan_jax", {"chunk": True}, ours=True),
    "tf_function_xla": Way("with_tf", {"jit": True}),
    "tf_function": Way("with_tf", {"jit": False}),
    "torch_channels_last": Way("with_torch", {"channels_last": True}, tuple(name for name in GAMES if name != "mlp")),
    "torch_eager": Way("with_torch", {"channels_last": False}),
    "keras": Way("with_keras", {}, ("mlp", "conv", "dcgan", "dcgan_full")),
    "torch_compile": Way("with_torch", {"channels_last": True, "compiled": True}),
    "gan_jax_step": Way("with_gan_jax", {"chunk": False}, ("mlp", "dcgan"), ours=True),
    "jax_bare": Way("bare_jax", {}, ("mlp",), ours=True),
    "jax_bare_ema": Way("bare_jax", {"ema": True}, ("mlp",), ours=True),
    "jax_bare_norms": Way("bare_jax", {"norms": True}, ("mlp",), ours=True),
}
"""The first is what the others are compared with. They are prepared in this order, as long as time is left."""


def words(name: str, toy: bool) -> tuple[str, ...]:
    """Returns the words of a game's command."""
    return (*GAMES[name].words, *(GAMES[name].toy if toy else ()))


def ways(name: str) -> list[str]:
    """Lists the contenders of a game."""
    return [each for each, way in CONTENDERS.items() if not way.games or name in way.games]
