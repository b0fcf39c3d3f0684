import json

import numpy as np
import pytest

from gan_jax.data import from_arrays, from_points, paired, unpaired
from gan_jax.data.modality import Leaf, label_map
from gan_jax.data.source import from_spec
from gan_jax.runs.manifest import check_data, describe_data
from gan_jax.training.restore import _described

PHOTOS = from_arrays("photos", np.zeros((5, 6, 4, 3), np.uint8), np.zeros(5, int), ("cat", "dog"))
GRAY = from_arrays("gray", np.zeros((5, 3, 2, 1), np.uint8))
LABELS = np.arange(5, dtype=np.uint8)[:, None, None].repeat(6, 1).repeat(4, 2)
MAPS = {"a": Leaf((6, 4, 5), label_map(5)), "x": PHOTOS.spec["x"]}

DATA = {
    "images": PHOTOS,
    "points": from_points("cloud", np.zeros((5, 2))),
    "pairs": paired(GRAY, PHOTOS),
    "label maps": from_spec("labels", MAPS, {"a": LABELS, "x": LABELS}),
    # labels come last
    "unpaired": unpaired(PHOTOS, from_arrays("more", np.zeros((7, 2, 2, 1), np.uint8), np.zeros(7, int))),
}


def stored(source):
    """Describes a source as a manifest read from its file does."""
    return json.loads(json.dumps(describe_data(source)))


@pytest.mark.parametrize("name", DATA)
def test_described_source_has_the_arrays_and_parts_of_the_data(name):
    source, again = DATA[name], _described(stored(DATA[name]))
    for each in ("name", "size", "spec", "classes", "shape"):
        assert getattr(again, each) == getattr(source, each)
    assert [(part.size, part.spec) for part in again.parts] == [(part.size, part.spec) for part in source.parts]


@pytest.mark.parametrize("name", ["images", "points"])
def test_data_in_manifests_of_earlier_versions_is_the_same(name, tmp_path):
    now = stored(DATA[name])
    before = {key: now[key] for key in ("name", "size", "shape", "classes", "fingerprint")}
    assert _described(before).spec == DATA[name].spec
    check_data(tmp_path, ("", before), ("", now))


@pytest.mark.parametrize(
    "damage",
    [
        {"spec": {}},
        {"spec": []},
        {"spec": {"x": {}}},
        {"spec": {"x": {"kind": "smell", "shape": [1]}}},
        {"spec": {"x": {"kind": "image", "shape": [4, -1, 3]}}},
        {"spec": {"x": {"kind": "label map", "shape": []}}},
        {"spec": {"x": {"kind": "image", "shape": None}}},
        {"parts": [{}]},
        {"parts": 3},
        {"shape": "wide"},
        {"classes": [1]},
    ],
    ids=str,
)
def test_damaged_description_gives_no_source(damage):
    assert _described(stored(DATA["unpaired"]) | damage) is None
