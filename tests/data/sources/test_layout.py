"""Which folders are splits, which are classes, and what is left out, from the paths of files alone."""

from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from gan_jax.data.sources.layout import SPLITS, find_images, find_layout
from gan_jax.errors import BadInput

WHERE = Path("/somewhere/photos")
FRAMES = ("{}", "seg_{}", "{}2017", "my{}", "{}_images", "{}A", "Set {} 1")


def layout(names, split="train", where=WHERE):
    """Returns the images of the split, their classes, and the counts left out."""
    left_out = Counter()
    found = find_layout(find_images(names, (".png",), left_out), where, split, left_out)
    return [name for name, _ in found.images], found.classes, left_out


def classes(names, split="train"):
    return layout(names, split)[1]


PAIRS = [(a, b) for a, b in permutations(SPLITS, 2) if SPLITS[a] != SPLITS[b]]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("case", [str.lower, str.upper, str.capitalize])
@pytest.mark.parametrize("above", ["", "photos/", "downloads/deep/"])
def test_every_pair_of_split_names_is_two_splits(frame, case, above):
    for a, b in PAIRS:
        one, two = (f"{above}{frame.format(case(name))}" for name in (a, b))
        names = [f"{one}/cat/1.png", f"{one}/dog/1.png", f"{two}/cat/2.png", f"{two}/dog/2.png"]
        for split, folder in ((a, one), (b, two)):
            images, found, left_out = layout(names, split)
            assert found == ("cat", "dog") and not left_out
            assert all(name.startswith(folder + "/") for name in images) and len(images) == 2


def test_split_is_asked_for_by_any_of_its_names():
    names = ["Training/1.png", "TESTING/2.png", "valid/3.png"]
    for split, meaning in SPLITS.items():
        assert layout(names, split)[0] == [names[("train", "test", "val").index(meaning)]]


def test_validation_is_held_out_where_there_is_no_test():
    assert layout(["train/1.png", "valid/2.png"], "test")[0] == ["valid/2.png"]
    assert layout(["train/1.png", "valid/2.png", "test/3.png"], "test")[0] == ["test/3.png"]
    found = find_layout(find_images(["train/1.png", "val/2.png"], (".png",), Counter()), WHERE, "test", Counter())
    assert found.split == "val" and "no test" in found.report
    with pytest.raises(BadInput, match="no folder 'val', only test, train"):
        layout(["train/1.png", "test/2.png"], "val")


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("other", ["unlabeled", "pred", "Extra"])
def test_other_folders_beside_splits_are_left_out_and_counted(frame, other):
    train, test, beside = (frame.format(name) for name in ("train", "test", other))
    names = [f"{train}/cat/1.png", f"{test}/cat/2.png", f"{beside}/3.png", f"{beside}/4.png"]
    images, found, left_out = layout(names)
    assert images == names[:1] and found == ("cat",)
    assert left_out == {f"beside the splits, in {beside}": 2}
    assert layout(names, beside)[0] == names[2:]


@pytest.mark.parametrize("frame", FRAMES)
def test_unlabeled_beside_training_data_alone_is_left_out(frame):
    train, beside = frame.format("train"), frame.format("unlabeled")
    if frame != "my{}":  # `mytrain` is no word for a split
        assert layout([f"{train}/1.png", f"{beside}/2.png"])[0] == [f"{train}/1.png"]
    names = ["train/1.png", "unlabeled/2.png"]
    assert find_layout(find_images(names, (".png",), Counter()), WHERE, "train", Counter()).report == "split train"


@pytest.mark.parametrize(
    "tops",
    [
        ("train_station", "test_tube", "zoo"),
        ("contest", "contour"),
        ("seg_train", "bus"),
        ("trainer", "coach"),
    ],
)
def test_classes_may_be_called_like_splits(tops):
    assert classes([f"{top}/1.png" for top in tops]) == tuple(sorted(tops))


@pytest.mark.parametrize("inside", ["", "0/"])
@pytest.mark.parametrize("word", [*SPLITS, "Train"])
def test_split_beside_folders_of_unknown_meaning_is_refused(word, inside):
    for beside in (["cat", "dog"], ["dev"], ["masks"], ["eval"]):
        with pytest.raises(BadInput, match="can be splits or classes"):
            layout([f"{folder}/{inside}1.png" for folder in (word, *beside)])
        with pytest.raises(BadInput, match="can be splits or classes"):
            layout([f"{folder}_images/{inside}1.png" for folder in (word, *beside)])


def test_classes_called_like_splits_are_read_in_a_folder_of_their_own():
    assert classes(["train/car/1.png", "train/train/1.png"]) == ("car", "train")


@pytest.mark.parametrize(
    "names",
    [
        ["trainA/1.png", "trainB/1.png"],
        ["train2014/1.png", "val2017/1.png"],
        ["training_set/1.png", "test_images/1.png"],
        ["trainA/1.png", "trainB/1.png", "testA/1.png", "testB/1.png"],
        ["train2014/1.png", "train2017/1.png", "val2014/1.png", "val2017/1.png"],
        ["train/1.png", "training/2.png"],
        ["Train/1.png", "train/2.png", "test/3.png"],
        ["train/1.png", "my_test/2.png"],
        ["trainval/1.png", "test/2.png"],
        ["train/cat/1.png", "train/dog/1.png", "more/2.png"],
        ["crash_test/1.png", "crash_train/1.png", "bus/1.png"],
    ],
)
def test_unclear_folders_are_refused_with_both_readings(names):
    with pytest.raises(BadInput, match=r"can be splits or classes: for splits .* for classes") as error:
        layout(names)
    assert "\n" not in str(error.value)


def test_folder_of_another_split_alone_is_not_trained_on():
    with pytest.raises(BadInput, match="no folder 'train', only test"):
        layout(["test/cat/1.png", "test/dog/1.png"])
    assert classes(["train/cat/1.png", "train/dog/1.png"]) == ("cat", "dog")


@pytest.mark.parametrize("parent", ["cat", "train/cat"])
def test_splits_inside_classes_are_refused(parent):
    names = [f"{parent}/train/1.png", f"{parent}/test/2.png", "train/dog/1.png" if "/" in parent else "dog/1.png"]
    with pytest.raises(BadInput, match="test and train inside cat"):
        layout([*names, "test/dog/1.png"] if "/" in parent else names)


def test_one_class_is_a_class():
    assert classes(["cat/1.png", "cat/2.png"]) == ("cat",)
    assert classes(["train/cat/1.png", "test/cat/1.png"]) == ("cat",)
    assert classes(["downloads/animals/cat/1.png"]) == ("cat",)


def test_folder_named_as_its_archive_is_no_class():
    assert layout(["photos/1.png", "photos/2.png"], where=Path("x/photos.tar.gz"))[1] == ()
    assert layout(["test/1.png", "test/2.png"], where=Path("x/test.zip"))[0] == ["test/1.png", "test/2.png"]
    assert layout(["seg_train/seg_train/1.png", "seg_test/seg_test/1.png"])[1] == ()


@pytest.mark.parametrize(
    "names",
    [["cat/1.png", "2.png"], ["train/1.png", "test/2.png", "3.png"], ["train/a/1.png", "train/2.png", "test/3.png"]],
)
def test_images_beside_folders_are_refused(names):
    with pytest.raises(BadInput, match="both in folders and beside them"):
        layout(names)


def test_every_file_is_an_image_or_counted_with_its_reason():
    names = [
        "a/1.png",
        "./a/2.PNG",
        "a/.3.png",
        ".git/4.png",
        "__MACOSX/a/5.png",
        "a/notes.txt",
        "b.txt",
        "a/6",
        "c.md",
    ]
    left_out = Counter()
    assert list(find_images(names, (".png",), left_out)) == ["a/1.png", "./a/2.PNG"]
    assert left_out == {"hidden": 3, "not images (.txt, no ending, .md)": 4}
    assert not find_images([".", "", "./."], (".png",), Counter())  # in archives


@pytest.mark.parametrize("run", ["", "runs/one/"])
@pytest.mark.parametrize(
    "mark", ["metrics.jsonl", "digests.jsonl", "samples/0000000480.png", "programs/ab/program.json"]
)
def test_outputs_of_runs_are_left_out(run, mark):
    inside = {f"{run}manifest.json", f"{run}{mark}", f"{run}curves.png", f"{run}samples/0000000000.png"}
    left_out = Counter()
    beside = ["cat/1.png", "runs/2.png"] if run else []
    assert list(find_images([*beside, *inside], (".png",), left_out)) == beside
    assert left_out == {"from runs": len(inside)}


@pytest.mark.parametrize("name", ["manifest.json", "metrics.jsonl", "samples/0000000480.png"])
def test_data_with_one_file_like_a_run_is_no_run(name):
    assert "cat/1.png" in find_images(["cat/1.png", f"cat/{name}"], (".png",), Counter())
