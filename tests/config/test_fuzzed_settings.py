"""Fuzzed flags: they are parsed, or refused in one line, and nothing is written."""

from pathlib import Path

import pytest
import tiny
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gan_jax.cli.main import main
from gan_jax.config.discovery import find
from gan_jax.config.flags import parse
from gan_jax.errors import BadInput

ODD = ["", " ", "-1", "0", "1", "1e999", "nan", "-inf", "0x10", "\u0661", "1_000", "None", "True", "9" * 5000, "\0"]
EXPERIMENTS = {name: find(name).load() for name in ("mnist_mlp", "ring", "projection", "infogan", "lapgan", "dirac")}
FLAGS = {name: sorted(parse(build, [], name, given=["source"]).settings) for name, build in EXPERIMENTS.items()}
WORDS = st.sampled_from(ODD) | st.text(max_size=8) | st.integers().map(str) | st.floats().map(str)
MANY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.medium
@MANY
@given(data=st.data(), name=st.sampled_from(sorted(EXPERIMENTS)))
def test_fuzzed_values_are_parsed_or_refused_in_one_line(data, name):
    flags = data.draw(st.lists(st.sampled_from(FLAGS[name]), min_size=1, max_size=3))
    argv = [part for flag in flags for part in (f"--{flag.replace('_', '-')}", data.draw(WORDS))]
    try:
        parsed = parse(EXPERIMENTS[name], argv, name, given=["source"])
        assert parsed.settings.keys() == set(FLAGS[name])
    except BadInput as error:
        assert "\n" not in str(error).strip()
    except SystemExit as stop:  # a word may be --help
        assert not stop.code


LINES = st.lists(WORDS | st.sampled_from(["--images", "--seed=", "-h", "--images=80", "--no-x64"]), max_size=3)


@MANY
@given(argv=LINES)
@example(argv=["--image-size", "9" * 30])
def test_fuzzed_command_lines_give_one_line_errors_and_write_nothing(argv, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as done:
        main(["train", tiny.__file__, "--data", "nowhere/at/all", *argv])
    out, errors = capsys.readouterr()
    assert (done.value.code == 2 and len(errors.splitlines()) == 1) or (not done.value.code and "usage" in out)
    assert not list(Path().iterdir())
