"""Files by their path, wherever they are: in a folder or, without unpacking it, in an archive."""

import gzip
import mmap
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from gan_jax.errors import BadInput

ARCHIVES = (".tar.gz", ".tar", ".tgz", ".zip")

Files = dict[str, Callable[[], BinaryIO]]
"""Paths within the folder or archive, with `/`, and how to open each for reading; several may be open at a time."""


def in_folder(folder: Path) -> Files:
    """Every file below `folder`."""
    paths = (Path(where, name) for where, _, names in os.walk(folder, followlinks=True) for name in names)
    return {path.relative_to(folder).as_posix(): partial(path.open, "rb") for path in paths}


def in_archive(archive: Path, scratch: Path) -> Files:
    """Every file in `archive`, whose name ends in one of `ARCHIVES`; `scratch` must live as long as they are read.

    Writing tens of thousands of small files to disk takes far longer than reading them, so nothing is unpacked.
    """
    try:
        if archive.name.lower().endswith(".zip"):
            return _in_zip(archive)
        if not archive.name.lower().endswith(".tar"):
            with gzip.open(archive) as packed, open(scratch / "plain.tar", "wb") as plain:
                shutil.copyfileobj(packed, plain, 1 << 20)
            archive = scratch / "plain.tar"
        return _in_tar(archive)
    except (tarfile.TarError, BadZipFile, zlib.error, gzip.BadGzipFile, EOFError, ValueError) as error:
        raise BadInput(f"{archive} cannot be unpacked ({error}): fetch it again") from error


def _in_zip(archive: Path) -> Files:
    files = ZipFile(archive)
    return {name: partial(files.open, name) for name in files.namelist() if not name.endswith("/")}


def _in_tar(archive: Path) -> Files:
    with open(archive, "rb") as file, tarfile.open(fileobj=file, mode="r:") as members:
        places = {m.name: slice(m.offset_data, m.offset_data + m.size) for m in members if m.isfile()}
        contents = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return {name: lambda place=place: BytesIO(contents[place]) for name, place in places.items()}
