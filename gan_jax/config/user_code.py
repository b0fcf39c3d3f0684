"""Loads the user's Python files, such as experiments and losses, and locates errors in them."""

import functools
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from gan_jax.errors import BadInput

_folders: set[Path] = set()
"""The folders of loaded files; all files in them count as the user's."""


class UserCodeError(BadInput):
    """An exception from a user's file: its message is `file:line: in function: exception`, then the source line."""

    def __init__(self, message: str, source: str):
        super().__init__(message)
        self.source = source

    def __str__(self) -> str:
        return f"{super().__str__()}\n    {self.source}"


def load(file: Path) -> ModuleType:
    """Loads a file as a module, once for each content of the file.

    Raises:
        BadInput: the file cannot be read, or raises while it is loaded.
    """
    return _run(file.resolve(), sha(file))


def sha(file: Path) -> str:
    """Computes the sha256 of a file. Raises `BadInput` if it cannot be read."""
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}): give an existing file") from None


def locate(error: BaseException) -> UserCodeError | None:
    """Describes an exception by its innermost frame in a user's file; None if it passed through none."""
    if isinstance(error, UserCodeError):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(traceback.FrameSummary(error.filename, error.lineno, "<module>", line=error.text))
    own = [frame for frame in frames if Path(frame.filename).parent in _folders]
    if not own:
        return None
    file, function = Path(own[-1].filename), own[-1].name
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    place = f"{shown}:{own[-1].lineno}" + ("" if function == "<module>" else f": in {function}")
    message = " ".join(f"{type(error).__name__}: {error}".split())
    return UserCodeError(f"{place}: {message}", source=(own[-1].line or "").strip())


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


@functools.cache
def _run(file: Path, content: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"gan_jax_user_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # so that the file can import its neighbors, as a script can
    _folders.add(file.parent)
    with located(f"loading {file}"):
        spec.loader.exec_module(module)
    return module
