"""Files of a folder or, without unpacking it, of an archive."""

import gzip
import mmap
import os
import re
import shutil
import tarfile
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zipfile import BadZipFile, ZipFile

from gan_jax.errors import BadInput

ARCHIVES = (".tar.gz", ".tar", ".tgz", ".zip")

Files = dict[str, Callable[[], BinaryIO]]
"""Functions that open each file for reading, by its path in the folder or archive; several may be open at a time."""


class Listing(NamedTuple):
    """The files of a folder or archive, and how many entries were left out, by reason."""

    files: Files
    left_out: Counter[str]


def in_folder(folder: Path) -> Listing:
    """Lists every file below `folder`. Linked folders are followed; every folder is visited once, whatever links to it.

    Links are followed last, so that files have their real path where they have one.
    """
    files: Files = {}
    left_out: Counter[str] = Counter()
    visited: set[tuple[int, int]] = set()
    linked = deque([folder])

    def unreadable(_: OSError) -> None:
        left_out["as an unreadable folder"] += 1

    while linked:
        for where, folders, names in os.walk(linked.popleft(), onerror=unreadable):
            about = os.stat(where)
            if (about.st_dev, about.st_ino) in visited:
                left_out["as a link to a folder read already"] += 1
                folders.clear()
                continue
            visited.add((about.st_dev, about.st_ino))
            folders.sort()
            linked += [Path(where, name) for name in folders if os.path.islink(os.path.join(where, name))]
            paths = [Path(where, name) for name in names]
            files |= {path.relative_to(folder).as_posix(): partial(path.open, "rb") for path in paths}
    return Listing(files, left_out)


def identifier(path: Path) -> str:
    """Derives the name of a data set from its path: `cifar10-jpg.tar.gz` -> `cifar10_jpg`."""
    name = re.sub(r"\.(tar|tar\.gz|tgz|zip)$", "", path.resolve().name, flags=re.IGNORECASE)
    return re.sub(r"\W+", "_", name).strip("_") or "images"


def state_of_folder(folder: Path, names: Iterable[str]) -> dict[str, object]:
    """Describes files of a folder by their sizes and times, for keys of the cache."""
    states = [(name, about.st_size, about.st_mtime_ns) for name in sorted(names) for about in [(folder / name).stat()]]
    return {"path": str(folder.resolve()), "files": sha256(repr(states).encode()).hexdigest()}


def state_of_archive(archive: Path) -> dict[str, object]:
    """Describes an archive by its size and time, for keys of the cache."""
    about = archive.stat()
    return {"path": str(archive.resolve()), "modified": about.st_mtime_ns, "bytes": about.st_size}


def archive_of(path: Path) -> Path | None:
    """Returns the archive that a path is or leads into, as in `photos.zip/train`; None for any other path."""
    return next(
        (each for each in (path, *path.parents) if each.name.lower().endswith(ARCHIVES) and each.is_file()), None
    )


def in_archive(archive: Path, scratch: Path) -> Listing:
    """Lists every file in an archive, whose suffix is one of `ARCHIVES`. Backslashes of zip names are folders.

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


def _in_zip(archive: Path) -> Listing:
    file = ZipFile(archive)
    names = {name.replace("\\", "/"): name for name in file.namelist()}
    return Listing({path: partial(file.open, name) for path, name in names.items() if path[-1:] != "/"}, Counter())


def _in_tar(archive: Path) -> Listing:
    with open(archive, "rb") as file, tarfile.open(fileobj=file, mode="r:") as members:
        entries = [member for member in members if not member.isdir()]
        contents = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    places = {m.name: slice(m.offset_data, m.offset_data + m.size) for m in entries if m.isfile()}
    left_out = Counter("as a link or device in the archive" for member in entries if not member.isfile())
    return Listing({name: lambda place=place: BytesIO(contents[place]) for name, place in places.items()}, left_out)


def within(listing: Listing, folder: str, where: Path) -> Listing:
    """Lists the files of a folder inside an archive, which may be inside one that wraps everything.

    Raises:
        BadInput: there is no such folder.
    """
    files = {name.removeprefix("./"): each for name, each in listing.files.items()}
    tops = {name.split("/")[0] for name in files}
    for start in (f"{folder}/", f"{next(iter(tops), '')}/{folder}/" if len(tops) == 1 else f"{folder}/"):
        if inside := {name.removeprefix(start): each for name, each in files.items() if name.startswith(start)}:
            return Listing(inside, listing.left_out)
    raise BadInput(f"{where} has no folder {folder}, but {', '.join(sorted(tops)[:6]) or 'nothing'}: give one of these")
