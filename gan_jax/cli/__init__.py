"""The command line: one file per command, `main` dispatches. Imports everything below."""

import sys
from typing import NoReturn


def train_file(file: str) -> NoReturn:
    """Trains the experiment of a file run as a script, as `gan-jax train FILE` does."""
    from gan_jax.cli.main import main

    main(["train", file, *sys.argv[1:]])
