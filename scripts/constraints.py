"""Writes constraints.txt, which pins every package, from one working environment per Python version.

python scripts/constraints.py .venv-3.11/bin/python .venv-3.12/bin/python > constraints.txt
"""

import subprocess
import sys
from collections import defaultdict

OURS = {"gan-jax", "gan_jax"}


def frozen(python: str) -> tuple[str, dict[str, str]]:
    """Returns the Python version of an environment, and the version of every package in it."""
    version = "import sys; print('%d.%d' % sys.version_info[:2])"
    minor = subprocess.check_output([python, "-c", version], text=True).strip()
    lines = subprocess.check_output([python, "-m", "pip", "freeze", "--exclude-editable"], text=True).split()
    pins = dict(line.lower().split("==") for line in lines if "==" in line)
    return minor, {name: pin for name, pin in pins.items() if name not in OURS}


def main(pythons: list[str]) -> None:
    """Prints the constraints; the pins of the newest Python also hold for later ones."""
    pins: dict[str, dict[str, str]] = defaultdict(dict)
    environments = sorted(map(frozen, pythons), key=lambda e: tuple(map(int, e[0].split("."))))
    for minor, packages in environments:
        for name, pin in packages.items():
            pins[name][minor] = pin
    oldest, newest = environments[0][0], environments[-1][0]
    print("# Written by scripts/constraints.py: the versions that were tested.")
    for name, versions in sorted(pins.items()):
        if len(versions) == len(environments) and len(set(versions.values())) == 1:
            print(f"{name}=={versions[oldest]}")
            continue
        for minor, pin in versions.items():
            comparison = ">=" if minor == newest else "=="
            print(f'{name}=={pin} ; python_version {comparison} "{minor}"')


if __name__ == "__main__":
    main(sys.argv[1:])
