"""Old import paths and names refer to the new ones."""

import importlib
import sys

import pytest

from gan_jax.aliases import MOVED, RENAMED


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_old_and_new_path_give_the_same_module(old, new):
    assert importlib.import_module(f"gan_jax.{old}") is importlib.import_module(f"gan_jax.{new}")


@pytest.mark.parametrize("module", RENAMED)
def test_old_and_new_name_give_the_same_object(module):
    old_paths = [old for old, new in MOVED.items() if new == module] or [module]
    for path in old_paths:
        found = importlib.import_module(f"gan_jax.{path}")
        for old, new in RENAMED[module].items():
            assert getattr(found, old) is getattr(found, new)


def test_unknown_name_raises_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'never'"):
        importlib.import_module("gan_jax.toy.gaussians").never  # noqa: B018
    with pytest.raises(ImportError):
        importlib.import_module("gan_jax.never")


def test_old_metrics_package_still_works():
    import gan_jax.evaluate

    import gan_jax

    assert gan_jax.evaluate is gan_jax.metrics
    assert gan_jax.evaluate.frechet_distance is gan_jax.metrics.frechet_distance


def test_modules_outside_the_package_keep_their_names(tmp_path, monkeypatch):
    """A file of a user may be called as a module of an earlier release."""
    (tmp_path / "train.py").write_text("mine = True")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "train", raising=False)
    assert importlib.import_module("train").mine
