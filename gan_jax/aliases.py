"""Redirects import paths of earlier releases, so that old experiment files and losses still work.

`import gan_jax.game` gives `gan_jax.engine.game`, and likewise for every row of `MOVED`. A module is imported on first
use.
"""

import importlib
import sys
from collections.abc import Callable, Iterable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED = {
    "game": "engine.game",
    "step": "engine.step",
    "dynamics": "engine.dynamics",
    "parallel": "engine.parallel",
    "bound": "engine.networks",
    "axis": "engine.collectives",
    "codes": "priors",
    "latents": "engine.keys",
    "losses.kernel": "losses.mmd",
    "losses.combinators": "losses.transforms",
    "penalties.noise": "augment.instance_noise",
    "nets.convolution": "nets.layers.convolution",
    "nets.spectral": "nets.layers.spectral_norm",
    "nets.minibatch": "nets.layers.minibatch",
    "nets.coded": "nets.layers.conditioning",
    "nets.reduced": "nets.stacked_mnist",
    "nets.points": "toy.networks",
    "nets.dirac": "toy.networks",
    "laplacian": "nets.layers.pyramid",
    "lab": "toy.gaussians",
    "dirac": "toy.dirac_theory",
    "dirac_play": "toy.dirac",
    "data.points": "data.sources.toy",
    "data.order": "data.shuffle",
    "data.pipeline": "data.on_device",
    "experiment": "config.experiment",
    "flags": "config.flags",
    "names": "config.registry",
    "catalogue": "config.discovery",
    "evaluate": "metrics",
    "evaluate.features": "metrics.features.network",
    "evaluate.classifier": "metrics.features.classifier",
    "evaluate.inception": "metrics.features.inception",
    "evaluate.mnist_features": "metrics.features.mnist",
    "evaluate.kernel": "metrics.kernel_distance",
    "evaluate.manifold": "metrics.prdc",
    "evaluate.copies": "metrics.nearest_neighbors",
    "evaluate.modes": "metrics.mixture_modes",
    "plane": "viz.scatter2d",
    "pictures": "viz.images",
    "sample": "sampling.sampler",
    "chosen": "sampling.latents",
    "train": "training.train",
    "trained": "training.restore",
    "checkpoint": "runs.checkpoint",
    "run_folder": "runs.run_dir",
}
"""Old and new path of every moved module, relative to `gan_jax`."""


RENAMED = {
    "engine.collectives": {"mean_over_devices": "pmean", "gather_over_devices": "all_gather"},
    "engine.networks": {"Through": "WrappedNet"},
    "metrics": {"diversity": "mean_ms_ssim", "look": "extract", "reverse_kl": "reverse_kl_classes"},
    "metrics.classes": {"reverse_kl": "reverse_kl_classes"},
    "metrics.mixture_modes": {"reverse_kl": "reverse_kl_modes"},
    "metrics.features.network": {"look": "extract", "Look": "NetworkOutputs"},
    "config.experiment": {"Common": "RunConfig"},
    "toy.gaussians": {"Recipe": "Config", "bench": "make_experiment"},
    "toy.networks": {"Generator": "PointGenerator"},
    "losses": {"smoothed": "label_smoothing"},
    "monitoring.diversity": {"diversity": "diversity_ratio"},
    "penalties": {"interpolated": "gradient_penalty", "zero_centred": "zero_centered"},
    "penalties.terms": {"interpolated": "gradient_penalty"},
    "sampling.latents": {"latents": "draw_latents"},
}
"""By module, the new name of every renamed public object."""


class _Redirect(MetaPathFinder, Loader):
    """Imports a moved module under its old name; both names are then one module."""

    def find_spec(self, name: str, path: Iterable[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Returns the spec of a module of `MOVED` or below a moved package; None for any other module."""
        return ModuleSpec(name, self) if _new_name(name) else None

    def exec_module(self, module: ModuleType) -> None:
        """Replaces the empty module by the moved one."""
        moved = importlib.import_module(_new_name(module.__name__))
        sys.modules[module.__name__] = moved
        if moved.__name__.removeprefix("gan_jax.") in RENAMED:
            moved.__getattr__ = old_names(moved.__name__)


def _new_name(name: str) -> str | None:
    package, _, old = name.partition(".")
    if package != "gan_jax":  # a user's own `train`, or another package called `evaluate`
        return None
    if old in MOVED:
        return f"gan_jax.{MOVED[old]}"
    return f"gan_jax.metrics.{old.removeprefix('evaluate.')}" if old.startswith("evaluate.") else None


def old_names(module: str) -> Callable[[str], Any]:
    """Makes a module's `__getattr__`, which resolves old names to the new ones."""
    renamed = RENAMED.get(module.removeprefix("gan_jax."), {})  # none in a copy of a module under another name

    def find(name: str) -> Any:
        if name not in renamed:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(sys.modules[module], renamed[name])

    return find


def install() -> None:
    """Makes old import paths work."""
    if not any(isinstance(finder, _Redirect) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Redirect())
