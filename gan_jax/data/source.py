"""The type of a data set: examples that are read by index, in memory or on disk."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int, Shaped

from gan_jax.data.modality import IMAGE, LABEL, POINTS, VIDEO, Leaf, Modality, Shape, Spec, by_leaf, main_leaf
from gan_jax.engine.game import Batch, Keys
from gan_jax.engine.keys import split
from gan_jax.errors import BadInput

Examples = dict[str, np.ndarray]
"""Stored arrays: images `x` `[B, H, W, C]` uint8 or points `x` `[B, D]` float32 and, with labels, `y` `[B]` int32."""


class Source(NamedTuple):
    """A data set: the number of its examples, the arrays of each, and the functions that read and decode them.

    `read` is a pure function of the indices, and may be called from several threads.
    """

    name: str
    size: int
    spec: Spec
    """The arrays of an example in a batch: real examples `x`, their labels `y`, inputs of a translation `a`."""
    read: Callable[[Int[np.ndarray, " B"]], Examples]
    decode: Callable[[dict[str, Array], Keys], Batch]
    """`decode(examples, keys [B]) -> batch`, pure, on the device; the keys are for random crops, noise and holes."""
    classes: tuple[str, ...] = ()
    """Class names of the labels 0, 1, ...; empty for an unlabeled source."""
    report: str = ""
    """What its files were taken for: the split, the files left out, and why."""
    split: str = ""
    """The split that was read, which may stand in for the one asked for: `train`, `test` or `val` of files, or by the
    name that TFDS gives it; empty for data without splits."""
    parts: tuple["Source", ...] = ()
    """Data sets whose arrays this one has, each shuffled in an order of its own: unpaired data. Empty for others."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes of the array `attributes`; empty for a source without."""
    labels: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """Class names of the labels besides `y`, by array: those of `speaker`."""

    @property
    def shape(self) -> Shape:
        """The shape of `x`, or of the last array but labels where there is no `x`."""
        return main_leaf(self.spec).shape


def stored(
    name: str, size: int, spec: Spec, read: Callable[[Int[np.ndarray, " B"]], Examples], classes: tuple[str, ...] = ()
) -> Source:
    """Makes a source whose arrays are decoded one by one, as their kinds say."""
    decode = by_leaf(spec)
    return Source(name, size, spec, read, lambda examples, keys: decode(examples), classes)


def from_spec(name: str, spec: Spec, arrays: Mapping[str, np.ndarray], classes: tuple[str, ...] = ()) -> Source:
    """Makes a source of stored arrays `[N, ...]`, one for every name of `spec`; memory-mapped arrays stay on disk."""

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        return {name: np.asarray(array[indices]) for name, array in arrays.items()}

    return stored(name, len(next(iter(arrays.values()))), spec, read, classes)


def renamed(source: Source, names: Mapping[str, str]) -> Source:
    """Renames all arrays of a source, stored and decoded."""

    def rename(arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {names[name]: leaf for name, leaf in arrays.items()}

    def decode(examples: dict[str, Array], keys: Keys) -> Batch:
        return rename(source.decode({old: examples[new] for old, new in names.items() if new in examples}, keys))

    return source._replace(spec=rename(source.spec), read=lambda indices: rename(source.read(indices)), decode=decode)


def decode_parts(parts: Sequence[Source], examples: Sequence[dict[str, Array]], keys: Keys) -> Batch:
    """Decodes the examples of every part with keys of its own: what is random in one is independent of the others."""
    own = split(keys, len(parts))
    decoded = [part.decode(each, of_part) for part, each, of_part in zip(parts, examples, own, strict=True)]
    return {name: leaf for batch in decoded for name, leaf in batch.items()}


def read_batch(source: Source, indices: Int[np.ndarray, " B"]) -> Batch:
    """Reads examples as a batch outside of training: random parts of decoding depend on the index alone."""
    keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(0), jnp.asarray(indices, jnp.uint32))
    return jax.jit(source.decode)(source.read(indices), keys)  # eagerly, every operation would be compiled by itself


def read_rounded(source: Source, indices: Int[np.ndarray, " B"]) -> Examples:
    """Reads examples as `read_batch` does, rounded as their kind is stored: as they are derived, resized or cut."""
    batch = read_batch(source, indices)
    return {name: leaf.modality.store(np.asarray(batch[name])) for name, leaf in source.spec.items()}


def describe_source(source: Source) -> str:
    """Describes a source in one line: its size, shape, classes, split, and the files left out."""
    if source.parts:
        parts = "; ".join(f"{'ab'[i]} {describe_source(part)}" for i, part in enumerate(source.parts))
        return f"{source.name}, unpaired: {parts}"
    what = " and ".join(leaf.modality.describe(leaf.shape) for leaf in source.spec.values() if leaf.shape)
    number = len(source.classes)
    classes = f"{number} class{'es' if number > 1 else ''}" if number else "no labels"
    further = "".join(f", {len(names)} of {label}" for label, names in source.labels.items())
    return "; ".join(filter(None, (f"{source.name}: {source.size:,} {what}, {classes}{further}", source.report)))


def from_arrays(name: str, x: np.ndarray, y: np.ndarray | None = None, classes: tuple[str, ...] = ()) -> Source:
    """Makes a source from images `x` `[N, H, W, C]` uint8 and labels `y` `[N]`; memory-mapped arrays stay on disk."""
    if x.dtype != np.uint8 or x.ndim != 4:
        raise BadInput(f"{name}: images must be uint8 [N, H, W, C], not {x.dtype} {list(x.shape)}: convert them")
    return indexed(name, IMAGE, x, y, classes)


def from_videos(name: str, x: np.ndarray, y: np.ndarray | None = None, classes: tuple[str, ...] = ()) -> Source:
    """Makes a source from videos `x` `[N, T, H, W, C]` uint8 and labels `y` `[N]`."""
    if x.dtype != np.uint8 or x.ndim != 5:
        raise BadInput(f"{name}: videos must be uint8 [N, T, H, W, C], not {x.dtype} {list(x.shape)}: convert them")
    return indexed(name, VIDEO, x, y, classes)


def from_points(name: str, x: np.ndarray, y: np.ndarray | None = None, classes: tuple[str, ...] = ()) -> Source:
    """Makes a source from points `x` `[N, D]` of any float type, kept in memory as float32, and labels `y` `[N]`.

    Raises:
        BadInput: as `finite_points`.
    """
    return indexed(name, POINTS, finite_points(name, x), y, classes)


def finite_points(name: str, x: np.ndarray) -> Float32[np.ndarray, "N D"]:
    """Converts points to float32.

    Raises:
        BadInput: there are no points, they have another rank or type, or some are not finite in float32.
    """
    with np.errstate(over="ignore"):  # overflow gives inf, which is an error below
        points = x.astype(np.float32) if x.dtype.kind == "f" and x.ndim == 2 and x.shape[1] else None
    if points is None:
        raise BadInput(f"{name}: points must be floats [N, D], not {x.dtype} {list(x.shape)}: convert them")
    if not len(x):
        raise BadInput(f"{name}: there are no points, shape {list(x.shape)}: give at least one")
    if not np.isfinite(points).all():
        bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
        raise BadInput(
            f"{name}: {len(bad)} of {len(x)} points are not finite in float32, first [{bad[0]}]: remove them"
        )
    return points


def indexed(
    name: str,
    kind: Modality,
    x: Shaped[np.ndarray, "N ..."],
    y: np.ndarray | None,
    classes: tuple[str, ...] = (),
    further: Mapping[str, Int[np.ndarray, " N"]] = MappingProxyType({}),
) -> Source:
    """Makes a source of stored examples `x` of a kind, their labels `y`, and further labels by name.

    Raises:
        BadInput: `y` are no integers, one per example.
    """
    if y is not None and (y.shape != x.shape[:1] or y.dtype.kind not in "iu"):
        raise BadInput(f"{name}: labels must be integers [{len(x)}], one per example, not {y.dtype} {list(y.shape)}")

    spec, arrays = {"x": Leaf(x.shape[1:], kind)}, {"x": x}
    if y is not None:
        spec, arrays = spec | {"y": Leaf((), LABEL)}, arrays | {"y": np.asarray(y, np.int32)}
    spec |= dict.fromkeys(further, Leaf((), LABEL))
    arrays |= {name: label.astype(np.int32) for name, label in further.items()}
    return from_spec(name, spec, arrays, classes)


FINGERPRINTED = 4096
"""Number of examples a fingerprint is computed from, at most."""


def fingerprint(source: Source) -> str:
    """Computes the sha256 of a source's examples and labels; of `FINGERPRINTED` evenly spaced ones if it has more."""
    sha = sha256()
    indices = np.linspace(0, source.size - 1, min(source.size, FINGERPRINTED)).astype(int)
    for start in range(0, len(indices), 256):
        for name, leaf in sorted(source.read(indices[start : start + 256]).items()):
            sha.update(f"{name} {leaf.dtype} {leaf.shape}\n".encode())
            sha.update(np.ascontiguousarray(leaf).tobytes())
    return sha.hexdigest()


def in_chunks(source: Source, chunk: int = 1024) -> Iterator[Examples]:
    """Yields every example once, in index order, `chunk` at a time, read by four threads."""
    starts = range(0, source.size, chunk)

    def read(start: int) -> Examples:
        return source.read(np.arange(start, min(start + chunk, source.size)))

    with ThreadPoolExecutor(max_workers=4) as pool:
        for i in range(0, len(starts), 8):  # bounds the memory
            yield from pool.map(read, starts[i : i + 8])
