"""Progressive growing on images of 8 x 8: its phases, what they carry over at a border, and resuming across it."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from stepping import built, traced

from gan_jax import BadInput
from gan_jax.config.experiment import schedule_phases
from gan_jax.data import from_arrays
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.digest import digest
from gan_jax.runs.run_dir import RunDir
from gan_jax.sampling.sampler import sampler
from gan_jax.training.loop import carry_over
from gan_jax.training.train import check, new_state, train

NOISE = from_arrays("noise", np.random.RandomState(0).randint(0, 256, (48, 8, 8, 1), np.uint8))
TINY = ("--width", "8", "--max-width", "4", "--batch-size", "8", "--images", "96")


def tiny(*flags):
    return built("pggan", *TINY, *flags, source=NOISE)


def test_phases_have_the_paper_order_of_sizes_batches_and_images():
    """One share of 100 images at 4 pixels, two at 8 to 64; batches as in the authors' program, up to 128."""
    data = from_arrays("noise", np.zeros((4, 64, 64, 1), np.uint8))
    stages = schedule_phases(built("pggan", "--width", "2", "--images", "90000", "--batch-size", "32", source=data))
    assert [stage.phase.images for stage in stages] == [10_000, 20_000, 20_000, 20_000, 20_000]
    assert [stage.images_per_step for stage in stages] == [128, 128, 128, 64, 32]
    assert [stage.steps.start for stage in stages] == [0, 79, 236, 393, 706]
    sizes = [stage.game.players["g"].net.size for stage in stages]
    assert sizes == [4, 8, 16, 32, 64]
    assert stages[-1].steps.stop == 706 + 625


def test_without_growing_the_last_phase_has_all_images_and_fades_nothing_in():
    data = from_arrays("noise", np.zeros((4, 64, 64, 1), np.uint8))
    [stage] = schedule_phases(built("pggan", "--width", "2", "--images", "900", "--no-grow", source=data))
    assert (stage.phase.images, stage.images_per_step, stage.game.players["g"].net.size) == (900, 16, 64)


@cache
def border():
    """Returns the state before growing, moved from its first values, a fresh one of the next phase, and both games."""
    experiment = tiny()
    first, second = schedule_phases(experiment)
    before, fresh = (new_state(stage.game, NOISE, stage.phase.flags(experiment.common)) for stage in (first, second))
    players = jax.tree.map(lambda leaf: leaf + 1 if leaf.dtype != jnp.uint32 else leaf, before.players)
    return before._replace(step=jnp.int32(second.steps.start), players=players), fresh, first, second


def leaves(tree):
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


@pytest.mark.parametrize("part", ["params", "ema"])
def test_grown_networks_keep_all_old_weights_to_the_bit_and_add_fresh_ones(part):
    before, fresh, *_ = border()
    after = carry_over(before, fresh)
    for name in ("g", "d") if part == "params" else ("g",):
        old, new, drawn = (leaves(getattr(state.players[name], part)) for state in (before, after, fresh))
        assert old.keys() < new.keys() == drawn.keys()
        for path, leaf in new.items():
            np.testing.assert_array_equal(leaf, old.get(path, drawn[path]), err_msg=path)
    assert int(after.step) == int(before.step) and digest(after.key) == digest(before.key)


def test_both_optimizers_begin_anew_at_a_border():
    before, fresh, *_ = border()
    after = carry_over(before, fresh)
    for name in ("g", "d"):
        assert digest(after.players[name].opt) == digest(fresh.players[name].opt)
        assert all(np.all(leaf == 0) for leaf in jax.tree.leaves(after.players[name].opt))


def test_first_images_after_a_border_are_those_before_it():
    before, fresh, first, second = border()
    latents = {"z": jax.random.normal(jax.random.key(1), (5, 4))}
    small = sampler(first.game)(before, latents)
    after = carry_over(before, fresh)
    draw = sampler(second.game)
    np.testing.assert_allclose(draw(after, latents), small, atol=1e-6)
    middle, end = second.steps.start + len(second.steps) // 2, second.steps.stop
    faded, later, fading = (draw(after._replace(step=jnp.int32(step)), latents) for step in (middle, end, middle - 1))
    np.testing.assert_array_equal(faded, later)
    assert np.abs(faded - fading).max() > 1e-3 and np.abs(faded - small).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("stops", [(2, 4)], ids=str)
def test_stopping_and_resuming_across_a_border_ends_in_the_same_bits(tmp_path, stops):
    """Stopped at the border (step 2) and while the new layers fade in."""

    def run(folder, stop=lambda: False):
        RunDir(folder).samples.mkdir(parents=True, exist_ok=True)
        flags = ("--log-every", "1", "--sample-every", "100", "--checkpoint-every", "100")
        return train(tiny(*flags), NOISE, RunDir(folder), stop)

    whole = digest(run(tmp_path / "whole"))
    for step in stops:
        run(tmp_path / "parts", lambda step=step: any(r["step"] >= step for r in RunDir(tmp_path / "parts").records()))
        assert step <= Checkpoints(tmp_path / "parts" / "checkpoints").latest() < 10
    assert digest(run(tmp_path / "parts")) == whole


@pytest.mark.slow
def test_samples_fit_color_images():
    data = from_arrays("noise", np.zeros((4, 16, 16, 3), np.uint8))
    assert traced("pggan", "--width", "8", source=data) == (50, 16, 16, 3)


def test_batch_smaller_than_a_group_is_refused():
    with pytest.raises(BadInput, match="a batch of 2 has no groups of 4: give a multiple of 4"):
        check(tiny("--batch-size", "2"), NOISE, devices=1)


def test_data_that_cannot_be_halved_is_refused():
    with pytest.raises(BadInput, match="7x7x1 are not supported"):
        built("pggan", source=from_arrays("odd", np.zeros((4, 7, 7, 1), np.uint8)))
