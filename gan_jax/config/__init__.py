"""What an experiment is, and how words of a command line become one.

`experiment` holds the types, `flags` the parser, `registry` named losses, penalties
and dynamics, `discovery` the experiment files.
May import `data` and everything below it.
"""
