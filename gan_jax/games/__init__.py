"""One short file per paper whose moves differ: `game(...)`, to be read beside the paper's algorithm box.

May import `nets` and everything below it.
"""
