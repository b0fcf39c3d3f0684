"""Parses command-line flags by function signatures: parameters become flags, docstrings their help.

`parse` reads flags, a manifest keeps `Parsed.settings`, and `to_argv` turns settings back into flags.
"""

import dataclasses
import difflib
import enum
import functools
import inspect
import math
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn, get_args, get_type_hints

import tyro
from tyro import _errors as tyro_errors
from tyro.constructors import PrimitiveConstructorSpec

from gan_jax.errors import BadInput


def _number(kind: type, accepts: Callable[[Any], bool], bounds: str) -> PrimitiveConstructorSpec:
    """Makes a parser of finite numbers within bounds."""

    def read(words: list[str]) -> Any:
        value = kind(words[0])
        if not (math.isfinite(value) and accepts(value)):
            raise ValueError(f"out of bounds: {bounds}")
        return value

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=f"{kind.__name__.upper()} {bounds}",
        instance_from_str=read,
        is_instance=lambda value: isinstance(value, int | kind) and accepts(value),
        str_from_instance=lambda value: [repr(value)],
    )


PositiveInt = Annotated[int, _number(int, lambda n: n > 0, "> 0")]
NonNegativeInt = Annotated[int, _number(int, lambda n: n >= 0, ">= 0")]
PositiveFloat = Annotated[float, _number(float, lambda x: x > 0, "> 0")]
NonNegativeFloat = Annotated[float, _number(float, lambda x: x >= 0, ">= 0")]
Seed = Annotated[int, _number(int, lambda n: 0 <= n < 2**32, ">= 0 and < 2**32")]
Fraction = Annotated[float, _number(float, lambda x: 0 <= x < 1, ">= 0 and < 1")]
Share = Annotated[float, _number(float, lambda x: 0 <= x <= 1, ">= 0 and <= 1")]


@dataclasses.dataclass(frozen=True)
class Word(PrimitiveConstructorSpec):
    """Parser of an object with a name; settings keep the name. A `BadInput` of `read` reaches the user unchanged."""

    files: Callable[[str], Collection[Path]] = lambda word: ()
    """Returns the user's files that a name refers to."""


def by_word(
    metavar: str,
    read: Callable[[str], Any],
    name: Callable[[Any], str],
    fits: Callable[[Any], bool],
    files: Callable[[str], Collection[Path]],
) -> Word:
    """Builds a `Word` from a parser and its inverse: `read(name(value)) == value`."""

    def read_first(words: list[str]) -> Any:
        try:
            return read(words[0])
        except BadInput as error:
            raise _WordError from error

    return Word(1, metavar, read_first, fits, lambda value: [name(value)], files=files)


def _absolute(word: str) -> Path | None:
    return None if word == "none" else Path(os.path.abspath(os.path.expanduser(word)))


WeightsFile = Annotated[
    Path | None,
    by_word(
        "FILE|none",
        _absolute,
        lambda path: str(path or "none"),
        lambda value: value is None or isinstance(value, Path),
        lambda word: [Path(word)] if word != "none" else [],
    ),
]
"""A file with the weights of a pretrained network, whose sha256 is part of the run; a run that is only restored, to
draw samples, does not need the file."""


class _WordError(Exception):
    """Carries a `BadInput` through tyro, which replaces every `ValueError` by a message of its own."""


class Parsed(NamedTuple):
    """A parsed command line: the arguments of a function, and the settings that a manifest keeps."""

    kwargs: dict[str, Any]
    settings: dict[str, Any]
    """The value of every flag, defaults included, as JSON: paths as strings, enums and objects by name."""
    files: tuple[Path, ...] = ()
    """The user's files that the settings refer to."""


def parse(function: Callable[..., Any], argv: Sequence[str], prog: str, given: Collection[str] = ()) -> Parsed:
    """Parses `argv` as flags of `function`, without calling it. Parameters in `given` are not flags.

    The fields of a dataclass parameter become flags without a prefix. `--help` prints and exits with code 0.

    Raises:
        BadInput: a flag is unknown, missing, or has a wrong value.
    """

    @functools.wraps(function)
    def collect(**kwargs: Any) -> dict[str, Any]:
        return kwargs

    signature = inspect.signature(function)
    flags = [parameter for name, parameter in signature.parameters.items() if name not in given]
    collect.__signature__ = signature.replace(parameters=flags)
    try:
        with tyro_errors.on_parse_error(lambda error: _refuse(error, argv, prog)):
            kwargs, unknown = tyro.cli(
                collect,
                prog=prog,
                args=argv,
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.SuppressFixed),
                return_unknown_args=True,
            )
        words = _words(function, kwargs)
    except _WordError as error:
        raise error.__cause__ from error.__cause__.__cause__
    except NameError as error:  # of an annotation; errors in the user's files are `BadInput`s
        raise BadInput(
            f"an annotation of a flag of {prog} uses {error.name!r}, which is not imported when the file runs: import "
            "it outside of `if TYPE_CHECKING:`"
        ) from error
    kwargs = {name: _expanded(value) for name, value in kwargs.items()}
    settings = _flat(kwargs, words)
    if unknown:
        raise BadInput(f"{unknown_flag(unknown[0], settings)}; see {prog} --help")
    files = (file for name, word in words.items() for file in word.files(settings[name]))
    return Parsed(kwargs, settings, tuple(dict.fromkeys(files)))


def _expanded(value: Any) -> Any:
    """Replaces `~` at the start of every path by the home folder, because shells keep it in `--out=~/x`."""
    if isinstance(value, Path):
        return Path(os.path.expanduser(value))
    if type(value) is tuple:
        return tuple(map(_expanded, value))
    if not dataclasses.is_dataclass(value):
        return value
    changed = {name: _expanded(field) for name, field in _fields(value).items() if isinstance(field, Path | tuple)}
    return dataclasses.replace(value, **changed) if changed else value


def split(function: Callable[..., Any], argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Splits `argv` into the flags of `function` (and `--help`) with their values, and all other words."""
    own = {f"--{no}{name}".replace("_", "-") for name in inspect.signature(function).parameters for no in ("", "no-")}
    parts: tuple[list[str], list[str]] = ([], [])
    mine = parts[1]
    for word in argv:
        if word.startswith("-") and not word[1:2].isdigit():
            flag = word.partition("=")[0].replace("_", "-")
            mine = parts[0] if flag in own | {"--help", "-h"} else parts[1]
        mine.append(word)
    return parts


def to_argv(settings: Mapping[str, Any]) -> list[str]:
    """Inverts `parse`: `parse(function, to_argv(settings), prog).settings == settings`.

    Not supported: flags of type `bool | None`, and an optional string with the value `"None"`.
    """
    argv = []
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            argv.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, list | tuple):
            argv += [f"--{flag}", *map(_word, value)]
        else:
            argv.append(f"--{flag}={_word(value)}")  # with =, because a value may begin with a dash
    return argv


def _word(value: Any) -> str:
    """Writes a value as on a command line, floats with all digits."""
    if isinstance(value, enum.Enum):
        return value.name
    return repr(value) if isinstance(value, float) else str(value)


def _words(owner: Any, values: Mapping[str, Any]) -> dict[str, Word]:
    """Collects the `Word` parsers of a function or dataclass, and of the dataclasses among its `values`."""
    hints = get_type_hints(owner, include_extras=True)
    extras = ((name, extra) for name in values for extra in get_args(hints.get(name)))
    found = {name: extra for name, extra in extras if isinstance(extra, Word)}
    for value in filter(dataclasses.is_dataclass, values.values()):
        found |= _words(type(value), _fields(value))
    return found


def _flat(kwargs: Mapping[str, Any], words: Mapping[str, Word]) -> dict[str, Any]:
    """Converts arguments to settings: dataclasses flattened into their fields, values to JSON."""
    settings = {}
    for name, value in kwargs.items():
        if dataclasses.is_dataclass(value):
            settings |= _flat(_fields(value), words)
        elif not callable(value):  # a function is fixed by the row of a table, and is not a flag
            settings[name] = words[name].str_from_instance(value)[0] if name in words else _json(value)
    return settings


def _fields(value: Any) -> dict[str, Any]:
    """Returns the fields of a dataclass; unlike `asdict`, without copying their values."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.name if isinstance(value, enum.Enum) else value


def unknown_flag(word: str, settings: Mapping[str, Any]) -> str:
    """Error message for an unknown flag, with the closest known one."""
    if not word.startswith("-"):
        return f"unexpected argument {word!r}"
    flag = word.split("=")[0].replace("_", "-")
    flags = [f"--{name}".replace("_", "-") for name in settings]
    flags += [f"--no-{name}".replace("_", "-") for name, value in settings.items() if isinstance(value, bool)]
    near = difflib.get_close_matches(flag, flags, n=1)
    return f"unknown flag {flag}" + (f" (did you mean {near[0]}?)" if near else "")


def _refuse(error: tyro_errors.ParseErrorEvent, argv: Sequence[str], prog: str) -> NoReturn:
    """Raises a parse error of tyro as a `BadInput` of one line."""
    raise BadInput(f"{_reason(error, argv)}; see {prog} --help") from None


def _reason(error: tyro_errors.ParseErrorEvent, argv: Sequence[str]) -> str:
    """Describes a parse error; the messages of tyro show its inner types."""
    if isinstance(error, tyro_errors.MissingArgs):
        return f"{' '.join(_name(each.arg) for each in error.missing_arguments)} must be given"
    argument = getattr(error, "argument", None)
    if argument is None:
        return "the flags cannot be read"
    flag = _name(argument)
    if isinstance(error, tyro_errors.InvalidChoice):
        return f"{flag} cannot be {error.value!r}; choose one of {', '.join(error.choices)}"
    given = _given(flag, argv)
    return f"{flag} cannot be {given}; it takes {argument.lowered.metavar}" if given else f"{flag} needs a value"


def _name(argument: Any) -> str:
    """Returns the flag of an argument, or the metavar of a positional one."""
    return argument.lowered.metavar if argument.is_positional() else argument.lowered.name_or_flags[0]


def _given(flag: str, argv: Sequence[str]) -> str:
    """Quotes the values given to a flag; empty if there are none."""
    given: list[str] = []
    reading = False
    for word in argv:
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            reading = name.replace("_", "-") == flag
            given = ([value] if equals else []) if reading else given
        elif reading:
            given.append(word)
    return " ".join(map(repr, given))
