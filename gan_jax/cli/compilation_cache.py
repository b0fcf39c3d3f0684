"""JAX's persistent compilation cache, on by default: the second start of a command loads its programs from disk."""

import warnings
from pathlib import Path

import jax

from gan_jax.data.cache import cache_folder
from gan_jax.errors import BadInput

MAX_BYTES = 2**30


def enable() -> None:
    """Keeps compiled programs in `<cache folder>/xla`; a program from the cache computes the same bits.

    `JAX_COMPILATION_CACHE_DIR` chooses another folder, `JAX_ENABLE_COMPILATION_CACHE=false` turns the cache off. It
    stays off if the folder cannot be written, or the user has no home.
    """
    if jax.config.jax_compilation_cache_dir is not None or not jax.config.jax_enable_compilation_cache:
        return
    try:
        folder = cache_folder() / "xla"
        folder.mkdir(parents=True, exist_ok=True)
        _remove_incomplete(folder)
    except (OSError, BadInput):
        return
    warnings.filterwarnings("ignore", "Error writing persistent compilation cache")  # a full disk: the run reports it
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", MAX_BYTES)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def _remove_incomplete(folder: Path) -> None:
    """Removes programs that were being written when their process was killed.

    JAX would warn at every read of such a program, never replace it, and from then on store no other one: it writes
    the time of the last use after the program, and cannot clean up without that.
    """
    for program in folder.glob("*-cache"):
        if not program.with_name(program.name.removesuffix("cache") + "atime").exists():
            program.unlink(missing_ok=True)
