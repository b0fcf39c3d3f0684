"""Checkpoints: the whole `State` on disk by Orbax, written in the background, and back bit for bit.

A checkpoint is written under a temporary name and renamed when it is whole, so a process killed while it saves leaves
the earlier ones as they were. What Orbax does not see is a byte that changes on the disk later: its chunks of data
carry no checksum. A *seal*, written just before the renaming, therefore lists the sha256 of every file, and nothing is
handed to Orbax whose seal does not hold.
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
from orbax.checkpoint import v1 as ocp

from gan_jax.engine.game import State
from gan_jax.errors import BadInput
from gan_jax.runs.digest import Digests, digest, digests, plain

SEAL = "seal"
"""A file in every checkpoint. Its first line is the sha256 of the rest, which is JSON: the `digest` of the state, its
`leaves`, the `metrics`, and the sha256 of each of the `files`."""

Cost = Callable[[Mapping[str, int | float]], float]

# What goes wrong reaches the user as one line of BadInput; Orbax would log several more about it.
logging.getLogger("absl").addFilter(lambda record: "orbax" not in record.pathname)


class Checkpoints:
    """The checkpoints of one run, `folder/<step>`. A context manager: leaving it waits for the save under way.

    Kept are the last `keep_last` and, where `best(metrics) -> float` is given, the one for which it is lowest (negate
    a score that should be high; a metric that is missing or NaN is the worst). Reading creates, changes and deletes
    nothing, so a run can be read while it is trained. Every process must hold the whole state: replicated, or sharded
    over its own devices.
    """

    def __init__(self, folder: Path, keep_last: int = 2, best: Cost | None = None):
        self.folder = Path(folder)
        self._keep_last, self._best = keep_last, best
        self._writer: ocp.training.Checkpointer | None = None
        self._pending: dict[str, Any] = {}

    def save(self, state: State, metrics: Mapping[str, int | float] | None = None) -> Digests:
        """Copies `state` to the host, and writes it in the background as `folder/<state.step>`; returns its digests.

        On return the buffers of `state` may be donated. A state that is there already is not written again. Raises
        `BadInput` where another state is there, or where this save or the one before cannot be written.
        """
        step, arrays, found = int(state.step), jax.device_get(jax.tree.map(plain, state)), digests(state)
        seal = {
            "step": step,
            "digest": found.state,
            "metrics": {name: float(value) for name, value in (metrics or {}).items()},
            "leaves": _outline(arrays),
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
        """The steps that have a checkpoint, in order."""
        found = self.folder.iterdir() if self.folder.is_dir() else []
        return sorted(int(path.name) for path in found if path.name.isdecimal())

    def latest(self) -> int | None:
        """The last step that has a checkpoint."""
        return max(self.steps(), default=None)

    def best(self) -> int | None:
        """The step for which `best` is lowest, the later of equals; None where there is nothing to compare."""
        steps = reversed(self.steps()) if self._best else []
        metrics = {step: self._seal(step).get("metrics") for step in steps}
        return min((step for step in metrics if metrics[step]), key=lambda s: self._cost(metrics[s]), default=None)

    def set_damaged_aside(self) -> list[Path]:
        """Moves checkpoints that are not as they were written out of the way, from the last to the first sound one.

        They go to the folder `damaged` beside this one; returns where they are then. Where no checkpoint is sound,
        nothing is moved: `restore` says what is wrong.
        """
        steps = self.steps()
        sound = next((step for step in reversed(steps) if not self._harm(step)), None)
        aside = []
        for step in (step for step in steps if sound is not None and step > sound):
            place = self.folder.with_name("damaged") / f"{step}"
            while place.exists():
                place = place.with_name(f"{place.name}-again")
            place.parent.mkdir(exist_ok=True)
            aside.append((self.folder / str(step)).rename(place))
        return aside

    def restore(self, like: State, step: int | None = None) -> State:
        """The state of `step`, by default the latest, in the tree of `like` and placed as its leaves are.

        `like` holds arrays or `jax.ShapeDtypeStruct`s; a leaf without a sharding goes to the default device. Raises
        `BadInput` where there is no such checkpoint, where it is damaged, and where it does not fit `like`.
        """
        steps = self.steps()
        if not steps:
            raise BadInput(f"{self.folder} holds no checkpoint; train the run first")
        step = steps[-1] if step is None else step
        if step not in steps:
            raise BadInput(f"{self.folder} has no checkpoint of step {step}; choose one of {steps}")
        path = self.folder / str(step)
        others = [other for other in steps if other != step]
        cure = f"delete it to go on from step {others[-1]}" if others else "delete it to start again"
        if harm := self._harm(step):
            raise BadInput(f"{path} is damaged ({harm} is missing or not as it was written); {cure}")

        seal = self._seal(step)
        shapes = jax.eval_shape(lambda state: jax.tree.map(plain, state), like)
        there, here = seal["leaves"], _outline(shapes)
        for name in sorted(there.keys() | here.keys()):
            if there.get(name) != here.get(name):
                raise BadInput(
                    f"{path} was saved with other settings: {name} is {there.get(name, 'absent')} there and "
                    f"{here.get(name, 'absent')} here; repeat those settings, or choose another folder"
                )
        with _told(f"{path} cannot be read", cure):
            blanks = jax.tree.map(lambda leaf: np.empty(leaf.shape, leaf.dtype), shapes)
            state = jax.tree.map(_placed, ocp.load(path.absolute(), blanks), like)
        if digest(state) != seal["digest"]:
            raise BadInput(f"{path} was saved with another kind of PRNG key, or is damaged; {cure}")
        return state

    def close(self) -> None:
        """Waits for the save under way; raises `BadInput` where it cannot be written."""
        writer, self._writer = self._writer, None
        if writer:
            with self._writing():
                writer.close()

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> list[bool]:
        """Orbax's question after a save: which of `checkpoints`, in the order of their steps, to keep."""
        steps = [checkpoint.step for checkpoint in checkpoints]
        return [step in steps[-self._keep_last :] or step == self.best() for step in steps]

    def _open(self) -> ocp.training.Checkpointer:
        """Creates the folder, and clears away what a process killed while it saved has left there."""
        context = ocp.Context()
        # A lambda, because Orbax deep-copies its options, and with a bound method this object.
        context.async_options.post_finalization_callback = lambda: self._write_seal()
        return ocp.training.Checkpointer(
            self.folder.absolute(),
            context=context,
            preservation_policy=self,
            cleanup_tmp_directories=True,
        )

    def _write_seal(self) -> None:
        """Called when all files of a checkpoint are written; its directory still has its temporary name."""
        step = self._pending["step"]
        [path] = [path for path in self.folder.iterdir() if path.name.split(".")[0] == str(step)]
        files = sorted(file.relative_to(path) for file in path.glob("*/**/*") if file.is_file())
        seal = json.dumps(self._pending | {"files": {str(file): _sha256(path / file) for file in files}})
        (path / SEAL).write_text(f"{hashlib.sha256(seal.encode()).hexdigest()}\n{seal}")

    def _seal(self, step: int) -> dict[str, Any]:
        """The seal of a checkpoint, or nothing where it is missing or broken."""
        try:
            sha, seal = (self.folder / str(step) / SEAL).read_text().split("\n")
        except (OSError, ValueError):
            return {}
        return json.loads(seal) if sha == hashlib.sha256(seal.encode()).hexdigest() else {}

    def _harm(self, step: int) -> str:
        """The first file of a checkpoint that is not as it was written; empty where all are."""
        path, files = self.folder / str(step), self._seal(step).get("files", {SEAL: ""})
        return next((name for name, sha in files.items() if _sha256(path / name) != sha), "")

    def _cost(self, metrics: Mapping[str, int | float]) -> float:
        """What `best` says; a metric that is missing or NaN is the worst."""
        try:
            cost = self._best(metrics)
        except KeyError:
            return math.inf
        return math.inf if math.isnan(cost) else cost

    def _writing(self) -> AbstractContextManager[None]:
        return _told(f"{self.folder} cannot be written", "see that it is a folder with room that you may write to")


def _placed(array: np.ndarray, like: Any) -> jax.Array:
    """`array` with the dtype and the sharding of `like`, and tied to devices only if `like` is.

    Values tied to one device cannot meet a batch sharded over several, so a resumed run would fail where the fresh
    one, whose state is not tied, works.
    """
    leaf = jnp.asarray(array)
    if jnp.issubdtype(like.dtype, jax.dtypes.prng_key):
        leaf = jax.random.wrap_key_data(leaf, impl=jax.random.key_impl(jnp.empty((), like.dtype)))
    return jax.device_put(leaf, like.sharding) if getattr(like, "committed", True) else leaf


def _outline(tree: PyTree) -> dict[str, str]:
    """The path of every leaf, and its dtype and shape in words."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(p, simple=True, separator="/"): f"{x.dtype}{list(x.shape)}" for p, x in leaves}


def _sha256(path: Path) -> str | None:
    """The digest of a file, or None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


@contextmanager
def _told(what: str, cure: str) -> Iterator[None]:
    """Whatever Orbax raises, as a `BadInput` in one line. It raises nearly every type, even bare `Exception`."""
    try:
        yield
    except BadInput:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput(f"{what} ({reason[:200]}); {cure}") from error
