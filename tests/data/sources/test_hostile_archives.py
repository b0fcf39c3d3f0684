"""Malicious, damaged and fuzzed archives and folders."""

import gzip
import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from gan_jax.data import archive_source, open_source
from gan_jax.errors import BadInput

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def png(value):
    file = io.BytesIO()
    Image.fromarray(np.full((4, 6), value, np.uint8)).save(file, "png")
    return file.getvalue()


def everything(folder):
    """Returns the contents of every file below a folder; for links, their targets."""
    files = (path for path in Path(folder).rglob("*") if path.is_symlink() or path.is_file())
    return {path: path.readlink() if path.is_symlink() else path.read_bytes() for path in files}


def hostile_tar(file, outside):
    with tarfile.open(fileobj=file, mode="w") as archive:

        def add(name, data=b"", kind=tarfile.REGTYPE, link=""):
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, str(link), len(data)
            archive.addfile(member, io.BytesIO(data))

        add("ape/1.png", png(1))
        add("../escaped.png", png(2))
        add(f"{outside}/escaped.png", png(3))
        add("ape/link.png", kind=tarfile.SYMTYPE, link=outside / "secret.png")
        add("ape/hard.png", kind=tarfile.LNKTYPE, link="../secret.png")
        add("way", kind=tarfile.SYMTYPE, link=outside)
        add("way/through.png", png(4))
        add("ape/pipe.png", kind=tarfile.FIFOTYPE)
        add("ape/device.png", kind=tarfile.CHRTYPE)


def hostile_zip(file, outside):
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("ape/1.png", "../escaped.png", f"{outside}/escaped.png", "..\\escaped.png", "way/through.png"):
            archive.writestr(name, png(2))
        link = zipfile.ZipInfo("ape/link.png")
        link.external_attr = 0o120777 << 16  # a symbolic link
        archive.writestr(link, str(outside / "secret.png"))


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_malicious_paths_stay_within_cache_and_archive(kind, tmp_path, cache):
    """Archives are never unpacked, so that names and links of members have no effect."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(png(99))
    archive = tmp_path / "here" / f"evil.{kind}"
    archive.parent.mkdir()
    with archive.open("wb") if kind != "tar.gz" else gzip.open(archive, "wb") as file:
        (hostile_zip if kind == "zip" else hostile_tar)(file, outside)
    before = everything(tmp_path)
    try:
        source = archive_source(archive)
        assert 99 not in source.read(np.arange(source.size))["x"]
    except BadInput as error:
        assert "\n" not in str(error)
    after = everything(tmp_path)
    assert {path for path in after if not path.is_relative_to(cache)} == before.keys()
    assert before.items() <= after.items()


@pytest.fixture(scope="module", params=["folder", "tar", "tar.gz", "zip"])
def images(request, tmp_path_factory):
    """Returns a folder of four images or an archive of it, the file to damage, and a copy of that file."""
    there = tmp_path_factory.mktemp("images")
    for i, name in enumerate(("ape/1.png", "ape/2.png", "dog/1.png", "dog/2.png")):
        (there / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (there / "set" / name).write_bytes(png(40 * i))
    if request.param == "folder":
        path, file = there / "set", there / "set" / "ape" / "2.png"
    else:
        kind = {"tar": "tar", "tar.gz": "gztar", "zip": "zip"}[request.param]
        path = file = Path(shutil.make_archive(str(there / "set"), kind, there / "set"))
    return path, file, Path(shutil.copy(file, there / "whole"))


@pytest.mark.medium
@FEW
@given(start=st.floats(0, 1), length=st.integers(0, 40), new=st.binary(max_size=12))
def test_corrupted_bytes_are_read_or_refused_in_one_line(images, start, length, new):
    path, file, copy = images
    whole = copy.read_bytes()
    at = int(start * len(whole))
    damaged = whole[:at] + new + whole[at + length :]
    file.write_bytes(damaged)
    try:
        source = open_source(str(path))
        x = source.read(np.arange(source.size))["x"]
        assert x.dtype == np.uint8 and x.shape == (source.size, *source.shape)
    except BadInput as error:
        assert "\n" not in str(error).strip()
    assert file.read_bytes() == damaged


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@FEW
@example(names=["\n"], suffix=".png", data=b"")
@given(
    names=st.lists(NAMES, max_size=3), suffix=st.sampled_from([".png", ".JPG", ""]), data=st.sampled_from([png(7), b""])
)
def test_any_file_names_are_read_or_refused_in_one_line(tmp_path_factory, names, suffix, data):
    folder = tmp_path_factory.mktemp("names") / "set"
    for i, name in enumerate(names):
        file = folder / ("ape" if i else "dog") / f"{name}{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    before = everything(folder)
    try:
        source = open_source(str(folder))
        assert source.read(np.arange(source.size))["x"].shape == (source.size, *source.shape)
    except BadInput as error:
        assert "\n" not in str(error).strip()
    assert everything(folder) == before
