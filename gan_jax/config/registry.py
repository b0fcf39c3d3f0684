"""Where a word of the command line becomes an object, and the object its word again.

An experiment holds objects; its parameters say so, `loss: Loss = losses.hinge`, and their flags take words: a name
(`hinge`), a name with numbers (`smoothed:0.9`, `r1:10`), or an object of the user's own (`mine.py:tempered`).
"""

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
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
from gan_jax.penalties import Penalty, terms

T = TypeVar("T")

USER = re.compile(r"(?P<file>.+\.py):(?P<name>[^:]*)(?::(?P<numbers>.*))?")
"""An object of the user's own: a file, a name in it, and perhaps numbers."""

NUMBER = re.compile(r"[-+]?\d+")


class Registry(Generic[T]):
    """The objects of one kind by their names.

    Args:
        kind: what they are called, such as `loss`.
        type: what they are.
        table: by its name, an object, or a function that makes one of the numbers after the name.
        guard: `guard(word, object) -> object`, what is seen to where an object is the user's own.
    """

    def __init__(
        self,
        kind: str,
        type: type[T],
        table: Mapping[str, T | Callable[..., T]],
        guard: Callable[[str, T], T] = lambda word, thing: thing,
    ):
        self.kind, self.type, self._table, self._guard = kind, type, table, guard
        self._known: dict[tuple[str, str], T] = {(name, ""): t for name, t in table.items() if isinstance(t, type)}

    def read(self, word: str) -> T:
        """The object that a word stands for, one and the same for the same word.

        Raises:
            BadInput: there is none of that name, it takes other numbers, or the user's file does not have it.
        """
        user = USER.fullmatch(word)
        file = Path(user["file"]).expanduser() if user else None
        name, _, numbers = (user["name"], "", user["numbers"] or "") if user else word.partition(":")
        told = f"{file.resolve()}:{name}" if file else name
        key = (f"{told}:{numbers}" if numbers else told), (user_code.sha(file) if file else "")
        if key not in self._known:
            entry = self._entry(file, name, word)
            thing = entry if isinstance(entry, self.type) and not numbers else self._made(word, entry, numbers)
            self._known[key] = self._guard(word, thing) if file else thing
        return self._known[key]

    def tell(self, thing: T) -> str:
        """The word that stands for an object; a user's file is named by its whole path.

        Raises:
            BadInput: no word stands for it.
        """
        for (word, _), known in self._known.items():
            if known is thing:
                return word
        raise BadInput(f"no word stands for this {self.kind}, so that no flag can say it: use one that has a name")

    def known(self) -> list[T]:
        """The objects of the table, and what else was read."""
        return list(self._known.values())

    def __contains__(self, name: str) -> bool:
        """Whether the table has that name."""
        return name in self._table

    @property
    def metavar(self) -> str:
        """What the flag takes, for its help."""
        words = [name if isinstance(t, self.type) else f"{name}:NUMBER" for name, t in self._table.items()]
        return f"{{{','.join(words)},FILE.py:NAME}}"

    def _entry(self, file: Path | None, name: str, word: str) -> Any:
        if file:
            module = user_code.load(file)
            if not hasattr(module, name):
                raise BadInput(f"{word}: {file} has no {name!r}{_near(name, vars(module))}")
            return getattr(module, name)
        if name not in self._table:
            raise BadInput(f"no {self.kind} {name!r}{_near(name, self._table) or ': ' + self.metavar}")
        return self._table[name]

    def _made(self, word: str, make: Any, numbers: str) -> T:
        wanted = f"{word} is no {self.kind}: give a value of the type {self.type.__name__}"
        if isinstance(make, self.type) or not callable(make):
            raise BadInput(f"{word} takes no number" if isinstance(make, self.type) else wanted)
        try:
            thing = make(*(_number(each) for each in numbers.split(":") if numbers))
        except Exception as error:
            raise BadInput(f"{word} cannot be made ({type(error).__name__}: {error})") from error
        if not isinstance(thing, self.type):
            raise BadInput(f"{wanted}, not a {type(thing).__name__}")
        return thing


def _near(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name, names, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _number(text: str) -> int | float:
    try:
        number = int(text) if NUMBER.fullmatch(text) else float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadInput(f"{text!r} is no number")
    return number


def _checked_loss(word: str, loss: losses.AdversarialLoss) -> losses.AdversarialLoss:
    """A user's loss, of which both sides were seen to return a number for every score."""
    scores = jax.ShapeDtypeStruct((4,), jnp.float32)
    for side, function in loss._asdict().items():
        try:
            got = jax.eval_shape(function, scores, scores)
        except Exception as error:
            raise BadInput(f"{word}: {side}(s_real, s_fake) raised {type(error).__name__}: {error}") from error
        shape, dtype = getattr(got, "shape", type(got).__name__), getattr(got, "dtype", None)
        if shape != scores.shape or not jnp.issubdtype(dtype, jnp.floating):
            raise BadInput(
                f"{word}: {side}(s_real, s_fake) of scores [B] = {scores.shape} must return a loss for each, "
                f"{scores.shape}, and returned {shape}" + (f" of {dtype}" if dtype else "")
            )
    return loss


def _guarded_penalty(word: str, penalty: Penalty) -> Penalty:
    """A user's penalty whose terms, which only a game can call, say where they come from when they fail."""

    def guarded(side: str, term: Callable) -> Callable:
        def told(nets, batch, x_fake, keys, step):
            try:
                value = jnp.asarray(term(nets, batch, x_fake, keys, step))
            except Exception as error:
                raise BadInput(f"{word}: {side} raised {type(error).__name__}: {error}") from error
            n = x_fake.shape[0]
            if value.ndim > 1 or not value.size or n % value.size:  # a score, and so a penalty, may be a pack's
                wanted = f"must return a penalty for each example, {(n,)}, or one for all"
                raise BadInput(f"{word}: {side} {wanted}, and returned {value.shape}")
            return value

        return told

    weight = np.asarray(0.0 if callable(penalty.weight) else penalty.weight)
    if weight.shape or weight.dtype.kind not in "fiu":
        raise BadInput(f"{word}: its weight must be a number or a function of the step, and is {penalty.weight!r}")
    return penalty._replace(d=guarded("d", penalty.d), g=guarded("g", penalty.g))


def _guarded_dynamics(word: str, play: dynamics.Dynamics) -> dynamics.Dynamics:
    """A user's dynamics, which say where they come from when a game follows them and they fail."""

    def follow(field: dynamics.Field, params: dynamics.Joint) -> tuple[dynamics.Joint, Any]:
        wanted = jax.eval_shape(field.gradients, params)
        try:
            got = play.follow(field, params)
        except Exception as error:
            raise BadInput(f"{word}: follow raised {type(error).__name__}: {error}") from error
        if _outline(got) != _outline(wanted):
            raise BadInput(f"{word}: follow(field, params) must return a pair shaped like field.gradients(params)")
        return got

    try:
        optimizer = play.optimizer(optax.identity())
    except Exception as error:
        raise BadInput(f"{word}: optimizer raised {type(error).__name__}: {error}") from error
    if not isinstance(optimizer, optax.GradientTransformation):
        raise BadInput(f"{word}: optimizer must return an optimizer, and returned a {type(optimizer).__name__}")
    return play._replace(follow=follow)


def _outline(tree: Any) -> tuple[jax.tree_util.PyTreeDef, list[tuple[int, ...]]]:
    """The structure and the shapes of a tree."""
    leaves, structure = jax.tree.flatten(tree)
    return structure, [np.shape(leaf) for leaf in leaves]


LOSSES = Registry(
    "loss",
    losses.AdversarialLoss,
    {
        "minimax": losses.minimax,
        "non_saturating": losses.non_saturating,
        "smoothed": losses.smoothed,
        "least_squares": losses.least_squares,
        "hinge": losses.hinge,
        "wasserstein": losses.wasserstein,
        "relativistic_paired": losses.relativistic_paired,
        "relativistic_average": losses.relativistic_average(losses.non_saturating),
        "relativistic_average_hinge": losses.relativistic_average(losses.hinge),
        "kullback_leibler": losses.f_gan(losses.kullback_leibler),
        "reverse_kullback_leibler": losses.f_gan(losses.reverse_kullback_leibler),
        "pearson": losses.f_gan(losses.pearson),
        "squared_hellinger": losses.f_gan(losses.squared_hellinger),
        "jensen_shannon": losses.f_gan(losses.jensen_shannon),
        "mmd_gaussian": losses.mmd(losses.gaussian()),
        "mmd_rational_quadratic": losses.mmd(losses.rational_quadratic()),
        "cramer": losses.cramer,
    },
    _checked_loss,
)

PENALTIES = Registry(
    "penalty",
    Penalty,
    {
        "r1": terms.r1(1.0),
        "r2": terms.r2(1.0),
        "gradient_penalty": terms.gradient_penalty(1.0),
        "one_sided": terms.gradient_penalty(1.0, penalties.one_sided),
        "zero_centered": terms.gradient_penalty(1.0, penalties.zero_centered),
        "dragan": terms.dragan(1.0),
        "max_gradient": terms.max_gradient(1.0),
        "lecam": terms.lecam(1.0),
        "orthogonal": terms.orthogonal(1.0),
    },
    _guarded_penalty,
)
"""Of weight 1: a word gives each another weight, and those of one name differ in that number only."""

DYNAMICS = Registry(
    "dynamics",
    dynamics.Dynamics,
    {
        "gradient_play": dynamics.gradient_play,
        "extragradient": dynamics.extragradient,
        "optimistic": dynamics.optimistic,
        "consensus": dynamics.consensus,
        "symplectic": dynamics.symplectic,
        "competitive": dynamics.competitive,
        "unrolled": dynamics.unrolled,
        "negative_momentum": dynamics.negative_momentum,
        "lookahead": dynamics.lookahead,
    },
    _guarded_dynamics,
)


def read_penalties(word: str) -> tuple[Penalty, ...]:
    """`none`, or penalties with their weights: `r1:0.1+r2:0.1`. A user's may keep its own weight.

    Raises:
        BadInput: as `Registry.read`, or where a weight is missing or negative.
    """
    return () if word == "none" else tuple(map(_read_penalty, _terms(word)))


def tell_penalties(value: Iterable[Penalty]) -> str:
    """The word of `read_penalties`. Raises `BadInput` where there is none, as for a weight that is a schedule."""
    return "+".join(map(_tell_penalty, value)) or "none"


def _terms(word: str) -> list[str]:
    """The terms of a sum. A plus before a digit belongs to a number, such as 1e+30, and one after half a term to the
    path of a user's file."""
    first, *pieces = re.split(r"\+(?=\D)", word)
    terms = [first]
    for piece in pieces:
        if ":" in terms[-1] or terms[-1] in PENALTIES:
            terms.append(piece)
        else:
            terms[-1] += f"+{piece}"
    return terms


def _read_penalty(term: str) -> Penalty:
    user = USER.fullmatch(term)
    name, weight = (f"{user['file']}:{user['name']}", user["numbers"]) if user else term.partition(":")[::2]
    penalty = PENALTIES.read(name)
    if user and weight is None:
        return penalty
    if not weight:
        raise BadInput(f"{term} needs a weight, as in {name}:10")
    if (number := float(_number(weight))) < 0:
        raise BadInput(f"{term}: a negative weight would reward what the penalty is against")
    return penalty._replace(weight=number)


def _tell_penalty(penalty: Penalty) -> str:
    for named in PENALTIES.known():
        if penalty is named and not isinstance(penalty.weight, float):
            return PENALTIES.tell(named)
        same = _same(penalty.d, named.d) and _same(penalty.g, named.g)
        if same and isinstance(penalty.weight, int | float):
            return f"{PENALTIES.tell(named)}:{float(penalty.weight)!r}"
    return PENALTIES.tell(penalty)


def _same(f: Callable, g: Callable) -> bool:
    """Whether two functions are of the same lines and see the same values, as those of `terms.r1` called twice."""
    (f, *seen_f), (g, *seen_g) = map(_closed, (f, g))
    return f is g and all(a is b for a, b in zip(seen_f, seen_g, strict=True))


def _closed(function: Callable) -> list:
    """A function's code, and the values that it closes over."""
    function = inspect.unwrap(function)
    cells = getattr(function, "__closure__", None) or ()
    return [getattr(function, "__code__", function), *(cell.cell_contents for cell in cells)]


def _files(*terms: str) -> list[Path]:
    return [Path(user["file"]) for user in map(USER.fullmatch, terms) if user]


def _one(names: Registry) -> Word:
    return by_word(names.metavar, names.read, names.tell, lambda value: isinstance(value, names.type), _files)


Loss = Annotated[losses.AdversarialLoss, _one(LOSSES)]
Dynamics = Annotated[dynamics.Dynamics, _one(DYNAMICS)]
Penalties = Annotated[
    tuple[Penalty, ...],
    by_word(
        f"none|{PENALTIES.metavar}:WEIGHT+...",
        read_penalties,
        tell_penalties,
        lambda value: isinstance(value, tuple) and all(isinstance(each, Penalty) for each in value),
        lambda word: _files(*_terms(word)),
    ),
]
