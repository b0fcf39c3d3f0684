"""A user's file and its neighbors are a program of their own: names do not meet, and edits are seen."""

import subprocess
import sys

import pytest

import gan_jax
from gan_jax.config.user_code import UserCodeError, load, sha, shas, shorten


def write(folder, **files):
    """Writes Python files, such as `a/b.py`, and the folders that they are in."""
    for name, text in files.items():
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


IMPORTS = {
    "import": "import helpers\nfound = helpers.who",
    "from": "from helpers import who as found",
    "star": "from helpers import *\nfound = who",
    "as": "import helpers as h\nfound = h.who",
    "in a function": "def __getattr__(name):\n    import helpers\n    if name == 'found': return helpers.who\n    "
    "raise AttributeError(name)",
    "through another": "import between\nfound = between.helpers.who",
    "in a package": "import package.part\nfound = package.part.who",
    "from a package": "from package import part\nfound = part.who",
    "relative in a package": "from package.relative import found",
    "in a folder": "from plain.inner import who as found",
}


@pytest.mark.parametrize("way", IMPORTS)
def test_files_in_two_folders_see_their_own_neighbors_of_one_name(way, tmp_path):
    for folder in ("a", "b"):
        who = f"who = {folder!r}"
        write(tmp_path / folder, mine=IMPORTS[way], helpers=who, between="import helpers")
        write(tmp_path / folder / "package", __init__="", part=who, relative="from .part import who as found")
        write(tmp_path / folder / "plain", inner=who)
    a, b = (load(tmp_path / folder / "mine.py") for folder in ("a", "b"))
    assert (a.found, b.found) == ("a", "b") and a.found == "a"
    assert not {"helpers", "between", "package", "plain"} & sys.modules.keys()


NAMES = ["random", "json", "filelock", "os", "sys", "time", "tests", "gan_jax"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["file", "package", "folder"])
def test_neighbor_named_like_another_module_is_found_exactly_when_a_script_finds_it(name, kind, tmp_path):
    write(tmp_path, mine=f"import {name}\nfile = str(getattr({name}, '__file__', None))\nprint(file)")
    neighbor = {"file": f"{name}.py", "package": f"{name}/__init__.py", "folder": f"{name}/inner.py"}[kind]
    (tmp_path / neighbor).parent.mkdir(exist_ok=True)
    (tmp_path / neighbor).write_text("")
    ours = load(tmp_path / "mine.py").file
    if name == "gan_jax":
        assert ours == gan_jax.__file__, "there is one gan_jax, in whatever folder the file is"
    else:
        script = [sys.executable, tmp_path / "mine.py"]
        assert ours == subprocess.run(script, capture_output=True, text=True, check=True).stdout.strip()


def test_libraries_do_not_see_the_neighbors(tmp_path):
    write(tmp_path, mine="import helpers\nimport tabnanny", helpers="import tokenize", tokenize="mine = 1")
    sys.modules.pop("tabnanny", None)
    module = load(tmp_path / "mine.py")
    assert module.helpers.tokenize.mine and not hasattr(module.tabnanny.tokenize, "mine")


def test_every_imported_neighbor_has_its_sha_also_when_a_function_imports_it(tmp_path):
    write(tmp_path, mine="import one\ndef late():\n    import two", one="import three", two="", three="", four="")
    mine = tmp_path / "mine.py"
    module = load(mine)
    assert shas(mine) == {tmp_path / f"{name}.py": sha(tmp_path / f"{name}.py") for name in ("mine", "one", "three")}
    module.late()
    assert shas(mine).keys() == {tmp_path / f"{name}.py" for name in ("mine", "one", "two", "three")}


@pytest.mark.parametrize("edited", ["mine", "one", "three"])
def test_file_is_loaded_again_when_it_or_a_neighbor_is_edited(edited, tmp_path):
    """Also within the same second and at the same size, which `__pycache__` takes for the same content."""
    texts = {"mine": "import one\nx = 1", "one": "import three\nx = 1", "three": "x = 1", "other": "x = 1"}
    write(tmp_path, **texts)
    mine = tmp_path / "mine.py"
    first = load(mine)
    write(tmp_path, other="x = 2")
    assert load(mine) is first
    write(tmp_path, **{edited: texts[edited].replace("x = 1", "x = 2")})
    again = load(mine)
    found = {"mine": again, "one": again.one, "three": again.one.three}
    assert {name: module.x for name, module in found.items()} == dict.fromkeys(found, 1) | {edited: 2}
    assert first.one.three.x == 1, "objects of the version before keep their modules"
    assert not (tmp_path / "__pycache__").exists()


def test_neighbor_that_raises_is_located_by_its_own_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, mine="import one", one="from package import part")
    write(tmp_path / "package", __init__="", part="import nowhe")
    with pytest.raises(UserCodeError, match=r"^package/part.py:1: ModuleNotFoundError: No module named 'nowhe'\n"):
        load(tmp_path / "mine.py")
    write(tmp_path, one="from package import missing")
    with pytest.raises(UserCodeError, match=r"^one.py:1: ImportError: cannot import name 'missing' from 'package' \("):
        load(tmp_path / "mine.py")
    write(tmp_path, one="import package.missing")
    with pytest.raises(UserCodeError, match=r"^one.py:1: ModuleNotFoundError: No module named 'package.missing'\n"):
        load(tmp_path / "mine.py")
    write(tmp_path, one="def x(:")
    with pytest.raises(UserCodeError, match=r"^one.py:1: SyntaxError: invalid syntax"):
        load(tmp_path / "mine.py")


def test_wrong_arguments_of_a_library_s_class_are_located_where_it_is_called(tmp_path, monkeypatch):
    """Though the package around the file does not know the class, and its `__init__` is nowhere in the file."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, mine="from threading import Timer\nsoon = Timer(1)")
    with pytest.raises(UserCodeError, match=r"^mine.py:2: TypeError: Timer.__init__\(\) missing .* 'function'\n"):
        load(tmp_path / "mine.py")


def test_paths_in_words_are_shortened_as_far_as_files_remain_apart():
    assert shorten(["/x/a/mine.py:p:2+r1:0.1"]) == ["mine.py:p:2+r1:0.1"]
    assert shorten(["r1:1e+30+/c++/mine.py:p+/a+b/other.py:q"]) == ["r1:1e+30+mine.py:p+other.py:q"]
    assert shorten(["r1:0.1+r2:0.1", "hinge"]) == ["r1:0.1+r2:0.1", "hinge"]
    assert shorten(["/x/a/mine.py:p", "/x/b/mine.py:p"]) == ["a/mine.py:p", "b/mine.py:p"]
    assert shorten(["a/x/mine.py", "b/x/mine.py", "other.py:p"]) == ["a/x/mine.py", "b/x/mine.py", "other.py:p"]
    assert shorten(["a/mine.py:p", "./a/mine.py:q", "mine.py:p"]) == ["a/mine.py:p", "a/mine.py:q", "mine.py:p"]
