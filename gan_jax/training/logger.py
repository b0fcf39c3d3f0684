"""What a run says while it is trained: metrics.jsonl, TensorBoard, sample grids, loss curves, and the progress bar.

Numbers arrive as device arrays and are read one chunk late, while the device plays the next chunk.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, UInt8
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from tensorboardX import SummaryWriter

from gan_jax.monitoring.finite import check_finite, says_something
from gan_jax.monitoring.monitor import Watch, write
from gan_jax.runs.files import CLOCK
from gan_jax.runs.run_dir import Record, RunDir
from gan_jax.viz.animation import save_animation
from gan_jax.viz.curves import save_curves
from gan_jax.viz.images import save_png

PLAIN_SECONDS = 10
"""How often a line is printed where there is no terminal to draw a bar on."""


class MetricsLog:
    """The records of a run, or of many together, as they are written.

    `show(record, rate)` is told of each when it is written, with its images per second. `resumed` is the step that the
    run goes on from, 0 for a new one.
    """

    def __init__(self, folder: RunDir, resumed: int, show: Callable[[Record, float], None]):
        self._file, self._tell = folder.metrics, show
        self.all = folder.rewind(resumed)
        self._started = time.monotonic() - self.last["seconds"]
        self._waiting: tuple[int, int, Mapping[str, Array]] | None = None

    @property
    def last(self) -> Record:
        """The last record; before the first, the start."""
        return self.all[-1] if self.all else {"step": 0, "images": 0, "seconds": 0.0}

    def note(self, step: int, images: int, metrics: Mapping[str, Array]) -> None:
        """A chunk that was run_chunks: its mean metrics, to be written by the next `flush`."""
        self._waiting = (step, images, metrics)

    def flush(self) -> Record:
        """Writes what was noted, waiting for the device if need be; returns the last record."""
        if self._waiting:
            step, images, metrics = self._waiting
            self._waiting = None
            values = {name: np.asarray(value, float).tolist() for name, value in jax.device_get(metrics).items()}
            seconds = round(time.monotonic() - self._started, 3)
            rate = (images - self.last["images"]) / max(seconds - self.last["seconds"], 1e-9)
            steps = step - self.last["step"]
            told = {name: value for name, value in sorted(values.items()) if says_something(name, value, steps)}
            self.all.append({"step": step, "images": images, "seconds": seconds, **told})
            with self._file.open("a") as file:
                file.write(json.dumps(self.last) + "\n")
            self._tell(self.last, rate)
        return self.last


class RunLogger(MetricsLog):
    """The journal of one run: its records, and what is drawn and shown of them. A context manager.

    `flush` raises `NonFinite` where what it has written is not finite.
    """

    def __init__(self, folder: RunDir, total_images: int, resumed: int):
        super().__init__(folder, resumed, self._show)
        self._folder, self._watch = folder, Watch()
        for record in self.all:
            self._watch.look(record)
        write(self._watch.findings, folder)
        self._tensorboard = SummaryWriter(str(folder.tensorboard), purge_step=resumed + 1)
        self._progress = ProgressBar(total_images, int(self.last["images"]))

    def _show(self, record: Record, rate: float) -> None:
        check_finite(record, before=self.all[-2]["step"] if len(self.all) > 1 else 0)
        values = {name: value for name, value in record.items() if name not in CLOCK}
        for name, value in (values | {"images_per_second": rate}).items():
            self._tensorboard.add_scalar(name, value, record["step"])
        if self._watch.look(record):
            write(self._watch.findings, self._folder)
        losses = {name: value for name, value in values.items() if name.endswith("/loss")}
        self._progress.show(record["images"], rate, losses, self._watch.showing)

    def picture(self, step: int, images: int, picture: UInt8[np.ndarray, "H W C"]) -> None:
        """Saves a picture of the samples."""
        save_png(self._folder.picture(images), picture)
        self._tensorboard.add_image("samples", picture, step, dataformats="HWC")

    def summarise(self) -> None:
        """Draws the curves of everything written so far, and shows the pictures one after the other."""
        save_curves(self._folder.curves, self.all)
        if shown := sorted(self._folder.samples.glob("*.png")):
            save_animation(self._folder.animation, shown)
        self._tensorboard.flush()

    def __enter__(self) -> "RunLogger":
        return self

    def __exit__(self, *_: Any) -> None:
        self._progress.close()
        self._tensorboard.close()


class ProgressBar:
    """A bar with images/s, losses and time left; without a terminal, a plain line now and then."""

    def __init__(self, total_images: int, images: int):
        self._console = Console(stderr=True)
        self._total = total_images
        self._printed = time.monotonic()
        self._bar = Bar(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._bar.start()
        self._task = self._bar.add_task("compiling", total=total_images, completed=images)

    def show(self, images: int, rate: float, losses: dict[str, float], symptoms: Sequence[str] = ()) -> None:
        """So many images have been shown, at a rate of so many in a second; the losses, and what seems to be wrong."""
        numbers = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        line = "  ".join((f"{images:,} of {self._total:,} images", f"{rate:,.0f}/s", numbers, *symptoms))
        self._bar.update(self._task, completed=images, description=line)
        done = images >= self._total
        if not self._console.is_terminal and (done or time.monotonic() - self._printed > PLAIN_SECONDS):
            self._printed = time.monotonic()
            left = (self._total - images) / max(rate, 1e-9)
            print(f"{line}  {left:,.0f} s left", file=self._console.file, flush=True)

    def close(self) -> None:
        """Takes the bar away."""
        self._bar.stop()
