"""The published yardstick of super-resolution: images and their bicubic x4, by Pillow."""

import tarfile

import numpy as np
from PIL import Image


def bicubic_pairs(archive, name):
    """Yields name, upsampled image and original of a test set in the archive, both `[1, H, W, 3]`."""
    with tarfile.open(archive) as files:
        for member in sorted(each for each in files.getnames() if each.startswith(f"super-resolution/{name}/")):
            with Image.open(files.extractfile(member)) as image:
                width, height = (side // 4 * 4 for side in image.size)
                original = image.convert("RGB").crop((0, 0, width, height))
            small = original.resize((width // 4, height // 4), Image.Resampling.BICUBIC)
            upsampled = small.resize((width, height), Image.Resampling.BICUBIC)
            yield member.split("/")[-1].split(".")[0], np.asarray(upsampled)[None], np.asarray(original)[None]
