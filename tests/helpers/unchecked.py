"""Modules without the type checks of the test session, which would hide the functions' own errors."""

import importlib.util
from types import ModuleType


def unchecked(name: str) -> ModuleType:
    """Imports `gan_jax.<name>` again, without type checks."""
    found = importlib.util.find_spec(f"gan_jax.{name}")
    spec = importlib.util.spec_from_file_location(f"unchecked_{name}", found.origin)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
