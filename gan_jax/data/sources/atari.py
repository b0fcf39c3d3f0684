"""Frames of Atari 2600 games, played at random, with the actions: videos whose next frames depend on what is done.

The Arcade Learning Environment, Bellemare et al. 2013 (https://arxiv.org/abs/1207.4708), with the frame skip of Oh et
al. 2015, "Action-conditional video prediction using deep networks in Atari games" (https://arxiv.org/abs/1507.08750).
Needs the package `ale-py`, which holds the games.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from gan_jax.data.cache import Decoded, cached
from gan_jax.data.modality import ACTIONS, VIDEO, Leaf
from gan_jax.data.source import Examples, Source
from gan_jax.data.sources.windows import FRAMES
from gan_jax.errors import BadInput

SIDE = 64
"""Default side of a frame in pixels."""

SKIP = 4
"""Frames of the console, at 60 Hz, that an action lasts; the last two, by maximum, make one frame of a video."""

CLIPS = {"train": 500, "test": 100}
"""Number of videos by split. Splits are played with random numbers of their own."""

REST = 20
"""Actions between two videos, which are not shown."""


def atari(game: str, frames: int = FRAMES, split: str = "train", size: int | None = None) -> Source:
    """Plays `game` (`pong`, `ms_pacman`, ...) at random; plays it once, and then reads the cache.

    Gives videos `x` `[T, size, size, 3]`, the whole screen squeezed into a square, and `actions` `[T]`: frame t is what
    action t led to. Actions are numbers of the game's minimal set, whose names the report lists.

    Raises:
        BadInput: `ale-py` is not installed, or there is no such game or split.
    """
    ale_py = _import()
    if game not in (known := ale_py.roms.get_all_rom_ids()):
        near = ", ".join(get_close_matches(game, known, n=3)) or "pong, breakout, ms_pacman, ..."
        raise BadInput(f"ale-py has no game {game!r}: choose one of its {len(known)} games, such as {near}")
    if split not in CLIPS:
        raise BadInput(f"atari:{game} has no split {split!r}: choose one of {', '.join(CLIPS)}")
    side = size or SIDE
    key = {"atari": game, "frames": frames, "split": split, "side": side, "ale-py": ale_py.__version__}

    def decode(scratch: object) -> Decoded:
        console = start(ale_py, game, sorted(CLIPS).index(split))
        names = ", ".join(f"{i} {action.name}" for i, action in enumerate(console.actions))
        spec = {"x": Leaf((frames, side, side, 3), VIDEO), "actions": Leaf((frames,), ACTIONS)}
        return Decoded(spec, _videos(console, CLIPS[split], frames, side), report=f"actions {names}", split=split)

    return cached(f"atari-{game}", key, decode)


class Console(NamedTuple):
    """A console with a game, and the numbers that its actions are drawn from."""

    ale: Any
    actions: list[Any]
    """The game's minimal set of actions."""
    random: np.random.RandomState

    def act(self) -> tuple[UInt8[np.ndarray, "210 160 3"], int]:
        """Does something at random for `SKIP` frames; returns what is then seen, and the number of the action.

        Games draw some sprites in every second frame only, so that one frame alone does not show all. After the end of
        a game the next one begins.
        """
        action = self.random.randint(len(self.actions))
        for _ in range(SKIP - 1):
            self.ale.act(self.actions[action])
        before = self.ale.getScreenRGB()
        self.ale.act(self.actions[action])
        seen = np.maximum(before, self.ale.getScreenRGB())
        if self.ale.game_over():
            self.ale.reset_game()
        return seen, action


def start(ale_py: Any, game: str, seed: int) -> Console:
    """Starts a game, whose course depends on `seed` alone."""
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    ale = ale_py.ALEInterface()
    ale.setInt("random_seed", seed)
    ale.setFloat("repeat_action_probability", 0.0)
    ale.loadROM(ale_py.roms.get_rom_path(game))
    return Console(ale, ale.getMinimalActionSet(), np.random.RandomState(seed))


def _videos(console: Console, count: int, frames: int, side: int) -> Iterator[Examples]:
    for _ in range(count):
        for _ in range(REST):
            console.act()
        seen, actions = zip(*(console.act() for _ in range(frames)), strict=True)
        yield {"x": np.stack([_squeezed(each, side) for each in seen])[None], "actions": np.array([actions], np.int32)}


def _squeezed(screen: UInt8[np.ndarray, "H W 3"], side: int) -> UInt8[np.ndarray, "side side 3"]:
    """Resizes a screen to a square; cropped to one, it would lack the paddle of some games."""
    from PIL import Image

    return np.asarray(Image.fromarray(screen).resize((side, side), Image.Resampling.BOX))


def _import() -> Any:
    try:
        import ale_py.roms
    except ImportError as error:
        raise BadInput("Atari games need the package ale-py: pip install ale-py") from error
    return ale_py
