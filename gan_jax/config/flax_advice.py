"""Advice on networks of flax that need something else than a game passes: a mode, keys by name, fewer arguments."""

ADVICE = {
    "use_running_average": "gan_jax.nets.layers.normalization.BatchNorm, which needs no use_running_average",
    "batch_stats": "gan_jax.nets.layers.normalization.BatchNorm, which updates its statistics in training only",
    "deterministic": "gan_jax.nets.layers.dropout.Dropout, and pass the keys of the loss, or none, when you call it",
    '"dropout"': "gan_jax.nets.layers.dropout.Dropout, and pass the keys of the loss, or none, when you call it",
    "__call__() takes": "`def __call__(self, x, keys=None)`: games pass examples, labels if there are any, then keys",
}
"""What to use instead, by words of the message."""

MISUSES = {"ValueError", "InvalidRngError", "ModifyScopeVariableError", "TypeError"}
"""Exceptions that flax raises if a layer misses its mode or a key, and Python if a call has other arguments."""


def flax_advice(error: BaseException) -> str:
    """Returns what to use in place of flax's own BatchNorm or Dropout, or of a signature; empty for other errors."""
    for word, layer in ADVICE.items() if type(error).__name__ in MISUSES else ():
        if word in str(error):
            return f"{'' if str(error).rstrip().endswith('.') else '.'} Use {layer}"
    return ""
