"""Registries of losses, penalties and dynamics by their words on the command line.

An experiment declares objects, `loss: Loss = losses.hinge`, and their flags take words: a name (`hinge`), a name with
numbers (`label_smoothing:0.9`, `r1:10`), or an object in a user's file (`mine.py:tempered`).
"""

import inspect
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, Generic, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gan_jax import losses, penalties
from gan_jax.config import user_code
from gan_jax.config.flags import Word, by_word
from gan_jax.engine import dynamics
from gan_jax.errors import BadInput
from gan_jax.penalties import Penalty, nothing, terms

T = TypeVar("T")

USER = re.compile(r"(?P<file>.+\.py):(?P<name>[^:]*)(?::(?P<numbers>.*))?")
"""An object in a user's file: the file, a name in it, and optional numbers."""

NUMBER = re.compile(r"[-+]?\d+")


class Registry(Generic[T]):
    """The objects of one kind by their words.

    Args:
        kind: the kind in messages, such as `loss`.
        type: the class of the objects, a named tuple with a field `name`.
        entries: objects, and functions that make one from numbers; keyed by their names.
        check: `check(word, object) -> object`, applied to an object of a user's file.
        renamed: maps earlier names to current ones.
    """

    def __init__(
        self,
        kind: str,
        type: type[T],
        entries: Sequence[T | Callable[..., T]],
        check: Callable[[str, T], T],
        renamed: Mapping[str, str] = MappingProxyType({}),
    ):
        self.kind, self.type, self._check, self._renamed = kind, type, check, renamed
        self._entries = {each.name if isinstance(each, type) else each.__name__: each for each in entries}
        self._parsed: dict[tuple[str, ModuleType | None], T] = {}

    def parse(self, word: str) -> T:
        """Returns the object of a word; equal words give the same object.

        Raises:
            BadInput: the name or file is unknown, or the numbers do not fit.
        """
        user = USER.fullmatch(word)
        file = Path(os.path.expanduser(user["file"])) if user else None
        name, _, numbers = (user["name"], "", user["numbers"] or "") if user else word.partition(":")
        known = f"{file.resolve()}:{name}" if file else self._renamed.get(name, name)
        full = f"{known}:{numbers}" if numbers else known
        key = full, (user_code.load(file) if file else None)
        if key not in self._parsed:
            entry = self._find(file, name, word)
            thing = entry if isinstance(entry, self.type) and not numbers else self._make(word, entry, numbers)
            thing = self._check(word, thing) if file else thing
            self._parsed[key] = thing if thing.name == full else thing._replace(name=full)
        return self._parsed[key]

    def name_of(self, thing: T) -> str:
        """Returns the word of an object; a user's file is named by its absolute path.

        Raises:
            BadInput: the object has no word: it has no name, or the name of a built-in object with other functions.
        """
        entry = self._entries.get(thing.name.partition(":")[0])
        altered = isinstance(entry, self.type) and _functions(entry) != _functions(thing)
        if (entry is None or altered) and not USER.fullmatch(thing.name):
            raise BadInput(f"this {self.kind} has no word: define it in a file of your own, and give FILE.py:NAME")
        return thing.name

    def __contains__(self, name: str) -> bool:
        """Whether a name is built in."""
        return self._renamed.get(name, name) in self._entries

    @property
    def metavar(self) -> str:
        """The values of the flag, as shown in its help."""
        words = [name if isinstance(t, self.type) else name + _arguments(t) for name, t in self._entries.items()]
        return f"{{{','.join(words)},FILE.py:NAME}}"

    def _find(self, file: Path | None, name: str, word: str) -> Any:
        if file:
            module = user_code.load(file)
            if not hasattr(module, name):
                raise BadInput(f"{word}: {file} has no {name!r}{_near(name, vars(module))}")
            return getattr(module, name)
        if name not in self:
            raise BadInput(
                f"unknown {self.kind} {name!r}{_near(name, self._entries) or ': choose one of ' + self.metavar}"
            )
        return self._entries[self._renamed.get(name, name)]

    def _make(self, word: str, make: Any, numbers: str) -> T:
        wanted = f"{word} is not a {self.kind}: give a value of the type {self.type.__name__}"
        if isinstance(make, self.type) or not callable(make):
            raise BadInput(f"{word} takes no number" if isinstance(make, self.type) else wanted)
        arguments = [_number(each) for each in numbers.split(":") if numbers]
        with user_code.located(word):
            thing = make(*arguments)
        if not isinstance(thing, self.type):
            raise BadInput(f"{wanted}, not a {type(thing).__name__}")
        return thing


def _functions(thing: tuple) -> list[Callable]:
    return [part for part in thing if callable(part)]


def _arguments(make: Callable) -> str:
    """Formats the numeric parameters of a function as `:A:B`."""
    numbers = [name for name, each in inspect.signature(make).parameters.items() if each.annotation is not str]
    return "".join(f":{name.upper()}" for name in numbers)


def _near(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, names, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _number(text: str) -> int | float:
    try:
        number = int(text) if NUMBER.fullmatch(text) else float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadInput(f"{text!r} is not a number")
    return number


def _check_loss(word: str, loss: losses.AdversarialLoss) -> losses.AdversarialLoss:
    """Checks that both sides of a user's loss return a float for every score."""
    scores = jax.ShapeDtypeStruct((4,), jnp.float32)
    for side in ("d", "g"):
        with user_code.located(f"{word}: {side}(s_real, s_fake)"):
            got = jax.eval_shape(getattr(loss, side), scores, scores)
        returned = f"{got.dtype}{list(got.shape)}" if isinstance(got, jax.ShapeDtypeStruct) else repr(got)
        if not re.fullmatch(r"b?float\d+\[4\]", returned):
            raise BadInput(f"{word}: {side} must return float32[4] for scores float32[4], but returned {returned}")
    return loss


def _check_penalty(word: str, penalty: Penalty) -> Penalty:
    """Checks the weight of a user's penalty, and wraps its terms in checks of the shapes they return."""

    def checked(side: str) -> Callable:
        term = getattr(penalty, side)

        def call(nets, real, fake, *others):
            with user_code.located(f"{word}: {side}"):
                value = jnp.asarray(term(nets, real, fake, *others))
            n = fake.shape[0]
            if value.ndim > 1 or not value.size or n % value.size:  # PacGAN has one score, and so one penalty, per pack
                raise BadInput(
                    f"{word}: {side} must return a penalty per example, {(n,)}, or one for all, "
                    f"but returned {value.shape}"
                )
            return value

        return term if term is nothing else call

    weight = np.asarray(0.0 if callable(penalty.weight) else penalty.weight)
    if weight.shape or weight.dtype.kind not in "fiu":
        raise BadInput(f"{word}: the weight must be a number or a function of the step, not {penalty.weight!r}")
    return penalty._replace(**{side: checked(side) for side in ("d", "g", "scores")})


def _check_dynamics(word: str, play: dynamics.Dynamics) -> dynamics.Dynamics:
    """Checks the optimizer of a user's dynamics, and wraps `follow` in a check of its result."""

    def follow(field: dynamics.Field, params: dynamics.Joint) -> tuple[dynamics.Joint, Any]:
        with user_code.located(f"{word}: follow"):
            got = play.follow(field, params)
        if jax.tree.map(np.shape, got) != jax.tree.map(np.shape, jax.eval_shape(field.gradients, params)):
            raise BadInput(f"{word}: follow(field, params) must return a pair shaped like field.gradients(params)")
        return got

    with user_code.located(f"{word}: optimizer"):
        optimizer = play.optimizer(optax.identity())
    if not isinstance(optimizer, optax.GradientTransformation):
        raise BadInput(f"{word}: optimizer must return an optimizer, but returned a {type(optimizer).__name__}")
    return play._replace(follow=follow)


LOSSES = Registry(
    "loss",
    losses.AdversarialLoss,
    (
        losses.minimax,
        losses.non_saturating,
        losses.label_smoothing,
        losses.lsgan,
        losses.least_squares,
        losses.hinge,
        losses.wasserstein,
        losses.relativistic_paired,
        *map(losses.relativistic_average, (losses.non_saturating, losses.hinge)),
        *map(losses.f_gan, (losses.kullback_leibler, losses.reverse_kullback_leibler)),
        *map(losses.f_gan, (losses.pearson, losses.squared_hellinger)),
        losses.mmd_gaussian,
        losses.mmd_rational_quadratic,
        losses.cramer,
    ),
    _check_loss,
    renamed={"smoothed": "label_smoothing", "jensen_shannon": "non_saturating"},  # the second: plus a constant
)

PENALTIES = Registry(
    "penalty",
    Penalty,
    (
        *(make(1.0) for make in (terms.r1, terms.r2, terms.gradient_penalty)),
        *(terms.gradient_penalty(1.0, deviation) for deviation in (penalties.one_sided, penalties.zero_centered)),
        *(make(1.0) for make in (terms.dragan, terms.max_gradient, terms.lecam, terms.drift, terms.orthogonal)),
        *(make(1.0) for make in (terms.cr, terms.bcr)),
    ),
    _check_penalty,
    renamed={
        "interpolated": "gradient_penalty",
        "one_sided": "gradient_penalty_one_sided",
        "zero_centred": "zero_gp",
        "max_gradient": "lgan_max_gp",
    },
)
"""Penalties of weight 1; the number in a word replaces the weight only."""

DYNAMICS = Registry(
    "dynamics",
    dynamics.Dynamics,
    (
        dynamics.gradient_play,
        dynamics.extragradient,
        dynamics.optimistic,
        dynamics.consensus,
        dynamics.symplectic,
        dynamics.competitive,
        dynamics.unrolled,
        dynamics.negative_momentum,
        dynamics.lookahead,
    ),
    _check_dynamics,
)


def parse_penalties(word: str) -> tuple[Penalty, ...]:
    """Parses `none`, or penalties with weights, `r1:0.1+r2:0.1`. A penalty from a user's file may omit the weight.

    Raises:
        BadInput: as `Registry.parse`, or a weight is missing or negative.
    """
    return () if word == "none" else tuple(map(_parse_penalty, terms_of(word, PENALTIES)))


def name_penalties(value: Iterable[Penalty]) -> str:
    """Inverts `parse_penalties`. Raises `BadInput` if there is no word, as for a weight that is a schedule."""
    return "+".join(map(_name_penalty, value)) or "none"


def terms_of(word: str, registry: Registry) -> list[str]:
    """Splits a sum at every plus, but not inside a number such as 1e+30 or the path of a user's file."""
    first, *pieces = re.split(r"\+(?=\D)", word)
    terms = [first]
    for piece in pieces:
        if ":" in terms[-1] or terms[-1] in registry:
            terms.append(piece)
        else:
            terms[-1] += f"+{piece}"
    return terms


def _parse_penalty(term: str) -> Penalty:
    user = USER.fullmatch(term)
    name, weight = (f"{user['file']}:{user['name']}", user["numbers"]) if user else term.partition(":")[::2]
    penalty = PENALTIES.parse(name)
    if user and weight is None:
        return penalty
    if not weight:
        raise BadInput(f"{term} needs a weight, as in {name}:10")
    if (number := float(_number(weight))) < 0:
        raise BadInput(f"{term}: the weight must not be negative")
    return penalty._replace(weight=number)


def _name_penalty(penalty: Penalty) -> str:
    name = PENALTIES.name_of(penalty)
    if penalty.weight is PENALTIES.parse(name).weight and not isinstance(penalty.weight, float):
        return name
    if not isinstance(penalty.weight, int | float):
        raise BadInput(f"the weight of {name} is a schedule and has no word: give a number")
    return f"{name}:{float(penalty.weight)!r}"


def _files(*terms: str) -> list[Path]:
    return [Path(os.path.expanduser(user["file"])) for user in map(USER.fullmatch, terms) if user]


def _word(registry: Registry) -> Word:
    return by_word(
        registry.metavar, registry.parse, registry.name_of, lambda value: isinstance(value, registry.type), _files
    )


def sum_of_words(registry: Registry, term: str, parse: Callable[[str], tuple], name: Callable[[tuple], str]) -> Word:
    """Builds the `Word` of a flag that takes `none` or a sum of words, each like `term` in its help."""
    return by_word(
        f"none|{term}+...",
        parse,
        name,
        lambda value: isinstance(value, tuple) and all(isinstance(each, registry.type) for each in value),
        lambda word: _files(*terms_of(word, registry)),
    )


Loss = Annotated[losses.AdversarialLoss, _word(LOSSES)]
Dynamics = Annotated[dynamics.Dynamics, _word(DYNAMICS)]
Penalties = Annotated[
    tuple[Penalty, ...],
    sum_of_words(PENALTIES, f"{PENALTIES.metavar}:WEIGHT", parse_penalties, name_penalties),
]
