"""Implementations by others, to compare with; a test that asks for one that is not installed is skipped."""

import sys
from types import ModuleType
from unittest.mock import MagicMock

import pytest


def torch_fidelity() -> ModuleType:
    """`torch_fidelity`, with a stand-in for torchvision: it imports that for data sets and networks not used here."""
    pytest.importorskip("torch")
    pytest.importorskip("tqdm")
    for name in ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.transforms.functional"):
        sys.modules.setdefault(name, MagicMock())
    return pytest.importorskip("torch_fidelity")
