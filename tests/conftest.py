"""Every test runs on eight simulated CPU devices, with strict dtype and rank promotion."""

import gc
import os
import resource
import shutil
from importlib.metadata import version
from pathlib import Path

# Tests compile far more than they compute: without optimization, and with the older emitter of fused loops, XLA takes a
# third of the time. Later releases have the newer emitter only, and abort at the name of a flag that they do not know.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0"
    " --xla_llvm_disable_expensive_passes=true"
    + (" --xla_cpu_use_fusion_emitters=false" if version("jaxlib").startswith("0.10.") else ""),
)
# In the environment, so that child processes use the same cache.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parent.parent / ".cache" / "xla"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")

import jax
import pytest
from filelock import FileLock
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # the time per example depends on the load of the machine
settings.load_profile("untimed")

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

TEST_DATA = Path(os.environ.get("GAN_JAX_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def test_data():
    """Finds data outside the repository, or skips."""

    def find(name):
        if not (TEST_DATA / name).exists():
            pytest.skip(f"needs {name} in {TEST_DATA}; GAN_JAX_TEST_DATA says where to look")
        return TEST_DATA / name

    return find


@pytest.fixture(scope="session")
def shared_run(tmp_path_factory):
    """Trains one run for all tests and xdist workers, which must not write to its folder.

    `helpers/tiny.py` on mnist5k for 60 steps, then resumed to 100. Its checkpoints are of steps 80 and 100, its digests
    of 40, 50, 60, 80 and 100.
    """
    import tiny  # after pytest has installed the type checks of gan_jax

    from gan_jax.cli.main import main

    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    run, done = root / "shared_run", root / "shared_run.done"
    with FileLock(root / "shared_run.lock"):
        if not done.exists():
            for images in ("480", "800"):
                with pytest.raises(SystemExit) as end:
                    main(["train", tiny.__file__, "--images", images, "--run-dir", str(run)])
                assert not end.value.code
            done.touch()
    return run


@pytest.fixture
def trained_run(shared_run, tmp_path):
    """Copies `shared_run` for a test that changes it."""
    return shutil.copytree(shared_run, tmp_path / "trained_run")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Collects tests without passes of the garbage collector, and exempts all that was loaded from later ones."""
    gc.disable()
    result = yield
    gc.freeze()
    gc.enable()
    return result


MEDIUM = {"cli", "evaluation", "experiments", "monitoring", "scripts", "sampling", "sweep", "toy", "training"} | {
    f"test_{name}.py"
    for name in (
        *("parallel", "cyclegan", "paired", "pool", "unet", "srgan_nets", "cyclegan_nets", "patchgan"),
        *("imagenet", "derived", "unpaired", "image_pairs", "tiles", "resampling"),
    )
}
"""Folders and files whose tests train or compile much: all of them are `medium`."""


def pytest_collection_modifyitems(items):
    for item in items:
        if MEDIUM & set(item.path.relative_to(Path(__file__).parent).parts):
            item.add_marker(pytest.mark.medium)


@pytest.fixture
def full_disk():
    """Limits the size of files, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
