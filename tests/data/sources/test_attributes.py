"""Attributes of images from a .csv file: as an array and as the label, by names in any order, and mistakes."""

import zipfile

import jax
import numpy as np
import pytest

from gan_jax.data import open_source
from gan_jax.data.on_device import device_resident
from gan_jax.data.source import describe_source, fingerprint, read_batch
from gan_jax.data.with_tf_data import tf_data
from gan_jax.errors import BadInput

FILES = {"images/b.png": 20, "images/a.png": 10, "images/c.png": 30}
TABLE = "Hat,file,id,Smile,Old\n1,c.png,70,0,true\n0,a.png,71,1,false\n-1,b.png,70,1,True\n"
"""`Hat` has three values, so it is no attribute; neither is `id`."""


@pytest.fixture
def faces(draw):
    """Writes three images, with attributes in another order: `faces()` returns the folder."""

    def write(table=TABLE, files=FILES):
        folder = draw(files)
        (folder / "list.csv").write_text(table)
        return folder

    return write


@pytest.fixture
def zipped(faces, tmp_path):
    folder, archive = faces(), tmp_path / "faces.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for each in sorted(folder.rglob("*.*")):
            file.write(each, f"faces/{each.relative_to(folder)}")
    return archive


def test_attributes_are_those_of_the_image_by_its_name(faces):
    source = open_source(f"attributes:{faces()}")
    assert source.attributes == ("Smile", "Old")
    batch = read_batch(source, np.array([2, 0, 1]))
    assert batch["attributes"].dtype == np.int32 and source.spec["attributes"].abstract(3).shape == (3, 2)
    np.testing.assert_array_equal(batch["attributes"], [[0, 1], [1, 0], [1, 1]])
    np.testing.assert_array_equal(source.read(np.array([2, 0, 1]))["x"][:, 0, 0, 0], [30, 10, 20])
    line = "3 color images of 6x4 and 2 attributes, 1 class; left out 1: 1 not images (.csv); "
    line += "2 attributes from list.csv; left out its columns of other values than 0 and 1: Hat, id"
    assert describe_source(source) == f"set: {line}"


def test_one_attribute_is_the_label(faces):
    source = open_source(f"label=Smile:{faces()}")
    assert (source.name, source.classes, list(source.spec)) == ("set_Smile", ("not Smile", "Smile"), ["x", "y"])
    np.testing.assert_array_equal(read_batch(source, np.arange(3))["y"], [1, 1, 0])
    assert open_source(f"label=Smile:{faces()}:2").read(np.arange(2))["y"].tolist() == [1, 0]
    assert open_source(f"label=Smile:{faces()}", size=3).shape[:2] == (3, 3)


def test_an_attribute_divides_images_into_two_domains(faces):
    source = open_source(f"label=Smile:{faces()}", to="auto")
    assert [(part.name, part.size) for part in source.parts] == [("not Smile", 1), ("Smile", 2)]


def test_archives_have_the_same_attributes_and_keep_them(zipped, faces):
    for name in ("attributes:", "label=Old:"):
        first, again = (open_source(f"{name}{zipped}") for _ in range(2))
        assert fingerprint(first) == fingerprint(again) == fingerprint(open_source(f"{name}{faces()}"))
        assert first.attributes == again.attributes and "2 attributes from list.csv" in first.report
    plain = open_source(str(zipped))
    assert "attributes" not in plain.spec and plain.report == "left out 1: 1 not images (.csv)"
    with pytest.raises(BadInput, match=r"images has 0 \.csv files"):
        open_source(f"label=Old:{zipped}/images")


def test_splits_share_a_table_and_the_longest_path_names_an_image(faces):
    files = {"train/cat/1.png": 1, "train/dog/1.png": 2, "test/cat/1.png": 3, "test/dog/1.png": 4}
    rows = [f"{name},{i % 2},{i // 2}" for i, name in enumerate(files)]
    folder = faces("\n".join(["file,dog,test", *rows, "1.png,1,1"]), files)
    for split, expected in (("train", 0), ("test", 1)):
        source = open_source(f"attributes:{folder}", split=split)
        np.testing.assert_array_equal(source.read(np.arange(2))["attributes"], [[0, expected], [1, expected]])
        assert source.classes == ("cat", "dog")
        assert source.report.endswith("; left out its rows without an image, 1: 1.png")


@pytest.mark.slow
def test_both_pipelines_make_the_same_batches(zipped):
    source = open_source(f"attributes:{zipped}")
    batches = []
    for make in (device_resident, tf_data):
        pipeline = make(source, 3, 2, 2)
        inputs = next(iter(pipeline.stream([range(1)])))
        batches.append(jax.jit(pipeline.load)(pipeline.arrays, jax.tree.map(lambda leaf: leaf[0], inputs)))
    assert batches[0]["attributes"].shape == (2, 2, 2)
    jax.tree.map(np.testing.assert_array_equal, *batches)


ONE_ROW = "file,Smile\na.png,1\n"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (ONE_ROW, r"has no row for 2 images, first images/b.png, images/c.png \(its rows are a.png\): add rows"),
        ("file,Smile\na.png,1\nb.png\n", "has 1 values in row 2 and 2 columns"),
        ("file,Smile\na.png,1\na.png,0\n", "names a file twice, a.png"),
        ("file,Smile,Smile\na.png,1,0\n", "names a column twice, Smile"),
        ("file,id\na.png,70\n", "has no column of 0 and 1"),
        ("", "has no column of 0 and 1"),
    ],
)
def test_damaged_tables_are_refused_in_one_line(faces, table, message):
    with pytest.raises(BadInput, match=rf"list\.csv {message}") as error:
        open_source(f"label=Smile:{faces(table)}")
    assert "\n" not in str(error.value)


def test_mistakes_are_refused_in_one_line(faces, draw):
    folder = faces()
    refused = {
        f"label=Smil:{folder}": "set has no attribute 'Smil': did you mean Smile?",
        f"label=X:{folder}": "set has no attribute 'X': choose one of Smile, Old",
        "label=Smile:mnist5k": "mnist5k is not a folder or archive of images",
        f"attributes:{draw({'a.png': 1}, folder='bare')}": "has 0 .csv files",
    }
    for name, message in refused.items():
        with pytest.raises(BadInput) as error:
            open_source(name)
        assert message in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(BadInput, match="--tile 2 is for files and TFDS data sets, not for label=Smile:"):
        open_source(f"label=Smile:{folder}", tile=2)
    same = faces("file,Smile\n1.png,1\n", {"cat/1.png": 1, "dog/1.png": 2})
    with pytest.raises(BadInput, match=r"names several images at once by 1.png: give paths"):
        open_source(f"label=Smile:{same}")
