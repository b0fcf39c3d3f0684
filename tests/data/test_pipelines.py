import os
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.data import device_resident, from_arrays, from_points, tf_data
from gan_jax.data.modality import scale
from gan_jax.data.with_tf_data import STEPS_AHEAD
from gan_jax.errors import BadInput

PIPELINES = [device_resident, tf_data]


def play(pipeline, ranges):
    """Returns the batches of all steps, made inside a compiled loop, as in a run."""

    @jax.jit
    def chunk(arrays, inputs):
        return jax.lax.scan(lambda _, one: ((), pipeline.load(arrays, one)), (), inputs)[1]

    chunks = [chunk(pipeline.arrays, inputs) for inputs in pipeline.stream(ranges)]
    return jax.tree.map(lambda *each: np.concatenate(each), *chunks)


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


@pytest.mark.medium
@pytest.mark.parametrize("ranges", [[range(1)], [range(5), range(5, 7)], [range(123, 130)]], ids=str)
def test_both_pipelines_give_the_same_bits(noise, ranges):
    """For one step, across the end of an epoch (50 examples, 16 per step), and from the middle of a run."""
    a, b = (play(make(noise, seed=1, slices=2, batch_size=8), ranges) for make in PIPELINES)
    assert_same(a, b)
    assert a["x"].shape == (sum(map(len, ranges)), 2, 8, 4, 6, 3) and a["x"].dtype == np.float32
    assert a["y"].shape == a["x"].shape[:3] and a["y"].dtype == np.int32


def test_both_pipelines_leave_points_unscaled():
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    source = from_points("cloud", 100 * x, np.arange(50))
    a, b = (play(make(source, seed=1, slices=2, batch_size=8), [range(5), range(5, 7)]) for make in PIPELINES)
    assert_same(a, b)
    assert a["x"].shape == (7, 2, 8, 3) and a["x"].dtype == np.float32
    np.testing.assert_array_equal(a["x"], 100 * x[a["y"]])


@pytest.mark.parametrize("make", PIPELINES)
def test_stream_yields_one_input_per_step(make, noise):
    inputs = make(noise, 0, 2, 4).stream(iter([range(3), range(3, 4), range(4, 6)]))
    assert [{len(leaf) for leaf in jax.tree.leaves(each)} for each in inputs] == [{3}, {1}, {2}]


def test_tf_data_reads_a_few_steps_ahead_not_all_that_its_memory_allows(noise):
    """A chunk of steps may have gigabytes of images."""
    read = []
    source = noise._replace(read=lambda indices: (read.append(len(indices)), noise.read(indices))[1])
    parts = tf_data(source, 0, 2, 4).stream(range(i, i + 5) for i in range(0, 2000, 5))
    next(parts)
    before = -1
    while len(read) != before:  # until nothing is read any more
        before = len(read)
        time.sleep(0.2)
    assert 5 <= len(read) <= 5 + STEPS_AHEAD + 4 * os.cpu_count()


@pytest.mark.parametrize("make", PIPELINES)
def test_labels_stay_with_their_images(make):
    source = from_arrays("numbered", np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1), np.arange(20))
    batches = play(make(source, seed=0, slices=1, batch_size=5), [range(4)])
    np.testing.assert_allclose((batches["x"][..., 0, 0, 0] + 1) * 127.5, batches["y"], atol=1e-4)
    assert sorted(batches["y"].ravel()) == list(range(20))


@pytest.mark.parametrize("make", PIPELINES)
def test_stream_can_start_at_any_step(make, noise):
    pipeline = make(noise, seed=0, slices=1, batch_size=4)
    whole = play(pipeline, [range(9)])
    again = make(noise, seed=0, slices=1, batch_size=4)
    assert_same({name: leaf[6:] for name, leaf in whole.items()}, play(again, [range(6, 7), range(7, 9)]))


@pytest.mark.parametrize("make", PIPELINES)
def test_shards_concatenate_to_the_batch(make, noise):
    whole = play(make(noise, 0, 2, 6), [range(5)])
    shards = [play(make(noise, 0, 2, 6, shard=(i, 3)), [range(5)]) for i in range(3)]
    assert_same(whole, {name: np.concatenate([s[name] for s in shards], axis=2) for name in whole})


@pytest.mark.parametrize("make", PIPELINES)
def test_batches_of_unlabeled_data_have_no_y(make):
    source = from_arrays("plain", np.zeros((3, 2, 2, 1), np.uint8))
    assert play(make(source, 0, 1, 2), [range(2)]).keys() == {"x"}


@pytest.mark.parametrize("make", PIPELINES)
def test_impossible_batches_are_refused(make, noise):
    with pytest.raises(BadInput, match="at least 1"):
        make(noise, 0, 1, 0)
    with pytest.raises(BadInput, match="multiple of 2"):
        make(noise, 0, 1, 5, shard=(0, 2))
    with pytest.raises(BadInput, match="empty"):
        make(from_arrays("none", np.zeros((0, 2, 2, 1), np.uint8)), 0, 1, 1)


def test_unreadable_image_raises_bad_input(draw):
    from gan_jax.data import folder_source

    folder = draw({f"{i}.png": i for i in range(8)})
    source = folder_source(folder)
    pipeline = tf_data(source, 0, 1, 4)
    (folder / "5.png").write_bytes(b"not an image")
    with pytest.raises(BadInput, match=r"5\.png cannot be read as an image"):
        list(pipeline.stream([range(2)]))
    with pytest.raises(BadInput, match=r"5\.png"):
        device_resident(source, 0, 1, 4)


def test_scale_has_the_same_bits_in_every_program():
    x = np.arange(256, dtype=np.uint8)
    exact = (2 * x.astype(np.float64) - 255) / 255
    once = (2 * x.astype(np.float32) - 255) * np.float32(1 / 255)
    looped = jax.jit(lambda x: jax.lax.map(lambda row: scale(row) * 1, x))(np.stack([x, x]))[1]
    for y in (scale(jnp.asarray(x)), jax.jit(scale)(x), looped):
        np.testing.assert_array_equal(y, once)
        np.testing.assert_allclose(y, exact, atol=6e-8)
    assert once[0] == -1 and once[-1] == 1


@pytest.mark.medium
def test_device_resident_pipeline_imports_no_heavy_library():
    script = """
import sys, numpy as np, jax
import gan_jax.data as data
heavy = {"tensorflow", "tensorflow_datasets", "PIL", "mlxtend"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
pipeline = data.device_resident(data.from_arrays("a", np.zeros((4, 2, 2, 1), np.uint8)), 0, 1, 2)
inputs = next(pipeline.stream([range(1)]))
jax.jit(pipeline.load)(pipeline.arrays, jax.tree.map(lambda leaf: leaf[0], inputs))["x"].block_until_ready()
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)
