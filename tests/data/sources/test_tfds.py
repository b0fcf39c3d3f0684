import gzip
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image

from gan_jax.data import from_arrays, open_source
from gan_jax.data.modality import VIDEO, Leaf, audio
from gan_jax.data.source import read_batch
from gan_jax.data.sources.tfds import _features, held_out
from gan_jax.errors import BadInput

IMAGES = "train-images-idx3-ubyte.gz"


@pytest.fixture
def archives(test_data, tmp_path):
    """Copies the four original archives of MNIST."""
    return shutil.copytree(test_data("mnist"), tmp_path / "archives", copy_function=shutil.copyfile)


def corrupt(file):
    contents = bytearray(file.read_bytes())
    contents[len(contents) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(contents)


def pairs(images, labels):
    return {(image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)}


def entries(cache):
    return [path for path in cache.rglob("*") if path.is_file()] if cache.exists() else []


@pytest.mark.slow
def test_mnist_is_prepared_from_its_original_archives(archives, cache):
    """First with a flipped bit, which must be refused and not cached; then intact; then from the cache alone."""
    original = (archives / IMAGES).read_bytes()
    corrupt(archives / IMAGES)
    with pytest.raises(BadInput, match=rf"{IMAGES} has the wrong sha256") as error:
        open_source("mnist", archives)
    assert "\n" not in str(error.value)
    assert entries(cache) == []

    (archives / IMAGES).write_bytes(original)
    source = open_source("mnist", archives)
    assert (source.name, source.size, source.shape) == ("mnist", 60_000, (28, 28, 1)) and source.classes == tuple(
        "0123456789"
    )
    digits = source.read(np.arange(60_000))
    # Label counts and mean pixel of the original training set.
    assert np.bincount(digits["y"]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert abs(digits["x"].mean() - 33.3184) < 1e-3
    labels = gzip.decompress((archives / IMAGES.replace("images-idx3", "labels-idx1")).read_bytes())[8:]
    images = np.frombuffer(gzip.decompress(original), np.uint8, offset=16).reshape(60_000, 28, 28, 1)
    assert pairs(digits["x"], digits["y"]) == pairs(images, labels)

    script = """
import sys
sys.modules["tensorflow"] = sys.modules["tensorflow_datasets"] = None
import numpy as np
from gan_jax.data import open_source
print(open_source("mnist").read(np.arange(60_000))["x"].mean())
"""
    again = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert float(again.stdout) == digits["x"].mean()

    # The prepared data serves other splits without the archives; unknown splits are refused.
    shutil.rmtree(archives)
    assert open_source("mnist", split="test[:50%]").size == 5000
    with pytest.raises(BadInput, match="choose one of test, train"):
        open_source("mnist", split="validation")


def test_unusable_data_sets_give_one_line_errors(tmp_path, cache):
    (tmp_path / "archives").mkdir()
    for name, data_dir, says in [
        ("mnist", tmp_path / "absent", "is not a folder"),
        ("mnist", tmp_path / "archives", "lacks t10k-images"),
        ("no_such_set", None, "'no_such_set'"),
        ("mnist/no_config", None, "no_config"),
        ("imdb_reviews", None, "no image"),
        ("oxford_flowers102", None, "one size"),
        ("1 2", None, "'1 2'"),
    ]:
        with pytest.raises(BadInput, match=says) as error:
            open_source(name, data_dir)
        assert "\n" not in str(error.value)
    assert entries(cache) == []


def test_missing_network_connection_is_reported(cache, monkeypatch):
    import requests

    def no_network(*args, **kwargs):
        raise requests.ConnectionError("Name or service not known")

    monkeypatch.setattr(requests, "get", no_network)
    with pytest.raises(BadInput, match="--data-dir"):
        open_source("mnist")
    assert entries(cache) == []


@pytest.mark.parametrize("read", ["validation", ""], ids=["stands in", "of an earlier version"])
def test_source_names_the_split_that_was_read(monkeypatch, read):
    from_cache = from_arrays("digits", np.zeros((1, 2, 2, 1), np.uint8))._replace(split=read)
    monkeypatch.setattr("gan_jax.data.sources.tfds.cached", lambda *_: from_cache)
    assert open_source("digits", split="test").split == (read or "test")


@pytest.mark.parametrize(
    ("splits", "read"),
    [
        (("train", "test", "validation"), "test"),
        (("train", "validation"), "validation"),
        (("train", "valid"), "valid"),
        (("train",), "test"),  # refused, as any split that does not exist
    ],
)
def test_validation_split_is_held_out_where_there_is_no_test(splits, read):
    assert held_out(splits) == read


def write(folder, images):
    """Writes images of random bytes, `{path: (height, width)}`."""
    rng = np.random.default_rng(0)
    for name, (height, width) in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(folder / name)
    return str(folder)


@pytest.fixture
def downloaded(monkeypatch, tmp_path):
    """Gives the builders of TFDS what is in `folders` in place of their downloads."""
    import tensorflow_datasets as tfds

    folders = {}

    def extract(self, urls):
        return {name: folders[name] for name in urls} if isinstance(urls, dict) else folders["all"]

    for method in ("download_and_extract", "download"):
        monkeypatch.setattr(tfds.download.DownloadManager, method, extract)
    (tmp_path / "archives").mkdir()
    return folders


@pytest.mark.slow
def test_domains_of_cycle_gan_are_unpaired_data(downloaded, tmp_path):
    """By the unmodified builder, on tiny images."""
    counts = {"trainA": 3, "trainB": 5, "testA": 1, "testB": 2}
    files = {f"horse2zebra/{split}/{i}.jpg": (12, 16) for split, n in counts.items() for i in range(n)}
    downloaded["all"] = write(tmp_path / "unpacked", files)
    archives = tmp_path / "archives"
    with pytest.raises(BadInput, match="no stated size: give --image-size for one size, or --tile"):
        open_source("cycle_gan/horse2zebra", archives, to="auto")
    train = open_source("cycle_gan/horse2zebra", archives, to="auto", size=8)
    test = open_source("cycle_gan/horse2zebra", archives, split="test", to="auto", size=8)
    assert [part.size for part in (*train.parts, *test.parts)] == [3, 5, 1, 2]
    assert {name: leaf.shape for name, leaf in train.spec.items()} == {"a": (8, 8, 3), "b": (8, 8, 3)}
    batch = read_batch(train, np.arange(5))
    assert batch["a"].shape == batch["b"].shape == (5, 8, 8, 3) and batch.keys() == {"a", "b"}


@pytest.mark.slow
def test_supervised_images_of_div2k_are_pairs(downloaded, tmp_path):
    """By the unmodified builder, on tiny images of two sizes."""
    sizes = {"0001": (16, 24), "0002": (24, 16)}
    for split in ("train", "valid"):
        low = {f"X4/{name}x4.png": (height // 4, width // 4) for name, (height, width) in sizes.items()}
        high = {f"DIV2K_{split}_HR/{name}.png": size for name, size in sizes.items()}
        downloaded[f"{split}_lr_url"] = write(tmp_path / f"{split}_lr", low)
        downloaded[f"{split}_hr_url"] = write(tmp_path / f"{split}_hr", high)
    archives = tmp_path / "archives"
    source = open_source("div2k/bicubic_x4", archives, pair="auto", tile=8)
    assert (source.size, source.shape, source.spec["a"].shape) == (12, (8, 8, 3), (2, 2, 3))
    assert "pairs lr -> hr" in source.report
    resized = open_source("div2k/bicubic_x4", archives, split="test", pair="hr,lr", size=4)
    assert (resized.size, resized.shape, resized.spec["a"].shape) == (2, (4, 4, 3), (16, 16, 3))
    assert resized.split == "validation"
    assert open_source("div2k/bicubic_x4", archives, tile=16).spec.keys() == {"x"}  # the target alone
    with pytest.raises(BadInput, match="div2k/bicubic_x4 has the images lr, hr: give --pair INPUT,TARGET"):
        open_source("div2k/bicubic_x4", archives, pair="low,high", tile=8)


@pytest.mark.slow
def test_recordings_of_spoken_digit_are_sounds_with_labels(downloaded, tmp_path):
    """By the unmodified builder, which needs pydub, on tiny recordings of two lengths."""
    pytest.importorskip("pydub")
    folder = tmp_path / "unpacked" / "free-spoken-digit-dataset-1.0.9" / "recordings"
    folder.mkdir(parents=True)
    made = {7: np.arange(1, 301, dtype=np.int16), 3: np.arange(-200, 0, dtype=np.int16)}
    for digit, samples in made.items():
        soundfile.write(folder / f"{digit}_jackson_0.wav", samples, 8000)
    downloaded["all"] = str(tmp_path / "unpacked")
    (tmp_path / "archives" / "free-spoken-digit-dataset-1.0.9.tar.gz").touch()
    recordings = open_source("audio=512:spoken_digit", tmp_path / "archives")
    assert recordings.spec["x"] == Leaf((512,), audio(8000)) and recordings.classes == tuple("0123456789")
    stored = recordings.read(np.arange(2))
    for x, y in zip(stored["x"], stored["y"].tolist(), strict=True):
        peak = np.abs(made[y].astype(float)).max()
        np.testing.assert_array_equal(x, np.pad(np.rint(made[y] / peak * 32767), (0, 300 - len(made[y]))))
    assert open_source("spoken_digit").shape == (4096,)
    for name, size, says in [
        ("spoken_digit", 8, "--image-size is for images, not for spoken_digit"),
        ("video:spoken_digit", None, "spoken_digit has audio, not video: leave the prefix video: out"),
    ]:
        with pytest.raises(BadInput, match=says):
            open_source(name, size=size)


@pytest.mark.slow
def test_sequences_of_moving_mnist_are_videos(downloaded, tmp_path):
    """By the unmodified builder, on few sequences; it has no split but `test`."""
    frames = np.random.default_rng(0).integers(0, 256, (20, 10, 64, 64), np.uint8)
    downloaded["all"] = str(tmp_path / "archives" / "mnist_test_seq.npy")
    np.save(downloaded["all"], frames)
    train = open_source("video=10:moving_mnist", tmp_path / "archives")
    assert (train.size, train.spec) == (18, {"x": Leaf((10, 64, 64, 1), VIDEO)})
    assert train.report == "split test[:90%], because there is no train; windows of 10 frames of 9 clips"
    held = open_source("moving_mnist", split="test")
    assert (held.size, held.shape, held.split) == (1, (16, 64, 64, 1), "test[90%:]")
    clips = {clip.tobytes() for clip in np.moveaxis(frames, 1, 0)}
    seen = train.read(np.arange(18))["x"].reshape(9, 20, 64, 64)
    assert {clip.tobytes() for clip in seen} < clips
    assert {clip[:16].tobytes() for clip in np.moveaxis(frames, 1, 0)} >= {held.read(np.arange(1))["x"].tobytes()}
    assert open_source("moving_mnist", size=16).shape == (16, 16, 16, 1)


def test_images_of_faces_need_no_labels():
    """As TFDS describes `celeb_a`: it has attributes, but no label."""
    import tensorflow_datasets as tfds

    images, classes = _features("celeb_a", tfds.builder("celeb_a").info, "", tfds)
    assert (images["x"][0], images["x"][1].shape, classes) == ("image", (218, 178, 3), ())
