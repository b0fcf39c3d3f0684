"""Experiments are found by name without importing them; flags default to the values of the row."""

import json
import subprocess
import sys
from dataclasses import fields

import pytest

from gan_jax import losses
from gan_jax.config.discovery import entries, find, listing
from gan_jax.config.experiment import RESUMABLE, RunConfig
from gan_jax.config.flags import parse, to_argv
from gan_jax.config.migration import upgrade
from gan_jax.data import open_source
from gan_jax.errors import BadInput

OLD_FORM = '''"""An experiment of one's own."""
from gan_jax.experiment import Common, Experiment, Phase
from gan_jax.flags import PositiveFloat

def experiment(source, common: Common = Common(images=10, batch_size=2), rate: PositiveFloat = 0.5) -> Experiment:
    """Trains nothing.

    Args:
        source: Data.
        common: The flags of every experiment.
        rate: A number.
    """
    return Experiment((), common)
'''

TABLE = '''"""Two rows."""
from dataclasses import dataclass
from gan_jax.config.experiment import Experiment, Row, RunConfig

@dataclass(frozen=True)
class Config:
    rate: float = 0.5
    """A number."""

PRESETS = {
    "slow": Row("The slow one", RunConfig(10, 2), {"small": Config(), "full": Config(rate=0.25)}, expect="little"),
    "fast": Row("The fast one", RunConfig(10, 4), {"good": Config(2.0)}),
}

def build(source, run, config):
    return Experiment((), run)
'''


def settings(name, *argv):
    return parse(find(name).load(argv), argv, name, given=["source"]).settings


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "table.py"
    file.write_text(TABLE)
    return file


def test_listing_shows_every_row_with_paper_and_score():
    lines = dict(line.split(maxsplit=1) for line in listing().splitlines())
    assert {"dcgan", "lsgan", "wgan", "wgan_gp", "dragan", "hinge", "rpgan", "cgan", "projection"} <= lines.keys()
    assert {"acgan", "infogan", "lapgan", "mnist_mlp", "mnist_dcgan", "ring", "grid", "dirac"} <= lines.keys()
    assert "arXiv:1704.00028" in lines["wgan_gp"] and "Fréchet distance of 7" in lines["wgan_gp"]


@pytest.mark.medium
def test_listing_imports_no_experiment(tmp_path):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "broken.py").write_text("raise RuntimeError")
    program = "from gan_jax.config.discovery import listing; print(listing())"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "broken" in done.stdout and "wgan_gp" in done.stdout


@pytest.mark.parametrize("name", sorted(entries()))
def test_settings_name_every_value_and_round_trip_through_flags(name):
    """Only the listed flags may be null; settings given back as flags yield equal settings."""
    for preset in ([], *([["--preset", "full"]] if "preset" in settings(name) else [])):
        if preset and name == "mnist_dcgan":
            preset = ["--preset", "tutorial"]
        found = settings(name, *preset)
        used = {flag for flag, value in found.items() if value is None}
        assert used <= RESUMABLE | {each.name for each in fields(RunConfig)} | {"clip", "crop"}
        assert settings(name, *to_argv(found)) == found
        json.dumps(found)


def test_presets_override_defaults_and_flags_override_presets():
    assert settings("wgan_gp")["learning_rate"] == 2e-3
    assert settings("wgan_gp", "--preset", "full")["learning_rate"] == 1e-4
    assert settings("wgan_gp", "--preset=full", "--learning-rate", "0.5")["learning_rate"] == 0.5
    assert settings("wgan_gp")["penalty"] == "gradient_penalty:10.0"
    with pytest.raises(BadInput, match="preset"):
        settings("wgan_gp", "--preset", "huge")


def test_help_shows_the_defaults_of_the_row(capsys):
    for argv, rate in ((["--help"], "0.002"), (["--preset", "full", "--help"], "5e-05")):
        with pytest.raises(SystemExit):
            parse(find("wgan").load(argv), argv, "gan-jax train wgan", given=["source"])
        shown = capsys.readouterr().out
        assert f"(default: {rate})" in shown and "optimizer" not in shown.split("options")[1]


def test_rows_of_a_user_file_are_selected_by_name(table):
    built = [find(f"{table}:{row}").load()(toy(), **defaults(table, row)) for row in ("slow", "fast")]
    assert [experiment.common.batch_size for experiment in built] == [2, 4]
    assert settings(f"{table}:slow")["rate"] == 0.5 and settings(f"{table}:fast")["rate"] == 2.0
    assert settings(f"{table}:slow", "--preset", "full")["rate"] == 0.25
    assert "preset" not in settings(f"{table}:fast")
    with pytest.raises(BadInput, match=r"has the rows slow, fast: name one, as in .*table\.py:slow"):
        find(str(table))
    with pytest.raises(BadInput, match="has the rows slow, fast"):
        find(f"{table}:medium")


def defaults(table, row):
    return parse(find(f"{table}:{row}").load(), [], row, given=["source"]).kwargs


def toy():
    return open_source("ring")


def test_experiment_file_of_the_old_form_still_works(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(OLD_FORM)
    assert settings(str(file), "--rate", "0.25")["rate"] == 0.25
    assert find(str(file)).name == "mine"


def test_files_and_names_without_an_experiment_are_refused(tmp_path):
    (tmp_path / "none.py").write_text("x = 1")
    with pytest.raises(BadInput, match="defines neither PRESETS"):
        find(str(tmp_path / "none.py")).load()
    with pytest.raises(BadInput, match="does not exist"):
        find(str(tmp_path / "missing.py"))
    with pytest.raises(BadInput, match="did you mean dcgan"):
        find("dcgam")


OLD_SETTINGS = {
    "wgan_gp": ({"preset": "small", "learning_rate": None, "penalty": 10.0, "n_critic": 5, "ema": 0.999}, {}),
    "dragan": ({"preset": "full", "learning_rate": 1e-3, "penalty": 3.0, "b1": 0.5}, {"penalty": "dragan:3.0"}),
    "hinge": ({"preset": "full", "learning_rate": None, "b1": None, "n_critic": None}, {"n_critic": 5, "b1": 0.0}),
    "lsgan": ({"preset": "small", "learning_rate": None, "labels": [-1.0, 1.0, 0.0]}, {"loss": "lsgan:-1.0:1.0:0.0"}),
    "infogan": ({"preset": "small", "weight": 2.0, "number_weight": 0.5}, {"lambda_continuous": 0.5}),
    "mnist_dcgan": ({"preset": "tutorial", "learning_rate": None, "b1": None, "ema": None}, {"b1": 0.9, "ema": 0.0}),
    "stacked_mnist": ({"loss": "hinge", "learning_rate": 0.5, "width": 4}, {"g_learning_rate": 0.5}),
    "ring": ({"penalty": "interpolated:2.0", "width": 32}, {"penalty": "gradient_penalty:2.0"}),
}


@pytest.mark.parametrize("name", OLD_SETTINGS)
def test_settings_of_earlier_releases_are_translated(name):
    old, expected = OLD_SETTINGS[name]
    now = settings(name, *to_argv(upgrade(name, {"images": 640, "data_dir": None, **old})))
    assert now["images"] == 640 and now.items() >= expected.items()
    kept = {flag: old[flag] for flag in old.keys() & now.keys() if old[flag] is not None and flag != "penalty"}
    assert now.items() >= kept.items()


def test_a_run_of_an_earlier_release_is_ranked_by_the_present_name_of_its_score():
    assert upgrade("stacked_mnist", {"evaluate": "modes", "best": "reverse_kl"})["best"] == "reverse_kl_classes"


def test_loss_flag_gives_the_loss_object():
    build = find("dcgan").load()
    assert parse(build, ["--loss", "hinge"], "dcgan", given=["source"]).kwargs["config"].loss is losses.hinge


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Changes to a folder with an empty `experiments/`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()
    return tmp_path / "experiments"


UNREADABLE = {
    "not UTF-8": '"""d\u00e9j\u00e0 vu"""'.encode("latin-1"),
    "not text": b"\x00\x01\xff",
    "not Python": b"def (",
    "not closed": b'"""',
}


@pytest.mark.parametrize("content", UNREADABLE)
def test_listing_names_files_that_cannot_be_read(own, content):
    (own / "damaged.py").write_bytes(UNREADABLE[content])
    lines = dict(line.split(maxsplit=1) for line in listing().splitlines())
    assert lines["damaged"].startswith("cannot be read (") and "wgan_gp" in lines


def test_listing_reads_declared_encodings(own):
    (own / "western.py").write_bytes('# -*- coding: latin-1 -*-\n"""d\u00e9j\u00e0 vu"""'.encode("latin-1"))
    (own / "marked.py").write_bytes('"""d\u00e9j\u00e0 vu"""'.encode("utf-8-sig"))
    lines = dict(line.split(maxsplit=1) for line in listing().splitlines())
    assert lines["western"] == lines["marked"] == "d\u00e9j\u00e0 vu"


def test_listing_skips_what_is_no_experiment(own):
    before = listing()
    for name in (".hidden.py", "._dcgan.py", "_helpers.py"):
        (own / name).write_bytes(b"\x00")
    (own / "folder.py").mkdir()
    (own / "dangling.py").symlink_to("nowhere")
    assert listing() == before


def test_own_experiment_is_preferred_to_the_built_in_one_and_says_so(own):
    assert find("wgan").note == ""
    (own / "mine.py").write_text(TABLE.replace('"slow"', '"wgan"'))
    entry = find("wgan")
    assert entry.place == "experiments/mine.py:wgan" and "dcgan.py:wgan" in entry.note
    assert find(entry.others[0]).file.samefile(find("hinge").file)
    shown = next(line for line in listing().splitlines() if line.startswith("wgan "))
    assert "The slow one" in shown and "experiments/mine.py:wgan" in shown


@pytest.mark.parametrize("place", ["dcgan.py", "experiments/dcgan.py"])
def test_built_in_experiment_names_a_file_of_the_same_name(own, place):
    """The file has rows of other names, or is not in `experiments/`."""
    (own.parent / place).write_text(TABLE)
    entry = find("dcgan")
    assert not entry.file.samefile(own.parent / place) and place in entry.note


def test_name_that_two_files_of_a_folder_define_means_neither(own):
    for name in ("a.py", "b.py"):
        (own / name).write_text(TABLE)
    with pytest.raises(BadInput, match=r"slow is defined twice, by experiments/a\.py:slow and experiments/b\.py:slow"):
        find("slow")
    assert find("experiments/b.py:slow").file.name == "b.py"
    assert "defined twice" in listing()


TYPE_ONLY = '''"""Names for type checkers only."""
from __future__ import annotations
import typing
from typing import TYPE_CHECKING
from gan_jax.config.experiment import RunConfig
if TYPE_CHECKING:
    from pathlib import Path as P
    from gan_jax.config.experiment import Experiment
if typing.TYPE_CHECKING:
    from gan_jax.data import Source

def experiment(
    source: Source, common: RunConfig = RunConfig(images=10, batch_size=2), where: P | None = None
) -> Experiment:
    return None
'''


def test_annotations_may_use_imports_for_type_checkers(tmp_path):
    (tmp_path / "typed.py").write_text(TYPE_ONLY)
    assert settings(str(tmp_path / "typed.py"), "--where", "x")["where"] == "x"


def test_config_of_a_neighbor_may_use_imports_for_type_checkers(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    head, config = TYPE_ONLY.split("def experiment")[0], "@dataclass(frozen=True)\nclass Config:\n    where: P = P_()\n"
    imports = "from dataclasses import dataclass\nfrom pathlib import Path as P_\n"
    (tmp_path / "typed_neighbor.py").write_text(head + imports + config)
    (tmp_path / "uses_neighbor.py").write_text(
        "from typed_neighbor import Config\nfrom gan_jax.config.experiment import Experiment, Row, RunConfig\n"
        'PRESETS = {"only": Row("It", RunConfig(10, 2), {"small": Config()})}\n'
        "def build(source, run, config):\n    return Experiment((), run)\n"
    )
    assert settings(str(tmp_path / "uses_neighbor.py"), "--where", "x")["where"] == "x"


def test_annotation_that_cannot_be_evaluated_is_one_line(tmp_path):
    (tmp_path / "typed.py").write_text(TYPE_ONLY.replace("from pathlib", "from no_such_library"))
    with pytest.raises(BadInput, match=r"uses 'P', which is not imported .*TYPE_CHECKING"):
        settings(str(tmp_path / "typed.py"))
