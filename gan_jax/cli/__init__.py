"""The command line: one file per command, `main` dispatches. Imports everything below."""

import sys
from typing import NoReturn


def train_file(file: str) -> NoReturn:
    """Trains the experiment of a file run as a script, `python FILE.py [ROW] [flags]`, as `gan-jax train` does."""
    from gan_jax.cli.main import main

    row, *flags = sys.argv[1:] or [""]
    named = row and not row.startswith("-")
    main(["train", f"{file}:{row}", *flags] if named else ["train", file, *sys.argv[1:]])
