"""Pictures: NumPy arrays in, image files out.

`images` makes grids, `animation` GIFs, `curves` a run's metrics, `plane` points, `charts` evaluation figures.
May import `runs.files` and `errors`; knows neither JAX nor a display.
"""
