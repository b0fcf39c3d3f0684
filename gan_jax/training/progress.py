"""Says what a command does: a progress bar on a terminal; without one a line, at least every ten seconds."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

SILENCE = 10
"""Most seconds without a line."""


def say(line: str) -> None:
    """Prints a line to stderr. Training goes on if nothing reads it any more, as behind `| head`."""
    with suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)


class Heartbeat:
    """Says the latest numbers, or what is being done, whenever `SILENCE` seconds have passed without a line.

    `tick` is called every second, by a thread from `start` to `stop`: compilation may hold the caller for minutes.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic, out: Callable[[str], None] = say):
        self._clock, self._out, self._lock, self._stopped = clock, out, threading.Lock(), threading.Event()
        self.what, self._since, self._said, self._numbers = what, clock(), clock(), ""

    def begin(self, what: str) -> None:
        """Sets what is done from now on."""
        if what != self.what:
            self.what, self._since = what, self._clock()

    def show(self, numbers: str, now: bool = False) -> None:
        """Says the numbers, at once if `now`; otherwise by the next tick after `SILENCE`, if no newer ones come."""
        self._numbers = numbers
        if now:
            self._say()
        else:
            self.tick()

    def tick(self) -> None:
        """Says a line if none was said for `SILENCE` seconds."""
        if self._clock() - self._said >= SILENCE:
            self._say()

    def _say(self) -> None:
        with self._lock:
            line, self._numbers = self._numbers or f"{self.what}, {self._clock() - self._since:.0f} s so far", ""
            self._said = self._clock()
            self._out(line)

    def start(self) -> None:
        """Starts the thread."""
        threading.Thread(target=self._beat, daemon=True).start()

    def stop(self) -> None:
        """Stops the thread."""
        self._stopped.set()

    def _beat(self) -> None:
        while not self._stopped.wait(1):
            self.tick()


@contextmanager
def saying(what: str) -> Iterator[None]:
    """Says what is done inside, every `SILENCE` seconds; nothing if it is done sooner."""
    heartbeat = Heartbeat(what)
    heartbeat.start()
    try:
        yield
    finally:
        heartbeat.stop()


class ProgressBar:
    """A progress bar with images/s, losses, time passed and time left; without a terminal, the lines of a `Heartbeat`.

    Until the first `show`, and inside `doing`, it shows what is done in place of the numbers. A context manager.
    """

    def __init__(self, total_images: int):
        console = Console(stderr=True)
        self._total, self._numbers, self._heartbeat = total_images, "", Heartbeat("compiling the training program")
        self._bar = Bar(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._bar.start()
        self._task = self._bar.add_task(self._heartbeat.what, total=total_images)
        if not console.is_terminal:
            self._heartbeat.start()

    def begin(self, what: str) -> None:
        """Sets what is done from now on: `training`, or what delays it."""
        self._heartbeat.begin(what)
        self._bar.update(self._task, description=self._numbers if what == "training" and self._numbers else what)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Says what is done inside."""
        before = self._heartbeat.what
        self.begin(what)
        try:
            yield
        finally:
            self.begin(before)

    def show(
        self, images: int, metrics: Mapping[str, float], rate: float | None = None, symptoms: Sequence[str] = ()
    ) -> None:
        """Shows the images so far, their rate per second if it is known, the losses, and the symptoms of failure."""
        self.begin("training")
        losses = [f"{name} {value:.3f}" for name, value in metrics.items() if name.endswith("/loss")]
        speed = [f"{rate:,.0f}/s"] if rate else []
        line = "  ".join((f"{images:,} of {self._total:,} images", *speed, *losses, *symptoms))
        first, self._numbers = not self._numbers, line
        self._bar.update(self._task, completed=images, description=line)
        if self._bar.disable:
            left = f"  {(self._total - images) / rate:,.0f} s left" if rate else ""
            self._heartbeat.show(line + left, now=first or images >= self._total)

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *_: Any) -> None:
        self._heartbeat.stop()
        self._bar.stop()
