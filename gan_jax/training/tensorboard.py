"""Writes TensorBoard's events: scalars and pictures."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from gan_jax.runs.files import naming


class EventFile:
    """A new file of events in `folder`; TensorBoard hides what older files there say of steps after `resumed`.

    Written where it is called: `tensorboardX.SummaryWriter` writes from a thread, which an error, such as a full disk,
    ends without a word, and its caller then waits for ever. Raises `OSError`.
    """

    def __init__(self, folder: Path, resumed: int):
        with _without_torch():
            from tensorboardX import event_file_writer, summary
            from tensorboardX.proto import event_pb2
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._summary, self._event = folder, summary, event_pb2.Event
        self._file = event_file_writer.EventsWriter(str(folder / "events"))
        self._write(resumed + 1, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))

    def _write(self, step: int, **content: Any) -> None:
        with naming(self._folder):
            self._file.write_event(self._event(wall_time=time.time(), step=step, **content))

    def add_scalar(self, name: str, value: float, step: int) -> None:
        """Adds a point of the curve `name`."""
        self._write(step, summary=self._summary.scalar(name, value))

    def add_image(self, name: str, picture: UInt8[np.ndarray, "H W C"], step: int) -> None:
        """Adds a picture."""
        self._write(step, summary=self._summary.image(name, picture, dataformats="HWC"))

    def flush(self) -> None:
        """Makes what was added visible to TensorBoard."""
        with naming(self._folder):
            self._file.flush()

    def close(self) -> None:
        """Flushes and closes the file."""
        with naming(self._folder):
            self._file.close()


@contextmanager
def _without_torch() -> Iterator[None]:
    """Hides torch, which tensorboardX would import, for seconds, to name a type that is not used here."""
    if hidden := "torch" not in sys.modules:
        sys.modules["torch"] = None  # type: ignore[assignment]  # `import torch` now raises ImportError
    try:
        yield
    finally:
        if hidden:
            del sys.modules["torch"]
