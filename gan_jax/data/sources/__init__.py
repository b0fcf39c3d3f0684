"""Kinds of data sets, one file each: every function returns a `Source`.

`image_folder` lists files with `archives`, finds splits and classes with `layout` or pairs with `pair_layout`, reads
headers with `survey` and pixels with `decoding`; `array_file` reads arrays. `sound_files` and `sound_array` open
recordings, of which `recordings` cuts windows. `mnist5k`, `toy` and `tones` need no files;
`stacked_mnist` and `subset` transform another source, `paired` and `unpaired` put two together.
May import the modules of `data` but `derived` and `on_device`, and `engine` and `errors`.
"""
