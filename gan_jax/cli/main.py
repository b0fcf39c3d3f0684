"""The `gan-jax` command.

Exit codes: 0 done; 1 a run could not be reproduced; 2 bad input, told in one line; 3 a run's numbers are no longer
finite; 130 or 143 stopped by a signal, after saving.
"""

import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from gan_jax.cli.evaluate import evaluate
from gan_jax.cli.sample import sample
from gan_jax.cli.scores import are_results, compare_results
from gan_jax.cli.sweep import Options, compare_settings
from gan_jax.cli.train import train_experiment
from gan_jax.config.discovery import listing
from gan_jax.config.flags import parse
from gan_jax.errors import BadInput
from gan_jax.monitoring.finite import NonFinite
from gan_jax.training.reproduce import reproduce

USAGE = """usage: gan-jax COMMAND ...

  list                        the experiments, a line each
  train EXPERIMENT [flags]    train an experiment, or resume it; flags: gan-jax train EXPERIMENT --help
  compare EXPERIMENT --vary loss=hinge,wasserstein --seeds 10 [flags]
                              train a grid of settings with many seeds, and make a table; flags: gan-jax compare --help
  sample RUN [flags]          draw from a trained run; flags: gan-jax sample --help
  reproduce RUN [flags]       play a run again from its manifest, and compare it bit for bit; flags: reproduce --help
  evaluate RUN|IMAGES [REFERENCE] --metrics fid,prdc [flags]
                              score a run, or images, beside real images; flags: gan-jax evaluate --help
  compare RUN RUN ...         put the scores of evaluated runs, or of results of evaluate, into one table

EXPERIMENT is a name that `list` shows, or a file. RUN is the folder of a run."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs a command line (by default the process's own) and exits with its code."""
    _hush_writers()
    try:
        sys.exit(_run(list(sys.argv[1:] if argv is None else argv)))
    except BadInput as error:
        message, code = str(error), 2
    except NonFinite as error:
        message, code = str(error), 3
    except OSError as error:
        message = f"{error.filename or 'a file'} cannot be used ({error.strerror or error}): choose another place"
        code = 2
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    print(f"gan-jax: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


def _hush_writers() -> None:
    """Keeps what Orbax's writers say when a disk is full from drowning the one line that tells of it.

    Their event loop is closed by then, and each of them leaves a traceback that says so.
    """
    tell = sys.unraisablehook
    if getattr(tell, "hushes_writers", False):
        return

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        if str(unraisable.exc_value) != "Event loop is closed":
            tell(unraisable)

    hook.hushes_writers = True
    sys.unraisablehook = hook


def _run(argv: list[str]) -> int:
    match argv:
        case [] | ["--help" | "-h", *_]:
            print(USAGE)
        case ["list"]:
            print(listing())
        case ["list", "--help" | "-h"]:
            print("usage: gan-jax list\n\nShows the experiments in experiments/, a line each.")
        case ["train", "--help" | "-h"]:
            print(f"usage: gan-jax train EXPERIMENT [flags]\n\n{listing()}")
        case ["train", str(name), *flags] if not name.startswith("-"):
            return train_experiment(name, flags)
        case ["train", *_]:
            raise BadInput("train what? `gan-jax list` shows the experiments")
        case ["compare", "--help" | "-h"]:
            parse(Options, ["--help"], "gan-jax compare EXPERIMENT")
        case ["compare", str(name), *flags] if not name.startswith("-") and are_results(name):
            compare_results(**parse(compare_results, [name, *flags], "gan-jax compare").kwargs)
        case ["compare", str(name), *flags] if not name.startswith("-"):
            return compare_settings(name, flags)
        case ["compare", *_]:
            raise BadInput("compare what? gan-jax compare EXPERIMENT --vary loss=hinge,wasserstein --seeds 10, say")
        case ["sample", *flags]:
            sample(**parse(sample, flags, "gan-jax sample").kwargs)
        case ["reproduce", *flags]:
            return reproduce(**parse(reproduce, flags, "gan-jax reproduce").kwargs)
        case ["evaluate", *flags]:
            evaluate(**parse(evaluate, flags, "gan-jax evaluate").kwargs)
        case ["list", word, *_]:
            raise BadInput(f"list takes no {word!r}")
        case [command, *_]:
            raise BadInput(
                f"no command {command!r}: list, train, compare, sample, reproduce or evaluate; see gan-jax --help"
            )
    return 0
