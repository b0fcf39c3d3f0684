"""Keeps printing from failing: in terminals without Unicode, and where the reader of a pipe has gone (`| head`)."""

import codecs
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from rich.console import Console, RenderableType

CLOSED = 128 + 13
"""The exit code of a tool that SIGPIPE killed."""

_LOOK_ALIKES = str.maketrans(
    dict(zip("←↑→↓—•│┃║─━═", "<^>v-*|||---", strict=True))
    | {"\N{EN DASH}": "-", "\N{MINUS SIGN}": "-", "\N{MULTIPLICATION SIGN}": "x"}
)


def make_printable() -> None:
    """Prints characters that the encoding of stdout or stderr lacks as similar ones: `Frechet`, `recall ^`."""
    codecs.register_error("gan_jax_similar", _similar)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="gan_jax_similar")


def _similar(error: UnicodeError) -> tuple[str, int]:
    """Handles the errors of a codec: letters without accents, frames of `+`, `-` and `|`, or else an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_ascii, error.object[error.start : error.end])), error.end


def _ascii(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character.translate(_LOOK_ALIKES)).encode("ascii", "ignore").decode()
    if plain:
        return plain
    return "+" if "\u2500" <= character <= "\u257f" else character.encode("ascii", "backslashreplace").decode()


def print_table(table: RenderableType, width: int | None = None) -> None:
    """Prints a table of rich; raises `BrokenPipeError` as `print` does."""
    _Console(width=width, highlight=False).print(table)


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Raises again; a plain `Console` exits with code 1, as if there had been an error."""
        raise


@contextmanager
def ends_with_its_reader() -> Iterator[None]:
    """Exits with code `CLOSED`, without a traceback, if what reads stdout or stderr has gone."""
    try:
        yield
    except BrokenPipeError:
        sys.exit(CLOSED)
    finally:
        _drop_unwritable()


def flush() -> None:
    """Writes what is buffered. Raises `OSError` if that fails, as on a full disk or a closed pipe."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()


def _drop_unwritable() -> None:
    """Points streams that cannot be written to nowhere, because Python flushes them once more when it ends."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
