"""Whether a run goes well: non-finite numbers, and the ways in which a GAN fails while numbers are finite.

`diagnostics` reads logged records, `monitor` keeps what was found, `diversity` compares samples with real examples.
May import `evaluation` and everything below it; never `training`.
"""
