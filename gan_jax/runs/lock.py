"""Locks a run folder: two processes that train one run would overwrite each other's records."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from gan_jax.errors import BadInput

LOCK_FILE = ".lock"

UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF}
"""Errors of file systems without locks. There a run is trained without protection against a second process."""


@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Locks a folder, created if missing, until the context or the process ends.

    A killed process leaves the lock file behind, but the kernel releases the lock.

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
        # Before the release: afterwards the file may belong to another process.
        with contextlib.suppress(OSError):
            file.unlink()
        lock.release()
