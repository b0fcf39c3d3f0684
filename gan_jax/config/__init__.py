"""Experiments, and the flags that configure them.

`experiment` holds the types, `flags` the parser, `registry` the words of losses, penalties and dynamics, `discovery`
finds experiment files.
May import `data` and everything below it.
"""
