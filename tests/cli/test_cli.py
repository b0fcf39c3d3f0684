"""The command: its output, and mistakes that give one line, exit code 2 and change nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest
import tiny
from commands import command, snapshot

from gan_jax import BadInput, make_step
from gan_jax.config.discovery import find
from gan_jax.config.flags import parse
from gan_jax.config.user_code import sha
from gan_jax.data.modality import spec_of
from gan_jax.data.source import stored
from gan_jax.runs.run_dir import RunDir
from gan_jax.training import reproduce
from gan_jax.training.train import new_state

TINY = str(Path(tiny.__file__))


def test_list_has_a_line_for_every_experiment(capfd):
    code, out, _ = command(capfd, "list")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert {"mnist_mlp", "mnist_dcgan"} <= lines.keys()
    assert "fully connected" in lines["mnist_mlp"]


@pytest.mark.parametrize(
    "argv",
    [
        ["--help"],
        ["train", "--help"],
        ["compare", "-h"],
        ["sweep", "-h"],
        ["sweep", "mnist_mlp", "--help"],
        ["train", "mnist_mlp", "--help"],
        ["sample", "-h"],
        ["directions", "-h"],
        ["edit", "-h"],
        ["inspect", "-h"],
        ["list", "-h"],
    ],
)
def test_every_command_has_help(capfd, argv):
    code, out, _ = command(capfd, *argv)
    assert code == 0
    assert "usage: gan-jax" in out


def test_train_help_shows_flags_with_description_and_default(capfd):
    _, out, _ = command(capfd, "train", "mnist_mlp", "--help")
    out = " ".join(out.split())
    common = "--data", "--data-dir", "--images", "--batch-size", "--seed", "--run-dir"
    for flag in ("--z-size", "--learning-rate", *common):
        assert flag in out
    assert "Length of the standard normal latent. (default: 100)" in out.replace("│ │ ", "")


MISTAKES = {
    "no such command": (["trian"], "unknown command 'trian'"),
    "no such experiment": (["train", "mnist_mpl"], "did you mean mnist_mlp"),
    "no such file": (["train", "nowhere/x.py"], "nowhere/x.py does not exist"),
    "no experiment": (["train"], "no experiment given"),
    "no such flag": (["train", TINY, "--learning-rte", "1"], "did you mean --learning-rate"),
    "wrong type": (["train", TINY, "--batch-size", "many"], "--batch-size cannot be 'many'"),
    "out of range": (["train", TINY, "--batch-size", "0"], "INT > 0"),
    "negative rate": (["train", TINY, "--learning-rate", "-1"], "FLOAT > 0"),
    "missing value": (["train", TINY, "--seed"], "--seed"),
    "not a choice": (["train", TINY, "--pipeline", "magic"], "--pipeline"),
    "missing folder": (["train", TINY, "--data", "./nowhere/"], "./nowhere/ does not exist"),
    "missing archives": (["train", TINY, "--data", "mnist", "--data-dir", "nowhere"], "nowhere"),
    "data-dir without a TFDS name": (["train", TINY, "--data-dir", "."], "--data-dir is for TFDS data sets"),
    "folder without archives": (["train", TINY, "--data", "mnist", "--data-dir", "."], "train-images"),
    "seed out of range": (["train", TINY, "--seed", str(2**32)], "< 2**32"),
    "nowhere to write": (["train", TINY, "--run-dir", "/dev/null/x"], "/dev/null/x"),
    "batch for 8 devices": (["train", TINY, "--batch-size", "12"], "a batch of 12 cannot be split over 8 devices"),
    "no such metric": (["train", TINY, "--best", "fid"], "--best fid is not logged: choose one of d/"),
    "nothing to compare": (["compare"], "no runs given"),
    "nothing to sweep": (["sweep"], "no experiment given"),
    "no seeds": (["sweep", TINY, "--seeds", "0"], "INT > 0"),
    "nothing to vary": (["sweep", TINY, "--vary", "learning-rate"], "write a flag and its values"),
    "no such flag to vary": (["sweep", TINY, "--vary", "learning-rte=1"], "did you mean --learning-rate"),
    "folder of a run": (["compare", TINY, "--run-dir", "RUN"], "holds a single run, not a sweep"),
    "which run": (["sample"], "RUN must be given"),
    "no such checkpoint": (["sample", "RUN", "--step", "7"], "no checkpoint of step 7"),
    "list with an argument": (["list", "everything"], "unexpected argument 'everything'"),
    "no such run": (["sample", "nowhere"], "nowhere is not a run"),
    "labels without classes": (["sample", "RUN", "--labels", "3"], "no labels"),
    "unknown format": (["sample", "RUN", "--out", "x.gif"], "neither .png nor .npz"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_give_one_line_errors_and_change_nothing(capfd, monkeypatch, tmp_path, shared_run, mistake):
    argv, message = MISTAKES[mistake]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAN_JAX_CACHE", str(tmp_path / "cache"))
    before = snapshot(shared_run)
    code, out, errors = command(capfd, *(shared_run if word == "RUN" else word for word in argv))
    assert code == 2
    assert out == ""
    assert len(errors.strip().splitlines()) == 1, errors
    assert errors.startswith("gan-jax: ")
    assert message in errors
    assert not any(file.is_file() for file in tmp_path.rglob("*") if "cache" not in str(file))
    assert snapshot(shared_run) == before


def test_folder_of_another_run_is_refused_unchanged(capfd, shared_run, tmp_path):
    before = snapshot(shared_run)
    for argv, message in (
        (["train", "mnist_mlp", "--run-dir", shared_run], "holds a run of tiny, not of mnist_mlp"),
        (["train", TINY, "--batch-size", "16", "--run-dir", shared_run], "--batch-size 8, not 16"),
        (["train", TINY, "--seed", "1", "--run-dir", shared_run], "--seed 0, not 1"),
    ):
        code, _, errors = command(capfd, *argv)
        assert code == 2 and message in errors and len(errors.splitlines()) == 1
    assert snapshot(shared_run) == before
    (tmp_path / "notes.txt").write_text("mine")
    code, _, errors = command(capfd, "train", TINY, "--run-dir", tmp_path)
    assert code == 2 and "is not a run" in errors
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_damaged_checkpoint_is_reported_and_no_file_is_lost(capfd, trained_run):
    torn = trained_run
    shutil.rmtree(torn / "checkpoints" / "80")
    with (torn / "metrics.jsonl").open("a") as log:
        log.write('{"step": 105, "images": 840, "seconds": 9.0}\n')  # logged after the checkpoint
    largest = max((torn / "checkpoints" / "100").rglob("*"), key=lambda f: f.stat().st_size if f.is_file() else 0)
    largest.write_bytes(largest.read_bytes()[:-100])
    before = snapshot(torn)
    for argv in (["train", TINY, "--images", "1600", "--run-dir", torn], ["sample", torn]):
        code, _, errors = command(capfd, *argv)
        assert code == 2 and "damaged" in errors and "delete it" in errors
        assert len(errors.splitlines()) == (3 if argv[0] == "train" else 1)  # data and schedules come first
    after = snapshot(torn)
    del before[torn / "resumes.jsonl"]
    assert '"images": 1600' in (torn / "resumes.jsonl").read_text()
    del after[torn / "resumes.jsonl"]
    assert after == before


def test_asking_for_fewer_images_keeps_the_longer_run(capfd, trained_run):
    before = snapshot(trained_run)
    code, _, errors = command(capfd, "train", TINY, "--images", "80", "--run-dir", trained_run)
    assert code == 0 and "more than --images 80 already" in errors
    assert errors.splitlines()[0] == "data        mnist5k: 5,000 gray images of 28x28, 10 classes"
    for rewritten in ("curves.png", "resumes.jsonl"):
        del before[trained_run / rewritten]
    assert before.items() <= snapshot(trained_run).items()
    assert command(capfd, "sample", trained_run)[0] == 0


def test_resuming_an_edited_experiment_is_refused(capfd, tmp_path):
    file, folder = tmp_path / "mine.py", tmp_path / "run"
    file.write_text(Path(TINY).read_text())
    flags = ["--images", "160", "--run-dir", folder]
    assert command(capfd, "train", file, *flags)[0] == 0
    file.write_text(Path(TINY).read_text().replace("z_size=4", "z_size=5"))
    code, _, errors = command(capfd, "train", file, *flags)
    assert code == 2 and "an earlier version of" in errors


IMPORTED = {
    "at once": lambda text: text.replace("import optax", "import optax\nimport helpers"),
    "by a function": lambda text: text.replace(
        "adam(learning_rate), z", "adam(lambda _: __import__('helpers').rate), z"
    ),
}


@pytest.mark.parametrize("when", [pytest.param("at once", marks=pytest.mark.slow), "by a function"])
def test_edited_neighbor_is_refused_by_train_and_named_by_reproduce(capfd, tmp_path, monkeypatch, when):
    """The folder of the code may move; a copy whose neighbor differs is another experiment."""
    monkeypatch.setattr("gan_jax.cli.train.train", lambda *_, **__: None)  # the manifest is written before training

    def train(folder):
        code, _, errors = command(capfd, "train", folder / "mine.py", "--run-dir", tmp_path / "run")
        return code, errors

    a, b, c = (tmp_path / name for name in "abc")
    a.mkdir()
    (a / "mine.py").write_text(IMPORTED[when](Path(TINY).read_text()))
    (a / "helpers.py").write_text("rate = 1e-3")
    assert train(a)[0] == train(a)[0] == 0
    assert RunDir(tmp_path / "run").read().files == {f"{a}/helpers.py": sha(a / "helpers.py")}
    shutil.copytree(a, b)
    (b / "helpers.py").write_text("rate = 1e-4")
    code, errors = train(b)
    assert code == 2 and f"holds a run of {a}/mine.py, not of {b}/mine.py" in errors
    a.rename(c)
    assert train(c)[0] == 0
    (c / "helpers.py").write_text("rate = 1e-5")
    code, errors = train(c)
    assert code == 2 and f"an earlier version of {c}/helpers.py" in errors and len(errors.splitlines()) == 1
    about = RunDir(tmp_path / "run").read()._replace(experiment=f"{c}/mine.py", files={f"{c}/helpers.py": "before"})
    reproduce._prepare(tmp_path / "run", about, {}, RunDir(tmp_path / "again"))
    assert "changed: helpers.py: before, now " in capfd.readouterr().out


def test_presets_of_mnist_dcgan_build_and_flags_override_them():
    def built(*flags, shape=(28, 28, 1)):
        build = find("mnist_dcgan").load(flags)
        source = stored("made up", 10, spec_of(shape, labeled=False), read=lambda indices: {})
        experiment = build(source, **parse(build, list(flags), "mnist_dcgan", given=["source"]).kwargs)
        game = experiment.phases[0].game
        jax.eval_shape(
            make_step(game), *jax.eval_shape(lambda: (new_state(game, source, experiment.common), batch(game)))
        )
        return game.players["g"]

    def batch(game):
        return {"x": jnp.zeros((1, 128, 28, 28, 1))}

    good, tutorial = built(), built("--preset", "tutorial")
    assert (good.net.norm, tutorial.net.norm) == (True, False)
    assert built("--ema", "0.5").ema == 0.5 and good.ema != 0.5
    with pytest.raises(BadInput, match="30x30"):
        built(shape=(30, 30, 1))


def test_file_without_an_experiment_is_named(capfd, tmp_path):
    (tmp_path / "mine.py").write_text("x = 1")
    code, _, errors = command(capfd, "train", tmp_path / "mine.py")
    assert code == 2 and "mine.py" in errors and "experiment" in errors and len(errors.splitlines()) == 1


def test_exception_in_a_user_experiment_names_the_line_and_leaves_no_run(capfd, tmp_path, monkeypatch):
    """Raised while loading the file, building the experiment, and tracing its game."""
    monkeypatch.chdir(tmp_path)
    text = Path(TINY).read_text()
    for line, mistake, message in (
        (
            '"""\n\nimport optax',
            '"""\n\nimport optix',
            "ModuleNotFoundError: No module named 'optix'\n    import optix\n",
        ),
        ("min(common", "mini(common", "in experiment: NameError: name 'mini' is not defined\n    first = mini(common"),
        ("optax.adam(learning_rate), z", "optax.adam(lambda count: y), z", "in <lambda>: NameError: name 'y'"),
    ):
        Path("mine.py").write_text(text.replace(line, mistake))
        code, _, errors = command(capfd, "train", "mine.py", "--run-dir", "run")
        assert code == 2 and errors.startswith("gan-jax: mine.py:") and message in errors, errors
        assert len(errors.splitlines()) == 2 and not Path("run").exists()


@pytest.mark.parametrize("what", ["train", pytest.param("sweep", marks=pytest.mark.slow)])
def test_loss_that_is_not_a_scalar_is_refused_before_the_folder_is_claimed(capfd, tmp_path, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    text = Path(TINY).read_text().replace("import optax\n", "import optax\nfrom gan_jax import move, turn\n")
    vector = 'turn(move("d", lambda nets, batch, keys, step: (nets["d"](batch["x"]), {})))'
    Path("mine.py").write_text(text.replace("ema=0.9)", f"ema=0.9)._replace(turns=({vector},))"))
    code, _, errors = command(capfd, what, "mine.py", "--run-dir", "run")
    assert code == 2 and "'loss' of move 'd' is float32[8]: return a float scalar" in errors
    assert len(errors.splitlines()) == 1 and [file.name for file in tmp_path.iterdir()] == ["mine.py"]


@pytest.mark.slow
def test_script_and_command_give_the_same_run(tmp_path):
    """Equal flags give equal digests, and a device-resident run imports no TensorFlow."""
    program = (
        "import sys; from gan_jax.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: assert 'tensorflow' not in sys.modules"
    )
    flags = ["--images", "160", "--seed", "3", "--run-dir"]
    lines = []
    for argv in ([TINY, *flags, tmp_path / "a"], ["-c", program, "train", TINY, *flags, tmp_path / "b"]):
        alone = {**os.environ, "XLA_FLAGS": ""}
        done = subprocess.run([sys.executable, *argv], env=alone, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        lines.append(done.stdout.split()[-1])
    assert lines[0] == lines[1]


def test_import_loads_no_heavy_library():
    heavy = "tensorflow", "orbax.checkpoint", "matplotlib", "tyro", "PIL", "mlxtend"
    program = f"import sys, gan_jax; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_only_closed_event_loop_messages_are_suppressed(capfd, monkeypatch):
    messages = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: messages.append(str(unraisable.exc_value)))
    assert command(capfd, "list")[0] == 0
    for message in ("Event loop is closed", "something else"):
        sys.unraisablehook(SimpleNamespace(exc_value=RuntimeError(message)))
    assert messages == ["something else"]
