"""Samples from a trained game: latents, the EMA generator, interpolation, the preview grid, edits.

`latents` draws and varies latents, `sampler` turns them into samples, `preview` lays out a run's picture. `space` is
where samples are edited along `directions`, which `unsupervised` and `attribute_direction` find.
May import `viz` and everything below it.
"""
