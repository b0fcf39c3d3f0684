"""A lock on a run folder: two processes that trained one run would overwrite each other's records."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from gan_jax.errors import BadInput

LOCK_FILE = ".lock"

UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF}
"""Errors of file systems without locks. A run goes on there; the user must see to it that nobody else writes."""


@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Locks a folder, created if missing, until the context or the process ends.

    A killed process leaves the lock file behind, but not the lock, which is the kernel's.

    Raises:
        BadInput: another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / LOCK_FILE
    lock = FileLock(file, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise BadInput(f"another process trains {folder}: wait for it, or choose another --run-dir") from None
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    try:
        yield
    finally:
        # While the lock is held: after the release, the file may be another process's.
        with contextlib.suppress(OSError):
            file.unlink()
        lock.release()
