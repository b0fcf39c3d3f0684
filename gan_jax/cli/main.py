"""The `gan-jax` command.

Exit codes: 0 success; 1 a run was not reproduced; 2 bad input (one line) or an error in the user's own code (its place
and source line); 3 a loss, gradient or update is not finite; 130 or 143 stopped by a signal, after saving.
"""

import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from gan_jax.cli import compilation_cache
from gan_jax.cli.evaluate import evaluate
from gan_jax.cli.sample import sample
from gan_jax.cli.scores import compare_results, is_result
from gan_jax.cli.sweep import Options, run_sweep
from gan_jax.cli.train import train_experiment
from gan_jax.config.discovery import listing
from gan_jax.config.flags import parse
from gan_jax.config.user_code import UserCodeError, locate
from gan_jax.errors import BadInput
from gan_jax.monitoring.finite import NonFinite
from gan_jax.training.reproduce import reproduce

USAGE = """usage: gan-jax COMMAND ...

  list                        list the experiments
  train EXPERIMENT            train an experiment, or resume its run
  sweep EXPERIMENT --vary loss=hinge,wasserstein --seeds 10
                              train a grid of settings with several seeds each, and tabulate the scores
  sample RUN                  draw samples from a trained run
  evaluate RUN|IMAGES [REFERENCE] --metrics fid,prdc
                              compute metrics of a run, or of images, against real images
  compare RUN RUN ...         tabulate the scores of evaluated runs, or of result files of evaluate
  reproduce RUN               train a run again from its manifest, and compare it bit for bit

EXPERIMENT is a name that `list` shows, or a file. RUN is the folder of a run. All flags of a command:
gan-jax COMMAND --help, and gan-jax train EXPERIMENT --help for those of an experiment.

Compiled programs are kept in ~/.cache/gan_jax/xla (GAN_JAX_CACHE, JAX_COMPILATION_CACHE_DIR);
JAX_ENABLE_COMPILATION_CACHE=false turns that off."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs a command line (by default the process's own) and exits with its code."""
    _hush_writers()
    compilation_cache.enable()
    try:
        sys.exit(_run(list(sys.argv[1:] if argv is None else argv)))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        message = _message(error)
        if message is None:
            raise
        code = 3 if isinstance(error, NonFinite) else 2
    print(f"gan-jax: {message}", file=sys.stderr)
    sys.exit(code)


def _message(error: Exception) -> str | None:
    """The message of an error that the user can fix, on one line unless their own code raised it; else None."""
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'} cannot be used ({error.strerror or error}): choose another place"
    if isinstance(error, BadInput | NonFinite) and not isinstance(error, UserCodeError):
        return " ".join(str(error).split())
    if located := locate(error):
        return str(located)
    return None


def _hush_writers() -> None:
    """Suppresses the tracebacks of Orbax's writers after a disk is full, which would bury the one-line error.

    Each of them reports that its event loop is closed.
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
        case ["train", "--help" | "-h"]:
            print(f"usage: gan-jax train EXPERIMENT [flags]\n\n{listing()}")
        case ["train", str(name), *flags] if not name.startswith("-"):
            return train_experiment(name, flags)
        case ["train", *_]:
            raise BadInput("train what? `gan-jax list` shows the experiments")
        case ["sweep", "--help" | "-h"]:
            parse(Options, ["--help"], "gan-jax sweep EXPERIMENT")
        case ["compare", "--help" | "-h"]:
            parse(compare_results, ["--help"], "gan-jax compare")
        case ["compare", str(name), *flags] if not name.startswith("-") and is_result(name):
            compare_results(**parse(compare_results, [name, *flags], "gan-jax compare").kwargs)
        case ["sweep" | "compare", str(name), *flags] if not name.startswith("-"):  # compare: the old name of sweep
            return run_sweep(name, flags)
        case ["sweep", *_]:
            raise BadInput("sweep what? for example gan-jax sweep EXPERIMENT --vary loss=hinge,wasserstein --seeds 10")
        case ["compare", *_]:
            raise BadInput("compare what? for example gan-jax compare RUN RUN")
        case ["sample", *flags]:
            sample(**parse(sample, flags, "gan-jax sample").kwargs)
        case ["reproduce", *flags]:
            return reproduce(**parse(reproduce, flags, "gan-jax reproduce").kwargs)
        case ["evaluate", *flags]:
            evaluate(**parse(evaluate, flags, "gan-jax evaluate").kwargs)
        case ["list", word, *_]:
            raise BadInput(f"list takes no {word!r}: write gan-jax list")
        case [command, *_]:
            commands = "list, train, sweep, sample, evaluate, compare or reproduce"
            raise BadInput(f"unknown command {command!r}: choose {commands}; see gan-jax --help")
    return 0
