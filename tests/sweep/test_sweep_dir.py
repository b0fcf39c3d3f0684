"""Sweep folders: the settings all their sweeps share, and errors for damaged files."""

import json

import pytest

from gan_jax import BadInput
from gan_jax.runs.manifest import Manifest
from gan_jax.runs.run_dir import RunDir
from gan_jax.sweep.sweep_dir import About, ProgramFolder, SweepDir, identity


def manifest(data=None, files=None, **settings):
    return Manifest("toy.py", "sha", settings, {"name": "ring"} if data is None else data, {}, files or {}, {}, {})


def test_settings_never_varied_must_stay_the_same(tmp_path):
    folder = SweepDir(tmp_path / "grid")
    folder.keep(folder.check(manifest(width=3, rate=1, log_every=5)))
    folder.keep(folder.check(manifest(width=3, log_every=7, files={"mine.py": "a"})))
    assert folder.read().settings.keys() == {"width", "log_every"}
    folder.check(manifest(width=3, rate=2, log_every=5))
    with pytest.raises(BadInput, match="--width 3, not 4"):
        folder.check(manifest(width=4, log_every=5))
    with pytest.raises(BadInput, match=r"an earlier version of .*mine.py"):
        folder.check(manifest(width=3, log_every=5, files={"mine.py": "b"}))
    with pytest.raises(BadInput, match="was trained on"):
        folder.check(manifest(data={"name": "spiral"}, width=3, log_every=5))
    folder.keep(folder.check(manifest(data={}, width=3, log_every=5)))
    assert folder.check(manifest(data={"name": "spiral"}, width=3, log_every=5)).files == {"mine.py": "a"}


def test_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="exists and is not a sweep"):
        SweepDir(tmp_path).check(manifest())


def test_identity_ignores_seed_and_logging():
    one = {"width": 3, "seed": 0, "log_every": 5, "images": 100}
    assert identity(one, False) == identity({**one, "seed": 1, "log_every": 6}, False)
    assert len({identity(one, False), identity(one, True), identity({**one, "images": 50}, False)}) == 3


def test_length_of_the_schedules_names_a_run_only_where_it_is_another_than_the_run_has():
    before = {"width": 3, "images": 100}
    assert len({identity(before | {"schedule_images": n}, False) for n in (None, 100)} | {identity(before, False)}) == 1
    assert identity(before | {"schedule_images": 50}, False) != identity(before, False)


@pytest.mark.parametrize("text", ["3", '{"step": 5}', "{", '["step", "images", "seconds"]'])
@pytest.mark.parametrize(("kind", "cure"), [(RunDir, "delete it"), (ProgramFolder, "to train it again")])
def test_damaged_records_give_one_line_errors(kind, cure, text, tmp_path):
    folder, good = kind(tmp_path), {"step": 1, "images": 8, "seconds": 0.1}
    folder.metrics.write_text(json.dumps(good) + "\n" + text)
    assert folder.records() == [good]  # the last line may be incomplete after a kill
    folder.metrics.write_text(json.dumps(good) + "\n" + text + "\n")
    with pytest.raises(BadInput, match=rf"{folder.metrics.name} is damaged .*{cure}"):
        folder.records()


@pytest.mark.parametrize("text", ["3", "{}", '{"experiment": "ri', "settings"])
def test_damaged_manifest_gives_a_one_line_error(text, tmp_path):
    folder = SweepDir(tmp_path)
    folder.keep(manifest(width=3))
    whole = json.loads(folder.manifest.read_text())
    folder.manifest.write_text(json.dumps(whole | {"settings": 3}) if text == "settings" else text)
    with pytest.raises(BadInput, match=r"manifest.json cannot be read"):
        folder.check(manifest(width=3))


@pytest.mark.parametrize("text", ["3", "{}", '{"settings": [', "settings", "seeds"])
def test_damaged_program_gives_a_one_line_error(text, tmp_path):
    folder, about = SweepDir(tmp_path), About([{"width": 3}], [0, 1], False, "1 x cpu")
    folder.begin(about)
    assert folder.programs() == [about]
    file = ProgramFolder(folder.place(about)).about
    file.write_text(json.dumps(about._asdict() | {text: [3, []]}) if text in about._fields else text)
    with pytest.raises(BadInput, match=r"(?s)program.json is damaged .*: delete its folder to train it again"):
        folder.programs()
