"""The `gan-jax` command.

Exit codes: 0 success; 1 a run was not reproduced; 2 bad input (one line) or an error in the user's own code (its place
and source line); 3 a loss, a gradient or the parameters are not finite; 130 or 143 stopped by a signal, after saving.
"""

import gc
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from gan_jax.cli import compilation_cache, output
from gan_jax.config.discovery import listing
from gan_jax.config.flags import parse
from gan_jax.config.user_code import locate
from gan_jax.errors import BadInput
from gan_jax.monitoring.finite import NonFinite

USAGE = """usage: gan-jax COMMAND ...

  list                        list the experiments
  train EXPERIMENT            train an experiment, or resume its run
  sweep EXPERIMENT --vary loss=hinge,wasserstein --seeds 10
                              train a grid of settings with several seeds each, and tabulate the scores
  sample RUN                  draw samples from a trained run
  directions RUN              find directions in which its samples change
  edit RUN --direction NAME   move samples, or given images, along a direction
  inspect RUN                 draw what the networks look at
  evaluate RUN|IMAGES [REFERENCE] --metrics fid,prdc
                              compute metrics of a run, or of images, against real images
  compare RUN RUN ...         tabulate the scores of evaluated runs, or of result files of evaluate
  reproduce RUN               train a run again from its manifest, and compare it bit for bit

EXPERIMENT is a name that `list` shows, or a file. RUN is the folder of a run. All flags of a command:
gan-jax COMMAND --help, and gan-jax train EXPERIMENT --help for those of an experiment.

Compiled programs are kept in ~/.cache/gan_jax/xla (GAN_JAX_CACHE, JAX_COMPILATION_CACHE_DIR);
JAX_ENABLE_COMPILATION_CACHE=false turns that off."""


_BACKENDS = os.path.join("jax", "_src", "xla_bridge.py")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs a command line (by default the process's own) and exits with its code."""
    _hush_writers()
    output.make_printable()
    compilation_cache.enable()
    gc.freeze()  # passes of the garbage collector skip what was imported,
    gc.set_threshold(50_000)  # and are fewer: tracing makes many objects that stay
    with output.ends_with_its_reader():
        sys.exit(_code(list(sys.argv[1:] if argv is None else argv)))


def _code(argv: list[str]) -> int:
    """Runs a command line; returns the exit code, after a message for every error that the user can fix."""
    try:
        try:
            return _run(argv)
        finally:
            output.flush()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        raise
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        print(f"gan-jax: {message}", file=sys.stderr)
        return 3 if isinstance(error, NonFinite) else 2


def _message(error: Exception) -> str | None:
    """Returns the message of an error that the user can fix, on one line unless their own code raised it; else None."""
    if lacking := _lacking_device(error):
        return lacking
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'} cannot be used ({error.strerror or error}): choose another place"
    if isinstance(error, BadInput | NonFinite):
        return str(error)
    if located := locate(error):
        return str(located)
    return None


def _lacking_device(error: BaseException | None) -> str | None:
    """Describes that JAX has none of the devices it was told to use, whatever code asked for them first."""
    seen: list[BaseException] = []
    while error and error not in seen:  # an error that is raised again from its own context is a circle
        seen.append(error)
        frames = traceback.extract_tb(error.__traceback__)
        if isinstance(error, RuntimeError | AssertionError) and frames and frames[-1].filename.endswith(_BACKENDS):
            why = f" ({str(error).splitlines()[0]})" if str(error) else ""
            asked = os.environ.get("JAX_PLATFORMS", "")
            return f"JAX finds no device for JAX_PLATFORMS={asked}{why}: unset it, or install JAX for that device"
        error = error.__cause__ or error.__context__
    return None


def _hush_writers() -> None:
    """Suppresses the tracebacks of Orbax's writers after a disk is full, which would bury the one-line error.

    Every writer reports "Event loop is closed".
    """
    report = sys.unraisablehook
    if getattr(report, "hushes_writers", False):
        return

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        if str(unraisable.exc_value) != "Event loop is closed":
            report(unraisable)

    hook.hushes_writers = True
    sys.unraisablehook = hook


def _run(argv: list[str]) -> int:
    match argv:
        case [] | ["--help" | "-h", *_]:
            print(USAGE)
        case ["list"]:
            print(listing())
        case ["list", "--help" | "-h"]:
            print("usage: gan-jax list\n\nLists the experiments in experiments/.")
        case ["list", word, *_]:
            raise BadInput(f"unexpected argument {word!r}: write gan-jax list")
        case [command, *words] if command in COMMANDS:
            return COMMANDS[command](words) or 0
        case [command, *_]:
            commands = "list, train, sweep, sample, directions, edit, inspect, evaluate, compare, reproduce"
            raise BadInput(f"unknown command {command!r}: choose one of {commands}; see gan-jax --help")
    return 0


# Every command imports its own modules, so that none waits for the libraries of another.


def _train(words: list[str]) -> int | None:
    match words:
        case ["--help" | "-h", *_]:
            print(f"usage: gan-jax train EXPERIMENT [flags]\n\n{listing()}")
            return None
        case [str(name), *flags] if not name.startswith("-"):
            from gan_jax.cli.train import train_experiment

            return train_experiment(name, flags)
    raise BadInput("no experiment given: `gan-jax list` shows them")


def _sweep(words: list[str]) -> int | None:
    from gan_jax.cli.sweep import Options, run_sweep

    match words:
        case ["--help" | "-h", *_]:
            parse(Options, ["--help"], "gan-jax sweep EXPERIMENT")
        case [str(name), *flags] if not name.startswith("-"):
            return run_sweep(name, flags)
    raise BadInput("no experiment given: write gan-jax sweep EXPERIMENT --vary loss=hinge,wasserstein --seeds 10")


def _compare(words: list[str]) -> int | None:
    from gan_jax.cli.scores import compare_results, is_result

    match words:
        case [str(name), *_] if is_result(name) or name in ("--help", "-h"):
            return compare_results(**parse(compare_results, words, "gan-jax compare").kwargs)
        case [str(name), *_] if not name.startswith("-"):
            return _sweep(words)  # its old name
    raise BadInput("no runs given: write gan-jax compare RUN RUN")


def _sample(flags: list[str]) -> None:
    from gan_jax.cli.sample import sample

    sample(**parse(sample, flags, "gan-jax sample").kwargs)


def _directions(flags: list[str]) -> None:
    from gan_jax.cli.directions import directions

    directions(**parse(directions, flags, "gan-jax directions").kwargs)


def _edit(flags: list[str]) -> None:
    from gan_jax.cli.edit import edit

    edit(**parse(edit, flags, "gan-jax edit").kwargs)


def _inspect(flags: list[str]) -> None:
    from gan_jax.cli.inspect import inspect

    inspect(**parse(inspect, flags, "gan-jax inspect").kwargs)


def _reproduce(flags: list[str]) -> int:
    from gan_jax.training.reproduce import reproduce

    return reproduce(**parse(reproduce, flags, "gan-jax reproduce").kwargs)


def _evaluate(flags: list[str]) -> None:
    from gan_jax.cli.evaluate import evaluate

    evaluate(**parse(evaluate, flags, "gan-jax evaluate").kwargs)


COMMANDS = {
    "train": _train,
    "sweep": _sweep,
    "compare": _compare,
    "sample": _sample,
    "directions": _directions,
    "edit": _edit,
    "inspect": _inspect,
    "reproduce": _reproduce,
    "evaluate": _evaluate,
}
