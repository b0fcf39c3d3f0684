import json

import numpy as np
import pytest

from gan_jax.data.cache import Decoded, cached
from gan_jax.data.modality import spec_of
from gan_jax.errors import BadInput

X = np.arange(5 * 12, dtype=np.uint8).reshape(5, 2, 2, 3)
Y = np.array([3, 1, 2, 0, 1], np.int32)


class Decoder:
    """Decodes `X` and `Y` in two chunks and counts how often."""

    def __init__(self, fail=False):
        self.times, self.fail = 0, fail

    def __call__(self, scratch):
        self.times += 1
        (scratch / "leftovers").write_text("deleted with the scratch folder")
        return Decoded(spec_of((2, 2, 3), labeled=True), self.chunks(), ("a", "b", "c", "d"))

    def chunks(self):
        yield {"x": X[:3], "y": Y[:3]}
        if self.fail:
            raise BadInput("the second half is missing")
        yield {"x": X[3:], "y": Y[3:]}


def check(source):
    examples = source.read(np.array([4, 0, 4]))
    np.testing.assert_array_equal(examples["x"], X[[4, 0, 4]])
    np.testing.assert_array_equal(examples["y"], Y[[4, 0, 4]])
    assert (source.name, source.size, source.shape, source.classes) == ("set/one", 5, (2, 2, 3), tuple("abcd"))
    assert type(examples["x"]) is np.ndarray and examples["y"].dtype == np.int32


def entries(cache):
    return sorted((cache / "arrays").iterdir())


def test_data_set_is_decoded_once(cache):
    decoder = Decoder()
    for _ in range(3):
        check(cached("set/one", {"split": "train"}, decoder))
    assert decoder.times == 1
    assert len(entries(cache)) == 1


def test_each_key_has_its_own_entry(cache):
    decoder = Decoder()
    for split in ("train", "test", "train"):
        check(cached("set/one", {"split": split}, decoder))
    assert decoder.times == 2


def tear_pixels(entry):
    (entry / "x.npy").write_bytes((entry / "x.npy").read_bytes()[:-1])


def tear_labels(entry):
    (entry / "y.npy").unlink()


def tear_description(entry):
    (entry / "entry.json").write_text((entry / "entry.json").read_text()[:-3])


def shorten(entry):
    np.save(entry / "x.npy", X[:4])
    np.save(entry / "y.npy", Y[:4])


def forget_key(entry):
    about = json.loads((entry / "entry.json").read_text())
    del about["classes"]
    (entry / "entry.json").write_text(json.dumps(about))


@pytest.mark.parametrize("tear", [tear_pixels, tear_labels, tear_description, shorten, forget_key])
def test_damaged_entry_is_decoded_again(cache, tear):
    decoder = Decoder()
    cached("set/one", {}, decoder)
    tear(entries(cache)[0])
    check(cached("set/one", {}, decoder))
    assert decoder.times == 2


def test_failed_decode_leaves_no_files(cache):
    with pytest.raises(BadInput, match="second half"):
        cached("set/one", {}, Decoder(fail=True))
    assert entries(cache) == []
    check(cached("set/one", {}, Decoder()))


def test_entry_written_by_another_process_meanwhile_is_kept(cache):
    def slowly(scratch):
        check(cached("set/one", {}, Decoder()))  # another process
        return Decoder()(scratch)

    check(cached("set/one", {}, slowly))
    assert len(entries(cache)) == 1


def test_unwritable_cache_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GAN_JAX_CACHE", str(tmp_path / "file"))
    with pytest.raises(BadInput, match="GAN_JAX_CACHE"):
        cached("set/one", {}, Decoder())
