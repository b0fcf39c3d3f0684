"""Registry words map to objects and back; errors in user code name file, line and source."""

import json
import sys
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import pytest

from gan_jax import BadInput, losses, penalties
from gan_jax.config.augmentations import AUGMENTATIONS
from gan_jax.config.flags import parse, to_argv
from gan_jax.config.registry import (
    DYNAMICS,
    LOSSES,
    PENALTIES,
    Dynamics,
    Loss,
    Penalties,
    name_penalties,
    parse_penalties,
)
from gan_jax.config.user_code import UserCodeError, locate
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

tempered = smoothed = shifted(0)
mean = AdversarialLoss(d=lambda s_real, s_fake: jnp.mean(s_fake - s_real), g=lambda s_real, s_fake: -s_fake)
few = AdversarialLoss(d=lambda s: s, g=lambda s: s)
whole = tempered._replace(g=lambda s_real, s_fake: jnp.round(s_fake).astype(int))
sure = tempered._replace(d=lambda s_real, s_fake: s_real > s_fake)
flat = Penalty(d=lambda nets, batch, x_fake, keys, step: jnp.mean(x_fake, axis=1), weight=0.25)
image = Penalty(d=lambda nets, batch, x_fake, keys, step: x_fake)
few_terms = Penalty(d=lambda nets, batch, x_fake, keys, step: x_fake[:2, 0])
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
    """Writes a user's file with losses, penalties and dynamics, valid and invalid."""
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


def toy(loss: Loss = losses.hinge, penalty: Penalties = (), play: Dynamics = dynamics.gradient_play):
    """A toy experiment."""


@dataclass(frozen=True)
class Config:
    """A dataclass of flags."""

    loss: Loss = losses.wasserstein
    penalty: Penalties = (terms.r1(0.5), terms.gradient_penalty(10.0, penalties.one_sided))


def test_dataclass_defaults_may_be_loss_and_penalty_objects():
    def toy(recipe: Config = Config()):
        """A toy with a recipe."""

    assert parse(toy, [], "toy").settings == {
        "loss": "wasserstein",
        "penalty": "r1:0.5+gradient_penalty_one_sided:10.0",
    }
    assert parse(toy, ["--loss", "hinge"], "toy").kwargs["recipe"].loss is losses.hinge


NUMBERS = {"label_smoothing": ":0.7", "lsgan": ":-1:1:0", "consensus": ":0.5", "competitive": ":0.1", "unrolled": ":2"}


@pytest.mark.parametrize("registry", [LOSSES, PENALTIES, AUGMENTATIONS, DYNAMICS], ids=lambda registry: registry.kind)
def test_every_word_of_the_help_round_trips_through_its_object(registry):
    for usage in registry.metavar.strip("{}").removesuffix(",FILE.py:NAME").split(","):
        name = usage.partition(":")[0]
        word = name + NUMBERS.get(name, "")
        assert registry.parse(word) is registry.parse(word)
        assert registry.name_of(registry.parse(word)) == word
    assert LOSSES.parse("wasserstein") is losses.wasserstein


def test_help_shows_the_arguments_of_a_word():
    assert "label_smoothing:TARGET,lsgan:A:B:C,least_squares" in LOSSES.metavar
    assert "consensus:WEIGHT" in DYNAMICS.metavar and "unrolled:STEPS" in DYNAMICS.metavar


def test_numbers_after_a_name_are_arguments():
    loss, scores = LOSSES.parse("label_smoothing:0.7"), jnp.array([0.3, -2.0])
    assert loss is not LOSSES.parse("label_smoothing:0.8")
    assert jnp.array_equal(loss.d(scores, -scores), losses.label_smoothing(0.7).d(scores, -scores))
    assert jnp.array_equal(LOSSES.parse("lsgan:0:1:1").d(scores, -scores), losses.least_squares.d(scores, -scores))


def test_objects_made_in_python_have_parsable_names():
    assert LOSSES.name_of(losses.label_smoothing(0.9)) == "label_smoothing:0.9"
    assert LOSSES.name_of(losses.lsgan(0, 1, 1)) == "lsgan:0:1:1"
    assert LOSSES.parse(LOSSES.name_of(losses.relativistic_average(losses.hinge))).d
    assert DYNAMICS.name_of(dynamics.consensus(0.5)) == "consensus:0.5"
    made = terms.r1(2.0), terms.gradient_penalty(10.0), terms.gradient_penalty(1.0, penalties.zero_centered)
    assert name_penalties(made) == "r1:2.0+gradient_penalty:10.0+zero_gp:1.0"
    assert parse_penalties(name_penalties(made)) == made


@pytest.mark.parametrize(
    "loss",
    [
        losses.hinge._replace(g=losses.minimax.g),
        losses.top_k(losses.hinge, 0.5),
        losses.relativistic_average(losses.wasserstein),
        losses.f_gan(losses.gan_divergence),
        losses.AdversarialLoss(losses.hinge.d, losses.hinge.g),
    ],
)
def test_naming_a_loss_outside_the_registry_is_refused(loss):
    with pytest.raises(BadInput, match="this loss has no word"):
        LOSSES.name_of(loss)


def test_naming_a_penalty_outside_the_registry_is_refused():
    others = terms.lecam(1.0, decay=0.5), terms.gradient_penalty(1.0, abs), terms.r1(1.0)._replace(g=print)
    for penalty in others:
        with pytest.raises(BadInput, match="this penalty has no word"):
            name_penalties((penalty,))
    with pytest.raises(BadInput, match="the weight of r1 is a schedule"):
        name_penalties((terms.r1(jnp.ones(())),))


def test_words_of_earlier_releases_still_parse():
    assert LOSSES.parse("smoothed:0.7") is LOSSES.parse("label_smoothing:0.7")
    assert LOSSES.parse("smoothed").name == "label_smoothing"
    old = "interpolated:10+one_sided:1+zero_centred:2+max_gradient:3"
    new = "gradient_penalty:10.0+gradient_penalty_one_sided:1.0+zero_gp:2.0+lgan_max_gp:3.0"
    assert parse_penalties(old) == parse_penalties(new)
    assert name_penalties(parse_penalties(old)) == new
    with pytest.raises(BadInput, match="one_sided needs a weight"):
        parse_penalties("one_sided+r1:1")


def test_penalties_of_one_name_differ_only_in_weight():
    assert parse_penalties("none") == ()
    [weak] = parse_penalties("r1:0.1")
    strong, other = parse_penalties("r1:1e+2+r2:3")
    assert (weak.weight, strong.weight, other.weight) == (0.1, 100.0, 3.0)
    assert weak._replace(weight=1.0) == strong._replace(weight=1.0)
    assert name_penalties((strong, other)) == "r1:100.0+r2:3.0"
    with pytest.raises(BadInput, match="this penalty has no word"):
        name_penalties((weak._replace(weight=lambda step: step),))


def test_words_may_name_objects_and_factories_in_a_user_file(mine, monkeypatch):
    loss = LOSSES.parse(f"{mine}:tempered")
    monkeypatch.chdir(mine.parent)
    assert loss is LOSSES.parse("mine.py:tempered")
    assert LOSSES.name_of(loss) == f"{mine}:tempered"
    assert LOSSES.parse("mine.py:smoothed").name == f"{mine}:smoothed"  # also an old name of a built-in loss
    assert float(LOSSES.parse("mine.py:shifted:2").d(jnp.ones(1), jnp.ones(1))[0]) == 2
    [kept], [weighted] = parse_penalties("mine.py:flat"), parse_penalties("mine.py:flat:0.5")
    assert (kept.weight, weighted.weight) == (0.25, 0.5)
    assert name_penalties((weighted,)) == f"{mine}:flat:0.5"
    mine.write_text(MINE.replace("shifted(0)", "shifted(1)"))
    assert LOSSES.parse("mine.py:tempered") is not loss


def test_settings_hold_the_words_and_parsing_reports_the_user_files(mine):
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
    "--loss hing": "unknown loss 'hing' (did you mean hinge?)",
    "--loss zzz": "unknown loss 'zzz': choose one of {minimax,",
    "--loss=": "unknown loss ''",
    "--loss": "--loss needs a value; see toy --help",
    "--loss hinge:3": "hinge:3 takes no number",
    "--loss label_smoothing:x": "'x' is not a number",
    "--loss mine.py:temperd": "mine.py has no 'temperd' (did you mean tempered?)",
    "--loss mine.py:scale": "mine.py:scale is not a loss: give a value of the type AdversarialLoss",
    "--loss mine.py:mean": "mine.py:mean: d must return float32[4] for scores float32[4], but returned float32[]",
    "--loss mine.py:whole": "mine.py:whole: g must return float32[4] for scores float32[4], but returned int32[4]",
    "--loss mine.py:sure": "but returned bool[4]",
    "--loss mine.py:shifted": "mine.py:shifted raised TypeError: shifted() missing 1 required",
    "--loss mine.py:few": "mine.py:few: d(s_real, s_fake) raised TypeError",
    "--loss label_smoothing:7.0": "label_smoothing(target=7.0): it must be above 0 and at most 1",
    "--loss nowhere.py:x": "nowhere.py cannot be read",
    "--penalty r1": "r1 needs a weight, as in r1:10",
    "--penalty r1:nan": "'nan' is not a number",
    "--penalty r1+r2:1": "r1 needs a weight, as in r1:10",
    "--penalty r1:-1": "r1:-1: the weight must not be negative",
    "--penalty mine.py:flat:-1": "mine.py:flat:-1: the weight must not be negative",
    "--penalty mine.py:heavy": "mine.py:heavy: the weight must be a number or a function of the step, not 'x'",
    "--penalty r1:1+dragn:1": "unknown penalty 'dragn' (did you mean dragan?)",
    "--penalty mine.py:tempered": "mine.py:tempered is not a penalty: give a value of the type Penalty",
    "--play mine.py:unmoved": "mine.py:unmoved: optimizer must return an optimizer, but returned a function",
    "--play consensus": "consensus raised TypeError",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_wrong_words_give_one_line_errors(line, mine, monkeypatch):
    monkeypatch.chdir(mine.parent)
    with pytest.raises(BadInput) as raised:
        parse(toy, line.split(), "toy")
    assert MISTAKES[line] in str(raised.value) and len(str(raised.value).splitlines()) == 1


BROKEN = {
    "1 / 0": "broken.py:1: ZeroDivisionError: division by zero\n    1 / 0",
    "x = 1\nraise SystemExit(3)": "broken.py:2: SystemExit: 3\n    raise SystemExit(3)",
    "\ndef x(:": "broken.py:2: SyntaxError: invalid syntax (broken.py, line 2)\n    def x(:",
    "from gan_jax import losses\nx = losses.label_smoothing(7)": "broken.py:2: BadInput: label_smoothing(target=7): it "
    "must be above 0 and at most 1\n    x = losses.label_smoothing(7)",
    "import a_neighbor\nx = a_neighbor.loss()": "a_neighbor.py:2: in loss: ValueError: no loss today\n    "
    "raise ValueError('no loss today')",
    "from gan_jax.losses import AdversarialLoss\ndef d(s_real, s_fake):\n    return s_real if s_real > 0 else s_fake\n"
    "x = AdversarialLoss(d, d)": "broken.py:3: in d: ValueError: The truth value of an array",
}


@pytest.mark.parametrize("text", BROKEN)
def test_exception_in_a_user_file_is_shown_with_line_and_source(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "a_neighbor", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken.py").write_text(text)
    (tmp_path / "a_neighbor.py").write_text("def loss():\n    raise ValueError('no loss today')")
    with pytest.raises(UserCodeError) as raised:
        parse(toy, ["--loss", "broken.py:x"], "toy")
    assert str(raised.value).startswith(BROKEN[text])
    assert str(raised.value).splitlines()[1].strip() in (text + (tmp_path / "a_neighbor.py").read_text())


def test_exception_outside_user_files_has_no_location():
    with pytest.raises(ZeroDivisionError) as raised:
        1 / 0  # noqa: B018
    assert locate(raised.value) is None


def test_outputs_of_user_penalties_are_checked(mine):
    x_fake = jnp.zeros((6, 2))
    words = ("flat", "image:1", "few_terms:1", "packs:1", "word:1")
    [flat], [image], [few], [packs], [word] = (parse_penalties(f"{mine}:{each}") for each in words)
    assert flat.d({}, {}, x_fake, None, 0).shape == (6,)
    assert packs.d({}, {}, x_fake, None, 0).shape == (2,)
    assert image.g({}, {}, x_fake, jax.random.split(jax.random.key(0), 6), jnp.int32(0)) == 0
    with pytest.raises(BadInput, match=r"mine.py:image: d must return .* \(6,\), .* but returned \(6, 2\)"):
        image.d({}, {}, x_fake, None, 0)
    with pytest.raises(BadInput, match=r"mine.py:few_terms: d must return .* \(5,\), or one for all, .* \(2,\)"):
        few.d({}, {}, x_fake[:5], None, 0)
    for side, term in (("d", word.d), ("g", word.g)):
        with pytest.raises(BadInput, match=f"mine.py:word: {side} raised "):
            term({}, {}, x_fake, None, 0)
    with pytest.raises(UserCodeError, match=r"mine.py:\d+: in <lambda>: .*\n    flat = Penalty\(d="):
        flat.d({}, {}, x_fake[0], None, 0)


def test_outputs_of_user_dynamics_are_checked(mine):
    params = {"g": {"w": jnp.ones(3)}}
    field = dynamics.Field(lambda params: (params, {"loss": jnp.ones(())}), None, None, {})
    assert DYNAMICS.parse(f"{mine}:plain").follow(field, params)[0] == params
    for name in ("number", "half"):
        with pytest.raises(BadInput, match=rf"mine.py:{name}: follow\(field, params\) must return a pair shaped like"):
            DYNAMICS.parse(f"{mine}:{name}").follow(field, params)
    with pytest.raises(UserCodeError, match=r"in <lambda>: AttributeError: .*\n    lost = Dynamics\("):
        DYNAMICS.parse(f"{mine}:lost").follow(field, params)


def test_paths_in_words_may_contain_a_plus(tmp_path):
    file = tmp_path / "c++" / "a+b" / "mine.py"
    file.parent.mkdir(parents=True)
    file.write_text(MINE)
    word = f"r1:1e+30+{file}:flat+{file}:flat:2.0+r2:3.0"
    assert [penalty.weight for penalty in parse_penalties(word)] == [1e30, 0.25, 2.0, 3.0]
    assert name_penalties(parse_penalties(f"{file}:flat:2")) == f"{file}:flat:2.0"
    parsed = parse(toy, ["--loss", f"{file}:tempered", "--penalty", word], "toy")
    assert parsed.files == (file,)
