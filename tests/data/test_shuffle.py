import numpy as np
import pytest

from gan_jax.data.shuffle import indices, permutation
from gan_jax.errors import BadInput


def test_every_epoch_has_its_own_permutation():
    drawn = indices(seed=3, size=10, steps=range(20), slices=1, batch_size=3).ravel()
    epochs = drawn.reshape(6, 10)
    assert (np.sort(epochs) == np.arange(10)).all()
    assert len({tuple(epoch) for epoch in epochs}) == 6


def test_indices_run_over_steps_turns_and_batch():
    stream = np.concatenate([permutation(5, 7, epoch) for epoch in range(10)])
    drawn = indices(seed=5, size=7, steps=range(2, 6), slices=2, batch_size=4)
    assert drawn.shape == (4, 2, 4) and drawn.dtype == np.int32
    for n, step in enumerate(range(2, 6)):
        for turn in range(2):
            for example in range(4):
                assert drawn[n, turn, example] == stream[(step * 2 + turn) * 4 + example]


def test_batch_may_be_larger_than_the_data():
    drawn = indices(seed=0, size=3, steps=range(1), slices=1, batch_size=10)
    assert (np.bincount(drawn.ravel()) >= 3).all()


def test_indices_can_start_at_any_step():
    whole = indices(1, 100, range(50), 2, 6)
    assert (indices(1, 100, range(37, 50), 2, 6) == whole[37:]).all()


def test_late_positions_do_not_overflow():
    step = 2**40
    drawn = indices(0, 1 << 20, range(step, step + 1), 1, 4)
    assert ((drawn >= 0) & (drawn < 1 << 20)).all()


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_shards_concatenate_to_the_batch(n):
    whole = indices(1, 20, range(9), 2, 6)
    shards = [indices(1, 20, range(9), 2, 6, shard=(i, n)) for i in range(n)]
    assert (np.concatenate(shards, axis=-1) == whole).all()


def test_permutation_is_fixed_across_jax_versions():
    assert permutation(0, 10, 0).tolist() == [0, 8, 2, 4, 1, 7, 9, 5, 3, 6]
    assert permutation(1, 10, 2).tolist() == [7, 1, 2, 9, 8, 6, 5, 3, 0, 4]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"size": 0}, "empty"),
        ({"slices": 0}, "at least 1"),
        ({"batch_size": 0}, "at least 1"),
        ({"shard": (2, 2)}, "shard 2 of 2"),
        ({"shard": (0, 4)}, "multiple of 4"),
    ],
)
def test_impossible_batches_are_refused(change, says):
    with pytest.raises(BadInput, match=says):
        indices(**({"seed": 0, "size": 9, "steps": range(1), "slices": 1, "batch_size": 6} | change))
