import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from gan_jax.engine.game import PlayerState, State
from gan_jax.errors import BadInput
from gan_jax.runs.checkpoint import Checkpoints
from gan_jax.runs.digest import digest


def make_state(step=0, width=30, impl="threefry2x32"):
    """Makes a state with a typed key, several dtypes, scalars, empty collections, and an EMA for one player."""
    key = jax.random.key(step, impl=impl)
    params = {
        "dense": {"kernel": jax.random.normal(key, (20, width)), "bias": jnp.zeros(width)},
        "half": jax.random.normal(key, (3,), jnp.bfloat16),
    }
    odd = {"minus_zero": -jnp.zeros(4), "nan": jnp.full(2, jnp.nan), "mask": jnp.array([True, False])}
    tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))
    plain = PlayerState(params, {}, tx.init(params), None)
    averaged = PlayerState(params, {"batch_stats": odd}, tx.init(params), {"params": params, "batch_stats": odd})
    return State(jnp.int32(step), key, {"d": plain, "g": averaged})


def save(folder, *steps, **kwargs):
    with Checkpoints(folder, **kwargs) as checkpoints:
        for step in steps:
            checkpoints.save(make_state(step), {"fid": abs(step - 2.0)})
    return checkpoints


def contents(folder):
    return {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")}


def said(info):
    """Returns the error message; checks that it is one line."""
    message = str(info.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg"])
def test_state_is_restored_to_the_bit(tmp_path, impl):
    state = make_state(7, impl=impl)
    with Checkpoints(tmp_path / "new" / "checkpoints") as checkpoints:
        checkpoints.save(state)
    for like in (make_state(0, impl=impl), jax.eval_shape(lambda: state)):
        restored = checkpoints.restore(like)
        assert jax.tree.structure(restored) == jax.tree.structure(state)
        assert digest(restored) == digest(state)
        assert restored.key.dtype == state.key.dtype
        assert jax.random.normal(restored.key, ()) == jax.random.normal(state.key, ())


def test_restored_leaves_have_the_sharding_of_the_template(tmp_path):
    state = make_state(3)
    mesh = jax.make_mesh((8,), ("batch",), axis_types=(AxisType.Auto,))
    everywhere, split = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("batch"))
    like = jax.device_put(make_state(0), everywhere)
    like.players["d"].opt[1][0].nu["dense"]["bias"] = jax.device_put(jnp.zeros(32), split)
    state.players["d"].opt[1][0].nu["dense"]["bias"] = jnp.arange(32.0)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(jax.device_put(state, everywhere))
    restored = checkpoints.restore(like)
    assert digest(restored) == digest(state)
    for leaf, expected in zip(jax.tree.leaves(restored), jax.tree.leaves(like), strict=True):
        assert leaf.sharding.is_equivalent_to(expected.sharding, leaf.ndim)


def test_uncommitted_state_is_restored_uncommitted(tmp_path):
    checkpoints = save(tmp_path, 1)
    mesh = jax.make_mesh((8,), ("batch",), axis_types=(AxisType.Auto,))
    batch = jax.device_put(jnp.ones(8), NamedSharding(mesh, PartitionSpec("batch")))
    restored = checkpoints.restore(make_state(0))
    jax.jit(lambda state, x: state.players["d"].params["dense"]["kernel"].sum() + x)(restored, batch)


@pytest.mark.medium
def test_buffers_may_be_donated_once_save_returns(tmp_path):
    overwrite = jax.jit(lambda params: jax.tree.map(lambda x: x - x, params), donate_argnums=0)
    big = jnp.arange(3_000_000.0)
    with Checkpoints(tmp_path) as checkpoints:
        for step in range(3):
            state = make_state(step)
            state.players["d"].params["big"] = big * step
            expected = digest(state)
            checkpoints.save(state)
            jax.block_until_ready(overwrite(state.players["d"].params))
            assert state.players["d"].params["big"].is_deleted()
    like = make_state()
    like.players["d"].params["big"] = big
    assert digest(checkpoints.restore(like)) == expected


def test_last_and_best_checkpoints_are_kept(tmp_path):
    checkpoints = save(tmp_path, 1, 2, 3, 4, 5, 6, keep_last=2, best=lambda metrics: metrics["fid"])
    assert checkpoints.steps() == [2, 5, 6]
    assert (checkpoints.best(), checkpoints.latest()) == (2, 6)
    resumed = save(tmp_path, 7, 8, 9, keep_last=1, best=lambda metrics: metrics["fid"])
    assert resumed.steps() == [2, 9]
    assert digest(resumed.restore(make_state(), 2)) == digest(make_state(2))


def test_nan_and_missing_metrics_count_as_worst(tmp_path):
    with Checkpoints(tmp_path, keep_last=1, best=lambda metrics: metrics["fid"]) as checkpoints:
        checkpoints.save(make_state(1), {"fid": math.nan})
        checkpoints.save(make_state(2), {"fid": 3.0})
        checkpoints.save(make_state(3), {"fid": jnp.nan})
        checkpoints.save(make_state(4))
        checkpoints.save(make_state(5), {"loss": 0.0})
    assert checkpoints.best() == 2


def test_saving_a_step_again_needs_the_same_state(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(make_state(4))
        checkpoints.save(make_state(4))
        with pytest.raises(BadInput, match="4 holds another state") as info:
            checkpoints.save(make_state(5)._replace(step=jnp.int32(4)))
        said(info)
    assert digest(checkpoints.restore(make_state())) == digest(make_state(4))


def test_restoring_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(BadInput, match="holds no checkpoint; train") as info:
        Checkpoints(tmp_path / "absent").restore(make_state())
    assert str(tmp_path) in said(info)
    with pytest.raises(BadInput, match=r"no checkpoint of step 3; choose one of \[1, 2\]"):
        save(tmp_path, 1, 2).restore(make_state(), 3)


def other_dtype(state):
    return state._replace(step=jnp.float32(0))


def other_tree(state):
    return state._replace(players={"d": state.players["d"]})


def other_key(state):
    return state._replace(key=jax.random.key(0, impl="rbg"))


@pytest.mark.parametrize(
    ("change", "leaf"),
    [
        (lambda state: make_state(width=31), r"bias is float32\[30\] there and float32\[31\] here"),
        (other_dtype, r"step is int32\[\] there and float32\[\] here"),
        (other_tree, r"players/g/.* and absent here"),
        (other_key, r"key is uint32\[2\] there and uint32\[4\] here"),
    ],
)
def test_restoring_another_structure_names_the_leaf(tmp_path, change, leaf):
    with pytest.raises(BadInput, match=f"was saved with other settings: .*{leaf}; repeat those settings") as info:
        save(tmp_path, 1).restore(change(make_state()))
    assert str(tmp_path / "1") in said(info)


def test_key_of_another_prng_is_refused(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(make_state(1, impl="rbg"))
    with pytest.raises(BadInput, match="another kind of PRNG key"):
        checkpoints.restore(make_state(1, impl="unsafe_rbg"))


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def flip(path):
    data = bytearray(path.read_bytes())
    data[2 * len(data) // 3] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("harm", [Path.unlink, empty, cut, flip])
def test_damage_to_any_file_of_the_state_is_noticed(tmp_path, harm, capfd):
    checkpoints = save(tmp_path, 1, 2)
    like, expected = make_state(), digest(make_state(2))
    shutil.copytree(tmp_path / "2", tmp_path / "whole")
    noticed = []
    files = [path.relative_to(tmp_path / "2") for path in (tmp_path / "2").rglob("*") if path.is_file()]
    for file in files:
        harm(tmp_path / "2" / file)
        before = contents(tmp_path)
        try:
            assert digest(checkpoints.restore(like)) == expected, file
        except BadInput as error:
            noticed.append(file)
            assert f"{tmp_path / '2'} is damaged ({file} is missing" in str(error) or file.name == "seal"
            assert str(error).endswith("delete it to resume from step 1")
            assert "\n" not in str(error)
        assert contents(tmp_path) == before
        shutil.copy2(tmp_path / "whole" / file, tmp_path / "2" / file)
    # Not part of the state: a marker, and Orbax's save times.
    assert {str(file) for file in set(files) - set(noticed)} <= {"commit_success.txt", "_CHECKPOINT_METADATA"}
    assert capfd.readouterr() == ("", "")


def harmed(folder, step):
    """Cuts the largest file of a checkpoint in half; returns the checkpoint's files."""
    files = [path for path in (folder / str(step)).rglob("*") if path.is_file()]
    cut(max(files, key=lambda path: path.stat().st_size))
    return held(folder / str(step))


def held(folder):
    """Returns the contents of every file in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_damaged_checkpoints_after_the_last_intact_one_are_set_aside(tmp_path):
    folder = tmp_path / "checkpoints"
    checkpoints = save(folder, 1, 2, 3, 4, keep_last=4)
    assert checkpoints.set_damaged_aside() == [] and checkpoints.steps() == [1, 2, 3, 4]
    harmed(folder, 1)
    third, fourth = harmed(folder, 3), harmed(folder, 4)
    places = checkpoints.set_damaged_aside()
    assert places == [tmp_path / "damaged" / "3", tmp_path / "damaged" / "4"]
    assert [held(place) for place in places] == [third, fourth], "nothing is lost"
    assert digest(checkpoints.restore(make_state())) == digest(make_state(2))
    save(folder, 4)
    harmed(folder, 4)
    assert checkpoints.set_damaged_aside() == [tmp_path / "damaged" / "4-again"]


def test_nothing_is_moved_if_every_checkpoint_is_damaged(tmp_path):
    checkpoints = save(tmp_path / "checkpoints", 1, 2)
    for step in (1, 2):
        harmed(tmp_path / "checkpoints", step)
    assert checkpoints.set_damaged_aside() == []
    with pytest.raises(BadInput, match="is damaged"):
        checkpoints.restore(make_state())


def test_run_with_a_damaged_checkpoint_can_still_save(tmp_path):
    save(tmp_path, 1, 2)
    for path in (tmp_path / "2").rglob("*"):
        if path.is_file():
            empty(path)
    checkpoints = save(tmp_path, 3, keep_last=3)
    assert checkpoints.steps() == [1, 2, 3]
    assert digest(checkpoints.restore(make_state())) == digest(make_state(3))
    assert digest(checkpoints.restore(make_state(), 1)) == digest(make_state(1))


def test_reading_changes_nothing(tmp_path):
    checkpoints = save(tmp_path, 1, 2)
    (tmp_path / "3.orbax-checkpoint-tmp").mkdir()  # as left by a process that is saving
    before = contents(tmp_path)
    with Checkpoints(tmp_path, best=lambda metrics: metrics["fid"]) as reader:
        assert (reader.steps(), reader.latest(), reader.best()) == ([1, 2], 2, 2)
        reader.restore(make_state())
    assert contents(tmp_path) == before
    with Checkpoints(tmp_path / "absent") as reader:
        assert (reader.steps(), reader.latest(), reader.best()) == ([], None, None)
    assert not (tmp_path / "absent").exists()
    assert checkpoints.steps() == [1, 2]


def test_unwritable_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written") as info:
        save(tmp_path / "file" / "checkpoints", 1)
    assert str(tmp_path) in said(info)


def test_background_error_is_raised_when_closing(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints._write_seal = lambda: (tmp_path / "absent" / "file").write_text("")
    checkpoints.save(make_state(1))
    with pytest.raises(BadInput, match="cannot be written") as info:
        checkpoints.close()
    said(info)
    assert checkpoints.steps() == []


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_checkpoint import make_state
from gan_jax.runs.checkpoint import Checkpoints

class Killed(Checkpoints):
    def _write_seal(self):
        if self._pending["step"] == 2 and {when!r} == "before the seal":
            os.kill(os.getpid(), signal.SIGKILL)
        super()._write_seal()
        if self._pending["step"] == 2:
            os.kill(os.getpid(), signal.SIGKILL)

checkpoints = Killed(Path({folder!r}))
checkpoints.save(make_state(1))
checkpoints.save(make_state(2))
if {when!r} == "at once":
    os.kill(os.getpid(), signal.SIGKILL)
checkpoints.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before the seal", "at once", "after the seal"])
def test_kill_while_saving_keeps_earlier_checkpoints(tmp_path, when):
    folder = tmp_path / "checkpoints"
    script = KILLED.format(tests=str(Path(__file__).parent), folder=str(folder), when=when)
    done = subprocess.run([sys.executable, "-c", script], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in folder.iterdir()] != ["1"], "it was not saving when it was killed"
    checkpoints = Checkpoints(folder)
    assert checkpoints.steps() == [1]
    assert digest(checkpoints.restore(make_state())) == digest(make_state(1))
    save(folder, 3)
    assert sorted(path.name for path in folder.iterdir()) == ["1", "3"]
    save(folder, 2)
    assert digest(checkpoints.restore(make_state(), 2)) == digest(make_state(2))


def test_digest_distinguishes_states():
    state = make_state(1)
    players = state.players
    others = [
        make_state(2),
        state._replace(step=jnp.float32(1)),
        state._replace(step=jnp.ones(1, jnp.int32)),
        state._replace(players={"d": players["d"], "f": players["g"]}),
        state._replace(players=jax.tree.map(lambda x: x + jnp.zeros_like(x), players)),  # -0 becomes 0
        state._replace(key=jax.random.wrap_key_data(jnp.zeros(4, jnp.uint32), impl="rbg")),
        state._replace(key=jax.random.wrap_key_data(jnp.zeros(4, jnp.uint32), impl="unsafe_rbg")),
        state._replace(key=jax.random.key_data(state.key)),
    ]
    digests = [digest(other) for other in [state, *others]]
    assert len(set(digests)) == len(digests)
    assert digest(jax.tree.map(lambda leaf: leaf.copy(), state)) == digests[0]
    assert digest({"x": np.arange(3)}) == digest({"x": np.arange(6)[:6:2] // 2})
