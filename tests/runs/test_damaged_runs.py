"""Fuzzed run folders: files of any content are read, or refused in one line, and never changed."""

import copy
import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan_jax import BadInput
from gan_jax.monitoring.monitor import Finding, summary, write_findings
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.reproduce import digests
from gan_jax.training.restore import rebuild

FILES = ("manifest.json", "resumes.jsonl", "metrics.jsonl", "digests.jsonl", "health.jsonl", "rollbacks.jsonl")

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def run(shared_run, tmp_path_factory):
    """Copies the shared run, adds findings and a rollback; returns the folder and the contents of its files."""
    folder = shutil.copytree(shared_run, tmp_path_factory.mktemp("damaged") / "run")
    here = RunDir(folder)
    write_findings([Finding("oscillation", 80, 160), Finding("samples alike", 160)], here)
    here.append_rollback(step=7, to=0, moves=["d"])
    return folder, {name: (folder / name).read_bytes() for name in FILES}


def read(folder):
    """Reads everything that commands read of a run, except checkpoints."""
    here = RunDir(folder)
    rebuild(here)
    here.records()
    summary(here)
    digests(here, None)


def holds(folder, contents):
    """Checks that reading a damaged folder raises nothing but a one-line `BadInput` and changes no file."""
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    try:
        read(folder)
    except BadInput as error:
        assert "\n" not in str(error).strip()
    assert {name: (folder / name).read_bytes() for name in FILES} == contents


def places(value, path=()):
    """Yields the path of every part of a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


def replaced(value, path, new):
    """Returns a JSON value with the part at `path` replaced by `new`."""
    if not path:
        return new
    value = copy.deepcopy(value)
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return value


FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.medium
@FEW
@given(data=st.data(), name=st.sampled_from(FILES), new=ANYTHING)
def test_replaced_json_values_are_read_or_refused(run, data, name, new):
    folder, whole = run
    lines = whole[name].decode().splitlines() if name.endswith(".jsonl") else [whole[name].decode()]
    at = data.draw(st.integers(0, len(lines) - 1))
    value = json.loads(lines[at])
    lines[at] = json.dumps(replaced(value, data.draw(st.sampled_from(list(places(value)))), new))
    holds(folder, whole | {name: ("\n".join(lines) + "\n").encode()})


@pytest.mark.medium
@FEW
@given(name=st.sampled_from(FILES), start=st.floats(0, 1), end=st.floats(0, 1), new=st.binary(max_size=6))
def test_replaced_bytes_are_read_or_refused(run, name, start, end, new):
    folder, whole = run
    text = whole[name]
    cuts = sorted(int(place * len(text)) for place in (start, end))
    holds(folder, whole | {name: text[: cuts[0]] + new + text[cuts[1] :]})


@FEW
@given(name=st.sampled_from(FILES), missing=st.booleans())
def test_missing_and_empty_files_are_read_or_refused(run, name, missing):
    folder, whole = run
    for each, data in whole.items():
        (folder / each).write_bytes(data)
    (folder / name).write_bytes(b"")
    if missing:
        (folder / name).unlink()
    try:
        read(folder)
    except BadInput as error:
        assert "\n" not in str(error).strip()
