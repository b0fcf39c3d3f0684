"""Files of a run that are written whole or not at all, and files of JSON objects, one a line."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gan_jax.errors import BadInput


def read_jsonl(file: Path, parts: Mapping[str, type], cure: str) -> list[dict[str, Any]]:
    """The JSON objects of a file, one a line, each with these parts; none where there is no file.

    A last line that a kill cut short is left out.

    Raises:
        BadInput: a line is no such object; `cure` is what helps.
    """
    if not file.exists():
        return []
    try:
        lines = [json.loads(line) for line in file.read_text().split("\n")[:-1]]
        for line in lines:
            if not isinstance(line, dict) or not all(is_a(line.get(name), kind) for name, kind in parts.items()):
                raise ValueError(f"a line says not {', '.join(sorted(parts))}")
        return lines
    except ValueError as error:
        raise BadInput(f"{file} is damaged ({error}): {cure}") from None


def is_a(value: Any, kind: type) -> bool:
    """Whether a JSON value is of that type; every number but a truth value is a float, too."""
    return isinstance(value, int | float if kind is float else kind) and not isinstance(value, bool)


def write_jsonl(file: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Writes JSON objects, one a line, all or none."""
    write_atomic(file, "".join(json.dumps(line) + "\n" for line in lines).encode())


def write_atomic(path: Path, data: bytes) -> None:
    """Writes `data` under a temporary name and renames it into place; makes the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)


CLOCK = {"step": int, "images": int, "seconds": float}
"""What every record says, whatever else was logged, and of what type."""
