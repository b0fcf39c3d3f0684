import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from gan_jax.data import derived as d
from gan_jax.data import from_arrays, from_videos, paired
from gan_jax.data.source import read_batch
from gan_jax.errors import BadInput

RNG = np.random.default_rng(0)


def images(n=6, height=24, width=16, channels=3, labels=None):
    """Makes images that are smooth in places and saturated in others."""
    field = RNG.normal(size=(n, height // 4, width // 4, channels)).repeat(4, 1).repeat(4, 2)
    field = 128 + 90 * field + 30 * RNG.normal(size=(n, height, width, channels))
    return from_arrays("photos", field.clip(0, 255).astype(np.uint8), labels)


def drawn(source, seed, n=6):
    """Decodes the first `n` examples with the keys of a seed."""
    examples = jax.tree.map(jnp.asarray, source.read(np.arange(n)))
    return jax.jit(source.decode)(examples, jax.random.split(jax.random.key(seed), n))


def levels(x):
    return np.rint((np.asarray(x) + 1) * 127.5).astype(int)


MADE = {
    "low_resolution": lambda source: d.low_resolution(source, 4),
    "noise": lambda source: d.noise(source, 25.0),
    "hole": lambda source: d.hole(source, "random"),
    "blur": lambda source: d.blur(source, 1.5),
    "grayscale": d.grayscale,
    "edges": d.edges,
    "on_ground": d.on_ground,
    "random_crop": lambda source: d.random_crop(source, 8),
    "flip": d.flip,
    "resized": lambda source: d.resized(source, 12),
}


@pytest.mark.parametrize("name", MADE)
def test_derived_batch_has_the_declared_arrays_and_the_target_unchanged(name):
    plain = images(labels=np.arange(6))
    source = MADE[name](plain)
    batch = drawn(source, 0)
    assert {each: (leaf.shape, leaf.dtype) for each, leaf in batch.items()} == {
        each: ((6, *leaf.shape), leaf.modality.dtype) for each, leaf in source.spec.items()
    }
    assert batch["y"].tolist() == list(range(6))
    if "a" in source.spec:
        np.testing.assert_array_equal(batch["x"], drawn(plain, 0)["x"])


@pytest.mark.parametrize("name", ["noise", "hole", "on_ground", "random_crop", "flip"])
def test_random_parts_come_from_the_key_of_each_example(name):
    source = MADE[name](images())
    first, again, other = (drawn(source, seed) for seed in (0, 0, 1))
    for each in first:
        np.testing.assert_array_equal(first[each], again[each])
    assert any((first[each] != other[each]).any() for each in first)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_low_resolution_is_bicubic_of_pillow(factor):
    source = images(height=48, width=36)
    x = source.read(np.arange(6))["x"]
    small = (36 // factor, 48 // factor)
    expected = np.stack([np.asarray(Image.fromarray(each).resize(small, Image.Resampling.BICUBIC)) for each in x])
    difference = abs(levels(drawn(d.low_resolution(source, factor), 0)["a"]) - expected)
    assert difference.max() <= 1 and (difference > 0).mean() < 0.01


def test_low_resolution_needs_a_divisible_size():
    with pytest.raises(BadInput, match="16x24, not divisible by 5: crop or resize"):
        d.low_resolution(images(), 5)


def test_noise_has_its_deviation_in_gray_levels():
    batch = drawn(d.noise(images(height=64, width=64), 25.0), 0)
    added = (batch["a"] - batch["x"]) * 127.5
    assert abs(added.std() - 25) < 0.3 and abs(added.mean()) < 0.3


@pytest.mark.parametrize("where", ["center", "random"])
def test_hole_is_a_square_of_the_mean_color_around_it(where):
    batch = drawn(d.hole(images(), where), 0)
    for masked, x in zip(np.asarray(batch["a"]), np.asarray(batch["x"]), strict=True):
        a, mask = masked[..., :3], masked[..., 3]
        rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
        assert (len(rows), len(columns)) == (12, 8) and mask.sum() == 12 * 8  # a whole rectangle
        np.testing.assert_array_equal(a[mask == 0], x[mask == 0])
        np.testing.assert_allclose(a[mask == 1], np.tile(x[mask == 0].mean(0), (96, 1)), atol=1e-5)
        assert where == "random" or (rows[0], columns[0]) == (6, 4)


def test_blur_agrees_with_scipy():
    from scipy.ndimage import gaussian_filter

    batch = drawn(d.blur(images(), 1.5), 0)
    exact = np.asarray(batch["x"], np.float64)
    expected = gaussian_filter(exact, (0, 1.5, 1.5, 0), mode="nearest", radius=(0, 5, 5, 0))
    np.testing.assert_allclose(batch["a"], expected, atol=1e-5)


def test_edges_are_where_black_meets_white():
    x = np.zeros((1, 8, 8, 1), np.uint8)
    x[:, :, 4:] = 255
    outline = np.full((8, 8), -1.0)
    outline[:, 3:5] = 1  # the gradient there has length 1
    for threshold, expected in ((0.5, outline), (0.9, outline), (1.1, np.full((8, 8), -1.0))):
        a = drawn(d.edges(from_arrays("step", x), threshold), 0, 1)["a"][0, ..., 0]
        np.testing.assert_array_equal(a, expected)


def test_ground_is_seen_through_the_digit_as_its_negative():
    """Black and white of one key: |0 - ground| and |1 - ground| add up to 1."""
    black, white = (
        drawn(d.on_ground(from_arrays("flat", np.full((6, 48, 48, 1), value, np.uint8))), 0)["x"] for value in (0, 255)
    )
    np.testing.assert_allclose((black + 1) / 2 + (white + 1) / 2, 1, atol=1e-6)
    assert black.std() > 0.1 and abs(np.diff(black, axis=1)).max() < 0.5  # colorful, and smooth


def test_crops_of_low_and_high_resolution_are_aligned():
    """Every pixel of the target says which pixel of the input it belongs to."""
    small = np.arange(6 * 10 * 8, dtype=np.int64).reshape(6, 10, 8, 1) % 251
    large = small.repeat(4, 1).repeat(4, 2)
    pairs = paired(from_arrays("lr", small.astype(np.uint8)), from_arrays("hr", large.astype(np.uint8)))
    source = d.flip(d.random_crop(pairs, 16))
    assert source.spec["a"].shape == (4, 4, 1) and source.spec["x"].shape == (16, 16, 1)
    starts = set()
    for seed in range(8):
        batch = drawn(source, seed)
        np.testing.assert_array_equal(batch["a"].repeat(4, 1).repeat(4, 2), batch["x"])
        starts |= set(levels(batch["a"][:, 0, 0, 0]).tolist())
    assert len(starts) > 20


def test_crops_need_sizes_of_a_whole_factor():
    with pytest.raises(BadInput, match="crops need one size, or whole multiples of the smallest"):
        d.random_crop(paired(images(height=24, width=16), images(height=48, width=48)), 8)


def test_random_crop_reaches_every_place_and_no_other():
    x = np.arange(5 * 4, dtype=np.uint8).reshape(1, 5, 4, 1)
    source = d.random_crop(from_arrays("numbered", x.repeat(6, 0)), 3)
    corners = np.concatenate([levels(drawn(source, seed)["x"])[:, 0, 0, 0] for seed in range(30)])
    assert set(corners.tolist()) == {0, 1, 4, 5, 8, 9}
    with pytest.raises(BadInput, match="images of 4x5: choose a crop of at most that"):
        d.random_crop(source._replace(spec=from_arrays("numbered", x).spec), 6)


def test_flips_mirror_half_of_the_examples_with_all_their_images():
    plain = images()
    source = d.flip(paired(plain, plain))
    x, mirrored = drawn(plain, 0)["x"], 0
    for seed in range(20):
        batch = drawn(source, seed)
        np.testing.assert_array_equal(batch["a"], batch["x"])
        is_mirrored = (np.asarray(batch["x"]) == x[:, :, ::-1]).all((1, 2, 3))
        assert (is_mirrored | (np.asarray(batch["x"]) == x).all((1, 2, 3))).all()
        mirrored += is_mirrored.sum()
    assert 40 < mirrored < 80  # of 120


def test_draws_of_nested_sources_are_independent():
    """With one key for both, noise twice would be the same noise."""
    source = d.derive(d.noise(images(height=32, width=32), 10.0), *_noise_again())
    batch = drawn(source, 0)
    first, second = (np.ravel(batch[name] - batch["x"]) for name in ("a", "again"))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05


def _noise_again():
    spec = images(height=32, width=32).spec
    other = d.noise(images(height=32, width=32), 10.0)

    def transform(batch, keys):
        noise = jax.vmap(lambda x, key: x + jax.random.normal(key, x.shape, x.dtype))(batch["x"], keys)
        return {**batch, "again": noise}

    return {**other.spec, "again": spec["x"]}, transform


def test_gray_images_become_color():
    batch = read_batch(d.in_color(images(channels=1)), np.arange(3))
    assert batch["x"].shape == (3, 24, 16, 3) and (batch["x"] == batch["x"][..., :1]).all()


def test_pairs_need_equally_many_plain_images():
    with pytest.raises(BadInput, match="photos has 6 examples, photos 5: pairs need an input for every target"):
        paired(images(), images(5))
    with pytest.raises(BadInput, match="photos has the arrays a, x: pairs are made of plain images x"):
        paired(d.noise(images(), 1.0), images())


def test_pairs_keep_the_labels_of_either_side():
    labels = np.arange(6)
    for source in (paired(images(labels=labels), images()), paired(images(), images(labels=labels))):
        assert source.spec.keys() == {"a", "x", "y"} and drawn(source, 0)["y"].tolist() == labels.tolist()


def test_first_frames_are_those_of_the_video_drawn_and_images_have_none():
    clips = RNG.integers(0, 256, (6, 4, 3, 3, 1), np.uint8)
    batch = drawn(d.first_frames(from_videos("clips", clips), 3), 0)
    np.testing.assert_array_equal(levels(batch["a"]), clips[:, :3])
    np.testing.assert_array_equal(levels(batch["x"]), clips)
    with pytest.raises(BadInput, match=r"photos has x \(color images of 16x24\): this needs videos x"):
        d.first_frames(images(), 3)
    with pytest.raises(BadInput, match="there is nothing to predict after 4, give fewer"):
        d.first_frames(from_videos("clips", clips), 4)
