"""Command lines from signatures: a function's parameters are its flags, and its docstring is their help.

`parse` reads flags, `Parsed.settings` is what a manifest keeps of them, and `to_argv` turns a manifest back into flags.
"""

import contextlib
import dataclasses
import difflib
import enum
import functools
import inspect
import io
import math
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from gan_jax.errors import BadInput


def _number(kind: type, accepts: Callable[[Any], bool], bounds: str) -> PrimitiveConstructorSpec:
    """How tyro reads a number that must lie within bounds."""

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


@dataclasses.dataclass(frozen=True)
class Word(PrimitiveConstructorSpec):
    """How tyro reads an object that a word stands for; the word is also what settings keep of the object.

    The word's own `BadInput` is what the user is told.
    """

    files: Callable[[str], Collection[Path]] = lambda word: ()
    """The user's files that a word names."""


def by_word(
    metavar: str,
    read: Callable[[str], Any],
    tell: Callable[[Any], str],
    fits: Callable[[Any], bool],
    files: Callable[[str], Collection[Path]],
) -> Word:
    """A `Word` of the functions that read one and tell it back, `read(tell(value)) == value`."""

    def told(words: list[str]) -> Any:
        try:
            return read(words[0])
        except BadInput as error:
            raise _Told(str(error)) from error

    return Word(1, metavar, told, fits, lambda value: [tell(value)], files=files)


class _Told(Exception):
    """A `BadInput` on its way through tyro, which makes a box of every `ValueError`."""


class Parsed(NamedTuple):
    """The arguments that a command line gives a function."""

    kwargs: dict[str, Any]
    settings: dict[str, Any]
    """The value of every flag, given or not, as JSON can hold it: a path as a string, an enum as its member's name, an
    object as its word."""
    files: tuple[Path, ...] = ()
    """The user's files that the settings name."""


def parse(function: Callable[..., Any], argv: Sequence[str], prog: str, given: Collection[str] = ()) -> Parsed:
    """Reads `argv` as flags of `function`, which is not called; the parameters `given` are the caller's, and no flags.

    A parameter whose type is a dataclass gives its fields as flags without a prefix. `--help` prints and exits with
    code 0. Whatever else is wrong raises `BadInput` in one line.
    """

    @functools.wraps(function)
    def collect(**kwargs: Any) -> dict[str, Any]:
        return kwargs

    signature = inspect.signature(function)
    flags = [parameter for name, parameter in signature.parameters.items() if name not in given]
    collect.__signature__ = signature.replace(parameters=flags)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            kwargs, unknown = tyro.cli(
                collect, prog=prog, args=argv, config=(tyro.conf.OmitArgPrefixes,), return_unknown_args=True
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise BadInput(f"{_reason(complaint.getvalue(), argv)}; see {prog} --help") from None
    except _Told as error:
        raise BadInput(str(error)) from error.__cause__
    words = _words(function, kwargs)
    settings = _flat(kwargs, words)
    if unknown:
        raise BadInput(f"{unknown_flag(unknown[0], settings)}; see {prog} --help")
    files = (file for name, word in words.items() for file in word.files(settings[name]))
    return Parsed(kwargs, settings, tuple(dict.fromkeys(files)))


def split(function: Callable[..., Any], argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """`argv` in two: the flags of `function` with their values and `--help`, and the others with theirs."""
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
    """The flags that say `settings`: `parse(function, to_argv(settings), prog).settings == settings`.

    Two kinds of flag cannot be told back: `bool | None`, and an optional string that is the word `None`.
    """
    argv = []
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            argv.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, list | tuple):
            argv += [f"--{flag}", *map(_word, value)]
        else:
            argv.append(f"--{flag}={_word(value)}")  # with =, for a value may begin with a dash
    return argv


def _word(value: Any) -> str:
    """One value as it is written on a command line; floats in full."""
    if isinstance(value, enum.Enum):
        return value.name
    return repr(value) if isinstance(value, float) else str(value)


def _words(owner: Any, values: Mapping[str, Any]) -> dict[str, Word]:
    """The flags that are told by a word, of a function or a dataclass and of the dataclasses among its `values`."""
    hints = get_type_hints(owner, include_extras=True)
    told = ((name, extra) for name in values for extra in get_args(hints.get(name)))
    found = {name: extra for name, extra in told if isinstance(extra, Word)}
    for value in filter(dataclasses.is_dataclass, values.values()):
        found |= _words(type(value), _fields(value))
    return found


def _flat(kwargs: Mapping[str, Any], words: Mapping[str, Word]) -> dict[str, Any]:
    """Arguments as settings: the fields of dataclasses beside the others, and all values as JSON can hold them."""
    settings = {}
    for name, value in kwargs.items():
        if dataclasses.is_dataclass(value):
            settings |= _flat(_fields(value), words)
        else:
            settings[name] = words[name].str_from_instance(value)[0] if name in words else _json(value)
    return settings


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, as they are."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.name if isinstance(value, enum.Enum) else value


def unknown_flag(word: str, settings: Mapping[str, Any]) -> str:
    """What to say of a word that is no flag, or of a flag that is not among `settings`."""
    if not word.startswith("-"):
        return f"unexpected argument {word!r}"
    flag = word.split("=")[0].replace("_", "-")
    flags = [f"--{name}".replace("_", "-") for name in settings]
    flags += [f"--no-{name}".replace("_", "-") for name, value in settings.items() if isinstance(value, bool)]
    near = difflib.get_close_matches(flag, flags, n=1)
    return f"unknown flag {flag}" + (f" (did you mean {near[0]}?)" if near else "")


def _reason(box: str, argv: Sequence[str]) -> str:
    """What tyro says in a box of several lines, in one.

    The box is a title, a rule, and parts with rules between them: what is wrong, the help of that flag, where to find
    more. The words are tyro's; only where they would show its inner types are they replaced.
    """
    lines = [line.strip("│╭╮╰╯─ ") for line in box.splitlines()]
    title, *body = lines or [""]
    parts = " ".join(line or "\n" for line in body).split("\n")
    wrong = " ".join(parts[0].split())
    flag = re.match(r"(?:Error parsing|Missing value for argument)\W*(--[\w-]+)", wrong)
    if title == "Required options":
        missing = [line.split()[0] for line in body if line.startswith("--") or line.isupper()]
        return f"{' '.join(missing)} must be given"
    if flag and not _given(flag[1], argv):
        return f"{flag[1]} needs a value"
    usage = [line for line in body if flag and line.startswith(f"{flag[1]} ")]
    if flag and usage:
        takes = usage[-1].removeprefix(flag[1]).strip()
        return f"{flag[1]} cannot be {_given(flag[1], argv)}; it takes {takes}"
    return wrong.rstrip(".") or "the flags cannot be read"


def _given(flag: str, argv: Sequence[str]) -> str:
    """The words that follow a flag."""
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
