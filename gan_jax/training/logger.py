"""Logs a run: metrics.jsonl, TensorBoard, previews and loss curves.

Metrics arrive as device arrays and are read one chunk late, while the device plays the next chunk.
"""

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, UInt8

from gan_jax.monitoring.finite import check_finite, is_informative
from gan_jax.monitoring.monitor import Monitor, write_findings
from gan_jax.runs.files import CLOCK, append_jsonl
from gan_jax.runs.run_dir import Record, RunDir
from gan_jax.training.progress import ProgressBar
from gan_jax.training.tensorboard import EventFile
from gan_jax.viz.animation import save_animation
from gan_jax.viz.images import save_png


class MetricsLog:
    """The log of a run, or of many vmapped runs, in metrics.jsonl.

    `show(record, rate)` is called on each record as it is written, with its images per second. `resumed` is the step
    that the run resumes from, 0 for a new one.
    """

    def __init__(self, folder: RunDir, resumed: int, show: Callable[[Record, float], None]):
        self._file, self._show_record = folder.metrics, show
        self.all = folder.rewind(resumed)
        self._started = time.monotonic() - self.last["seconds"]
        self._pending: tuple[int, int, Mapping[str, Array]] | None = None

    @property
    def last(self) -> Record:
        """The last record; zeros before the first."""
        return self.all[-1] if self.all else {"step": 0, "images": 0, "seconds": 0.0}

    def add(self, step: int, images: int, metrics: Mapping[str, Array]) -> None:
        """Adds the mean metrics of a chunk, for the next `flush` to write."""
        self._pending = (step, images, metrics)

    def flush(self) -> Record:
        """Writes the pending chunk, waiting for the device if necessary; returns the last record."""
        if self._pending:
            step, images, metrics = self._pending
            self._pending = None
            values = {name: np.asarray(value, float).tolist() for name, value in jax.device_get(metrics).items()}
            seconds = round(time.monotonic() - self._started, 3)
            rate = (images - self.last["images"]) / max(seconds - self.last["seconds"], 1e-9)
            steps = step - self.last["step"]
            kept = {name: value for name, value in sorted(values.items()) if is_informative(name, value, steps)}
            self.all.append({"step": step, "images": images, "seconds": seconds, **kept})
            append_jsonl(self._file, self.last)
            self._show_record(self.last, rate)
        return self.last


class RunLogger(MetricsLog):
    """The log of a single run, with its previews, curves, TensorBoard and monitor. A context manager.

    `flush` raises `NonFinite` if the record it has written is not finite.
    """

    def __init__(self, folder: RunDir, bar: ProgressBar, resumed: int):
        super().__init__(folder, resumed, self._show)
        self._folder, self._monitor = folder, Monitor()
        for record in self.all:
            self._monitor.update(record)
        write_findings(self._monitor.findings, folder)
        self._resumed = resumed
        self._bar = bar

    @cached_property
    def _tensorboard(self) -> EventFile:
        return EventFile(self._folder.tensorboard, self._resumed)

    def _show(self, record: Record, rate: float) -> None:
        check_finite(record, before=self.all[-2]["step"] if len(self.all) > 1 else 0)
        values = {name: value for name, value in record.items() if name not in CLOCK}
        if self._monitor.update(record):
            write_findings(self._monitor.findings, self._folder)
        self._bar.show(record["images"], values, rate, self._monitor.showing)
        for name, value in (values | {"images_per_second": rate}).items():
            self._tensorboard.add_scalar(name, value, record["step"])

    def save_preview(self, step: int, images: int, picture: UInt8[np.ndarray, "H W C"]) -> None:
        """Saves a preview as a PNG and in TensorBoard."""
        save_png(self._folder.preview(images), picture)
        self._tensorboard.add_image("samples", picture, step)
        self._tensorboard.flush()

    def summarize(self) -> None:
        """Draws the curves of all records and the animation of all previews."""
        from gan_jax.viz.curves import save_curves  # imports Matplotlib

        self._bar.begin("drawing curves")
        save_curves(self._folder.curves, self.all)
        if shown := sorted(self._folder.samples.glob("*.png")):
            save_animation(self._folder.animation, shown)
        self._tensorboard.flush()

    def __enter__(self) -> "RunLogger":
        return self

    def __exit__(self, *_: Any) -> None:
        if "_tensorboard" in vars(self):
            self._tensorboard.close()
