"""The cache of compiled programs: one that a kill cut off is removed by the next start."""

import jax
import pytest
from jax._src.lru_cache import LRUCache

from gan_jax.cli import compilation_cache


@pytest.fixture
def unset():
    """Unsets JAX's options of the cache for a test."""
    names = ("cache_dir", "cache_max_size")
    before = {f"jax_compilation_{name}": getattr(jax.config, f"jax_compilation_{name}") for name in names}
    seconds = jax.config.jax_persistent_cache_min_compile_time_secs
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", seconds)


def test_program_that_was_being_written_is_removed_and_others_can_be_stored(unset, monkeypatch, tmp_path):
    monkeypatch.setenv("GAN_JAX_CACHE", str(tmp_path))
    cache = LRUCache(str(tmp_path / "xla"), max_size=1000)
    cache.put("whole", b"program")
    (tmp_path / "xla" / "part-cache").write_bytes(b"prog")
    with pytest.raises(FileNotFoundError):
        cache.put("other", b"program")
    compilation_cache.enable()
    cache.put("other", b"program")
    assert cache.get("whole") == cache.get("other") == b"program" and cache.get("part") is None
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "xla")
