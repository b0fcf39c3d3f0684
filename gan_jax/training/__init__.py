"""Training a run: the loop in chunks of steps, its log, resuming, restoring, and reproducing to the bit.

`train` is the one impure loop, `loop` the chunks that `sweep` shares, `restore` rebuilds a run from its folder.
May import `monitoring` and everything below it.
"""
