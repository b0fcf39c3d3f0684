"""A full disk is an error that names the file, and what was there before stays."""

import pytest

from gan_jax.runs.files import append_jsonl, write_atomic


def test_full_disk_is_an_error_that_names_the_file(tmp_path, full_disk):
    lines, picture = tmp_path / "metrics.jsonl", tmp_path / "picture.png"
    write_atomic(picture, b"before")
    with pytest.raises(OSError, match=f"File too large: '{picture}'"):
        write_atomic(picture, bytes(30_000))
    assert picture.read_bytes() == b"before"
    with pytest.raises(OSError, match=f"File too large: '{lines}'"):
        for step in range(1_000):
            append_jsonl(lines, {"step": step, "note": "x" * 100})
    assert 100 < step < 200
