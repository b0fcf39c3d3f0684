"""The layout: folders import downwards only, document it, and are mirrored by the tests; the import is cheap."""

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import gan_jax

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gan_jax"
FOLDERS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_folders_import_downwards_only():
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_contract_has_a_layer_for_every_folder():
    [contract] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    assert layers - {"errors"} == set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_documents_its_allowed_imports(folder):
    about = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text()))
    assert "import" in about.lower()


def test_root_holds_only_the_listed_modules():
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert files == {"__init__.py", "aliases.py", "errors.py", "py.typed"}


def test_test_folders_mirror_package_folders():
    tests = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert tests - {"helpers", "experiments", "scripts"} == set(FOLDERS)


def test_importing_the_package_loads_no_heavy_library():
    heavy = {"jax", "flax", "optax", "tensorflow", "torch", "matplotlib", "orbax", "tyro", "tensorboardX", "scipy"}
    program = f"import sys, gan_jax; print(*sorted({heavy!r} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not found.stdout.split()


@pytest.mark.parametrize("name", gan_jax.__all__)
def test_public_names_are_imported_on_first_use_from_where_their_type_is_declared(name):
    declared = {alias.asname or alias.name: node.module for node in imports_for_type_checkers() for alias in node.names}
    value = getattr(gan_jax, name)
    if isinstance(value, ModuleType):
        assert value.__name__.startswith(declared[name])
    else:
        assert getattr(importlib.import_module(declared[name]), name) is value


def imports_for_type_checkers():
    [block] = [node for node in ast.parse((PACKAGE / "__init__.py").read_text()).body if isinstance(node, ast.If)]
    return block.body
