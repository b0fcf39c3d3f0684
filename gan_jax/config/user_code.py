"""Python files of the user's own: experiments, and objects such as a loss."""

import functools
import importlib.util
import sys
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from gan_jax.errors import BadInput


def load(file: Path) -> ModuleType:
    """The module of a file, run once for each content that the file has had.

    Raises:
        BadInput: the file cannot be read, or raises while it is loaded.
    """
    return _run(file.resolve(), sha(file))


def sha(file: Path) -> str:
    """The sha256 of a file. Raises `BadInput` where it cannot be read."""
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}): give a file that is there") from None


@functools.cache
def _run(file: Path, content: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"gan_jax_user_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # so that it imports its neighbors, as it does when run as a script
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise BadInput(f"{file} cannot be loaded ({type(error).__name__}: {error}): mend it") from error
    return module
