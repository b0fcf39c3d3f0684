"""A run that is made longer is the run that all other commands see, and that `gan-jax reproduce` plays."""

import json

import halves
import pytest
from commands import command
from stepping import schedules

from gan_jax.runs.run_dir import RunDir
from gan_jax.training import reproduce
from gan_jax.training.restore import rebuild

SHORT = ("--batch-size", 8, "--log-every", 5, "--sample-every", 10, "--checkpoint-every", 5)
NARROW = (*SHORT, "--width", 4, "--depth", 2, "--penalty", "r1:0.1")


@pytest.fixture
def train(monkeypatch, capfd, tmp_path):
    """Returns `train(*flags)`, which trains nothing: the schedules that would be played, and the lines on stderr."""
    played = []
    monkeypatch.setattr("gan_jax.cli.train.train", lambda experiment, *_, **__: played.append(schedules(experiment)))

    def run(*flags):
        code, _, errors = command(capfd, "train", halves.__file__, "--run-dir", tmp_path / "run", *SHORT, *flags)
        assert code == 0, errors
        return played[-1], errors

    return run


def save(folder):
    (folder.checkpoints / "20").mkdir(parents=True)
    return folder


def restored(path):
    return schedules(rebuild(RunDir(path))[1])


def reproduced(path):
    again = RunDir(path.with_name("again"))
    wanted = {19: {}, 40: {}}
    experiment, _ = reproduce._prepare(path, RunDir(path).read(), wanted, again)
    assert experiment.save_at == wanted.keys(), "exactly the states to compare, beside the regular ones"
    return schedules(experiment)


def test_every_command_keeps_the_schedules_of_a_longer_run(train, tmp_path, capfd):
    run = tmp_path / "run"
    before, errors = train("--images", 160)
    assert "schedules   made" not in errors
    save(RunDir(run))
    longer, errors = train("--images", 320)
    assert "schedules   made for 160 images (--schedule-images); until 320 they hold their last value" in errors
    assert longer == [before[0], (range(10, 40), before[1][1])]
    assert restored(run) == longer and reproduced(run) == longer
    errors = capfd.readouterr().err.splitlines()
    assert errors[0].startswith("data        dirac: 100,000 points") and errors[1].startswith(
        "schedules   made for 160"
    )
    shorter, errors = train("--images", 40)
    assert shorter == [(range(5), before[0][1])] and "the run ends after 40" in errors
    assert restored(run) == longer, "the run is as long as its longest command"


def test_schedules_of_a_run_are_its_own_from_the_first_state_on(train, tmp_path, capfd):
    train("--images", 160)
    anew, errors = train("--images", 320)
    assert "schedules   made" not in errors and anew[0][0] == range(20) and restored(tmp_path / "run") == anew
    save(RunDir(tmp_path / "run"))
    flags = ("--run-dir", tmp_path / "run", *SHORT, "--images", 640, "--schedule-images", 160)
    code, _, errors = command(capfd, "train", halves.__file__, *flags)
    assert code == 2 and "holds a run with --schedule-images 320, not 160" in errors


def test_long_schedule_may_be_stopped_early_and_continued(train, tmp_path):
    stopped, errors = train("--images", 160, "--schedule-images", 640)
    assert "made for 640 images (--schedule-images); the run ends after 160" in errors
    save(RunDir(tmp_path / "run"))
    whole, errors = train("--images", 640)
    assert "schedules   made" not in errors
    assert stopped[0] == (range(20), whole[0][1]) and restored(tmp_path / "run") == whole


def test_run_of_an_earlier_version_has_the_schedules_of_its_last_length(train, tmp_path, capfd):
    train("--images", 160)
    folder = save(RunDir(tmp_path / "run"))
    train("--images", 320)
    about = json.loads(folder.manifest.read_text())
    del about["settings"]["schedule_images"]
    folder.manifest.write_text(json.dumps(about))
    assert restored(folder.path)[0][0] == range(20) and reproduced(folder.path) == restored(folder.path)
    assert "made for 320 images (--schedule-images); an earlier version made the run longer" in capfd.readouterr().err
    longer, errors = train("--images", 480)
    assert "until 480 they hold" in errors and "an earlier version made the run longer" in errors
    assert longer[0][0] == range(20) and longer[1][0] == range(20, 60)
    assert restored(folder.path) == longer


def played(capfd, *argv):
    code, out, errors = command(capfd, *argv)
    assert code == 0, out + errors
    return out


@pytest.mark.slow
@pytest.mark.parametrize(("name", "flags"), [("ring", NARROW), ("grid", NARROW), (halves.__file__, SHORT)])
def test_longer_run_is_reproduced(name, flags, tmp_path, capfd):
    for images in (144, 320):
        played(capfd, "train", name, *flags, "--run-dir", tmp_path / "run", "--images", images)
    out = played(capfd, "reproduce", tmp_path / "run")
    saved = {line["step"] for line in RunDir(tmp_path / "run").read_digests()}
    assert {18, 20, 40} <= saved and out.startswith(f"identical: {len(saved)} checkpoints, the last of 320 images")


@pytest.mark.slow
def test_longer_run_equals_the_run_of_one_command(tmp_path, capfd):
    for run, *length in (("a", 160), ("a", 320), ("b", 320, "--schedule-images", 160)):
        played(capfd, "train", halves.__file__, *SHORT, "--run-dir", tmp_path / run, "--images", *length)
    assert RunDir(tmp_path / "a").read_digests() == RunDir(tmp_path / "b").read_digests()
