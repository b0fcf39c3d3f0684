import dataclasses
import enum
import json
import math
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan_jax.config.flags import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    WeightsFile,
    parse,
    split,
    to_argv,
)
from gan_jax.errors import BadInput

PROG = "gan-jax train toy"


class Padding(enum.Enum):
    SAME = 1
    VALID = 2


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Flags of every run."""

    seed: NonNegativeInt = 0
    """Decides all that is random."""
    run_dir: Path | None = None
    """Where the run is written."""


def toy(
    *,
    name: str,
    width: PositiveInt = 64,
    learning_rate: PositiveFloat = 2e-4,
    decay: NonNegativeFloat = 0,
    ema: Fraction = 0.999,
    shift: float = -1.5,
    limit: PositiveInt | None = None,
    flip: bool = False,
    augment: bool = True,
    loss: Literal["hinge", "wasserstein"] = "hinge",
    padding: Padding = Padding.SAME,
    widths: tuple[int, ...] = (1, 2),
    betas: tuple[Fraction, float] = (0.5, 0.9),
    data: Path = Path("data"),
    run: RunConfig = RunConfig(),
):
    """A toy experiment.

    Args:
        name: Name of the run.
        width: Maps in the first layer.
    """
    return name, width, run


def settings_of(*argv):
    return parse(toy, ["--name=x", *argv], PROG).settings


def test_parameters_become_flags_and_a_dataclass_adds_its_own():
    argv = ["--name", "x", "--learning-rate", "0.1", "--run_dir", "a/b", "--seed", "3", "--no-augment"]
    parsed = parse(toy, argv, PROG)
    assert toy(**parsed.kwargs) == ("x", 64, RunConfig(3, Path("a/b")))
    assert parsed.kwargs["learning_rate"] == 0.1
    assert parsed.kwargs["augment"] is False
    assert parsed.settings == {
        "name": "x", "width": 64, "learning_rate": 0.1, "decay": 0, "ema": 0.999, "shift": -1.5, "limit": None,
        "flip": False, "augment": False, "loss": "hinge", "padding": "SAME", "widths": [1, 2], "betas": [0.5, 0.9],
        "data": "data", "seed": 3, "run_dir": "a/b",
    }  # fmt: skip


ERRORS = {
    "--learning-rte 3": "unknown flag --learning-rte (did you mean --learning-rate?)",
    "--learning-rte=3": "unknown flag --learning-rte (did you mean --learning-rate?)",
    "--no-fip": "unknown flag --no-fip (did you mean --no-flip?)",
    "--zzz": "unknown flag --zzz",
    "-q": "unknown flag -q",
    "--run.seed 1": "unknown flag --run.seed (did you mean --seed?)",
    "more": "unexpected argument 'more'",
    "--flip True": "unexpected argument 'True'",
    "--betas 0 0 0": "unexpected argument '0'",
    "--width 0": "--width cannot be '0'; it takes INT > 0",
    "--width=-3": "--width cannot be '-3'; it takes INT > 0",
    "--width 1.5": "--width cannot be '1.5'; it takes INT > 0",
    "--width 1 --width x": "--width cannot be 'x'; it takes INT > 0",
    "--seed -1": "--seed cannot be '-1'; it takes INT >= 0",
    "--learning-rate 0": "--learning-rate cannot be '0'; it takes FLOAT > 0",
    "--learning_rate inf": "--learning-rate cannot be 'inf'; it takes FLOAT > 0",
    "--decay=-1e-9": "--decay cannot be '-1e-9'; it takes FLOAT >= 0",
    "--decay nan": "--decay cannot be 'nan'; it takes FLOAT >= 0",
    "--ema 1": "--ema cannot be '1'; it takes FLOAT >= 0 and < 1",
    "--shift abc": "--shift cannot be 'abc'; it takes FLOAT",
    "--limit 0": "--limit cannot be '0'; it takes {None}|{INT > 0}",
    "--betas 0 x": "--betas cannot be '0' 'x'; it takes FLOAT >= 0 and < 1 FLOAT",
    "--width": "--width needs a value",
    "--width --flip": "--width needs a value",
    "--betas": "--betas needs a value",
    "--betas 0": "--betas cannot be '0'; it takes FLOAT >= 0 and < 1 FLOAT",
    "--loss foo": "--loss cannot be 'foo'; choose one of hinge, wasserstein",
    "--padding same": "--padding cannot be 'same'; choose one of SAME, VALID",
}


@pytest.mark.parametrize("line", ERRORS)
def test_wrong_flags_give_one_line_errors(line, capfd):
    with pytest.raises(BadInput) as info:
        settings_of(*line.split())
    assert str(info.value) == f"{ERRORS[line]}; see {PROG} --help"
    assert capfd.readouterr() == ("", "")


def test_missing_required_flag_is_refused():
    with pytest.raises(BadInput, match=f"^--name must be given; see {PROG} --help$"):
        parse(toy, ["--width", "3"], PROG)


@pytest.mark.parametrize("columns", ["20", "200"])
def test_errors_are_one_line_at_any_terminal_width(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(BadInput) as info:
        settings_of("--width", "0")
    message = str(info.value)
    assert "\n" not in message
    assert "--width" in message
    assert "0" in message


def test_help_shows_type_description_and_default_of_flags(capsys):
    with pytest.raises(SystemExit) as info:
        parse(toy, ["--help"], PROG)
    assert info.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith(f"usage: {PROG}")
    for text in ("A toy experiment.", "--width INT > 0", "Maps in the first layer. (default: 64)",
                 "--flip, --no-flip", "--seed INT >= 0", "Decides all that is random."):  # fmt: skip
        assert text in shown


floats = st.floats(allow_nan=False)
whole = st.integers(-(2**63), 2**63)
words = st.text(st.characters(exclude_categories=["Cs"]))
paths = words.map(lambda word: str(Path(word))).filter(lambda path: path != "None" and path[0] != "~")
any_settings = st.fixed_dictionaries(
    {
        "name": words,
        "width": st.integers(1, 2**40),
        "learning_rate": st.floats(0, exclude_min=True, allow_infinity=False),
        "decay": st.floats(0, allow_infinity=False),
        "ema": st.floats(0, 1, exclude_max=True),
        "shift": floats,
        "limit": st.none() | st.integers(1),
        "flip": st.booleans(),
        "augment": st.booleans(),
        "loss": st.sampled_from(["hinge", "wasserstein"]),
        "padding": st.sampled_from(["SAME", "VALID"]),
        "widths": st.lists(whole, max_size=4),
        "betas": st.tuples(st.floats(0, 1, exclude_max=True), floats).map(list),
        "data": paths,
        "seed": st.integers(0),
        "run_dir": st.none() | paths,  # a home is expanded
    }
)


@settings(deadline=None, max_examples=50)
@given(any_settings)
def test_settings_round_trip_through_json_and_flags(chosen):
    argv = to_argv(json.loads(json.dumps(chosen)))
    assert parse(toy, argv, PROG).settings == chosen


def test_to_argv_accepts_python_values():
    chosen = {"name": "x", "padding": Padding.VALID, "data": Path("a"), "betas": (0.25, math.inf), "flip": True}
    kwargs = parse(toy, to_argv(chosen), PROG).kwargs
    assert {name: kwargs[name] for name in chosen} == chosen


def test_a_weights_file_is_kept_by_its_absolute_path_and_named_as_a_file_of_the_run(tmp_path, monkeypatch):
    def build(weights: WeightsFile = None):
        """Builds.

        Args:
            weights: A file.
        """

    monkeypatch.chdir(tmp_path)
    assert parse(build, [], "x") == ({"weights": None}, {"weights": "none"}, ())
    file = tmp_path / "w.npz"
    parsed = parse(build, ["--weights", "w.npz"], "x")
    assert parsed == ({"weights": file}, {"weights": str(file)}, (file,))
    assert parse(build, to_argv(parsed.settings), "x") == parsed


def test_a_command_line_is_split_between_two_functions():
    def first(vary: tuple[str, ...] = (), exact: bool = False):
        """Accepts some of the flags."""

    argv = ["--width", "3", "--vary", "a=-1", "b", "--shift", "-2", "--no-exact", "--vary=c", "--seed=1"]
    assert split(first, argv) == (
        ["--vary", "a=-1", "b", "--no-exact", "--vary=c"],
        ["--width", "3", "--shift", "-2", "--seed=1"],
    )
    assert split(first, ["--help"]) == (["--help"], [])
