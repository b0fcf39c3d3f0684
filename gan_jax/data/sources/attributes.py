"""Attributes of images, such as those of CelebA, from a .csv file beside them: as an array, or one as the label."""

from collections import Counter
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from jaxtyping import Array, Int

from gan_jax.data.cache import Decoded, cached
from gan_jax.data.modality import ATTRIBUTES, LABEL, Leaf
from gan_jax.data.source import Examples, Source, from_spec
from gan_jax.data.sources import decoding
from gan_jax.data.sources.archives import Listing, archive_of, in_archive, in_folder, state_of_archive, within
from gan_jax.data.sources.attribute_file import find_rows, parse_table
from gan_jax.data.sources.layout import find_images, find_layout
from gan_jax.data.sources.survey import first_three
from gan_jax.engine.game import Batch, Keys
from gan_jax.errors import BadInput

VERSION = 1
"""Version of the rules by which rows become attributes, for keys of the cache."""


def attributes_of(path: Path, split: str) -> Source:
    """Reads the attributes of the images of a folder or archive, in the order in which these are read as a source.

    The .csv file is the only one of the folder or archive. Its columns of 0 and 1 (or -1 and 1, or false and true) are
    the attributes. Others are left out, as are rows without an image; the report says so.

    Raises:
        BadInput: there is no .csv file or several, it is damaged or has no attributes, or an image has no row.
    """
    if path.is_dir():
        found = _read(in_folder(path), path, split)
        (arrays,) = found.chunks
        return from_spec("", found.spec, arrays)._replace(report=found.report, attributes=found.attributes)
    if not (archive := archive_of(path)):
        raise BadInput(f"{path} is not a folder or archive of images: attributes are in a .csv file beside them")
    inside = path.relative_to(archive).as_posix()

    def decode(scratch: Path) -> Decoded:
        listing = in_archive(archive, scratch)
        return _read(listing if inside == "." else within(listing, inside, archive), path, split)

    key = state_of_archive(archive) | {"inside": inside, "split": split, "rules": VERSION}
    return cached("attributes", key, decode)


def with_attributes(images: Source, table: Source) -> Source:
    """Adds the attributes of a table to the examples of a source, as `attributes` `[A]` int32, 0 or 1."""
    added = _with(images, table, "attributes", table.spec["attributes"], lambda values: values)
    return added._replace(attributes=table.attributes)


def labeled_by(images: Source, table: Source, attribute: str) -> Source:
    """Makes one attribute the label `y` of a source: the class `not A` is 0, `A` is 1. Other labels are dropped.

    Raises:
        BadInput: there is no such attribute.
    """
    if attribute not in table.attributes:
        close = get_close_matches(attribute, table.attributes, n=1)
        hint = f"did you mean {close[0]}?" if close else f"choose one of {', '.join(table.attributes)}"
        raise BadInput(f"{images.name} has no attribute {attribute!r}: {hint}")
    column = table.attributes.index(attribute)
    labeled = _with(images, table, "y", Leaf((), LABEL), lambda values: values[:, column])
    return labeled._replace(name=f"{images.name}_{attribute}", classes=(f"not {attribute}", attribute))


def _with(images: Source, table: Source, name: str, leaf: Leaf, take: Callable[[np.ndarray], np.ndarray]) -> Source:
    """Adds the array `name` to the examples of a source, which `take` makes of the attributes `[B, A]`."""

    def read(indices: Int[np.ndarray, " B"]) -> Examples:
        return {**images.read(indices), name: take(table.read(indices)["attributes"])}

    def decode(examples: dict[str, Array], keys: Keys) -> Batch:
        return {**images.decode(examples, keys), name: examples[name]}

    report = "; ".join(filter(None, (images.report, table.report)))
    return images._replace(spec={**images.spec, name: leaf}, read=read, decode=decode, report=report)


def _read(listing: Listing, where: Path, split: str) -> Decoded:
    """Reads the attributes of the images of a split from the .csv file among the files of a listing."""
    files = [name for name in listing.files if name.lower().endswith(".csv") and not _is_hidden(name)]
    if len(files) != 1:
        raise BadInput(f"{where} has {len(files)} .csv files: attributes are in one, which names the images")
    layout = find_layout(find_images(listing.files, decoding.endings(), Counter()), where, split, Counter())
    images, file = [name for name, _ in layout.images], where / files[0]
    with listing.files[files[0]]() as opened:
        table = parse_table(opened.read(), file)
    rows = find_rows([*images, *layout.other_splits], table.rows, file)
    if missing := [name for name in images if name not in rows]:
        names = f"{first_three(missing)} (its rows are {first_three([*table.rows])})"
        raise BadInput(f"{file} has no row for {len(missing):,} images, first {names}: add rows or remove the images")
    used = set(rows.values())
    report = f"{len(table.attributes)} attributes from {file.name}"
    if table.left_out:
        report += f"; left out its columns of other values than 0 and 1: {first_three(table.left_out)}"
    if unused := [name for name, row in table.rows.items() if row not in used]:
        report += f"; left out its rows without an image, {len(unused):,}: {first_three(unused)}"
    values = table.values[[rows[name] for name in images]]
    spec = {"attributes": Leaf((len(table.attributes),), ATTRIBUTES)}
    return Decoded(spec, [{"attributes": values}], report=report, attributes=table.attributes)


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part != "." for part in name.split("/"))
