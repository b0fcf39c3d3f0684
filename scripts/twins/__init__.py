"""The games that are timed, and the same games in other libraries: shared by `scripts/accelerator` and `scripts/bench`.

Only `games` imports JAX. It describes a game in plain values, from which the other modules build its twins.
"""
