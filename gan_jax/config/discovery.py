"""Experiment files: finding, listing and loading them. Each defines `experiment(source, common, ...)`."""

import ast
import inspect
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from gan_jax.config import user_code
from gan_jax.config.experiment import Experiment
from gan_jax.errors import BadInput

_PACKAGE = Path(__file__).parents[1]

FOLDERS = (Path("experiments"), _PACKAGE.parent / "experiments", _PACKAGE / "experiments")
"""Where a bare name is looked for: the user's folder, the repository's, the one that a wheel installs."""


def names() -> dict[str, Path]:
    """Every experiment's name and file."""
    files = [file for folder in reversed(FOLDERS) for file in sorted(folder.glob("*.py"))]
    return {file.stem: file for file in files if not file.stem.startswith("_")}


def listing() -> str:
    """A line for every experiment: its name and the first line of its file's docstring."""
    found = names()
    if not found:
        raise BadInput("no experiments here: run this where there is a folder experiments/")
    width = max(map(len, found))
    return "\n".join(f"{name:<{width}}  {_headline(file)}" for name, file in sorted(found.items()))


def find(name: str) -> Path:
    """The file of an experiment, given by its name or its path. Raises `BadInput` where there is none."""
    path, found = Path(name), names()
    if path.suffix == ".py" and path.is_file():
        return path
    if name in found:
        return found[name]
    if path.suffix == ".py":
        raise BadInput(f"{name} does not exist: give an experiment's file, or a name that `gan-jax list` shows")
    close = get_close_matches(name, found, n=1)
    hint = f"did you mean {close[0]}?" if close else "`gan-jax list` shows them all"
    raise BadInput(f"no experiment {name!r}: {hint}")


def load(file: Path) -> Callable[..., Experiment]:
    """The function `experiment` of a file. Raises `BadInput` where the file cannot be loaded or has none."""
    module = user_code.load(file)
    function = getattr(module, "experiment", None)
    if not callable(function) or list(inspect.signature(function).parameters)[:2] != ["source", "common"]:
        raise BadInput(f"{file} defines no experiment(source, common, ...): see experiments/mnist_mlp.py")
    return function


def _headline(file: Path) -> str:
    try:
        return (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0]
    except (SyntaxError, OSError) as error:
        return f"cannot be read ({error})"
