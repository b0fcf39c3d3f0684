"""Samples from a trained game: latents, the EMA generator, interpolation, the preview grid.

`latents` draws and varies latents, `sampler` turns them into samples, `preview` lays out a run's picture.
May import `viz` and everything below it.
"""
