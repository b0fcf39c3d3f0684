"""A .csv file of attributes: columns of two values, and a column of file names."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from gan_jax.data.sources.survey import first_three
from gan_jax.errors import BadInput

FILE_COLUMNS = ("file", "filename", "image")
"""Headers of the column of file names; without any of them it is the first column."""

BINARY = ({"0", "1"}, {"-1", "1"}, {"false", "true"})
"""The values of an attribute, absent and present, in lower case."""


class Table(NamedTuple):
    """The attributes of the files that a .csv file names."""

    attributes: tuple[str, ...]
    values: Int32[np.ndarray, "N A"]
    """1 where an attribute is present, else 0."""
    rows: dict[str, int]
    """The row of `values` of every file."""
    left_out: list[str]
    """Columns of other values than two."""


def parse_table(content: bytes, where: Path) -> Table:
    """Parses a .csv file.

    Raises:
        BadInput: it is damaged, names a column or a file twice, or has no column of two values.
    """
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{where} cannot be read as a table ({error}): save it as .csv in UTF-8") from error
    header, *rows = [[value.strip() for value in line] for line in lines if line] or [[]]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise BadInput(f"{where} has {len(row)} values in row {number} and {len(header)} columns: repair it")
    key = next((i for i, name in enumerate(header) if name.lower() in FILE_COLUMNS), 0)
    files = [row[key] for row in rows]
    _refuse_twice(header, "column", where)
    _refuse_twice(files, "file", where)
    columns = {name: [row[i].lower() for row in rows] for i, name in enumerate(header) if i != key}
    kept = tuple(name for name, column in columns.items() if any(set(column) <= two for two in BINARY))
    if not rows or not kept:
        raise BadInput(f"{where} has no column of 0 and 1: attributes are such columns beside one of file names")
    values = np.stack([np.isin(columns[name], ("1", "true")) for name in kept], axis=1).astype(np.int32)
    numbers = {file: row for row, file in enumerate(files)}
    return Table(kept, values, numbers, [name for name in columns if name not in kept])


def find_rows(images: Sequence[str], rows: Mapping[str, int], where: Path) -> dict[str, int]:
    """Finds the rows that name images: by the longest end of an image's path that is the name of a row.

    Raises:
        BadInput: one row is that of several images.
    """
    named = {image: row for image in images if (row := _longest_end(image, rows)) is not None}
    images_of = Counter(named.values())
    if shared := [name for name, row in rows.items() if images_of[row] > 1]:
        raise BadInput(f"{where} names several images at once by {first_three(shared)}: give paths, as in train/1.png")
    return named


def _longest_end(image: str, rows: Mapping[str, int]) -> int | None:
    parts = image.split("/")
    return next((rows[end] for i in range(len(parts)) if (end := "/".join(parts[i:])) in rows), None)


def _refuse_twice(names: Sequence[str], what: str, where: Path) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise BadInput(f"{where} names a {what} twice, {first_three(twice)}: keep one of them")
