"""Finds experiments by name: rows of the `PRESETS` tables in `experiments/`, and the user's own files."""

import ast
import inspect
import itertools
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NamedTuple

from gan_jax.config import user_code
from gan_jax.config.annotations import import_type_only
from gan_jax.config.experiment import Build, Row, RunConfig
from gan_jax.config.numerics import in_numerics
from gan_jax.config.run_length import on_schedule
from gan_jax.data import Source
from gan_jax.errors import BadInput

_PACKAGE = Path(__file__).parents[1]

FOLDERS = (Path("experiments"), _PACKAGE.parent / "experiments", _PACKAGE / "experiments")
"""Folders searched for an experiment's name: the user's, the repository's, and the one installed by a wheel."""


class Entry(NamedTuple):
    """An experiment that the command line can select."""

    name: str
    file: Path
    row: str = ""
    """Its row of the file's `PRESETS` table; empty for a file that defines `experiment(source, common, ...)`."""
    others: tuple[str, ...] = ()
    """Places of other experiments with this name, to which it is preferred."""
    twin: str = ""
    """Another place in the same folder with this name, so that the name means neither."""

    @property
    def place(self) -> str:
        """The word that always means this experiment: `FILE.py` or `FILE.py:ROW`."""
        return f"{self.file}:{self.row}" if self.row else str(self.file)

    @property
    def note(self) -> str:
        """Says which of several experiments with one name was chosen; empty if there is one only."""
        also = f"there is also {', '.join(self.others)}: give its file to choose it"
        return f"{self.name} is {self.place}; {also}" if self.others else ""

    def load(self, argv: Sequence[str] = ()) -> Build:
        """Imports the file; returns its build function with the defaults of the row and of the `--preset` in `argv`.

        Whatever the length of the run, the file's own function sees that of its schedules (see `run_length`). Its games
        are played with the numerics of the run (see `numerics`).

        Raises:
            BadInput: the file cannot be imported, or defines no experiment.
        """
        module = user_code.load(self.file)
        import_type_only(module)
        if self.row:
            return in_numerics(on_schedule(_of_row(self.name, module.PRESETS[self.row], module.build, argv)))
        function = getattr(module, "experiment", None)
        if not callable(function) or list(inspect.signature(function).parameters)[:2] != ["source", "common"]:
            raise BadInput(
                f"{self.file} defines neither PRESETS and build(source, run, config) nor experiment(source, common): "
                "see experiments/dcgan.py"
            )
        return in_numerics(on_schedule(function))


def _of_row(name: str, row: Row, build: Build, argv: Sequence[str]) -> Build:
    """Makes `build` a function of its flags, with the row's values as their defaults."""
    preset = _preset(row, argv)
    config = row.presets[preset]
    if neighbor := sys.modules.get(type(config).__module__):  # `Config` may be imported from another of their files
        import_type_only(neighbor)

    def experiment(source, common, config, preset=preset):
        return build(source, common, config)

    parameters = {"source": (Source, inspect.Parameter.empty), "common": (RunConfig, row.run)}
    if len(row.presets) > 1:
        parameters["preset"] = (Literal[tuple(row.presets)], preset)
    parameters["config"] = (type(config), config)
    presets = "\n    preset: Defaults of all other flags, as shown here." if len(row.presets) > 1 else ""
    expect = f" Expect {row.expect}." if row.expect else ""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    for function in (experiment, inspect.unwrap(experiment)):  # tyro unwraps decorators, such as a type checker's
        function.__name__ = name
        function.__doc__ = f"{row.title}.{expect}\n\nArgs:{presets}"
        function.__annotations__ = {name: hint for name, (hint, _) in parameters.items()}
        function.__signature__ = inspect.Signature(
            [inspect.Parameter(n, kind, default=default, annotation=hint) for n, (hint, default) in parameters.items()]
        )
    return experiment


def _preset(row: Row, argv: Sequence[str]) -> str:
    """Reads `--preset X` or `--preset=X`; the first preset if it is missing, or unknown: then `parse` reports it."""
    words = [part for word in argv for part in (word.split("=", 1) if word.startswith("--preset=") else [word])]
    given = [value for flag, value in itertools.pairwise(words) if flag == "--preset"]
    return given[-1] if given and given[-1] in row.presets else next(iter(row.presets))


def find(word: str) -> Entry:
    """Finds an experiment by its name, by a file, or by `FILE.py:ROW`.

    A name means the user's experiment in `experiments/` before a built-in one of the same name.

    Raises:
        BadInput: no experiment or row has this name, two files of one folder have it, or a file has several rows.
    """
    path, _, row = os.path.expanduser(word).partition(".py:")
    file = Path(f"{path}.py" if row else path)
    if file.suffix == ".py":
        if not file.is_file():
            raise BadInput(f"{word} does not exist: give an experiment's file, or a name that `gan-jax list` shows")
        return _in_file(file, row)
    found = entries()
    if word in found and found[word].twin:
        places = f"{found[word].place} and {found[word].twin}"
        raise BadInput(f"{word} is defined twice, by {places}: give one of these in place of the name")
    if word in found:
        own = Path(f"{word}.py"), Path("experiments", f"{word}.py")
        unmeant = [str(file) for file in own if file.is_file() and not file.samefile(found[word].file)]
        return found[word]._replace(others=(*found[word].others, *unmeant))
    close = get_close_matches(word, found, n=1)
    hint = f"did you mean {close[0]}?" if close else "`gan-jax list` shows them all"
    raise BadInput(f"unknown experiment {word!r}: {hint}")


def _in_file(file: Path, row: str) -> Entry:
    rows = list(_rows(file))
    if not rows:
        return Entry(file.stem, file)
    row = row or (rows[0] if len(rows) == 1 else file.stem)
    if row not in rows:
        raise BadInput(f"{file} has the rows {', '.join(rows)}: name one, as in {file}:{rows[0]}")
    return Entry(row, file, row)


def entries() -> dict[str, Entry]:
    """Collects every experiment of `FOLDERS` by its name, without importing the files."""
    found: dict[str, Entry] = {}
    for folder in {each.resolve(): each for each in reversed(FOLDERS)}.values():
        for name, entry in _in_folder(folder).items():
            before = found.get(name)
            found[name] = entry._replace(others=(before.place, *before.others) if before else ())
    return found


def _in_folder(folder: Path) -> dict[str, Entry]:
    """Collects the experiments of one folder; hidden files, and those that begin with `_`, are no experiments."""
    found: dict[str, Entry] = {}
    for file in sorted(each for each in folder.glob("[!_.]*.py") if each.is_file()):
        for row in _rows(file) or [""]:
            entry = Entry(row or file.stem, file, row)
            before = found.get(entry.name)
            found[entry.name] = before._replace(twin=entry.place) if before else entry
    return found


def listing() -> str:
    """Lists all experiments, one line each: name, title, expected score."""
    found = entries()
    if not found:
        raise BadInput("no experiments found: run this in a folder that contains experiments/")
    width = max(map(len, found))
    return "\n".join(f"{name:<{width}}  {_headline(entry)}" for name, entry in sorted(found.items()))


def _headline(entry: Entry) -> str:
    line = _rows(entry.file)[entry.row] if entry.row else _first_line(entry.file)
    if entry.twin:
        return f"defined twice, by {entry.place} and {entry.twin}: give one of these in place of the name"
    return f"{line} (from {entry.place}, preferred to {', '.join(entry.others)})" if entry.others else line


def _rows(file: Path) -> Mapping[str, str]:
    """Parses the rows of a file's `PRESETS` table and their titles, without importing the file and with it JAX."""
    for node in _statements(file):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if [each.id for each in targets if isinstance(each, ast.Name)] == ["PRESETS"]:
            calls = zip(node.value.keys, node.value.values, strict=True) if isinstance(node.value, ast.Dict) else ()
            named = ((key.value, call) for key, call in calls if isinstance(key, ast.Constant))
            return {name: _described(call) for name, call in named if _calls_row(call)}
    return {}


def _calls_row(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Row"


def _described(call: ast.Call) -> str:
    """Formats title and expected score of a row, if they are literal strings."""
    given = dict(zip(Row._fields, call.args, strict=False)) | {each.arg: each.value for each in call.keywords}
    title, expect = (
        each.value if isinstance(each, ast.Constant) else "" for each in (given.get("title"), given.get("expect"))
    )
    return f"{title} [{expect}]" if expect else title


def _first_line(file: Path) -> str:
    try:
        return (ast.get_docstring(ast.parse(file.read_bytes())) or "").partition("\n")[0]
    except (SyntaxError, OSError, ValueError) as error:
        return f"cannot be read ({error})"


def _statements(file: Path) -> Iterator[ast.stmt]:
    try:
        yield from ast.parse(file.read_bytes()).body
    except (SyntaxError, OSError, ValueError):
        return  # the error is reported when the file is imported
