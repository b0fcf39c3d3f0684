"""Words become objects, and objects their words again; what is wrong with a user's own is told in a line."""

import json
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import pytest

from gan_jax import BadInput, losses, penalties
from gan_jax.config.flags import parse, to_argv
from gan_jax.config.registry import (
    DYNAMICS,
    LOSSES,
    PENALTIES,
    Dynamics,
    Loss,
    Penalties,
    read_penalties,
    tell_penalties,
)
from gan_jax.engine import dynamics
from gan_jax.penalties import terms

MINE = """
import jax
import jax.numpy as jnp
from gan_jax.engine.dynamics import Dynamics
from gan_jax.losses import AdversarialLoss
from gan_jax.penalties import Penalty

scale = 1

def shifted(by):
    return AdversarialLoss(d=lambda s_real, s_fake: s_fake - s_real + by, g=lambda s_real, s_fake: -s_fake)

tempered = shifted(0)
mean = AdversarialLoss(d=lambda s_real, s_fake: jnp.mean(s_fake - s_real), g=lambda s_real, s_fake: -s_fake)
raises = AdversarialLoss(d=lambda s_real, s_fake: s_fake, g=lambda s_real, s_fake: s_fake + jnp.ones(3))
whole = tempered._replace(g=lambda s_real, s_fake: jnp.round(s_fake).astype(int))
sure = tempered._replace(d=lambda s_real, s_fake: s_real > s_fake)
flat = Penalty(d=lambda nets, batch, x_fake, keys, step: jnp.mean(x_fake, axis=1), weight=0.25)
image = Penalty(d=lambda nets, batch, x_fake, keys, step: x_fake)
few = Penalty(d=lambda nets, batch, x_fake, keys, step: x_fake[:2, 0])
packs = Penalty(d=lambda nets, batch, x_fake, keys, step: x_fake[::3, 0])
word = Penalty(d=lambda nets, batch, x_fake, keys, step: "r1", g=lambda nets, batch, x_fake, keys, step: None)
heavy = Penalty(weight="x")
plain = Dynamics(lambda field, params: field.gradients(params))
number = Dynamics(lambda field, params: 3)
half = Dynamics(lambda field, params: field.gradients(params)[0])
lost = Dynamics(lambda field, params: field.gradient(params))
unmoved = Dynamics(optimizer=lambda tx: tx.update)
"""


@pytest.fixture
def mine(tmp_path):
    """A file of the user's own."""
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


def toy(loss: Loss = losses.hinge, penalty: Penalties = (), play: Dynamics = dynamics.gradient_play):
    """A toy of an experiment."""


@dataclass(frozen=True)
class Config:
    """Flags of a dataclass."""

    loss: Loss = losses.wasserstein
    penalty: Penalties = (terms.r1(0.5), terms.gradient_penalty(10.0, penalties.one_sided))


def test_a_dataclass_may_hold_objects_and_defaults_that_were_made():
    def toy(recipe: Config = Config()):
        """A toy with a recipe."""

    assert parse(toy, [], "toy").settings == {"loss": "wasserstein", "penalty": "r1:0.5+one_sided:10.0"}
    assert parse(toy, ["--loss", "hinge"], "toy").kwargs["recipe"].loss is losses.hinge


def test_every_name_is_read_and_told():
    for names in (LOSSES, PENALTIES, DYNAMICS):
        words = [names.tell(thing) for thing in names.known()]
        for word in (word for word in words if ".py:" not in word):
            assert names.tell(names.read(word)) == word
    assert LOSSES.read("wasserstein") is losses.wasserstein
    assert LOSSES.tell(losses.wasserstein) == "wasserstein"


def test_a_number_after_the_name_is_given_to_the_maker():
    loss = LOSSES.read("smoothed:0.7")
    assert loss is LOSSES.read("smoothed:0.7") is not LOSSES.read("smoothed:0.8")
    scores = jnp.array([0.3, -2.0])
    assert jnp.array_equal(loss.d(scores, -scores), losses.smoothed(0.7).d(scores, -scores))
    assert LOSSES.tell(loss) == "smoothed:0.7"


def test_penalties_of_one_name_differ_in_their_weight_only():
    assert read_penalties("none") == ()
    [weak] = read_penalties("r1:0.1")
    strong, other = read_penalties("r1:1e+2+r2:3")
    assert (weak.weight, strong.weight, other.weight) == (0.1, 100.0, 3.0)
    assert weak._replace(weight=1.0) == strong._replace(weight=1.0)
    assert tell_penalties((strong, other)) == "r1:100.0+r2:3.0"
    with pytest.raises(BadInput, match="no word stands for this penalty"):
        tell_penalties((weak._replace(weight=lambda step: step),))


def test_a_users_file_gives_objects_and_makers(mine, monkeypatch):
    loss = LOSSES.read(f"{mine}:tempered")
    monkeypatch.chdir(mine.parent)
    assert loss is LOSSES.read("mine.py:tempered")
    assert LOSSES.tell(loss) == f"{mine}:tempered"
    assert float(LOSSES.read("mine.py:shifted:2").d(jnp.ones(1), jnp.ones(1))[0]) == 2
    [kept], [weighted] = read_penalties("mine.py:flat"), read_penalties("mine.py:flat:0.5")
    assert (kept.weight, weighted.weight) == (0.25, 0.5)
    assert tell_penalties((weighted,)) == f"{mine}:flat:0.5"
    mine.write_text(MINE.replace("shifted(0)", "shifted(1)"))
    assert LOSSES.read("mine.py:tempered") is not loss


def test_settings_keep_the_words_and_name_the_files(mine):
    argv = ["--loss", f"{mine}:tempered", "--penalty", f"r1:0.1+{mine}:flat:2", "--play", "consensus:0.5"]
    parsed = parse(toy, argv, "toy")
    assert parsed.settings == {
        "loss": f"{mine}:tempered",
        "penalty": f"r1:0.1+{mine}:flat:2.0",
        "play": "consensus:0.5",
    }
    assert parsed.files == (mine,)
    assert parse(toy, to_argv(json.loads(json.dumps(parsed.settings))), "toy") == parsed
    default = parse(toy, [], "toy")
    assert default.kwargs == {"loss": losses.hinge, "penalty": (), "play": dynamics.gradient_play}
    assert default.settings == {"loss": "hinge", "penalty": "none", "play": "gradient_play"}


MISTAKES = {
    "--loss hing": "no loss 'hing' (did you mean hinge?)",
    "--loss zzz": "no loss 'zzz': {minimax,",
    "--loss=": "no loss ''",
    "--loss": "--loss needs a value; see toy --help",
    "--loss hinge:3": "hinge:3 takes no number",
    "--loss smoothed:x": "'x' is no number",
    "--loss mine.py:temperd": "mine.py has no 'temperd' (did you mean tempered?)",
    "--loss mine.py:scale": "mine.py:scale is no loss: give a value of the type AdversarialLoss",
    "--loss mine.py:mean": "mine.py:mean: d(s_real, s_fake) of scores [B] = (4,) must return a loss for each, (4,), "
    "and returned ()",
    "--loss mine.py:raises": "mine.py:raises: g(s_real, s_fake) raised TypeError",
    "--loss mine.py:whole": "mine.py:whole: g(s_real, s_fake) of scores [B] = (4,) must return a loss for each, (4,), "
    "and returned (4,) of int32",
    "--loss mine.py:sure": "and returned (4,) of bool",
    "--loss smoothed:7.0": "smoothed(target=7.0): it must be above 0 and at most 1",
    "--loss leaves.py:x": "leaves.py cannot be loaded (SystemExit: 3): mend it",
    "--loss broken.py:x": "broken.py cannot be loaded (ZeroDivisionError: division by zero): mend it",
    "--loss nowhere.py:x": "nowhere.py cannot be read",
    "--penalty r1": "r1 needs a weight, as in r1:10",
    "--penalty r1:nan": "'nan' is no number",
    "--penalty r1+r2:1": "r1 needs a weight, as in r1:10",
    "--penalty r1:-1": "r1:-1: a negative weight would reward",
    "--penalty mine.py:flat:-1": "mine.py:flat:-1: a negative weight would reward",
    "--penalty mine.py:heavy": "mine.py:heavy: its weight must be a number or a function of the step, and is 'x'",
    "--penalty r1:1+dragn:1": "no penalty 'dragn' (did you mean dragan?)",
    "--penalty mine.py:tempered": "mine.py:tempered is no penalty: give a value of the type Penalty",
    "--play mine.py:unmoved": "mine.py:unmoved: optimizer must return an optimizer, and returned a function",
    "--play consensus": "consensus cannot be made (TypeError",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_what_is_wrong_is_told_in_a_line(line, mine, monkeypatch):
    monkeypatch.chdir(mine.parent)
    (mine.parent / "broken.py").write_text("1 / 0")
    (mine.parent / "leaves.py").write_text("raise SystemExit(3)")
    with pytest.raises(BadInput) as told:
        parse(toy, line.split(), "toy")
    assert MISTAKES[line] in str(told.value)


def test_a_users_penalty_says_where_it_comes_from_when_a_game_calls_it(mine):
    x_fake = jnp.zeros((5, 2))
    [good], [bad] = read_penalties(f"{mine}:flat"), read_penalties(f"{mine}:image:1")
    assert good.d({}, {}, x_fake, None, 0).shape == (5,)
    assert bad.g({}, {}, x_fake, jax.random.split(jax.random.key(0), 5), jnp.int32(0)) == 0
    with pytest.raises(BadInput, match=r"mine.py:image: d must return .* \(5,\), .* and returned \(5, 2\)"):
        bad.d({}, {}, x_fake, None, 0)
    with pytest.raises(BadInput, match=r"mine.py:flat: d raised IndexError"):
        good.d({}, {}, x_fake[0], None, 0)


def test_a_users_penalty_is_a_number_for_each_example_or_each_pack(mine):
    x_fake = jnp.zeros((6, 2))
    [few], [packs], [word] = (read_penalties(f"{mine}:{name}:1") for name in ("few", "packs", "word"))
    assert packs.d({}, {}, x_fake, None, 0).shape == (2,)
    with pytest.raises(BadInput, match=r"mine.py:few: d must return .* \(5,\), or one for all, and returned \(2,\)"):
        few.d({}, {}, x_fake[:5], None, 0)
    for side, term in (("d", word.d), ("g", word.g)):
        with pytest.raises(BadInput, match=f"mine.py:word: {side} raised "):
            term({}, {}, x_fake, None, 0)


def test_a_users_dynamics_say_where_they_come_from_when_a_game_follows_them(mine):
    params = {"g": {"w": jnp.ones(3)}}
    field = dynamics.Field(lambda params: (params, {"loss": jnp.ones(())}), None, None, {})
    assert DYNAMICS.read(f"{mine}:plain").follow(field, params)[0] == params
    for name in ("number", "half"):
        with pytest.raises(BadInput, match=rf"mine.py:{name}: follow\(field, params\) must return a pair shaped like"):
            DYNAMICS.read(f"{mine}:{name}").follow(field, params)
    with pytest.raises(BadInput, match=r"mine.py:lost: follow raised AttributeError"):
        DYNAMICS.read(f"{mine}:lost").follow(field, params)


def test_a_folder_may_have_a_plus_in_its_name(tmp_path):
    file = tmp_path / "c++" / "a+b" / "mine.py"
    file.parent.mkdir(parents=True)
    file.write_text(MINE)
    word = f"r1:1e+30+{file}:flat+{file}:flat:2.0+r2:3.0"
    assert [penalty.weight for penalty in read_penalties(word)] == [1e30, 0.25, 2.0, 3.0]
    assert tell_penalties(read_penalties(f"{file}:flat:2")) == f"{file}:flat:2.0"
    parsed = parse(toy, ["--loss", f"{file}:tempered", "--penalty", word], "toy")
    assert parsed.files == (file,)
