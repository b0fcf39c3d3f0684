"""Writes files atomically, and reads and writes JSON Lines."""

import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gan_jax.errors import BadInput

CLOCK = {"step": int, "images": int, "seconds": float}
"""Required fields of every record of a run, and their types."""


def read_jsonl(file: Path, fields: Mapping[str, type], cure: str) -> list[dict[str, Any]]:
    """Reads JSON objects, one per line, each with these fields; an empty list if the file is missing.

    Skips a last line that a kill cut short.

    Raises:
        BadInput: a line is not such an object; `cure` says what to do.
    """
    if not file.exists():
        return []
    try:
        lines = [json.loads(line) for line in file.read_text().split("\n")[:-1]]
        for line in lines:
            if not isinstance(line, dict) or not all(is_a(line.get(name), kind) for name, kind in fields.items()):
                raise ValueError(f"a line lacks one of {', '.join(sorted(fields))}")
        return lines
    except ValueError as error:
        raise BadInput(f"{file} is damaged ({error}): {cure}") from None


def is_a(value: Any, kind: type) -> bool:
    """Whether a JSON value has a type; integers count as floats, booleans do not count as numbers."""
    return isinstance(value, int | float if kind is float else kind) and not isinstance(value, bool)


def write_jsonl(file: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Writes JSON objects atomically, one per line."""
    write_atomic(file, "".join(json.dumps(line) + "\n" for line in lines).encode())


def append_jsonl(file: Path, line: Mapping[str, Any]) -> None:
    """Appends a JSON object. A kill may cut the line short; rewrite the file before appending after a kill."""
    with naming(file), file.open("a") as stream:
        stream.write(json.dumps(line) + "\n")


def write_atomic(path: Path, data: bytes) -> None:
    """Writes `data` under a temporary name and renames it into place; creates the folder if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with naming(path):
        temporary.write_bytes(data)
    os.replace(temporary, path)


def save_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays atomically as a .npz file."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    write_atomic(path, file.getvalue())


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Adds the name of the file to an `OSError` that lacks one: a file that is open does not say it of a full disk."""
    try:
        yield
    except OSError as error:
        raise error if error.filename else OSError(error.errno, error.strerror, str(path)) from None
