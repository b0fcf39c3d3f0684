"""Writing a file so that it is either all there or as it was before."""

import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Writes `data` under a temporary name and renames it into place; makes the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)
