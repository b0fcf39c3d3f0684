"""Atari games: frames against a replay of the actions, splits, the cache, and one-line errors."""

import sys

import numpy as np
import pytest
from PIL import Image

from gan_jax.data import open_source
from gan_jax.data.modality import ACTIONS, VIDEO
from gan_jax.data.source import describe_source, read_batch
from gan_jax.data.sources import atari
from gan_jax.errors import BadInput


@pytest.fixture(autouse=True)
def few(monkeypatch, cache):
    monkeypatch.setattr(atari, "CLIPS", {"train": 2, "test": 2})
    monkeypatch.setattr(atari, "REST", 3)


def test_every_frame_is_what_its_action_led_to():
    """The recorded actions are played again, frame by frame of the console, on another one."""
    source = open_source("atari=5:pong", size=32)
    assert {name: (leaf.shape, leaf.modality) for name, leaf in source.spec.items()} == {
        "x": ((5, 32, 32, 3), VIDEO),
        "actions": ((5,), ACTIONS),
    }
    stored = source.read(np.arange(2))
    console = atari.start(atari._import(), "pong", seed=1)
    drawn = np.random.RandomState(1).randint(len(console.actions), size=2 * (3 + 5)).reshape(2, 8)
    np.testing.assert_array_equal(stored["actions"], drawn[:, 3:])
    for clip, actions in enumerate(drawn):
        for at, action in enumerate(actions):
            screens = []
            for _ in range(4):
                console.ale.act(console.actions[action])
                screens.append(console.ale.getScreenRGB().astype(int))
            seen = Image.fromarray(np.maximum(*screens[2:]).astype(np.uint8)).resize((32, 32), Image.Resampling.BOX)
            if at >= 3:
                np.testing.assert_array_equal(stored["x"][clip, at - 3], np.asarray(seen))
    assert len(np.unique(stored["x"].reshape(10, -1), axis=0)) > 5  # something moves


def test_games_are_played_once_and_splits_differ(monkeypatch):
    train, test = (open_source("atari=4:breakout", split=split) for split in ("train", "test"))
    assert describe_source(train) == (
        "atari-breakout: 2 color videos of 4 frames of 64x64 and 4 actions, no labels; "
        "actions 0 NOOP, 1 FIRE, 2 RIGHT, 3 LEFT"
    )
    assert (train.read(np.arange(2))["actions"] != test.read(np.arange(2))["actions"]).any()
    monkeypatch.setattr(atari, "start", None)  # nothing is played again
    batch = read_batch(open_source("atari=4:breakout"), np.arange(2))
    assert batch["x"].dtype == np.float32 and batch["actions"].dtype == np.int32
    np.testing.assert_array_equal(batch["actions"], train.read(np.arange(2))["actions"])


@pytest.mark.parametrize(
    ("name", "asked", "says"),
    [
        ("atari:pang", {}, "ale-py has no game 'pang': choose one of its 108 games, such as pong, "),
        ("atari:pong", {"split": "val"}, "atari:pong has no split 'val': choose one of train, test"),
        ("atari:pong", {"data_dir": "."}, "--data-dir is for TFDS data sets, not for atari:pong"),
        ("atari:pong", {"tile": 8}, "--tile 8 is for files and TFDS data sets, not for atari:pong"),
    ],
)
def test_mistakes_are_told_in_one_line(name, asked, says):
    with pytest.raises(BadInput, match=says) as error:
        open_source(name, **asked)
    assert "\n" not in str(error.value)


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ale_py.roms", None)
    with pytest.raises(BadInput, match="need the package ale-py: pip install ale-py"):
        open_source("atari:pong")
