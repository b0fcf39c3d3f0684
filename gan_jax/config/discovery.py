"""Experiments by name: rows of the `PRESETS` tables in `experiments/`, and files of a user's own."""

import ast
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NamedTuple

from gan_jax.config import user_code
from gan_jax.config.experiment import Experiment, Row, RunConfig
from gan_jax.data import Source
from gan_jax.errors import BadInput

_PACKAGE = Path(__file__).parents[1]

FOLDERS = (Path("experiments"), _PACKAGE.parent / "experiments", _PACKAGE / "experiments")
"""Where a bare name is looked for: the user's folder, the repository's, the one that a wheel installs."""

Build = Callable[..., Experiment]
"""`build(source, common, ...) -> Experiment`; its parameters after `source` are the flags of the experiment."""


class Entry(NamedTuple):
    """An experiment that the command line can name."""

    name: str
    file: Path
    row: str = ""
    """Its row in the file's table; empty for a file that defines `experiment(source, common, ...)`."""

    def load(self, argv: Sequence[str] = ()) -> Build:
        """Imports the file; returns the function whose flags have the defaults of the row at the `--preset` of `argv`.

        Raises:
            BadInput: the file cannot be imported, or defines no experiment.
        """
        module = user_code.load(self.file)
        if self.row:
            return _of_row(self.name, module.PRESETS[self.row], module.build, argv)
        function = getattr(module, "experiment", None)
        if not callable(function) or list(inspect.signature(function).parameters)[:2] != ["source", "common"]:
            raise BadInput(
                f"{self.file} defines neither PRESETS and build(source, run, config) nor experiment(source, common): "
                "see experiments/dcgan.py"
            )
        return function


def _of_row(name: str, row: Row, build: Build, argv: Sequence[str]) -> Build:
    """Makes `build` a function of its flags, with the row's values as their defaults."""
    preset = _preset(row, argv)
    config = row.presets[preset]

    def experiment(source, common, config, preset=preset):
        return build(source, common, config)

    parameters = {"source": (Source, inspect.Parameter.empty), "common": (RunConfig, row.run)}
    if len(row.presets) > 1:
        parameters["preset"] = (Literal[tuple(row.presets)], preset)
    parameters["config"] = (type(config), config)
    presets = "\n    preset: Defaults of all other flags, as shown here." if len(row.presets) > 1 else ""
    expect = f" Expect {row.expect}." if row.expect else ""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    for function in (experiment, inspect.unwrap(experiment)):  # tyro looks below a decorator, as of a type checker
        function.__name__ = name
        function.__doc__ = f"{row.title}.{expect}\n\nArgs:{presets}"
        function.__annotations__ = {name: hint for name, (hint, _) in parameters.items()}
        function.__signature__ = inspect.Signature(
            [inspect.Parameter(n, kind, default=default, annotation=hint) for n, (hint, default) in parameters.items()]
        )
    return experiment


def _preset(row: Row, argv: Sequence[str]) -> str:
    """Reads `--preset X` or `--preset=X`; the row's first preset where it is missing or unknown, which flags refuse."""
    words = [part for word in argv for part in (word.split("=", 1) if word.startswith("--preset=") else [word])]
    given = [value for flag, value in itertools.pairwise(words) if flag == "--preset"]
    return given[-1] if given and given[-1] in row.presets else next(iter(row.presets))


def find(word: str) -> Entry:
    """Finds an experiment by its name, by a file, or by `FILE.py:ROW`.

    Raises:
        BadInput: there is none, or the file's table has several rows, or no such row.
    """
    path, _, row = word.partition(".py:")
    file = Path(f"{path}.py" if row else word)
    if file.suffix == ".py":
        if not file.is_file():
            raise BadInput(f"{word} does not exist: give an experiment's file, or a name that `gan-jax list` shows")
        return _in_file(file, row)
    found = entries()
    if word in found:
        return found[word]
    close = get_close_matches(word, found, n=1)
    hint = f"did you mean {close[0]}?" if close else "`gan-jax list` shows them all"
    raise BadInput(f"no experiment {word!r}: {hint}")


def _in_file(file: Path, row: str) -> Entry:
    rows = list(_rows(file))
    if not rows:
        return Entry(file.stem, file)
    row = row or (rows[0] if len(rows) == 1 else file.stem)
    if row not in rows:
        raise BadInput(f"{file} has the rows {', '.join(rows)}: name one, as in {file}:{rows[0]}")
    return Entry(row, file, row)


def entries() -> dict[str, Entry]:
    """Collects every experiment of `FOLDERS` by its name, without importing a file."""
    found = {}
    for folder in reversed(FOLDERS):
        for file in sorted(folder.glob("[!_]*.py")):
            rows = _rows(file)
            found |= {row: Entry(row, file, row) for row in rows} or {file.stem: Entry(file.stem, file)}
    return found


def listing() -> str:
    """Lists all experiments, a line each: name, title, expected score."""
    found = entries()
    if not found:
        raise BadInput("no experiments here: run this where there is a folder experiments/")
    width = max(map(len, found))
    return "\n".join(f"{name:<{width}}  {_headline(entry)}" for name, entry in sorted(found.items()))


def _headline(entry: Entry) -> str:
    return _rows(entry.file)[entry.row] if entry.row else _first_line(entry.file)


def _rows(file: Path) -> Mapping[str, str]:
    """Reads the rows of a file's `PRESETS` table and their titles off its source: importing it would import JAX."""
    for node in _statements(file):
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["PRESETS"]:
            calls = zip(node.value.keys, node.value.values, strict=True) if isinstance(node.value, ast.Dict) else ()
            named = ((key.value, call) for key, call in calls if isinstance(key, ast.Constant))
            return {name: _described(call) for name, call in named if _calls_row(call)}
    return {}


def _calls_row(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Row"


def _described(call: ast.Call) -> str:
    """Title and expected score of a row, where they are literal strings."""
    given = dict(zip(Row._fields, call.args, strict=False)) | {each.arg: each.value for each in call.keywords}
    title, expect = (
        each.value if isinstance(each, ast.Constant) else "" for each in (given.get("title"), given.get("expect"))
    )
    return f"{title} [{expect}]" if expect else title


def _first_line(file: Path) -> str:
    try:
        return (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0]
    except (SyntaxError, OSError) as error:
        return f"cannot be read ({error})"


def _statements(file: Path) -> Iterator[ast.stmt]:
    try:
        yield from ast.parse(file.read_text()).body
    except (SyntaxError, OSError, ValueError):
        return  # importing the file says what is wrong with it
