"""Files of a folder or, without unpacking it, of an archive."""

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
"""Functions that open each file for reading, by its path in the folder or archive; several may be open at a time."""


def in_folder(folder: Path) -> Files:
    """Lists every file below `folder`."""
    paths = (Path(where, name) for where, _, names in os.walk(folder, followlinks=True) for name in names)
    return {path.relative_to(folder).as_posix(): partial(path.open, "rb") for path in paths}


def in_archive(archive: Path, scratch: Path) -> Files:
    """Lists every file in an archive, whose suffix is one of `ARCHIVES`.

    Nothing is unpacked: writing tens of thousands of small files takes far longer than reading them. Only a compressed
    tar is decompressed, into `scratch`, which must exist as long as files are read.

    Raises:
        BadInput: the archive is damaged.
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
        raise BadInput(f"{archive} cannot be unpacked ({error}): download it again") from error


def _in_zip(archive: Path) -> Files:
    files = ZipFile(archive)
    return {name: partial(files.open, name) for name in files.namelist() if not name.endswith("/")}


def _in_tar(archive: Path) -> Files:
    with open(archive, "rb") as file, tarfile.open(fileobj=file, mode="r:") as members:
        places = {m.name: slice(m.offset_data, m.offset_data + m.size) for m in members if m.isfile()}
        contents = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return {name: lambda place=place: BytesIO(contents[place]) for name, place in places.items()}
