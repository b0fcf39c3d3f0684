from pathlib import Path

import numpy as np
import pytest
import tiny
from PIL import Image

from gan_jax.cli.main import main

CLASSES = "abcd"


@pytest.fixture(scope="session")
def tiles(tmp_path_factory):
    """Writes a folder of 8 x 8 images: per class 60 for training and 24 held out, four classes."""
    folder = tmp_path_factory.mktemp("data") / "tiles"
    random = np.random.RandomState(0)
    for split, n in (("train", 60), ("test", 24)):
        for level, name in enumerate(CLASSES):
            for i in range(n):
                file = folder / split / name / f"{i:03d}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                image = np.clip(60 * level + 20 * random.standard_normal((8, 8)), 0, 255).astype(np.uint8)
                Image.fromarray(image).save(file)
    return folder


@pytest.fixture(scope="session")
def features_flag():
    """Returns the flag that selects the feature network of `tiny_features.py`."""
    return ["--features", f"{Path(__file__).parent / 'tiny_features.py'}:net"]


@pytest.fixture(scope="session")
def run(tmp_path_factory, tiles, features_flag):
    """Trains a tiny run on the tiles, with evaluation during training."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    flags = ["--data", tiles, "--images", 640, "--batch-size", 8, "--run-dir", folder, *features_flag]
    flags += ["--evaluate", "fid,prdc", "--evaluate-every", 160, "--evaluate-samples", 100, "--best", "fid"]
    with pytest.raises(SystemExit) as done:
        main(["train", tiny.__file__, *map(str, flags)])
    assert not done.value.code
    return folder
