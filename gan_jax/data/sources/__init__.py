"""Kinds of data sets, one file each: every function returns a `Source`.

`mnist5k` and `toy` need no files; `stacked_mnist` and `subset` transform another source.
May import `data.source`, `data.cache`, `data.with_tf_data` and `errors` only.
"""
