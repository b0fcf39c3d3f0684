"""Games of papers, one short file each: `game(...)`, to be read beside the paper's algorithm.

May import `nets` and everything below it.
"""
