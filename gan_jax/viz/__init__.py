"""Pictures: NumPy arrays in, image files out, without JAX or a display.

`images` makes grids, `animation` GIFs, `curves` a run's metrics, `scatter2d` points, `charts` evaluation figures.
May import `runs.files` and `errors`.
"""
