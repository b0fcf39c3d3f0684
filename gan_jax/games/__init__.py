"""One short file per paper: its moves, and `game(...)`, to be laid beside the paper's algorithm box."""
