"""Old import paths, so that experiment files and losses written for earlier releases go on working.

`import gan_jax.game` gives `gan_jax.engine.game`, and so for every row of `MOVED`. Nothing is imported until asked for.
"""

import importlib
import sys
from collections.abc import Iterable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "game": "engine.game",
    "step": "engine.step",
    "dynamics": "engine.dynamics",
    "parallel": "engine.parallel",
    "bound": "engine.networks",
    "axis": "engine.collectives",
    "codes": "engine.priors",
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
    "evaluate.copies": "metrics.nearest_neighbours",
    "evaluate.modes": "metrics.mixture_modes",
    "plane": "viz.plane",
    "pictures": "viz.images",
    "sample": "sampling.sampler",
    "chosen": "sampling.latents",
    "train": "training.train",
    "trained": "training.restore",
    "checkpoint": "runs.checkpoint",
    "run_folder": "runs.run_dir",
}
"""Where each module went, both below `gan_jax`."""


class _Redirect(MetaPathFinder, Loader):
    """Imports a moved module under its old name; both names are then one module."""

    def find_spec(self, name: str, path: Iterable[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of a module of `MOVED`, and of what lies below a package of it; None for any other."""
        return ModuleSpec(name, self) if _new_name(name) else None

    def exec_module(self, module: ModuleType) -> None:
        """Puts the module where it is now in place of the empty one."""
        sys.modules[module.__name__] = importlib.import_module(_new_name(module.__name__))


def _new_name(name: str) -> str | None:
    old = name.removeprefix("gan_jax.")
    if old in MOVED:
        return f"gan_jax.{MOVED[old]}"
    return f"gan_jax.metrics.{old.removeprefix('evaluate.')}" if old.startswith("evaluate.") else None


def install() -> None:
    """Makes the old names importable."""
    if not any(isinstance(finder, _Redirect) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Redirect())
