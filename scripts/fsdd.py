"""Writes the Free Spoken Digit Dataset as a .npz file that `--data audio:fsdd_audio.npz` opens.

python scripts/fsdd.py fsdd.npz --out fsdd_audio.npz       # from one file of all recordings
gan-jax train EXPERIMENT --data audio:fsdd_audio.npz       # digits in windows of 4,096 samples at 8,000 Hz

Output: `audio` [N, M] int16, with zeros behind each recording, its digit `y` [N], and its `speaker` [N], all with the
ending _train or _test: takes 0 to 4 are the official test set. `speakers` are their names, `rate` is 8,000.

Input: `hi` and `lo`, the two bytes of all samples in sequence; `start` [N + 1], where each recording begins; `digit`,
`speaker` and `take` [N]; and `speakers`.

https://github.com/Jakobovski/free-spoken-digit-dataset (CC BY-SA 4.0)
"""

import argparse
from pathlib import Path

import numpy as np

from gan_jax.runs.files import save_npz

RATE, TEST_TAKES = 8000, 5


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, help="fsdd.npz")
    parser.add_argument("--out", type=Path, default=Path("fsdd_audio.npz"))
    args = parser.parse_args()
    stored = np.load(args.recordings, allow_pickle=False)
    samples = stored["hi"].astype(np.int16) * 256 + stored["lo"]
    recordings = np.split(samples, stored["start"][1:-1])
    audio = np.zeros((len(recordings), max(map(len, recordings))), np.int16)
    for row, recording in zip(audio, recordings, strict=True):
        row[: len(recording)] = recording
    arrays = {"rate": np.array(RATE), "speakers": stored["speakers"]}
    is_test = stored["take"] < TEST_TAKES
    for split, chosen in (("train", ~is_test), ("test", is_test)):
        arrays[f"audio_{split}"] = audio[chosen]
        arrays[f"y_{split}"] = stored["digit"][chosen].astype(np.int32)
        arrays[f"speaker_{split}"] = stored["speaker"][chosen].astype(np.int32)
    save_npz(args.out, arrays)
    print(args.out)


if __name__ == "__main__":
    main()
