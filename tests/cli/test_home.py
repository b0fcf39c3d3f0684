"""`~` means the home folder in every flag and word that names a file, whether or not a shell has expanded it."""

import dataclasses
from typing import get_type_hints

import numpy as np
import pytest

from gan_jax.cli.evaluate import evaluate
from gan_jax.cli.sample import sample
from gan_jax.cli.scores import compare_results, is_result
from gan_jax.config.discovery import entries, find
from gan_jax.config.flags import parse
from gan_jax.data import open_source
from gan_jax.data.modality import IMAGE, Leaf
from gan_jax.errors import BadInput
from gan_jax.evaluation.feature_choice import choose_features
from gan_jax.training.reproduce import reproduce

COMMANDS = {
    "sample": sample,
    "evaluate": evaluate,
    "reproduce": reproduce,
    "compare": compare_results,
    **{name: find(name).load() for name in entries()},
}


def path_flags(owner):
    """Returns the flags of a function, or of a dataclass among its parameters, that are paths, as words before one."""
    flags = []
    for name, hint in get_type_hints(owner, include_extras=True).items():
        if dataclasses.is_dataclass(hint):
            flags += path_flags(hint)
        elif "Path" in str(hint):
            flags.append("" if "Positional" in str(hint) else f"--{name.replace('_', '-')}=")
    return flags


@pytest.mark.parametrize("name", COMMANDS)
def test_home_is_expanded_in_every_path(name, monkeypatch):
    """A shell leaves `~` in `--out=~/x`."""
    monkeypatch.setenv("HOME", "/home/anna")
    function, given = COMMANDS[name], ["source"] if name in entries() else []
    flags = path_flags(function)
    assert len(flags) >= (3 if given else 1)
    for flag in flags:
        argv = [f"{flag}~/x"] + (["run"] if flag and "" in flags else [])
        values = parse(function, argv, name, given=given).settings.values()
        assert any(value in ("/home/anna/x", ["/home/anna/x"]) for value in values), flag


def test_home_is_expanded_in_every_word_that_names_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.py").write_text(MINE)
    np.save(tmp_path / "points.npy", np.ones((9, 2), np.float32))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").touch()
    assert open_source("~/points.npy").size == 9
    assert find("~/mine.py").file == tmp_path / "mine.py"
    assert is_result("~/run")
    assert choose_features("~/mine.py:net", None, Leaf((4, 4, 1), IMAGE), "x").name == "mine"
    parsed = parse(find("dcgan").load(), ["--loss=~/mine.py:loss"], "dcgan", given=["source"])
    assert parsed.files == (tmp_path / "mine.py",)


MINE = """
from gan_jax.losses import hinge as loss
from gan_jax.metrics.features.network import FeatureNet
net = FeatureNet("mine", "0", "none", {}, lambda params, pixels: pixels)
"""


def test_home_of_an_unknown_user_is_kept(monkeypatch):
    assert parse(reproduce, ["~no-such-user/x"], "reproduce").settings["run"] == "~no-such-user/x"
    with pytest.raises(BadInput, match="~no-such-user/x does not exist"):
        open_source("~no-such-user/x")
