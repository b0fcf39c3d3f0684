"""Moving images: reflections by hand, pixels between pixels, draws that depend on the key, both pipelines."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gan_jax.data import device_resident, from_arrays, open_source, tf_data
from gan_jax.data.modality import VIDEO
from gan_jax.data.moving import DIGIT, FRAMES, ROOM, SPEED, UNIT, bounce, draw, moving, random_path, shrink
from gan_jax.data.source import describe_source, read_batch, read_rounded
from gan_jax.errors import BadInput

RANDOM = np.random.default_rng(0)


def digits(n=6, side=28, channels=1):
    images = RANDOM.integers(0, 256, (n, side, side, channels), np.uint8)
    return from_arrays("digits", images, np.arange(n), tuple(map(str, range(n))))


@pytest.fixture(scope="module")
def paths():
    """Draws 200 random paths, in pixels."""
    return np.asarray(jax.jit(jax.vmap(random_path))(jax.random.split(jax.random.key(0), 200))) / UNIT


@pytest.mark.parametrize(
    ("start", "velocity", "path"),
    [
        (0, 3, [0, 3, 6, 9, 8, 5, 2, 1, 4, 7, 10]),
        (7, 3, [7, 10, 7, 4, 1, 2, 5, 8, 9, 6, 3]),  # meets the wall in a frame
        (2, -5, [2, 3, 8, 7, 2, 3, 8, 7, 2, 3, 8]),
        (4, 0, 11 * [4]),
        (0, 25, [0, 5, 10, 5, 0, 5, 10, 5, 0, 5, 10]),  # two walls between two frames
    ],
)
def test_walls_reflect_exactly(start, velocity, path):
    found = bounce(jnp.array([start, start], jnp.int32), jnp.array([velocity, -velocity], jnp.int32), 10, 11)
    assert found[:, 0].tolist() == path


def test_every_axis_is_reflected_by_itself():
    found = bounce(jnp.array([9, 5], jnp.int32), jnp.array([2, -1], jnp.int32), 10, 4)
    assert found.tolist() == [[9, 5], [9, 4], [7, 3], [5, 2]]


def test_a_pixel_between_pixels_is_shared_in_proportion():
    image = jnp.zeros((DIGIT, DIGIT, 1), jnp.float32).at[2, 5].set(255)
    frames = draw(image, jnp.array([[3 * UNIT, 4 * UNIT], [3 * UNIT + UNIT // 4, 4 * UNIT + UNIT // 2]], jnp.int32))
    expected = -np.ones((2, 32, 32, 1), np.float32)
    expected[0, 5, 9] = 1
    expected[1, 5:7, 9:11, 0] += 2 * np.array([[0.375, 0.375], [0.125, 0.125]], np.float32)
    np.testing.assert_allclose(frames, expected, atol=1e-6)


def test_corners_are_reached_and_the_ground_is_black():
    image = jnp.full((DIGIT, DIGIT, 3), 255, jnp.float32)
    frames = np.asarray(draw(image, jnp.array([[0, 0], [ROOM, ROOM]], jnp.int32)))
    assert (frames[0, :DIGIT, :DIGIT] == 1).all() and (frames[1, DIGIT:, DIGIT:] == 1).all()
    assert (frames == 1).mean() == 0.25 and (frames == -1).mean() == 0.75


def test_images_are_shrunk_to_the_means_of_areas():
    image = RANDOM.integers(0, 256, (28, 28), np.uint8)
    found = np.asarray(shrink(jnp.asarray(image[..., None] / np.float32(127.5) - 1)))[..., 0]
    exact = image.repeat(DIGIT, 0).repeat(DIGIT, 1).reshape(DIGIT, 28, DIGIT, 28).mean(axis=(1, 3))
    np.testing.assert_array_equal(found, np.floor(exact + 0.5))
    same = RANDOM.integers(0, 256, (DIGIT, DIGIT, 1), np.uint8)
    np.testing.assert_array_equal(shrink(jnp.asarray(same / np.float32(127.5) - 1)), same)


def test_starts_directions_and_speeds_are_spread(paths):
    assert paths.min() >= 0 and paths.max() <= ROOM / UNIT
    assert paths[:, 0].min() < 1 and paths[:, 0].max() > 15 and abs(paths[:, 0].mean() - 8) < 1
    moved = np.median(np.abs(np.diff(paths, axis=1)), axis=1)  # the speed of each axis, whatever bounces
    speeds, angles = np.hypot(*moved.T), np.degrees(np.arctan2(*moved.T))
    assert speeds.min() > SPEED[0] - 0.01 and speeds.max() < SPEED[1] + 0.01 and abs(speeds.mean() - 2) < 0.1
    assert abs(angles.mean() - 45) < 5 and angles.min() < 5 and angles.max() > 85
    signs = np.sign(paths[:, 1] - paths[:, 0])
    assert np.abs(signs.mean(axis=0)).max() < 0.25  # up and down, left and right


def test_videos_keep_their_label_and_say_what_they_are():
    source = moving(digits())
    assert source.spec["x"].modality is VIDEO and source.shape == (FRAMES, 32, 32, 1)
    assert describe_source(source) == "digits: 6 gray videos of 16 frames of 32x32, 6 classes"
    batch = read_batch(source, np.array([4, 1]))
    assert batch["y"].tolist() == [4, 1] and batch["x"].shape == (2, FRAMES, 32, 32, 1)
    light = (np.asarray(batch["x"]) + 1).sum(axis=(2, 3, 4))
    np.testing.assert_allclose(light, np.broadcast_to(light[:, :1], light.shape), rtol=1e-5)  # all of the digit, always
    pixels = read_rounded(source, np.arange(2))["x"]
    assert pixels.dtype == np.uint8 and pixels.min() == 0


def test_a_video_is_a_function_of_its_key():
    source = moving(digits())
    decode, examples = jax.jit(source.decode), source.read(np.arange(6))
    keys = jax.random.split(jax.random.key(1), 6)
    whole, again, other = (
        np.asarray(decode(examples, each)["x"]) for each in (keys, keys, jax.random.split(jax.random.key(2), 6))
    )
    np.testing.assert_array_equal(whole, again)
    assert (whole != other).any(axis=(1, 2, 3, 4)).all()
    half = decode({name: leaf[3:] for name, leaf in examples.items()}, keys[3:])["x"]
    np.testing.assert_array_equal(half, whole[3:])


@pytest.mark.slow
def test_both_pipelines_give_the_same_bits_from_any_step():
    source = moving(digits(20, 14))

    def play(make, ranges):
        pipeline = make(source, seed=1, slices=1, batch_size=4)
        load = jax.jit(pipeline.load)
        inputs = [jax.tree.map(lambda leaf: leaf[0], each) for each in pipeline.stream(ranges)]
        return [load(pipeline.arrays, each) for each in inputs]

    whole = play(device_resident, [range(i, i + 1) for i in range(4)])
    for there, streamed in zip(whole[2:], play(tf_data, [range(2, 3), range(3, 4)]), strict=True):
        for name in ("x", "y"):
            np.testing.assert_array_equal(there[name], streamed[name])
    assert whole[0]["x"].shape == (1, 4, FRAMES, 32, 32, 1)
    assert (whole[0]["x"] != whole[1]["x"]).any()


@pytest.mark.slow
def test_bits_do_not_depend_on_the_program():
    """Of a whole batch, in a loop, and split over eight devices."""
    source = moving(digits(8))
    examples = jax.tree.map(jnp.asarray, source.read(np.arange(8)))
    keys = jax.random.split(jax.random.key(0), 8)
    decode = jax.jit(source.decode)
    over = jax.sharding.NamedSharding(jax.make_mesh((8,), ("batch",)), jax.sharding.PartitionSpec("batch"))
    split = decode(*jax.device_put((examples, keys), over))["x"]
    one = jax.jit(lambda each: source.decode(*jax.tree.map(lambda leaf: leaf[None], each))["x"][0])
    looped = jax.lax.map(one, (examples, keys))
    for found in (split, looped):
        np.testing.assert_array_equal(found, decode(examples, keys)["x"])


def test_names_and_mistakes():
    source = open_source("moving:color:mnist5k:20")
    assert source.size == 20 and source.shape == (FRAMES, 32, 32, 3) and len(source.classes) == 10
    with pytest.raises(BadInput, match="wide has images of 5x4, and square ones move: crop with --image-size"):
        moving(from_arrays("wide", np.zeros((2, 4, 5, 1), np.uint8)))
    with pytest.raises(BadInput, match="this needs images x"):
        open_source("moving:ring")
    with pytest.raises(BadInput, match=r"gray videos of 16 frames of 32x32.*this needs images x"):
        open_source("color:moving:mnist5k:20")
