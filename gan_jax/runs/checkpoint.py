"""Saves checkpoints of the whole `State` with Orbax in the background, and restores them bit for bit.

A checkpoint is written under a temporary name and renamed when complete, so a process killed while saving leaves the
earlier ones intact. Orbax does not checksum its data: a *seal* written before the renaming lists the sha256 of every
file, and a checkpoint whose files differ from its seal is not read.
"""

import hashlib
import json
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from gan_jax.engine.game import State
from gan_jax.errors import BadInput
from gan_jax.runs.digest import Digests, digest, digests, plain

SEAL = "seal"
"""File name of the seal. Its first line is the sha256 of the rest, which is JSON: `step`, `digest` and `leaves` of the
state, its `metrics`, and the sha256 of each of the `files`."""

Cost = Callable[[Mapping[str, int | float]], float]

# Errors reach the user as one line of BadInput; Orbax would log several more.
logging.getLogger("absl").addFilter(lambda record: "orbax" not in record.pathname)


class Checkpoints:
    """The checkpoints of one run, `folder/<step>`. A context manager: leaving it waits for the pending save.

    Keeps the last `keep_last`, and the one with the lowest `best(metrics)`; a missing or NaN metric ranks last.
    Reading changes nothing on disk, so a run can be read while it is trained. Every process must hold the whole state:
    replicated, or sharded over its own devices.
    """

    def __init__(self, folder: Path, keep_last: int = 2, best: Cost | None = None):
        self.folder = Path(folder)
        self._keep_last, self._best = keep_last, best
        self._writer: Any = None
        self._pending: dict[str, Any] = {}

    def save(self, state: State, metrics: Mapping[str, int | float] | None = None) -> Digests:
        """Copies `state` to the host and writes it in the background; returns its digests.

        On return the buffers of `state` may be donated. A state that is already saved is not written again.

        Raises:
            BadInput: the step holds another state, or this save or the previous one failed.
        """
        step, arrays, found = int(state.step), jax.device_get(jax.tree.map(plain, state)), digests(state)
        seal = {
            "step": step,
            "digest": found.state,
            "metrics": {name: float(value) for name, value in (metrics or {}).items()},
            "leaves": _describe(arrays),
        }
        with self._writing():
            self._writer = self._writer or self._open()
            self._writer.wait()
            if step not in self.steps():
                self._pending = seal
                self._writer.save_async(step, arrays, force=True)
            elif self._seal(step).get("digest") != found.state:
                raise BadInput(f"{self.folder / str(step)} holds another state; delete it, or choose another folder")
        return found

    def steps(self) -> list[int]:
        """Lists the steps that have a checkpoint, in order."""
        found = self.folder.iterdir() if self.folder.is_dir() else []
        return sorted(int(path.name) for path in found if path.name.isdecimal())

    def latest(self) -> int | None:
        """Returns the last step that has a checkpoint, or None."""
        return max(self.steps(), default=None)

    def best(self) -> int | None:
        """Returns the step with the lowest `best`, the later of equals; None without metrics."""
        steps = reversed(self.steps()) if self._best else []
        metrics = {step: self._seal(step).get("metrics") for step in steps}
        return min((step for step in metrics if metrics[step]), key=lambda s: self._cost(metrics[s]), default=None)

    def set_damaged_aside(self) -> list[Path]:
        """Moves damaged checkpoints after the last sound one to the folder `damaged`; returns their new paths.

        Moves nothing if no checkpoint is sound: `restore` then reports the damage.
        """
        steps = self.steps()
        sound = next((step for step in reversed(steps) if not self._damaged_file(step)), None)
        aside = []
        for step in (step for step in steps if sound is not None and step > sound):
            place = self.folder.with_name("damaged") / f"{step}"
            while place.exists():
                place = place.with_name(f"{place.name}-again")
            place.parent.mkdir(exist_ok=True)
            aside.append((self.folder / str(step)).rename(place))
        return aside

    def restore(self, like: State, step: int | None = None) -> State:
        """Restores the state of `step`, by default the last, with the tree and the placement of `like`.

        `like` holds arrays or `jax.ShapeDtypeStruct`s; a leaf without a sharding goes to the default device.

        Raises:
            BadInput: the checkpoint is missing or damaged, or does not fit `like`.
        """
        step = self._existing(step)
        path, cure = self.folder / str(step), self._cure(step)
        if file := self._damaged_file(step):
            raise BadInput(f"{path} is damaged ({file} is missing or was changed); {cure}")
        shapes = jax.eval_shape(lambda state: jax.tree.map(plain, state), like)
        self._check_leaves(step, _describe(shapes))
        from orbax.checkpoint import v1 as ocp  # here, for importing it takes a second

        with _one_line_errors(f"{path} cannot be read", cure):
            blanks = jax.tree.map(lambda leaf: np.empty(leaf.shape, leaf.dtype), shapes)
            state = jax.tree.map(_place, ocp.load(path.absolute(), blanks), like)
        if digest(state) != self._seal(step)["digest"]:
            raise BadInput(f"{path} was saved with another kind of PRNG key, or is damaged; {cure}")
        return state

    def close(self) -> None:
        """Waits for the pending save. Raises `BadInput` if it failed."""
        writer, self._writer = self._writer, None
        if writer:
            with self._writing():
                writer.close()

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> list[bool]:
        """Selects the checkpoints to keep; called by Orbax after a save."""
        steps = [checkpoint.step for checkpoint in checkpoints]
        return [step in steps[-self._keep_last :] or step == self.best() for step in steps]

    def _open(self) -> Any:
        """Creates the folder, and deletes incomplete checkpoints of a killed process."""
        from orbax.checkpoint import v1 as ocp  # here, for importing it takes a second

        context = ocp.Context()
        # A lambda, because Orbax deep-copies its options: a bound method would copy this object.
        context.async_options.post_finalization_callback = lambda: self._write_seal()
        return ocp.training.Checkpointer(
            self.folder.absolute(),
            context=context,
            preservation_policy=self,
            cleanup_tmp_directories=True,
        )

    def _write_seal(self) -> None:
        """Writes the seal; called when all files are complete, in a folder that still has its temporary name."""
        step = self._pending["step"]
        [path] = [path for path in self.folder.iterdir() if path.name.split(".")[0] == str(step)]
        files = sorted(file.relative_to(path) for file in path.glob("*/**/*") if file.is_file())
        seal = json.dumps(self._pending | {"files": {str(file): _sha256(path / file) for file in files}})
        (path / SEAL).write_text(f"{hashlib.sha256(seal.encode()).hexdigest()}\n{seal}")

    def _seal(self, step: int) -> dict[str, Any]:
        """Reads the seal of a checkpoint; empty if it is missing or damaged."""
        try:
            sha, seal = (self.folder / str(step) / SEAL).read_text().split("\n")
        except (OSError, ValueError):
            return {}
        return json.loads(seal) if sha == hashlib.sha256(seal.encode()).hexdigest() else {}

    def _existing(self, step: int | None) -> int:
        """Checks that a step, by default the last, has a checkpoint."""
        steps = self.steps()
        if not steps:
            raise BadInput(f"{self.folder} holds no checkpoint; train the run first")
        step = steps[-1] if step is None else step
        if step not in steps:
            raise BadInput(f"{self.folder} has no checkpoint of step {step}; choose one of {steps}")
        return step

    def _cure(self, step: int) -> str:
        """Returns advice on a damaged checkpoint for an error message."""
        others = [other for other in self.steps() if other != step]
        return f"delete it to resume from step {others[-1]}" if others else "delete it to start again"

    def _damaged_file(self, step: int) -> str:
        """Returns the first file of a checkpoint that differs from its seal; empty if none does."""
        path, files = self.folder / str(step), self._seal(step).get("files", {SEAL: ""})
        return next((name for name, sha in files.items() if _sha256(path / name) != sha), "")

    def _check_leaves(self, step: int, here: Mapping[str, str]) -> None:
        """Raises `BadInput` if the saved leaves have other paths, dtypes or shapes."""
        there = self._seal(step)["leaves"]
        for name in sorted(there.keys() | here.keys()):
            if there.get(name) != here.get(name):
                raise BadInput(
                    f"{self.folder / str(step)} was saved with other settings: {name} is "
                    f"{there.get(name, 'absent')} there and {here.get(name, 'absent')} here; "
                    "repeat those settings, or choose another folder"
                )

    def _cost(self, metrics: Mapping[str, int | float]) -> float:
        """Computes `best`; infinite if a metric is missing or NaN."""
        try:
            cost = self._best(metrics)
        except KeyError:
            return math.inf
        return math.inf if math.isnan(cost) else cost

    def _writing(self) -> AbstractContextManager[None]:
        return _one_line_errors(
            f"{self.folder} cannot be written", "check its permissions and the free space of the disk"
        )


def _place(array: np.ndarray, like: Any) -> jax.Array:
    """Converts `array` to the dtype and sharding of `like`, committed to devices only if `like` is.

    JAX refuses to combine a value committed to one device with a batch sharded over several: a resumed run would fail
    where a fresh run, whose state is not committed, works.
    """
    leaf = jnp.asarray(array)
    if jnp.issubdtype(like.dtype, jax.dtypes.prng_key):
        leaf = jax.random.wrap_key_data(leaf, impl=jax.random.key_impl(jnp.empty((), like.dtype)))
    return jax.device_put(leaf, like.sharding) if getattr(like, "committed", True) else leaf


def _describe(tree: PyTree) -> dict[str, str]:
    """Describes every leaf by path: dtype and shape, as in `float32[20, 30]`."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(p, simple=True, separator="/"): f"{x.dtype}{list(x.shape)}" for p, x in leaves}


def _sha256(path: Path) -> str | None:
    """Computes the sha256 of a file; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


@contextmanager
def _one_line_errors(what: str, cure: str) -> Iterator[None]:
    """Converts any error to a `BadInput` of one line: Orbax raises nearly every type, even bare `Exception`."""
    try:
        yield
    except BadInput:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput(f"{what} ({reason[:200]}); {cure}") from error
