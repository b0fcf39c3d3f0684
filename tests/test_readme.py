"""README and docs: the code runs, commands parse, links resolve, and tables match the code."""

import functools
import importlib
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import tiny
import tiny_paired
import tiny_unpaired
from PIL import Image

from gan_jax.cli.main import main
from gan_jax.config.augmentations import AUGMENTATIONS
from gan_jax.config.discovery import listing
from gan_jax.config.registry import DYNAMICS, LOSSES, PENALTIES
from gan_jax.evaluation import suite

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, ROOT / "CONTRIBUTING.md", *DOCS]


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def commands(page):
    """Returns the arguments of every `gan-jax` line in the shell blocks of a page."""
    lines = [line.partition("#")[0] for block in blocks(page, "sh") for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("gan-jax")]


ALL_COMMANDS = list(dict.fromkeys(shlex.join(command) for page in PAGES for command in commands(page)))


def first_column(page, heading):
    """Returns the words in backticks in the first column of the tables below a heading."""
    rows = re.findall(r"^\| (`[^|]*) \|", page.read_text().partition(heading)[2].partition("\n## ")[0], re.MULTILINE)
    return {word.partition(":")[0] for row in rows for word in re.findall(r"`([^`]*)`", row)}


@functools.cache
def readme_namespace():
    namespace = {}
    for block in blocks(README, "python"):
        exec(compile(block, "README.md", "exec"), namespace)
    return namespace


@pytest.mark.medium
def test_readme_python_blocks_run_in_order():
    namespace = readme_namespace()
    assert {"d/loss", "d/grad_norm", "d/score_real", "g/loss"} <= namespace["metrics"].keys()
    assert int(namespace["state"].step) == 1
    assert namespace["tempered"].g(namespace["jnp"].zeros(2), namespace["jnp"].zeros(2)).shape == (2,)


@pytest.mark.medium
@pytest.mark.parametrize("page", [page for page in DOCS if blocks(page, "python")], ids=lambda page: page.name)
def test_docs_python_blocks_run_after_the_readme(page):
    namespace = dict(readme_namespace())
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), namespace)
    assert int(namespace["state"].step) == 1


def test_custom_loss_example_is_shorter_than_20_lines():
    assert len(own_loss().splitlines()) < 20


def own_loss():
    """Returns the block that defines a user's loss."""
    [block] = [block for block in blocks(README, "python") if block.startswith("# mine.py")]
    return block


def test_make_demo_and_make_test_run_the_documented_commands():
    def recipe(target):
        return subprocess.run(
            ["make", "--no-print-directory", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout

    *_, training, picture, path = recipe("demo").splitlines()
    assert "gan-jax train projection" in training and "gallery.py runs/demo" in picture
    assert picture.split()[-1] in path  # printed last
    assert "pytest" in recipe("test")
    assert "make test" in (ROOT / ".ci" / "run").read_text() or "make peers test" in (ROOT / ".ci" / "run").read_text()


class FlagsParsed(Exception):
    """Raised after a command has parsed its flags, before it does any work."""


@pytest.fixture
def parse_only(monkeypatch, tmp_path):
    """Stops every command once its flags are parsed, in a folder with the files that the commands name."""

    def stopped(command):
        @functools.wraps(command)
        def stop(*args, **kwargs):
            raise FlagsParsed

        return stop

    for module, name in (
        ("cli.sample", "sample"),
        ("cli.directions", "directions"),
        ("cli.edit", "edit"),
        ("cli.inspect", "inspect"),
        ("cli.evaluate", "evaluate"),
        ("cli.scores", "compare_results"),
        ("training.reproduce", "reproduce"),
        ("cli.train", "open_data"),  # called after the flags are parsed
        ("cli.sweep", "_data_opener"),
    ):
        module = importlib.import_module(f"gan_jax.{module}")
        monkeypatch.setattr(module, name, stopped(getattr(module, name)))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(own_loss())
    for run in re.findall(r"runs/[\w-]+", " ".join(ALL_COMMANDS)):
        (tmp_path / run).mkdir(parents=True, exist_ok=True)
        (tmp_path / run / "manifest.json").touch()


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_command_parses(command, parse_only):
    words = shlex.split(command)
    if words == ["list"] or "--help" in words:
        with pytest.raises(SystemExit) as done:
            main(words)
        assert not done.value.code
        return
    with pytest.raises(FlagsParsed):
        main(words)
    for flag in {"--metrics", "--evaluate"} & set(words) if words[0] in ("train", "evaluate") else ():
        suite.parse_metrics(words[words.index(flag) + 1])


@pytest.mark.medium
def test_the_commands_on_a_run_work(trained_run, tmp_path, monkeypatch):
    """Runs the README's commands for a finished run, at a tiny size."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    trained_run.rename(tmp_path / "runs" / "mnist_dcgan-3")
    done = [command for command in commands(README) if command[0] in ("sample", "evaluate")]
    assert len(done) >= 3
    for command in done:
        run(command)
    assert (tmp_path / "samples.npz").exists()


OTHERS = "usps.npz|holes|runs/digits|,hinge|wavegan|specgan|gan_tts|dvdgan|nextframe|runs/mse|predictions.npz|audio:"
"""In commands on other experiments or on such data, which are parsed only."""


@pytest.mark.slow
def test_all_commands_work_in_order(tmp_path, monkeypatch):
    """Runs the commands of README and docs, at a tiny size and with tiny experiments in place of three.

    Of the two sweeps it runs the README's: the other has the same flags.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()
    for name, file in (("mnist_dcgan", tiny), ("srgan", tiny_paired), ("cyclegan", tiny_unpaired)):
        (tmp_path / "experiments" / f"{name}.py").write_text(Path(file.__file__).read_text())
    (tmp_path / "mine.py").write_text(own_loss())
    for folder in ("upscaled", "originals", "photos"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (24, 24)).save(tmp_path / folder / "a.png")
    for command in map(shlex.split, ALL_COMMANDS):  # those that several pages show, once
        # The others train other experiments, need a download, or are about such data.
        if "--data" not in command and not re.search(OTHERS, " ".join(command)):
            run(command)
    assert (tmp_path / "samples.npz").exists() and (tmp_path / "path.png").exists()
    assert "fid ↓" in (tmp_path / "table.md").read_text()
    [table] = (tmp_path / "runs").glob("sweep-*/table.md")
    assert "mine.py:tempered" in table.read_text()


def run(command):
    """Runs a command at a tiny size; fails if it exits with an error."""
    tiny_size = {
        "train": ["--images", "640", "--evaluate-samples", "150"],
        "evaluate": ["--samples", "150"],
        "sweep": ["--images", "256", "--seeds", "2", "--width", "4"],
    }
    size = tiny_size.get(command[0], []) if "--help" not in command else []
    with pytest.raises(SystemExit) as done:
        main([*command, *size])
    assert not done.value.code, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve_to_files_and_headings(page):
    prose = re.sub(r"```.*?```|`[^`\n]*`(?!\])", "", page.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\((?!http)([^)]+)\)", prose):
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(page):
    """Returns the anchors of a page's headings, by GitHub's rules."""
    titles = re.findall(r"^#+ (.*)", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_readme_shows_its_pictures_and_links_every_page():
    links = re.findall(r"\]\(([^)#]+)", README.read_text())
    assert {f"docs/{page.name}" for page in DOCS} <= set(links)
    assert {"gan_jax/engine/game.py", "experiments/RESULTS.md", "experiments/gallery/demo.png"} <= set(links)


@pytest.mark.parametrize(
    "flag, registry",
    [("--loss", LOSSES), ("--penalty", PENALTIES), ("--augment", AUGMENTATIONS), ("--dynamics", DYNAMICS)],
    ids=["loss", "penalty", "augment", "dynamics"],
)
def test_losses_page_lists_every_word(flag, registry):
    words = set(re.findall(r"\b[a-z][a-z0-9_]*\b", registry.metavar)) - {"py"}
    assert first_column(ROOT / "docs" / "losses.md", f"## `{flag}`") == words


def test_tables_of_metrics_and_families_match_the_code():
    assert first_column(ROOT / "docs" / "evaluation.md", "## Metrics") - {"--metrics"} == suite.METRICS.keys()
    assert first_column(ROOT / "docs" / "families.md", "# Families") <= {
        line.split()[0] for line in listing().splitlines()
    }
