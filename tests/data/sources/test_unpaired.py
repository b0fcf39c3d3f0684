import shutil

import jax
import numpy as np
import pytest

from gan_jax.data import by_class, device_resident, from_arrays, from_points, open_source, tf_data, unpaired
from gan_jax.data.derived import flip, random_crop
from gan_jax.data.source import describe_source, fingerprint, read_batch
from gan_jax.errors import BadInput


def numbered(name, size, labeled=True):
    """Makes gray images of 2x2 whose byte is their number."""
    x = np.broadcast_to(np.arange(size, dtype=np.uint8)[:, None, None, None], (size, 2, 2, 1))
    return from_arrays(name, x, np.arange(size) % 3 if labeled else None, ("p", "q", "r") if labeled else ())


A, B = numbered("letters", 12), numbered("digits", 20)


def play(make, source, ranges, seed=0, batch_size=4, slices=1):
    pipeline = make(source, seed, slices, batch_size)
    load = jax.jit(pipeline.load)
    batches = [
        load(pipeline.arrays, jax.tree.map(lambda leaf, i=i: leaf[i], inputs))
        for steps, inputs in zip(ranges, pipeline.stream(ranges), strict=True)
        for i in range(len(steps))
    ]
    return jax.tree.map(lambda *each: np.concatenate(each), *batches)


def numbers(images):
    return np.rint((images[..., 0, 0, 0] + 1) * 127.5).astype(int).ravel()


@pytest.mark.parametrize("make", [device_resident, tf_data])
def test_each_side_has_a_permutation_of_its_own(make):
    """60 examples are 5 epochs of the 12 of a, and 3 of the 20 of b."""
    batch = play(make, unpaired(A, B), [range(15)])
    a, b = numbers(batch["a"]).reshape(5, 12), numbers(batch["b"]).reshape(3, 20)
    assert all(sorted(epoch) == list(range(12)) for epoch in a)
    assert all(sorted(epoch) == list(range(20)) for epoch in b)
    assert len({tuple(epoch) for epoch in a}) == 5 and len({tuple(epoch) for epoch in b}) == 3
    np.testing.assert_array_equal(batch["y_a"].ravel(), a.ravel() % 3)
    np.testing.assert_array_equal(batch["y_b"].ravel(), b.ravel() % 3)


def test_orders_of_two_sides_of_one_size_are_independent():
    batch = play(device_resident, unpaired(A, numbered("others", 12)), [range(300)])
    same = numbers(batch["a"]) == numbers(batch["b"])
    assert abs(same.mean() - 1 / 12) < 0.03  # 1,200 pairs: three standard deviations are 0.024


def test_flips_of_the_two_sides_are_independent():
    arrow = from_arrays("arrow", np.tile(np.array([0, 255], np.uint8).reshape(1, 1, 2, 1), (400, 1, 1, 1)))
    batch = read_batch(flip(unpaired(arrow, arrow)), np.arange(400))
    flipped = [np.asarray(batch[side][:, 0, 0, 0] > 0) for side in ("a", "b")]
    assert all(abs(each.mean() - 0.5) < 0.1 for each in flipped)
    assert abs((flipped[0] == flipped[1]).mean() - 0.5) < 0.1  # four standard deviations


@pytest.mark.parametrize("make", [device_resident, tf_data])
def test_both_orders_continue_from_the_middle(make):
    source = random_crop(flip(unpaired(A, B)), 1)
    whole = play(make, source, [range(9)])
    for name, leaf in play(make, source, [range(6, 7), range(7, 9)]).items():
        np.testing.assert_array_equal(leaf, whole[name][6:])


def test_both_pipelines_give_the_same_unpaired_bits():
    source = random_crop(flip(unpaired(A, B)), 1)
    a, b = (play(make, source, [range(4)], seed=3, slices=2) for make in (device_resident, tf_data))
    assert a.keys() == b.keys() == {"a", "b", "y_a", "y_b"}
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_reading_goes_round_the_smaller_side():
    source = unpaired(A, B)
    assert source.size == 20 and [part.size for part in source.parts] == [12, 20]
    batch = read_batch(source, np.arange(20))
    assert numbers(batch["a"]).tolist() == [*range(12), *range(8)] and numbers(batch["b"]).tolist() == [*range(20)]


def test_fingerprint_and_description_cover_both_sides():
    both = {fingerprint(unpaired(a, b)) for a in (A, numbered("A", 11)) for b in (B, numbered("B", 19))}
    assert len(both) == 4 and fingerprint(unpaired(A, B)) != fingerprint(unpaired(B, A))
    assert describe_source(unpaired(A, B)) == (
        "letters_and_digits, unpaired: a letters: 12 gray images of 2x2, 3 classes; b digits: 20 gray images of 2x2, "
        "3 classes"
    )


def test_classes_of_one_source_become_two_sides():
    source = by_class(A, "r", "p")
    assert [part.size for part in source.parts] == [4, 4] and source.spec.keys() == {"a", "b"}
    batch = read_batch(source, np.arange(4))
    assert numbers(batch["a"]).tolist() == [2, 5, 8, 11] and numbers(batch["b"]).tolist() == [0, 3, 6, 9]
    assert play(device_resident, source, [range(1)]).keys() == {"a", "b"}
    with pytest.raises(BadInput, match=r"no class 's': choose one of its classes \(p, q, r\)"):
        by_class(A, "p", "s")


def test_sides_may_have_different_shapes():
    batch = read_batch(unpaired(A, from_points("cloud", np.zeros((3, 5), np.float32))), np.arange(2))
    assert batch["a"].shape == (2, 2, 2, 1) and batch["b"].shape == (2, 5)


@pytest.fixture
def usps(tmp_path):
    x = np.arange(6 * 16 * 16, dtype=np.int64).astype(np.uint8).reshape(6, 16, 16)
    file = tmp_path / "usps.npz"
    np.savez(file, x_train=x, y_train=np.arange(6), x_test=x[:2], y_test=np.arange(2))
    return file


def test_arrays_of_a_file_have_splits(usps):
    train, test = open_source(str(usps)), open_source(str(usps), split="test")
    assert (train.name, train.size, train.shape, train.split) == ("usps", 6, (16, 16, 1), "train")
    assert (test.size, test.split) == (2, "test") and train.classes == test.classes == tuple("012345")
    assert train.read(np.array([3]))["y"].tolist() == [3]
    with pytest.raises(BadInput, match="no split 'val', only train, test"):
        open_source(str(usps), split="val")


def test_two_data_sets_of_different_size_are_brought_to_one(usps):
    source = open_source("mnist5k", to=str(usps), size=32)
    assert source.spec["a"].shape == source.spec["b"].shape == (32, 32, 1)
    assert read_batch(source, np.arange(2))["b"].shape == (2, 32, 32, 1)
    assert [part.size for part in open_source("mnist5k", to="ground:mnist5k:100").parts] == [5000, 100]


def test_class_of_the_data_is_domain_b(draw):
    folder = str(draw({"horse/1.png": 1, "horse/2.png": 2, "zebra/1.png": 9}, mode="L"))
    for to, a, b in (("zebra", [1, 2], [9, 9]), ("horse", [9, 9], [1, 2]), ("auto", [1, 2], [9, 9])):
        batch = read_batch(open_source(folder, to=to), np.arange(2))
        assert numbers(batch["a"]).tolist() == a and numbers(batch["b"]).tolist() == b
    with pytest.raises(BadInput, match="has 10 classes, not two"):
        open_source("mnist5k", to="auto")


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_folders_of_domains_are_unpaired_data(draw, packed):
    counts = {"trainA": 2, "trainB": 3, "testA": 1, "testB": 2}
    folder = draw({f"{each}/{i}.png": i for each, n in counts.items() for i in range(n)}, mode="L")
    data = shutil.make_archive(str(folder), "zip", folder.parent, folder.name) if packed else f"{folder}/"
    for split, sizes in (("train", [2, 3]), ("test", [1, 2])):
        source = open_source(data, to="auto", split=split)
        assert [part.size for part in source.parts] == sizes and source.split == split
    with pytest.raises(BadInput, match="can be splits or classes"):
        open_source(data, to="auto", split="val")
