import shutil

import numpy as np
import pytest
from PIL import Image

from gan_jax.data import open_source
from gan_jax.data.modality import POINTS, TOKENS, Leaf, describe_spec, spec_from
from gan_jax.data.source import describe_source, read_batch
from gan_jax.errors import BadInput

PHOTOS = np.zeros((2, 4, 4, 3), np.uint8)


@pytest.fixture
def draw(tmp_path):
    """Writes images: a number for a flat one, an array for its pixels; returns the folder."""

    def write(files, size=(4, 4), folder="set"):
        for name, value in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = value if isinstance(value, np.ndarray) else np.full((size[1], size[0], 3), value)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
        return tmp_path / folder

    return write


def pack(folder):
    return shutil.make_archive(str(folder), "zip", folder)


def flat(source, name):
    """Returns the byte of each one-colored image of a side."""
    x = source.read(np.arange(source.size))[name]
    assert (x == x[:, :1, :1, :1]).all()
    return x[:, 0, 0, 0].tolist()


LAYOUTS = {
    "sides in splits": ("train/noisy/{}.png", "train/clean/{}.png"),
    "splits in sides": ("noisy/train/{}.png", "clean/train/{}.png"),
    "no splits": ("noisy/{}.png", "clean/{}.jpg"),
    "wrapped": ("set/Noisy/{}.png", "set/Clean/{}.png"),
    "joined to splits": ("train_noisy/{}.png", "train_clean/{}.png"),
    "joined the other way": ("noisy-train/{}.png", "clean-train/{}.png"),
    "folders inside": ("noisy/night/{}.png", "clean/night/{}.png"),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_two_folders_are_matched_by_name(draw, layout, packed):
    a, x = layout
    draw({a.format(name): 10 * i for i, name in enumerate("qsp")})
    folder = draw({x.format(name): 100 + 10 * i for i, name in enumerate("qsp")})
    source = open_source(pack(folder) if packed else str(folder), pair="auto")
    assert (flat(source, "a"), flat(source, "x")) == ([20, 0, 10], [120, 100, 110])  # p, q, s
    assert source.spec.keys() == {"a", "x"} and "pairs noisy -> clean, matched by name" in describe_source(source)
    turned = open_source(str(folder), pair="clean,noisy")
    assert (flat(turned, "x"), turned.report.count("clean -> noisy")) == ([20, 0, 10], 1)


def test_splits_of_pairs_are_read_apart(draw):
    folder = str(draw({f"{split}{side}/1.png": i for i, split in enumerate(("train", "val")) for side in "AB"}))
    assert flat(open_source(folder, pair="auto"), "a") == [0]
    held_out = open_source(folder, pair="auto", split="test")
    assert flat(held_out, "a") == [1] and held_out.split == "val" and "because there is no test" in held_out.report
    with pytest.raises(BadInput, match=r"no split 'other', only train, val: choose one of these"):
        open_source(folder, pair="auto", split="other")


def test_all_splits_of_a_side_have_one_number_of_channels(draw):
    folder = draw({f"{split}/{side}/1.png": np.zeros((4, 4)) for split in ("train", "test") for side in "ab"})
    draw({"test/a/2.png": 1, "test/b/2.png": np.zeros((4, 4))})
    spec = open_source(str(folder), pair="auto").spec
    assert (spec["a"].shape, spec["x"].shape) == ((4, 4, 3), (4, 4, 1))


def test_halves_of_one_image_are_pairs(draw):
    pixels = np.zeros((4, 8, 3))
    pixels[:, :4], pixels[:, 4:] = 10, 200
    folder = draw({"train/1.png": pixels, "train/2.png": pixels, "test/3.png": pixels})
    for data in (str(folder), pack(folder)):
        for pair, a, x in (("left,right", 10, 200), ("right,left", 200, 10)):
            source = open_source(data, pair=pair)
            assert (flat(source, "a"), flat(source, "x"), source.shape) == ([a, a], [x, x], (4, 4, 3))
            assert "halves of one image" in source.report and "split train of test, train" in source.report
    assert open_source(str(folder), pair="left,right", size=2).shape == (2, 2, 3)
    draw({"train/9.png": np.zeros((5, 8, 3))})
    with pytest.raises(BadInput, match=r"1 images that are not 2 times as wide as high, first train/9\.png 8x5"):
        open_source(str(folder), pair="left,right", size=2)


def labels(*values):
    return np.array(values * 4).reshape(4, -1).repeat(4 // len(values), 1)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_single_channels_in_a_folder_of_labels_are_classes(draw, packed):
    """As many as the training split has, in every split."""
    folder = draw({f"{split}/photo/1.png": 7 for split in ("train", "test")})
    draw({"train/label/1.png": labels(0, 3), "test/label/1.png": labels(1, 2)})
    data = pack(folder) if packed else str(folder)
    for split, values in (("train", labels(0, 3)), ("test", labels(1, 2))):
        source = open_source(data, pair="auto", split=split)
        batch = read_batch(source, np.arange(1))
        np.testing.assert_array_equal(batch["a"][0], np.eye(4, dtype=np.float32)[values])
        assert source.read(np.arange(1))["a"].dtype == np.uint8
    assert "1 maps of 4 classes of 4x4 and color images of 4x4" in describe_source(source)


def test_palettes_are_classes_and_sizes_keep_them_whole(draw, tmp_path):
    folder = draw({"photo/1.png": 7})
    image = Image.fromarray(labels(0, 1, 2, 3).astype(np.uint8)).convert("P")
    image.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200, 9, 9, 9])
    (folder / "masks").mkdir()
    image.save(folder / "masks" / "1.png")
    source = open_source(str(folder), pair="masks,photo", size=2)
    assert source.spec["a"].shape == (2, 2, source.spec["a"].shape[-1])
    stored = source.read(np.arange(1))["a"]
    assert set(stored.ravel().tolist()) <= {0, 1, 2, 3} and len(set(stored.ravel().tolist())) == 2


def test_classes_may_be_listed(draw):
    folder = draw({"photo/1.png": 7, "label/1.png": labels(0, 1)})
    (folder / "classes.txt").write_text("0 sky 0 0 9\n1 door 0 0 1\n6 roof 1 1 1\n")
    assert open_source(str(folder), pair="auto").spec["a"].shape == (4, 4, 7)
    (folder / "classes.txt").write_text("sky\ndoor\n")
    assert open_source(str(folder), pair="auto").spec["a"].shape == (4, 4, 2)
    draw(
        {f"{side}/{i}.png": labels(0, 9) if side == "label" else 1 for side in ("photo", "label") for i in range(2, 6)}
    )
    with pytest.raises(BadInput, match="4 label maps with labels outside the 2 classes, first") as error:
        open_source(str(folder), pair="auto")
    assert "label/2.png (9), label/3.png (9), label/4.png (9), ...:" in str(error.value)


@pytest.mark.parametrize("name", ["style/1.png", "label/1.jpg"], ids=["another name", "JPEG"])
def test_other_gray_images_are_images(draw, name):
    folder = draw({"photo/1.png": 7, name: labels(0, 3)})
    source = open_source(str(folder), pair=f"{name.split('/')[0]},photo")
    assert source.spec["a"].shape == (4, 4, 1) and source.spec["a"].modality.name == "image"


def test_gray_images_up_to_white_are_no_classes(draw):
    folder = draw({"photo/1.png": 7, "mask/1.png": labels(0, 255)})
    source = open_source(str(folder), pair="mask,photo")
    assert source.spec["a"].shape == (4, 4, 1) and "mask taken for gray images, because its values" in source.report


def test_low_resolution_may_be_a_whole_factor_smaller(draw):
    folder = draw({f"lr/{i}.png": i for i in range(2)}, size=(4, 2))
    draw({f"hr/{i}.png": 10 * i for i in range(2)}, size=(12, 6))
    source = open_source(str(folder), pair="auto")
    assert (source.spec["a"].shape, source.shape) == ((2, 4, 3), (6, 12, 3))
    resized = open_source(str(folder), pair="auto", size=6)
    assert (resized.spec["a"].shape, resized.shape) == ((2, 2, 3), (6, 6, 3))
    assert open_source(str(folder), pair="hr,lr").spec["a"].shape == (6, 12, 3)
    with pytest.raises(BadInput, match="smaller by 3: give an --image-size that is a multiple"):
        open_source(str(folder), pair="auto", size=7)


BAD = {
    "no partner": (
        {f"photo/{i}.png": 1 for i in range(9)} | {f"label/{i}.png": 1 for i in range(5)} | {"label/z.png": 1},
        "5 images without a partner of the same name, first label/z.png, photo/5.png, photo/6.png, ...: add their",
    ),
    "empty side": (
        {"train/photo/1.png": 1, "train/label/1.png": 1, "test/photo/2.png": 1},
        "no images in a folder label of split test, but the folders label, photo: give --pair",
    ),
    "several target sizes": (
        {"photo/1.png": 1, "label/1.png": 1, "photo/2.png": np.zeros((5, 5, 3)), "label/2.png": np.zeros((5, 5, 3))},
        "2.png is 5x5, label/1.png 4x4: resize all to one size with --image-size",
    ),
    "other size than the target": (
        {"photo/1.png": 1, "label/1.png": np.zeros((6, 4, 3))},
        "1 inputs (label) of another size than their targets (photo), first label/1.png 4x6 beside 4x4: give both",
    ),
    "two of one name": ({"photo/1.png": 1, "photo/1.jpg": 1, "label/1.png": 1}, "photo/1.png, two images of one name"),
    "unknown names": ({"sketch/1.png": 1, "photo/1.png": 1}, "has the folders photo, sketch: give --pair INPUT,TARGET"),
    "several known": (
        {f"{side}/1.png": 1 for side in ("a", "b", "lr", "hr")},
        "of which a,b and lr,hr can be pairs: give --pair INPUT,TARGET",
    ),
    "no folders": ({"1.png": 1}, "has the folders (none): give --pair INPUT,TARGET with two of these, or left,right"),
}


@pytest.mark.parametrize(("files", "says"), BAD.values(), ids=BAD)
def test_bad_pairs_are_told_in_one_line(draw, files, says):
    folder = str(draw(files))
    with pytest.raises(BadInput) as error:
        open_source(folder, pair="auto", split="test" if "train/photo/1.png" in files else "train")
    assert says in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("pair", ["label", "label,", "a,b,c", "photo,photo"])
def test_pair_names_an_input_and_a_target(draw, pair):
    with pytest.raises(BadInput, match="give two names, as in label,photo"):
        open_source(str(draw({"a/1.png": 1})), pair=pair)


def test_pairs_and_tiles_are_for_files():
    for flags in ({"pair": "auto"}, {"tile": 8}):
        with pytest.raises(BadInput, match="is for files and TFDS data sets, not for mnist5k"):
            open_source("mnist5k", **flags)
    with pytest.raises(BadInput, match="leave one of them out"):
        open_source("mnist5k", pair="auto", to="mnist5k")


def test_arrays_of_a_file_are_pairs(tmp_path):
    photos = np.arange(6 * 4 * 4 * 3, dtype=np.int64).astype(np.uint8).reshape(6, 4, 4, 3)
    maps = (photos[..., 0] % 5).astype(np.uint8)
    file = tmp_path / "pairs.npz"
    np.savez(file, a_train=maps[:4], x_train=photos[:4], a_test=maps[4:] * 0, x_test=photos[4:])
    for split, n in (("train", 4), ("test", 2)):
        source = open_source(str(file), pair="auto", split=split)
        assert (source.size, source.spec["a"].shape, source.shape) == (n, (4, 4, 5), (4, 4, 3))
    np.testing.assert_array_equal(
        read_batch(open_source(str(file), pair="a,x"), np.arange(4))["a"], np.eye(5, dtype=np.float32)[maps[:4]]
    )
    with pytest.raises(BadInput, match="holds no array noisy and x, but a_train"):
        open_source(str(file), pair="noisy,x")


def test_features_are_inputs_of_pairs(tmp_path):
    features = np.random.default_rng(0).normal(size=(5, 7))
    np.savez(tmp_path / "pairs.npz", f=features, x=np.zeros((5, 4, 4, 3), np.uint8))
    source = open_source(str(tmp_path / "pairs.npz"), pair="f,x")
    assert source.spec["a"] == Leaf((7,), POINTS) and source.shape == (4, 4, 3)
    np.testing.assert_array_equal(read_batch(source, np.arange(5))["a"], features.astype(np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_captions_are_inputs_of_pairs(tmp_path, dtype):
    words = np.random.default_rng(0).integers(200, size=(5, 7)).astype(dtype)
    np.savez(tmp_path / "pairs.npz", captions=words, x=np.zeros((5, 4, 4, 3), np.uint8))
    source = open_source(str(tmp_path / "pairs.npz"), pair="captions,x")
    assert source.spec["a"] == Leaf((7,), TOKENS) and "texts of 7 tokens and color images" in describe_source(source)
    batch = read_batch(source, np.arange(5))["a"]
    assert batch.dtype == np.int32
    np.testing.assert_array_equal(batch, words)
    assert spec_from(describe_spec(source.spec)) == source.spec


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"a": np.zeros((2, 4, 4), np.uint8), "x": np.zeros((3, 4, 4, 3), np.uint8)}, "2 of a and 3 of x: pairs need"),
        (
            {"a": np.full((2, 4, 4), 255, np.uint8), "x": np.zeros((2, 4, 4, 3), np.uint8)},
            r"gray images are \[N, H, W, 1\]",
        ),
        (
            {"a": np.zeros((2, 4, 4)), "x": np.zeros((2, 4, 4, 3), np.uint8)},
            r"float64 \[2, 4, 4\]: save images as uint8",
        ),
        (
            {"a": np.full((2, 4), np.nan), "x": np.zeros((2, 4, 4, 3), np.uint8)},
            r"pairs.npz: a: 2 of 2 points are not finite",
        ),
        (
            {"a": np.array([[0, 1], [-1, 0]]), "x": np.zeros((2, 4, 4, 3), np.uint8)},
            "pairs.npz: a has words from -1 to 1: number them from 0",
        ),
        (
            {"a": np.array(["a bird", "a cat"]), "x": np.zeros((2, 4, 4, 3), np.uint8)},
            r"holds a as <U6 \[2\]: save .* words as integers \[N, L\]",
        ),
        ({"b": np.zeros(2), "z": np.zeros(2)}, "holds the arrays b, z: give --pair INPUT,TARGET"),
    ],
)
def test_bad_pairs_of_arrays_are_told_in_one_line(tmp_path, arrays, says):
    np.savez(tmp_path / "pairs.npz", **arrays)
    with pytest.raises(BadInput, match=says):
        open_source(str(tmp_path / "pairs.npz"), pair="auto")
