"""Reference implementations; a test that needs one that is not installed is skipped."""

import sys
from types import ModuleType
from unittest.mock import MagicMock

import pytest


def torch_fidelity() -> ModuleType:
    """Imports `torch_fidelity` with a mock of torchvision, which it imports but does not need here."""
    pytest.importorskip("torch")
    pytest.importorskip("tqdm")
    for name in ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.transforms.functional"):
        sys.modules.setdefault(name, MagicMock())
    return pytest.importorskip("torch_fidelity")
