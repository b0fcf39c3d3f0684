"""Old import paths and names give what they were moved and renamed to."""

import importlib

import pytest

from gan_jax.aliases import MOVED, RENAMED


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_a_moved_module_is_the_same_module_under_both_names(old, new):
    assert importlib.import_module(f"gan_jax.{old}") is importlib.import_module(f"gan_jax.{new}")


@pytest.mark.parametrize("module", RENAMED)
def test_a_renamed_object_is_the_same_object_under_both_names(module):
    old_paths = [old for old, new in MOVED.items() if new == module] or [module]
    for path in old_paths:
        found = importlib.import_module(f"gan_jax.{path}")
        for old, new in RENAMED[module].items():
            assert getattr(found, old) is getattr(found, new)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'never'"):
        importlib.import_module("gan_jax.toy.gaussians").never  # noqa: B018
    with pytest.raises(ImportError):
        importlib.import_module("gan_jax.never")


def test_metrics_are_reached_by_their_old_package():
    import gan_jax.evaluate

    import gan_jax

    assert gan_jax.evaluate is gan_jax.metrics
    assert gan_jax.evaluate.frechet_distance is gan_jax.metrics.frechet_distance
