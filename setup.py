"""The packages of the wheel: `gan_jax`, and the experiments as `gan_jax.experiments`. All else is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["gan_jax", "gan_jax.*"]), "gan_jax.experiments"],
    package_dir={"gan_jax.experiments": "experiments"},
)
