"""A run on disk: its folder, manifest, checkpoints, digests and lock.

`run_dir` names every file, `checkpoint` saves and restores the state bit for bit.
May import `config` and everything below it.
"""
