"""The words of augmentations on the command line: `ada`, `color+translation+cutout`, or `FILE.py:NAME`."""

from typing import Annotated

from gan_jax.augment import ada, diff_augment, sound
from gan_jax.config.registry import Registry, sum_of_words, terms_of
from gan_jax.engine.game import Game
from gan_jax.games.adaptive import adaptive
from gan_jax.games.augmented import Augmentation, always


def _adaptive(game: Game, player: str) -> Game:
    return adaptive(game, ada.bgc, player)


def _adaptive_of_sounds(game: Game, player: str) -> Game:
    return adaptive(game, sound.gain_shift_mask, player)


AUGMENTATIONS = Registry(
    "augmentation",
    Augmentation,
    (
        *map(always, (diff_augment.color, diff_augment.translation, diff_augment.cutout)),
        Augmentation("ada", _adaptive),
        *map(always, (sound.gain, sound.shift, sound.mask)),
        Augmentation("ada_sound", _adaptive_of_sounds),
    ),
    lambda word, augmentation: augmentation,
)


def parse_augmentations(word: str) -> tuple[Augmentation, ...]:
    """Parses `none`, or augmentations in order, `translation+cutout`. Raises `BadInput` as `Registry.parse`."""
    return () if word == "none" else tuple(map(AUGMENTATIONS.parse, terms_of(word, AUGMENTATIONS)))


def name_augmentations(value: tuple[Augmentation, ...]) -> str:
    """Inverts `parse_augmentations`. Raises `BadInput` if there is no word."""
    return "+".join(map(AUGMENTATIONS.name_of, value)) or "none"


Augmentations = Annotated[
    tuple[Augmentation, ...],
    sum_of_words(AUGMENTATIONS, AUGMENTATIONS.metavar, parse_augmentations, name_augmentations),
]
"""What is done to the examples that a discriminator sees: DiffAugment's `color`, `translation`, `cutout`, or `ada`; of
sounds `gain`, `shift`, `mask`, or `ada_sound`."""
