"""Detects failing runs: numbers that are not finite, and failures of GANs whose numbers are.

`diagnostics` reads logged records, `monitor` keeps the findings, `diversity` compares samples with real examples.
May import `evaluation` and everything below it; never `training`.
"""
