"""`gan-jax evaluate OUT REFERENCE` for metrics of pairs: closed forms, protocols, and mistakes told in one line."""

import json
import re

import numpy as np
import pytest
import random_lpips
import tiny_features
from commands import command
from PIL import Image
from super_resolution import bicubic_pairs

from gan_jax.data import open_source
from gan_jax.data.modality import IMAGE, Leaf
from gan_jax.errors import BadInput
from gan_jax.evaluation import protocol, tables
from gan_jax.evaluation.feature_choice import choose_features
from gan_jax.evaluation.inputs import EvalInputs, LabeledExamples, compute_features, read_all
from gan_jax.evaluation.suite import compute_scores, parse_metrics

RANDOM = np.random.default_rng(0)
ERRORS = {"a": 5, "b": 10, "c": 20}


def save(folder, images):
    folder.mkdir(exist_ok=True)
    for name, pixels in images.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def folders(tmp_path):
    """Writes gray targets of three sizes, and images that differ from them by a constant."""
    targets = {name: RANDOM.integers(0, 200, (20 + i, 30 - i)).astype(np.uint8) for i, name in enumerate(ERRORS)}
    images = {name: targets[name] + np.uint8(error) for name, error in ERRORS.items()}
    return save(tmp_path / "out", images), save(tmp_path / "ref", targets)


def scores(capfd, *argv, out):
    code, _, errors = command(capfd, "evaluate", *argv, "--out", out)
    assert code == 0, errors
    return json.loads(out.read_text())


def test_mean_and_single_scores_are_written_with_their_protocol(capfd, folders, tmp_path):
    code, out, errors = command(capfd, "evaluate", *folders, "--metrics", "psnr,ssim", "--out", tmp_path / "s.json")
    assert code == 0, errors
    found = json.loads((tmp_path / "s.json").read_text())
    expected = {name: 20 * np.log10(255 / error) for name, error in ERRORS.items()}
    assert set(found) == {"subject", "psnr", "ssim"} and set(found["psnr"]) == {"psnr", "protocol", "per_image"}
    assert found["psnr"]["per_image"] == pytest.approx(expected)
    assert found["psnr"]["psnr"] == pytest.approx(np.mean(list(expected.values())))
    assert found["ssim"]["ssim"] == pytest.approx(np.mean(list(found["ssim"]["per_image"].values())))
    about = found["psnr"]["protocol"]
    assert (about["pairs"], about["border"], about["data_range"], about["color"]) == (3, 4, 255, "gray, 0 to 255")
    assert about["reference"]["data"] == "ref" and len(about["reference"]["sha256"]) == 64
    assert f"{found['psnr']['psnr']:.2f}" in out and "psnr ↑" in out and "ssim ↑" in out
    assert "3 pairs with ref, gray, 0 to 255, border 4" in out


def test_gray_images_among_color_images_count_as_colors(capfd, folders, tmp_path):
    """The file format of a gray image must not decide its score."""
    for folder in folders:
        Image.open(folder / "c.png").convert("RGB").save(folder / "c.png")
    mixed = scores(capfd, *folders, "--metrics", "psnr", out=tmp_path / "mixed.json")
    gain = 20 * np.log10(255 / 219)
    expected = {name: 20 * np.log10(255 / error) + gain for name, error in ERRORS.items()}
    assert mixed["psnr"]["per_image"] == pytest.approx(expected)
    assert mixed["psnr"]["protocol"]["color"] == "Y of MATLAB's rgb2ycbcr, 16 to 235"
    rgb = scores(capfd, *folders, "--metrics", "psnr", "--color", "rgb", out=tmp_path / "rgb.json")
    assert rgb["psnr"]["psnr"] == pytest.approx(mixed["psnr"]["psnr"] - gain)
    assert rgb["psnr"]["protocol"]["color"] == "RGB"


def test_border_is_left_off_and_results_with_another_border_are_not_comparable(capfd, folders, tmp_path):
    pixels = np.array(Image.open(folders[0] / "a.png"))
    pixels[0] ^= 255
    Image.fromarray(pixels).save(folders[0] / "a.png")
    found = [
        scores(capfd, *folders, "--metrics", "psnr", "--border", border, out=tmp_path / f"{border}.json")
        for border in (0, 1, 4)
    ]
    psnr = [each["psnr"]["per_image"]["a"] for each in found]
    assert psnr[0] < psnr[1] - 1 and psnr[1] == pytest.approx(psnr[2])
    code, _, errors = command(capfd, "compare", tmp_path / "0.json", tmp_path / "4.json")
    assert code == 2 and "border is 0" in errors and len(errors.splitlines()) == 1
    code, out, errors = command(capfd, "compare", tmp_path / "4.json")
    assert code == 0 and f"{found[2]['psnr']['psnr']:.2f}" in out, errors


def test_arrays_pair_by_index(capfd, tmp_path):
    images = RANDOM.integers(0, 250, (2, 3, 16, 16, 3)).astype(np.uint8)
    for name, each in zip(("out", "ref"), images, strict=True):
        np.savez(tmp_path / f"{name}.npz", images=each)
        save(tmp_path / name, {str(i): pixels for i, pixels in enumerate(each)})
    flags = ("--metrics", "psnr,ssim", "--border", 0)
    arrays = scores(capfd, tmp_path / "out.npz", tmp_path / "ref.npz", *flags, out=tmp_path / "arrays.json")
    files = scores(capfd, tmp_path / "out", tmp_path / "ref", *flags, out=tmp_path / "files.json")
    assert arrays["psnr"] == files["psnr"] and arrays["ssim"] == files["ssim"]


def test_metrics_of_pairs_and_of_sets_are_computed_together(capfd, features_flag, tmp_path):
    images = RANDOM.integers(0, 250, (2, 12, 8, 8)).astype(np.uint8)
    named = [{f"{i:02}": pixels for i, pixels in enumerate(each)} for each in images]
    sides = save(tmp_path / "x", named[0]), save(tmp_path / "y", named[1])
    flags = ("--metrics", "prdc,psnr", "--border", 0, *features_flag)
    found = scores(capfd, *sides, *flags, out=tmp_path / "s.json")
    assert list(found) == ["subject", "prdc", "psnr"]
    assert found["prdc"]["protocol"]["features"]["name"] == "tiny" and found["psnr"]["protocol"]["pairs"] == 12


def test_equal_images_have_no_finite_psnr(capfd, folders, tmp_path):
    found = scores(capfd, folders[1], folders[1], "--metrics", "psnr,ssim", out=tmp_path / "s.json")
    assert found["psnr"]["psnr"] is None and found["psnr"]["per_image"]["a"] is None
    assert found["ssim"]["ssim"] == pytest.approx(1)


def test_mistakes_give_one_line_errors_and_write_nothing(capfd, folders, tmp_path):
    out, ref = folders
    fewer = save(tmp_path / "fewer", {"a": np.array(Image.open(ref / "a.png"))})
    turned = save(tmp_path / "turned", {name: np.array(Image.open(ref / f"{name}.png")).T for name in ERRORS})
    empty, notes = save(tmp_path / "empty", {}), tmp_path / "notes.txt"
    notes.write_text("no image")
    weights = random_lpips.write(tmp_path / "weights.npz")
    for argv, complaint in (
        ([out], "psnr compares images with their targets: give REFERENCE"),
        ([out, "mnist5k"], r"psnr: 3 of 3 images of .*out \(a, b, c\) have no partner in mnist5k"),
        ([notes, ref], "notes.txt is not an image, folder, archive or .npz file of images: psnr needs one"),
        ([ref / "a.png", ref], r"psnr: 2 of 3 images of .*ref \(b, c\) have no partner in"),
        ([out, fewer], r"psnr: 2 of 3 images of .*out \(b, c\) have no partner in"),
        ([fewer, ref], r"psnr: 2 of 3 images of .*ref \(b, c\) have no partner in"),
        ([out, turned], r"psnr: 3 of 3 pairs .* \(a 30x20 and 20x30, b 29x21 and 21x29, c 28x22 and 22x28\)"),
        ([empty, ref], "empty holds no images"),
        ([out, ref, "--split", "test"], "give the folder of the split"),
        ([out, ref, "--image-size", 8], "at their own sizes: leave it out"),
        ([out, ref, "--border", 10], "psnr: a: images of 20x30 have no pixels inside a border of 10"),
        ([out, ref, "--border", -1], "--border"),
        ([out, ref, "--metrics", "ssim", "--border", 5], "ssim: a: images of 20x30 with a border of 5 are too small"),
        ([out, ref, "--metrics", "lpips"], "lpips needs weights: give --lpips-weights FILE, which"),
        ([out, ref, "--metrics", "lpips", "--lpips-weights", weights], "weights.npz has the sha256 .*, not 62eebc09"),
        (
            [fewer, fewer, "--metrics", "fid", "--features", "alexnet-conv5"],
            "needs its weights: .*--lpips-weights FILE",
        ),
    ):
        argv = argv if "--metrics" in argv else [*argv, "--metrics", "psnr"]
        code, _, errors = command(capfd, "evaluate", *argv, "--out", tmp_path / "s.json")
        assert code == 2, (argv, errors)
        assert len(errors.splitlines()) == 1 and re.search(complaint, errors), (argv, errors)
        assert not (tmp_path / "s.json").exists()


def test_scores_of_the_inputs_stand_beside_as_the_floor(capfd, folders, tmp_path):
    """Inputs that differ from their targets by twice as much have half as high an amplitude ratio: 6.02 dB less."""
    out, ref = folders
    twice = {
        file.stem: 2 * np.array(Image.open(file)) - np.array(Image.open(ref / file.name)) for file in out.iterdir()
    }
    inputs = save(tmp_path / "in", twice)
    flags = ("--metrics", "psnr,ssim", "--inputs", inputs)
    code, shown, errors = command(capfd, "evaluate", out, ref, *flags, "--out", tmp_path / "s.json")
    assert code == 0 and "data        in: 3 images" in errors, errors
    found = json.loads((tmp_path / "s.json").read_text())
    assert found["psnr"]["psnr"] - found["psnr"]["psnr_input"] == pytest.approx(20 * np.log10(2))
    assert found["ssim"]["ssim_input"] < found["ssim"]["ssim"]
    stamp = found["psnr"]["protocol"]["inputs"]
    assert stamp["data"] == "in" and len(stamp["sha256"]) == 64
    assert "psnr_input ↑" in shown and "inputs: in" in shown
    code, table, errors = command(capfd, "compare", tmp_path / "s.json")
    assert code == 0 and "psnr_input ↑" in table, errors


def test_smaller_inputs_are_enlarged_by_pillows_bicubic(capfd, folders, tmp_path):
    _, ref = folders
    targets = {name: Image.open(ref / f"{name}.png") for name in ERRORS}
    small = {
        name: image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)
        for name, image in targets.items()
    }
    large = {name: np.array(small[name].resize(targets[name].size, Image.Resampling.BICUBIC)) for name in targets}
    inputs = save(tmp_path / "small", {name: np.array(image) for name, image in small.items()})
    flags = ("--metrics", "psnr")
    found = scores(capfd, ref, ref, *flags, "--inputs", inputs, out=tmp_path / "s.json")["psnr"]
    expected = scores(capfd, save(tmp_path / "large", large), ref, *flags, out=tmp_path / "t.json")["psnr"]["psnr"]
    assert found["psnr_input"] == pytest.approx(expected)


@pytest.fixture
def filled(tmp_path):
    """Writes targets, inputs with holes that are not opaque, and images with an error of 10 inside and 50 outside."""
    hole = np.zeros((16, 12), bool)
    hole[4:9, 2:7] = True
    targets = {name: RANDOM.integers(60, 190, (16, 12, 3)).astype(np.uint8) for name in "ab"}
    inputs = {name: np.dstack([each, np.where(hole, 254, 255).astype(np.uint8)]) for name, each in targets.items()}
    images = {name: each + np.where(hole, 10, 50).astype(np.uint8)[..., None] for name, each in targets.items()}
    sides = [save(tmp_path / side, each) for side, each in (("x", images), ("y", targets), ("in", inputs))]
    return *sides, hole, targets


def test_masked_scores_are_those_inside_the_holes_of_the_inputs(capfd, filled, tmp_path):
    x, y, inputs, hole, targets = filled
    flags = ("--metrics", "masked_psnr,masked_l1", "--inputs", inputs)
    found = scores(capfd, x, y, *flags, out=tmp_path / "s.json")
    assert found["masked_psnr"]["masked_psnr"] == pytest.approx(20 * np.log10(255 / 10))
    assert found["masked_l1"]["masked_l1"] == pytest.approx(10 / 255)
    errors = [np.abs(np.rint(each[~hole].mean(0)) - each[hole]).mean() / 255 for each in targets.values()]
    assert found["masked_l1"]["masked_l1_input"] == pytest.approx(np.mean(errors))


def test_mistakes_with_inputs_give_one_line_errors(capfd, folders, filled, features_flag, tmp_path):
    out, ref = folders
    x, y, *_ = filled
    large = save(tmp_path / "large", {name: np.zeros((40, 40), np.uint8) for name in ERRORS})
    fewer = save(tmp_path / "fewer", {"a": np.zeros((20, 30), np.uint8)})
    clear = save(tmp_path / "clear", {name: np.zeros((16, 12, 4), np.uint8) for name in "ab"})
    for argv, metrics, complaint in (
        ([out, ref, "--inputs", large], "psnr", r"large: a is larger than its target \(40x40 and 30x20\)"),
        ([out, ref, "--inputs", fewer], "psnr", r"2 of 3 images of .*ref \(b, c\) have no partner in .*fewer"),
        ([out, ref, "--inputs", tmp_path / "none"], "psnr", "none"),
        ([out, ref, "--inputs", out, *features_flag], "fid", "--inputs: fid compares no pairs"),
        ([x, y], "masked_l1", "masked_l1 compares the holes of images: give --inputs"),
        ([x, y, "--inputs", x], "masked_l1", "masked_l1: a: the mask of image 0 is empty"),
        ([x, y, "--inputs", clear], "masked_psnr", "clear: a is transparent everywhere"),
    ):
        code, _, errors = command(capfd, "evaluate", *argv, "--metrics", metrics, "--out", tmp_path / "s.json")
        assert code == 2 and len(errors.splitlines()) == 1 and re.search(complaint, errors), (argv, errors)
        assert not (tmp_path / "s.json").exists()


def test_metrics_of_pairs_cannot_be_computed_while_training():
    images = LabeledExamples(np.zeros((2, 8, 8, 1), np.uint8))
    with pytest.raises(BadInput, match="psnr: this metric compares files of images"):
        compute_scores(
            parse_metrics("psnr"), EvalInputs(tiny_features.net, compute_features(tiny_features.net, images))
        )


def test_frechet_distance_in_alexnet_is_not_called_fid():
    def labels(net):
        score = {"fid": 3.0, "protocol": {"features": {"name": net}}}
        [row] = tables.rows([protocol.Results({"name": "mine"}, {"fid": score})])
        return tables.markdown([row]).splitlines()[0]

    assert labels("alexnet-conv5") == "|  | runs | FD (alexnet-conv5) ↓ |"
    assert labels("inception-v3-compat") == "|  | runs | fid ↓ |"


@pytest.mark.slow
def test_bicubic_x4_has_its_published_scores_by_the_command(capfd, test_data, tmp_path):
    flags = ("--metrics", "psnr,lpips,fd_patches", "--lpips-weights", test_data("lpips.npz"))
    bird = next(pair for name, *pair in bicubic_pairs(test_data("super-resolution.tar.gz"), "set5") if name == "bird")
    sides = [save(tmp_path / side, {"bird": pixels[0]}) for side, pixels in zip("xy", bird, strict=True)]
    found = scores(capfd, *sides, *flags, out=tmp_path / "s.json")
    assert found["psnr"]["psnr"] == pytest.approx(30.19, abs=0.01)
    assert found["lpips"]["lpips"] == pytest.approx(0.2360, abs=5e-4)
    assert found["lpips"]["protocol"]["features"]["sha256"].startswith("62eebc09")
    assert found["fd_patches"]["fd_patches"] > 100 and found["fd_patches"]["protocol"]["patches"] == [289, 289]
    net = choose_features("alexnet-conv5", None, Leaf((8, 8, 3), IMAGE), "photos", test_data("lpips.npz"))
    assert net.name == "alexnet-conv5"


@pytest.fixture
def labeled(tmp_path):
    """Writes images of four classes, told apart by their brightness, labels of a test split, and their negatives."""
    random, labels = np.random.default_rng(1), np.arange(40) % 4
    images = (60 * labels[:, None, None] + random.integers(0, 40, (40, 16, 16))).astype(np.uint8)
    none = {"x_train": images[:1], "y_train": labels[:1]}
    np.savez(tmp_path / "real.npz", x_test=images, y_test=labels, **none)
    np.savez(tmp_path / "made.npz", inputs=images[..., None], fake_a=255 - images[..., None], cycle_b=images[..., None])
    return tmp_path / "made.npz", tmp_path / "real.npz", images, labels


NET = f"{tiny_features.__file__}:numbered"


def predicted(images):
    return tiny_features.numbered_classes(images.astype(np.float32)[..., None])


def test_accuracy_is_the_share_of_images_classified_as_their_partners_labels(capfd, labeled, tmp_path):
    _, real, _, labels = labeled
    flags = ("--split", "test", "--image-size", 8, "--metrics", "accuracy", "--features", NET)
    halves = np.asarray(read_all(open_source(str(real), split="test", size=8)).examples)[..., 0]
    np.savez(tmp_path / "small.npz", fake_a=255 - halves[..., None])
    found = scores(capfd, tmp_path / "small.npz", real, *flags, out=tmp_path / "s.json")["accuracy"]
    expected = predicted(255 - halves) == labels
    assert 0 < expected.mean() < 1
    assert found["accuracy"] == expected.mean() == np.mean(list(found["per_image"].values()))
    assert found["accuracy_reference"] == (predicted(halves) == labels).mean()
    assert found["protocol"]["pairs"] == 40 and found["protocol"]["features"]["name"] == "tiny"


def test_labels_are_those_of_the_partner_by_name_and_folders_are_labels(capfd, labeled, tmp_path):
    *_, images, labels = labeled
    for i, (image, label) in enumerate(zip(images[:, ::2, ::2], labels, strict=True)):
        for side, pixels in (("in", image), ("out", 255 - image)):
            (tmp_path / side / str(label)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / side / str(label) / f"{i}.png")
    flags = ("--metrics", "accuracy", "--features", NET)
    found = scores(capfd, tmp_path / "out", tmp_path / "in", *flags, out=tmp_path / "s.json")["accuracy"]
    assert found["accuracy"] == (predicted(255 - images[:, ::2, ::2]) == labels).mean()
    assert found["per_image"].keys() == {f"{label}/{i}" for i, label in enumerate(labels)}


def test_mistakes_with_labels_give_one_line_errors(capfd, labeled, tmp_path):
    made, real, images, labels = labeled
    bare, others = tmp_path / "bare.npz", tmp_path / "others.npz"
    np.savez(bare, x_test=images)
    np.savez(others, x_test=images, y_test=labels + 3)
    split = ("--split", "test")
    for argv, complaint in (
        ([made, real, *split], "accuracy needs a classifier: give --features FILE, which scripts/train_classifier.py"),
        ([made, real, "--features", NET], "accuracy: 39 of 40 images of .*made.npz .* have no partner"),
        ([made, real, *split, "--features", NET], r"accuracy: .*made.npz: tiny sees 8x8 images, not 16x16: resize"),
        ([made, bare, *split, "--features", NET], r"accuracy: .*bare.npz has no labels: give"),
        (
            [made, others, *split, "--features", NET],
            r"accuracy: .*others.npz has classes \(4, 5, 6 .*that tiny has not",
        ),
        ([made, real, *split, "--image-size", 8, "--features", NET], "its samples have one size"),
        ([made, real, *split, "--features", NET, "--metrics", "accuracy,psnr"], "--split test: psnr reads all images"),
        ([made, real.parent, *split, "--features", NET], "give the folder of the split instead"),
    ):
        argv = argv if "--metrics" in argv else [*argv, "--metrics", "accuracy"]
        code, _, errors = command(capfd, "evaluate", *argv, "--out", tmp_path / "s.json")
        assert code == 2 and len(errors.splitlines()) == 1 and re.search(complaint, errors), (argv, errors)
