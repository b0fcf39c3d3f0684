"""Loads the user's Python files, such as experiments and losses, and locates errors in them.

A file and the neighbors that it imports form a program with a namespace of its own: `import helpers` finds the neighbor
first, as in a script, whatever other files and installed modules have that name. Only the user's files see neighbors: a
`random.py` of theirs does not change what a library imports.
"""

import builtins
import importlib.util
import inspect
import itertools
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.abc import MetaPathFinder
from importlib.machinery import FrozenImporter, ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from gan_jax.config.flax_advice import flax_advice
from gan_jax.errors import BadInput

_NAMESPACE = "gan_jax_user_"
"""Prefix of the packages in `sys.modules` whose modules are the users' files, one package for each program."""

_NEVER_NEIGHBORS = {"gan_jax", "__main__", *sys.builtin_module_names}

_PATH_IN_WORD = re.compile(r"(^|\+(?=\D))([^:]*\.py)(?=:|$)")
"""A file in a word. A folder's name may contain a plus; a plus before a digit belongs to a number."""


class UserCodeError(BadInput):
    """An exception from a user's file: its message is `file:line: in function: exception`, then the source line."""

    def __init__(self, message: str, source: str):
        super().__init__(message)
        self.source = source

    def __str__(self) -> str:
        return f"{super().__str__()}\n    {self.source}"


def load(file: Path) -> ModuleType:
    """Loads a file as a module, once until it or a neighbor that it has imported is edited.

    Raises:
        BadInput: the file cannot be read, or raises while it is loaded.
    """
    file = file.resolve()
    sha(file)
    if file not in _programs or _programs[file].edited():
        program = _Program(file)
        program.run()
        _programs[file] = program
    return _programs[file].module


def shas(file: Path) -> dict[Path, str]:
    """Returns the sha256 of a file and of all neighbors that it has imported, as they were when they were loaded."""
    file = file.resolve()
    if file not in _programs:
        load(file)
    return dict(_programs[file].shas)


def sha(file: Path) -> str:
    """Computes the sha256 of a file. Raises `BadInput` if it cannot be read."""
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}): give an existing file") from None


def shorten(words: Sequence[str]) -> list[str]:
    """Shortens the paths of the users' files in words as far as the files remain apart.

    `/x/a/mine.py:p` and `/x/b/mine.py:p` become `a/mine.py:p` and `b/mine.py:p`; alone, either is `mine.py:p`.
    """
    files = {Path(found[2]) for word in words for found in _PATH_IN_WORD.finditer(word)}

    def short(found: re.Match) -> str:
        parts = Path(found[2]).parts
        enough = (n for n in range(1, len(parts)) if sum(each.parts[-n:] == parts[-n:] for each in files) == 1)
        return found[1] + str(Path(*parts[-next(enough, len(parts)) :]))

    return [_PATH_IN_WORD.sub(short, word) for word in words]


def locate(error: BaseException) -> UserCodeError | None:
    """Describes an exception by its innermost frame in a user's file; None if it passed through none.

    A method of the user's that was called with other arguments than it has is such a frame, too.
    """
    if isinstance(error, UserCodeError):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(traceback.FrameSummary(error.filename, error.lineno, "<module>", line=error.text))
    loaded = {str(file) for program in _namespaces.values() for file in program.shas}
    own = [frame for frame in (*_wrongly_called(error), *frames) if frame.filename in loaded]
    if not own:
        return None
    file, function = Path(own[-1].filename), own[-1].name
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    place = f"{shown}:{own[-1].lineno}" + ("" if function == "<module>" else f": in {function}")
    what = " ".join(f"{type(error).__name__}: {error}{flax_advice(error)}".split())
    message = re.sub(rf"\b{_NAMESPACE}\d+\.", "", what)
    return UserCodeError(f"{place}: {message}", source=(own[-1].line or "").strip())


def _wrongly_called(error: BaseException) -> Iterator[traceback.FrameSummary]:
    """Finds the definition of a user's method by the message of a `TypeError` about its arguments."""
    called = re.match(r"(\w+)\.(\w+)\(\) (?:takes|missing|got)", str(error)) if isinstance(error, TypeError) else None
    for name, module in list(sys.modules.items()) if called else ():
        if name.partition(".")[0] in _namespaces and isinstance(owner := getattr(module, called[1], None), type):
            code = getattr(inspect.unwrap(getattr(owner, called[2], None)), "__code__", None)
            if code and Path(code.co_filename).is_file():
                lines, first = inspect.getsourcelines(code)
                below = next((i for i, line in enumerate(lines) if line.lstrip().startswith("def ")), 0)  # decorators
                yield traceback.FrameSummary(code.co_filename, first + below, called[2], line=lines[below])


@contextmanager
def located(doing: str) -> Iterator[None]:
    """Converts an exception of the user's code to a `BadInput` that shows its line.

    If the exception has no line in their file, as for a call with wrong arguments, `doing` says what raised it.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        found = locate(error)
        if found is error or (found is None and isinstance(error, BadInput)):
            raise
        raise found or BadInput(f"{doing} raised {type(error).__name__}: {error}") from error


class _Program:
    """A user's file and the neighbors that it imports, directly or through one another."""

    def __init__(self, file: Path):
        self.file = file
        self.shas: dict[Path, str] = {}
        """The sha256 of every file, as it was executed."""
        self.name = f"{_NAMESPACE}{next(_counter)}"
        _namespaces[self.name] = self
        package = sys.modules[self.name] = ModuleType(self.name)
        package.__path__ = [str(file.parent)]

    def run(self) -> None:
        """Executes the file. Raises `BadInput` if it raises."""
        importlib.invalidate_caches()  # a file written a moment ago may be missing in the listing of its folder
        name = f"{self.name}.{self.file.stem}"
        spec = importlib.util.spec_from_file_location(name, loader=_Loader(name, str(self.file), self))
        self.module = sys.modules[name] = importlib.util.module_from_spec(spec)
        with located(f"loading {self.file}"):
            spec.loader.exec_module(self.module)

    def edited(self) -> bool:
        """Whether a file has changed since it was executed."""
        return any(not file.is_file() or sha(file) != before for file, before in self.shas.items())

    def import_(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Stands in for `__import__` in the files of this program: finds their neighbors first."""
        first = name.partition(".")[0]
        if level or not self._has(first):
            return builtins.__import__(name, globals, locals, fromlist, level)
        module = importlib.__import__(f"{self.name}.{name}", globals, locals, fromlist or ())
        return module if fromlist else sys.modules[f"{self.name}.{first}"]

    def _has(self, name: str) -> bool:
        """Whether a script in this folder would find a neighbor of this name, before any other module.

        A folder without `__init__.py` comes last, and modules of the interpreter's own first.
        """
        if name in _NEVER_NEIGHBORS or FrozenImporter.find_spec(name):
            return False
        spec = PathFinder.find_spec(name, [str(self.file.parent)])
        return spec is not None and (spec.origin is not None or not _is_installed(name))


def _is_installed(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None


class _Loader(SourceFileLoader):
    """Executes a file of a program: records its content, and makes its imports those of the program.

    Ignores `__pycache__`, which takes an edit in the same second, of the same size, for the same content.
    """

    def __init__(self, name: str, path: str, program: _Program):
        super().__init__(name, path)
        self._program = program

    def get_code(self, fullname: str) -> CodeType:
        """Compiles the file."""
        content = self.get_data(self.path)
        self._program.shas[Path(self.path)] = sha256(content).hexdigest()
        return self.source_to_code(content, self.path)

    def exec_module(self, module: ModuleType) -> None:
        """Executes the file, with an `__import__` of its own."""
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._program.import_}
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the neighbors in the namespaces of programs."""

    def find_spec(
        self, fullname: str, path: Iterable[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Finds a module as Python does, and replaces its loader."""
        program = _namespaces.get(fullname.partition(".")[0])
        spec = program and PathFinder.find_spec(fullname, path, target)
        if spec and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(fullname, spec.loader.path, program)
        elif spec and spec.has_location:  # an extension module
            program.shas[Path(spec.origin)] = sha(Path(spec.origin))
        return spec


_counter = itertools.count()
_programs: dict[Path, _Program] = {}
"""The program of every file, as it was last loaded."""
_namespaces: dict[str, _Program] = {}
"""All programs, by their namespace."""
sys.meta_path.insert(0, _Finder())
