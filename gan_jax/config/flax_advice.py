"""Advice on flax's own layers that need what a game does not pass: a mode, or keys by name."""

ADVICE = {
    "use_running_average": "gan_jax.nets.layers.normalization.BatchNorm, which needs no use_running_average",
    "batch_stats": "gan_jax.nets.layers.normalization.BatchNorm, which updates its statistics in training only",
    "deterministic": "gan_jax.nets.layers.dropout.Dropout, and pass the keys of the loss, or none, when you call it",
    '"dropout"': "gan_jax.nets.layers.dropout.Dropout, and pass the keys of the loss, or none, when you call it",
}
"""What to use instead, by a word of flax's message."""

MISUSES = {"ValueError", "InvalidRngError", "ModifyScopeVariableError"}
"""Exceptions that flax raises if a layer misses its mode or a key."""


def flax_advice(error: BaseException) -> str:
    """Returns what to use in place of flax's own BatchNorm or Dropout; empty for other errors."""
    for word, layer in ADVICE.items() if type(error).__name__ in MISUSES else ():
        if word in str(error):
            return f" Use {layer}"
    return ""
