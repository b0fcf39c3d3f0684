"""Kinds of data sets, one file each: every function returns a `Source`.

`image_folder` lists files with `archives`, finds splits and classes with `layout`, and reads pixels with `decoding`.
`mnist5k` and `toy` need no files; `stacked_mnist` and `subset` transform another source.
May import `data.source`, `data.cache`, `data.with_tf_data` and `errors` only.
"""
