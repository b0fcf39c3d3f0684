"""Windows of recordings: where they are cut, and what decides it."""

import jax
import numpy as np
import pytest

from gan_jax.data.modality import audio
from gan_jax.data.source import indexed, read_batch
from gan_jax.data.sources.recordings import located, normalized, windows
from gan_jax.errors import BadInput


def cut(x, length, keys):
    return np.asarray(jax.jit(windows(indexed("r", audio(8000), x, None), length).decode)({"x": x}, keys)["x"])


def keys_of(n, seed=0):
    return jax.random.split(jax.random.key(seed), n)


def test_short_recordings_begin_anywhere_with_silence_around():
    recording = np.arange(1, 6, dtype=np.int16)
    stored = np.pad(recording, (2, 3))  # zeros before and behind are no part of it
    found = cut(np.tile(stored, (300, 1)), 8, keys_of(300))
    possible = {tuple(np.pad(recording, (i, 3 - i))) for i in range(4)}
    assert {tuple(np.rint(32767 * each).astype(int)) for each in found} == possible


def test_windows_of_long_recordings_begin_anywhere():
    recording = np.arange(1, 7, dtype=np.int16)
    stored = np.pad(recording, (1, 4))
    found = cut(np.tile(stored, (300, 1)), 4, keys_of(300))
    assert {tuple(np.rint(32767 * each).astype(int)) for each in found} == {
        tuple(recording[i : i + 4]) for i in range(3)
    }


@pytest.mark.parametrize("length", [5, 6, 7, 40])
def test_a_recording_as_long_as_the_window_is_unchanged_and_of_others_all_is_kept(length):
    stored = np.pad(np.array([[3, 0, -5, 0, 7, 9]], np.int16), ((0, 0), (0, 6)))
    found = np.rint(32767 * cut(stored, length, keys_of(1))[0]).astype(int)
    assert len(found) == length
    if length == 6:
        assert found.tolist() == [3, 0, -5, 0, 7, 9]
    if length > 6:
        assert found[found != 0].tolist() == [3, -5, 7, 9]


def test_the_place_depends_on_the_key_of_the_example_alone():
    x = np.tile(np.arange(1, 1001, dtype=np.int16), (4, 1))
    keys = keys_of(4)
    whole = cut(x, 10, keys)
    assert len({tuple(each) for each in whole}) == 4
    np.testing.assert_array_equal(cut(x[2:3], 10, keys[2:3]), whole[2:3])
    np.testing.assert_array_equal(cut(x, 10, keys), whole)


@pytest.mark.parametrize("length", [4, 5, 6, 9])
def test_windows_say_where_the_sound_begins_and_how_long_it_is(length):
    """A recording of 6 samples begins at sample `place * (length - 6)`, before 0 in windows of 4 and 5."""
    stored = np.pad(np.arange(1, 7, dtype=np.int16), (1, 4))
    x, keys = np.tile(stored, (50, 1)), keys_of(50)
    found = jax.jit(windows(indexed("r", audio(8000), x, None), length).decode)({"x": x}, keys)
    begins = np.rint(np.asarray(found["place"]) * (length - 6)).astype(int)
    assert (found["length"] == 6).all() and len(set(begins)) == abs(length - 6) + 1
    for window, begin in zip(np.rint(32767 * np.asarray(found["x"])).astype(int), begins, strict=True):
        sample = np.argmax(window != 0)
        assert window[sample] == sample - begin + 1


def test_sounds_without_windows_are_located_by_the_zeros_around_them():
    x = np.zeros((3, 10), np.int16)
    x[0, 2:6], x[1, :], x[2, 7:] = [5, 0, 0, 5], 1, 1
    source = located(indexed("r", audio(8000), x, None))
    found = read_batch(source, np.arange(3))
    np.testing.assert_allclose(found["length"], [4, 10, 3])
    np.testing.assert_allclose(found["place"], [2 / 6, 0, 1])
    assert {name: leaf.shape for name, leaf in source.spec.items()} == {"x": (10,), "place": (), "length": ()}


@pytest.mark.parametrize("scale", [1e-3, 1, 30])
def test_levels_are_normalized(scale):
    x = scale * np.array([0.1, -0.5, 0.25])
    np.testing.assert_allclose(normalized(x, "x") / 32767, [0.2, -1, 0.5], atol=2e-5)


def test_the_lowest_integer_is_a_peak():
    assert normalized(np.array([-32768, 16384], np.int16), "x").tolist() == [-32767, 16384]


@pytest.mark.parametrize(
    ("x", "says"), [([0.0, 0], "a.wav is silent: leave"), ([1.0, np.nan], "not finite"), ([np.inf], "not finite")]
)
def test_recordings_without_a_level_are_refused(x, says):
    with pytest.raises(BadInput, match=says):
        normalized(np.array(x), "a.wav")
