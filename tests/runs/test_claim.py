"""A folder belongs to one run: what may differ when its command is repeated, and what is refused."""

import pytest

from gan_jax.errors import BadInput
from gan_jax.runs.manifest import CONFIGURED
from gan_jax.runs.run_dir import RunDir


@pytest.fixture
def about(shared_run):
    return RunDir(shared_run).read()


@pytest.fixture(params=[False, True], ids=["nothing saved", "saved"])
def begun(request, about, tmp_path):
    """Claims a folder for a run, with or without a checkpoint."""
    folder = RunDir(tmp_path / "run")
    folder.claim(about)
    if request.param:
        (folder.checkpoints / "40").mkdir(parents=True)
    return folder, request.param


def test_repaired_data_are_accepted_until_a_state_is_saved(begun, about):
    folder, saved = begun
    repaired = about._replace(data=about.data | {"fingerprint": "other", "size": 4999})
    if saved:
        with pytest.raises(BadInput, match="was trained on"):
            folder.claim(repaired)
        assert folder.read().data == about.data
    else:
        folder.claim(repaired)
        assert folder.read().data == repaired.data


@pytest.mark.parametrize("name", CONFIGURED)
def test_resuming_under_another_setting_of_jax_is_refused_by_name(begun, about, name):
    folder, saved = begun
    changed = about._replace(machine=about.machine | {name: "other"})
    if saved:
        with pytest.raises(BadInput, match=f"was trained with {CONFIGURED[name]}=.*, not other: set that"):
            folder.claim(changed)
    else:
        folder.claim(changed)
    folder.claim(folder.read())


@pytest.mark.parametrize("name", ["data", "to"])
def test_moved_data_is_the_same_and_its_new_place_is_kept(begun, about, name):
    folder, _ = begun
    folder.claim(about._replace(settings=about.settings | {name: "/moved"}))
    assert folder.read().settings[name] == "/moved"


@pytest.mark.parametrize(("name", "value"), [("pair", "photo,label"), ("tile", 8)])
def test_data_made_otherwise_is_another_run(begun, about, name, value):
    with pytest.raises(BadInput, match=f"holds a run with --{name} .*, not {value}"):
        begun[0].claim(about._replace(settings=about.settings | {name: value}))


def test_other_settings_are_refused_although_nothing_is_saved(begun, about):
    folder, _ = begun
    with pytest.raises(BadInput, match="holds a run with --batch-size"):
        folder.claim(about._replace(settings=about.settings | {"batch_size": 3}))
