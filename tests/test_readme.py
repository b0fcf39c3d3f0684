"""The README's Python runs as it stands, and its commands are commands that exist."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import tiny

from gan_jax.cli.main import main
from gan_jax.config.discovery import names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_python_runs_from_top_to_bottom():
    namespace = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), namespace)
    assert len(blocks("python")) >= 5
    assert {"d/loss", "d/grad_norm", "d/score_real", "g/loss"} <= namespace["metrics"].keys()
    assert int(namespace["state"].step) == 1
    assert namespace["tempered"].g(namespace["jnp"].zeros(2), namespace["jnp"].zeros(2)).shape == (2,)


def test_a_loss_of_ones_own_is_less_than_20_lines():
    assert len(own_loss().splitlines()) < 20


def own_loss():
    """The block that is a file of the user's."""
    [block] = [block for block in blocks("python") if block.startswith("# mine.py")]
    return block


def test_make_demo_and_make_test_run_what_they_say():
    def recipe(target):
        return subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "gan-jax train experiments/mnist_mlp.py" in recipe("demo")
    assert "pytest" in recipe("test")
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_the_commands_run(tmp_path, monkeypatch, capfd):
    """Every `gan-jax` line, in order, at a tiny size and with a tiny experiment in place of the one that is named."""
    lines = [line.partition("#")[0] for block in blocks("sh") for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("gan-jax")]
    assert len(commands) >= 6
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "mnist_dcgan.py").write_text(Path(tiny.__file__).read_text())
    (tmp_path / "mine.py").write_text(own_loss())
    tiny_run = {
        "train": ["--images", "640", "--evaluate-samples", "150"],
        "evaluate": ["--samples", "150"],
        "sweep": ["--images", "256", "--seeds", "2", "--width", "4"],
    }
    for command in commands:
        short = tiny_run.get(command[0], []) if "--help" not in command else []
        with pytest.raises(SystemExit) as done:
            main([*command, *short])
        assert not done.value.code, (command, capfd.readouterr().err)
    assert (tmp_path / "samples.npz").exists() and (tmp_path / "path.png").exists()
    assert "fid ↓" in (tmp_path / "table.md").read_text()
    assert "mine.py:tempered" in (tmp_path / "runs" / "sweep-ring" / "table.md").read_text()


def test_what_the_readme_points_to_exists():
    prose = re.sub(r"```.*?```|`[^`\n]*`(?!\])", "", README, flags=re.DOTALL)
    links = re.findall(r"\]\((?!http)([^)#]+)\)", prose)
    assert {"gan_jax/engine/game.py", "experiments/RESULTS.md", "experiments/gallery/hero.png"} <= set(links)
    for link in links:
        assert (ROOT / link).exists(), link
    assert {"mnist_mlp", "mnist_dcgan"} <= names().keys()
