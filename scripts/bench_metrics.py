"""Times metrics against other implementations on the same features, and compares their values.

    python scripts/bench_metrics.py --n 10000 --dims 2048

Prints Markdown tables. Features are drawn from two correlated Gaussians, in float32 as networks compute them. Needs
torch, torch-fidelity and scipy. The second table scores two draws of N(0, I) as in the README of the package prdc;
scores of draws differ by a few hundredths, density by more.
"""

import os
import sys
import time
from collections.abc import Callable
from unittest.mock import MagicMock

import numpy as np
import tyro
from jaxtyping import Float
from scipy.linalg import sqrtm

from gan_jax.metrics.frechet import frechet_distance
from gan_jax.metrics.kernel_distance import kernel_distance
from gan_jax.metrics.prdc import prdc, precision_recall

Pair = tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N D"]]


def main(n: int = 10_000, dims: int = 2048, gaussian: bool = True) -> None:
    """Times every metric once.

    Args:
        n: Examples in each set, more than `dims`.
        dims: Number of features per example.
        gaussian: Also score two draws of 10,000 x 1,000 from N(0, I).
    """
    pair = correlated(n, dims)
    print(f"{n} x {n} features of {dims} dimensions, {os.cpu_count()} cores\n")
    print("| metric | implementation | value | seconds |\n|---|---|---|---|")
    for metric, name, score in (*ours(), *torch_fidelity(n), ("Fréchet", "scipy sqrtm", root_of_product)):
        start = time.perf_counter()
        values = score(*pair)
        seconds = time.perf_counter() - start
        print(f"| {metric} | {name} | {', '.join(f'{value:.6g}' for value in values)} | {seconds:.1f} |", flush=True)
    if gaussian:
        print("\n| N(0, I), 10,000 x 1,000, k = 5 | precision | recall | density | coverage |\n|---|---|---|---|---|")
        print("| README of prdc | 0.4772 | 0.4705 | 1.0555 | 0.9735 |")
        rng = np.random.default_rng(0)
        found = prdc(*rng.normal(size=(2, 10_000, 1000)), k=5)
        print(f"| gan_jax | {' | '.join(f'{value:.4f}' for value in found)} |")


Score = tuple[str, str, Callable[..., tuple[float, ...]]]


def ours() -> list[Score]:
    """Lists metric, implementation and function of gan_jax; the kernel distance has its error, too."""
    return [
        ("Fréchet", "gan_jax", lambda a, b: (frechet_distance(a, b),)),
        ("kernel distance, error", "gan_jax, all pairs", lambda a, b: tuple(kernel_distance(a, b))),
        ("precision, recall", "gan_jax", lambda a, b: tuple(precision_recall(a, b))),
        ("all four, k = 5", "gan_jax", lambda a, b: tuple(prdc(a, b))),
    ]


def torch_fidelity(n: int) -> list[Score]:
    """Lists the metrics of torch-fidelity with its defaults; subsets have 1,000 examples, or all if fewer."""
    for name in ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.transforms.functional"):
        sys.modules.setdefault(name, MagicMock())  # for data sets and networks that are not used here
    import torch
    from torch_fidelity import metric_fid, metric_kid, metric_prc

    torch.set_num_threads(os.cpu_count() or 1)
    size = min(1000, n)

    def frechet(a: Float[np.ndarray, "N D"], b: Float[np.ndarray, "N D"]) -> tuple[float, ...]:
        sides = (metric_fid.fid_features_to_statistics(torch.from_numpy(x)) for x in (a, b))
        return tuple(metric_fid.fid_statistics_to_metric(*sides, verbose=False).values())

    def kernel(a: Float[np.ndarray, "N D"], b: Float[np.ndarray, "N D"]) -> tuple[float, ...]:
        both = map(torch.from_numpy, (a, b))
        return tuple(metric_kid.kid_features_to_metric(*both, kid_subset_size=size, verbose=False).values())

    def manifold(a: Float[np.ndarray, "N D"], b: Float[np.ndarray, "N D"]) -> tuple[float, ...]:
        return metric_prc.calculate_precision_recall_full(torch.from_numpy(b), torch.from_numpy(a))

    return [
        ("Fréchet", "torch_fidelity", frechet),
        ("kernel distance, spread", f"torch_fidelity, 100 subsets of {size:,}", kernel),
        ("precision, recall", "torch_fidelity", manifold),
    ]


def root_of_product(a: Float[np.ndarray, "N D"], b: Float[np.ndarray, "N D"]) -> tuple[float]:
    """Computes the Fréchet distance by the root of the unsymmetric product of the covariances."""
    (m1, s1), (m2, s2) = ((x.mean(axis=0), np.cov(x, rowvar=False)) for x in (a.astype(float), b.astype(float)))
    return (float(np.sum((m1 - m2) ** 2) + np.trace(s1 + s2 - 2 * sqrtm(s1 @ s2).real)),)


def correlated(n: int, dims: int) -> Pair:
    """Draws two sets with a decaying spectrum; the second has a slightly different mean and covariance."""
    rng = np.random.default_rng(0)
    scale = (1 + np.arange(dims)) ** -0.5
    mix = rng.normal(size=(dims, dims)) / np.sqrt(dims)
    other = mix + 0.1 * rng.normal(size=(dims, dims)) / np.sqrt(dims)
    real, fake = ((rng.normal(size=(n, dims)) * scale) @ each for each in (mix, other))
    return real.astype(np.float32), (fake + 0.01).astype(np.float32)


if __name__ == "__main__":
    tyro.cli(main)
