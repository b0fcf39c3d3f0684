"""The kind of sounds: exact scaling, its rate in descriptions, and the same bits in both pipelines."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.data import device_resident, tf_data
from gan_jax.data.modality import IMAGE, LABEL, Leaf, audio, describe_spec, from_int16, spec_from, to_int16
from gan_jax.data.source import describe_source, indexed
from gan_jax.data.sources.recordings import windows


def test_sixteen_bits_are_scaled_with_the_same_bits_in_every_program():
    x = np.arange(-32767, 32768).astype(np.int16)
    expected = x.astype(np.float32) * np.float32(1 / 32767)
    looped = jax.jit(lambda x: jax.lax.map(lambda row: from_int16(row) * 1, x))(np.stack([x, x]))[1]
    for y in (jax.jit(from_int16)(x), from_int16(jnp.asarray(x)), looped):
        np.testing.assert_array_equal(y, expected)
    np.testing.assert_allclose(expected, x / 32767, atol=6e-8)
    np.testing.assert_array_equal(to_int16(expected), x)
    assert (expected[0], expected[-1]) == (-1, 1)


def test_values_that_are_no_sound_are_clipped():
    wild = np.array([-7, 7, np.nan, np.inf, -np.inf], np.float32)
    assert to_int16(wild).tolist() == [-32767, 32767, 0, 32767, -32767]


def test_descriptions_keep_the_rate_and_those_without_one_are_unchanged():
    spec = {"x": Leaf((4096,), audio(8000)), "y": Leaf((), LABEL), "a": Leaf((4, 4, 3), IMAGE)}
    about = describe_spec(spec)
    assert about["x"] == {"kind": "audio", "shape": [4096], "rate": 8000}
    assert about["y"] == {"kind": "label", "shape": []} and about["a"] == {"kind": "image", "shape": [4, 4, 3]}
    assert spec_from(about) == spec and audio(8000) is audio(8000) != audio(16000)


def test_sounds_are_described_with_their_length_and_rate():
    source = indexed("hum", audio(8000), np.ones((3, 4096), np.int16), None)
    assert describe_source(source) == "hum: 3 sounds of 4,096 samples at 8,000 Hz, no labels"


@pytest.mark.slow
def test_both_pipelines_cut_the_same_windows():
    random = np.random.default_rng(0)
    x = random.integers(-32767, 32767, (50, 40), np.int16)
    for row, length in zip(x, random.integers(1, 41, 50), strict=True):
        row[length:] = 0
    source = windows(indexed("noise", audio(8000), x, np.arange(50)), 16)

    def batches(make):
        pipeline = make(source, seed=1, slices=2, batch_size=8)
        load = jax.jit(lambda arrays, inputs: jax.lax.map(lambda one: pipeline.load(arrays, one), inputs))
        return [load(pipeline.arrays, inputs) for inputs in pipeline.stream([range(5), range(5, 7)])]

    for a, b in zip(batches(device_resident), batches(tf_data), strict=True):
        np.testing.assert_array_equal(a["x"], b["x"])
        np.testing.assert_array_equal(a["y"], b["y"])
        assert a["x"].shape[1:] == (2, 8, 16) and a["x"].dtype == np.float32
