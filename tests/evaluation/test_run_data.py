"""Every command that opens the data of a run refuses other data, and accepts its own in another place."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny
from commands import command, snapshot
from PIL import Image

from gan_jax import BadInput
from gan_jax.cli.sweep import sweep
from gan_jax.data import absolute_name
from gan_jax.evaluation.real_data import open_reference
from gan_jax.runs.run_data import run_data
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.restore import rebuild


@pytest.fixture
def data(tiles, tmp_path):
    """Copies the tiles for a test that changes them."""
    return shutil.copytree(tiles, tmp_path / "data" / "tiles")


@pytest.fixture
def own_run(run, tiles, data, tmp_path, monkeypatch):
    """Copies the run on the tiles, as if it had been trained on `data`; training itself is left out from here on."""
    copy = shutil.copytree(run, tmp_path / "run")
    about = copy / "manifest.json"
    about.write_text(about.read_text().replace(str(tiles), str(data)))
    monkeypatch.setattr("gan_jax.cli.train.train", lambda *_, **__: None)
    return copy


@pytest.fixture
def commands(own_run, data, tmp_path, features_flag):
    """Every command that opens the data of a run or sweep."""
    short = ["--images", 640, "--batch-size", 8]
    scored = ["--metrics", "fid", "--samples", 20, *features_flag]
    grid = [*short, "--seeds", 1, "--run-dir", tmp_path / "grid"]
    return {
        "train": ["train", tiny.__file__, "--data", data, *short, "--run-dir", own_run],
        "evaluate": ["evaluate", own_run, *scored],
        "evaluate --split": ["evaluate", own_run, *scored, "--split", "test"],
        "reproduce": ["reproduce", own_run],
        "sweep": ["sweep", tiny.__file__, "--data", data, *grid],
        "sweep --vary data": ["sweep", tiny.__file__, "--vary", f"data={data}", *grid],
    }


def another_image(data):
    """Draws another image in the place of one."""
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(data / "train" / "a" / "000.png")


def another_label(data):
    """Exchanges an image of one class and of another."""
    a, b = (data / "train" / name / "000.png" for name in "ab")
    (was_a, was_b) = (a.read_bytes(), b.read_bytes())
    a.write_bytes(was_b), b.write_bytes(was_a)


def one_image_less(data):
    (data / "train" / "a" / "000.png").unlink()


def another_class_name(data):
    for split in ("train", "test"):
        (data / split / "d").rename(data / split / "e")


SWEEPS = [pytest.param(name, marks=pytest.mark.slow) for name in ("sweep", "sweep --vary data")]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train", "evaluate", "evaluate --split", "reproduce", *SWEEPS])
def test_every_command_refuses_other_data_and_names_both(name, commands, own_run, data, capfd, tmp_path, monkeypatch):
    if name.startswith("sweep"):
        begin = lambda programs, folder, stop: [folder.begin(each.about) for each in programs] == []  # noqa: E731
        monkeypatch.setattr("gan_jax.cli.sweep.train_all", begin)
        assert not sweep(commands[name][1], [*map(str, commands[name][2:])], lambda: True)
        capfd.readouterr()
    another_image(data)
    before = snapshot(tmp_path)
    code, out, errors = command(capfd, *commands[name])
    assert (code, out) == (2, "") and len(errors.splitlines()) == 1, errors
    both = re.search(r"was trained on (\S+) \((.*)fingerprint (\w+)\), not on (\S+) \((.*)fingerprint (\w+)\)", errors)
    assert both[1] == both[4] == str(data) and both[3] != both[6]
    assert both[2] == both[5] == ("" if "--vary" in name else "240 examples, 8x8x1, 4 classes, ")
    assert ("repeat the command that trained it once with --data NEW" in errors) == name.startswith(("eval", "repro"))
    assert snapshot(tmp_path) == before


@pytest.mark.slow
@pytest.mark.parametrize("change", [another_image, another_label, one_image_less, another_class_name])
def test_any_change_of_the_data_is_refused(change, own_run, data):
    about, experiment, _ = rebuild(RunDir(own_run))
    assert run_data(own_run, about, experiment.common)("train").size == 240
    change(data)
    opened = run_data(own_run, about, experiment.common)
    for split in ("train", "test"):
        with pytest.raises(BadInput, match="was trained on"):
            opened(split)


@pytest.mark.slow
def test_moved_data_is_accepted_by_train_and_found_by_other_commands(commands, own_run, data, capfd, tmp_path):
    moved = data.rename(tmp_path / "elsewhere")
    for name in ("evaluate", "reproduce"):
        code, _, errors = command(capfd, *commands[name])
        assert code == 2 and f"{data} does not exist" in errors and len(errors.splitlines()) == 1
        assert f"if the data of {own_run} was moved, repeat the command that trained it once with --data NEW" in errors
    code, _, errors = command(capfd, *(moved if word is data else word for word in commands["train"]))
    assert code == 0, errors
    assert command(capfd, *commands["evaluate"])[0] == 0
    about, experiment, _ = rebuild(RunDir(own_run))
    assert about.settings["data"] == str(moved)
    assert run_data(own_run, about, experiment.common)("train").size == 240
    assert json.loads((own_run / "manifest.json").read_text())["settings"]["data"] == str(data)


@pytest.mark.slow
def test_relative_path_means_the_same_in_another_folder(commands, own_run, data, capfd, tmp_path, monkeypatch):
    """The folder of the command has other data of the same relative path."""
    shutil.rmtree(own_run)
    monkeypatch.chdir(data.parent)
    assert command(capfd, *(data.name if word is data else word for word in commands["train"]))[0] == 0
    shutil.copytree(data, tmp_path / "other" / data.name)
    monkeypatch.chdir(tmp_path / "other")
    one_image_less(Path(data.name))
    about, experiment, _ = rebuild(RunDir(own_run))
    assert run_data(own_run, about, experiment.common)("train").size == 240


@pytest.mark.slow
def test_run_of_an_earlier_version_is_compared_without_fingerprint(commands, own_run, data, capfd, monkeypatch):
    """By the name, size, shape and classes; its manifest has a relative path."""
    about = json.loads((own_run / "manifest.json").read_text())
    del about["data"]["fingerprint"]
    about["settings"]["data"] = data.name
    (own_run / "manifest.json").write_text(json.dumps(about))
    monkeypatch.chdir(data.parent)
    another_image(data)
    assert command(capfd, *commands["train"])[0] == 0
    one_image_less(data)
    for name in ("train", "evaluate"):
        code, _, errors = command(capfd, *commands[name])
        assert code == 2 and "(240 examples, 8x8x1, 4 classes), not on" in errors and "(239 examples" in errors


def test_reference_may_be_arrays_with_splits(tmp_path):
    images = np.arange(5 * 4 * 4, dtype=np.uint8).reshape(5, 4, 4)
    np.savez(tmp_path / "digits.npz", x_train=images[:3], x_test=images[3:])
    reference = open_reference(str(tmp_path / "digits.npz"), "test", None, None)
    assert (reference.split, reference.source.size, reference.source.shape) == ("test", 2, (4, 4, 1))


def test_names_become_absolute_exactly_where_they_are_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    for folder in ("faces", "ring", "odd:4"):
        Path(folder).mkdir()
    same = ["mnist5k", "mnist5k:500", "stacked:mnist5k", "mnist", "mnist:3.0.1", "emnist/letters", "ring", "/a", "/a:8"]
    paths = {"faces": "faces", "./faces/": "faces", "faces:4": "faces:4", "odd:4": "odd:4", "odd:4:8": "odd:4:8"}
    found = {name: f"{tmp_path}/{path}" for name, path in paths.items()} | dict(zip(same, same, strict=True))
    found |= {"~/x": "/home/me/x", "stacked:./digits.zip": f"stacked:{tmp_path}/digits.zip"}
    found |= {"set.zip/train": f"{tmp_path}/set.zip/train", "ground:faces:4": f"ground:{tmp_path}/faces:4"}
    found |= {"ground=set.zip/train:mnist:9": f"ground={tmp_path}/set.zip/train:mnist:9"}
    found |= {"ground=faces:./a.npz": f"ground={tmp_path}/faces:{tmp_path}/a.npz"}
    found |= {f"{each}:./a.zip:4": f"{each}:{tmp_path}/a.zip:4" for each in ("label=A", "attributes", "label=A:color")}
    found |= {"video:./a.zip": f"video:{tmp_path}/a.zip", "video=8:faces:4": f"video=8:{tmp_path}/faces:4"}
    found |= {"moving:mnist5k": "moving:mnist5k", "moving:faces": f"moving:{tmp_path}/faces"}
    found |= {"color:mnist5k": "color:mnist5k", "cycle_gan/horse2zebra": "cycle_gan/horse2zebra", "zebra": "zebra"}
    assert {name: absolute_name(name) for name in found} == found
    assert [absolute_name(name) for name in found.values()] == list(found.values())
    assert absolute_name("ring", size=8) == f"{tmp_path}/ring" and absolute_name("faces", data_dir="x") == "faces"


def test_no_other_module_opens_the_data_of_a_run():
    """Data that a user names beside a run's own is opened by `evaluation/real_data.py`, or is to be translated."""
    package = Path(tiny.__file__).parents[2] / "gan_jax"
    opening = {str(file.relative_to(package)) for file in package.rglob("*.py") if "open_source(" in file.read_text()}
    assert opening - {"data/__init__.py"} == {"runs/run_data.py", "evaluation/real_data.py", "evaluation/image_sets.py"}
