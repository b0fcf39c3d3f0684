"""A folder for one process at a time: two that train one run would write over each other's records."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gan_jax.errors import BadInput

NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF}
"""What file systems answer that know no locks; there it is for the user to see that nobody else writes."""


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Holds a folder, made if need be, for as long as the context or the process lasts, however that ends.

    Raises:
        BadInput: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The lock is on the folder itself, and the kernel's: a process that is killed leaves nothing behind to clear away.
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(f"another process trains {folder}: wait for it, or choose another --run-dir") from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        yield
    finally:
        os.close(handle)
