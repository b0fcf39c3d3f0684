"""Closed forms of Dirac-GAN training, to compare measured trajectories with.

Data: the point 0. The generator outputs the point theta; the discriminator scores x with psi x. Near the equilibrium
(0, 0), under a loss with slope f'(0) at score 0, both players descend the linear field

    v(p) = A p,    p = (theta, psi),    A = `jacobian(slope, gamma)`,

Under the Wasserstein loss this holds everywhere, and trajectories are powers of a matrix. Dynamics map the matrix of
the field to another (`consensus`, `symplectic`, `extragradient`), and play maps that to the matrix of one update
(`simultaneous`, `alternating`): `convergence_rate(simultaneous(consensus(jacobian(), weight=0.1), step=0.1))`.

Mescheder, Geiger and Nowozin 2018, "Which training methods for GANs do actually converge?", sec. 2 and appendices,
https://arxiv.org/abs/1801.04406. Their players ascend, so their Jacobian is -A.
"""

import numpy as np
from jaxtyping import Float

Matrix = Float[np.ndarray, "2 2"]


def jacobian(slope: float = 1.0, gamma: float = 0.0) -> Matrix:
    """Computes A = [[0, -slope], [slope, gamma]], the Jacobian of (d L_g / d theta, d L_d / d psi) at (0, 0).

    `slope` is f'(0), where the discriminator descends L_d = f(psi theta), and the generator -f(psi theta) or another
    loss with as steep a slope: 1/2 for the original losses (minimax and non-saturating), 1 for hinge and Wasserstein.
    `gamma` weighs the penalty R1, gamma / 2 psi^2. f''(0) does not matter: psi^2, theta^2 or psi theta multiplies it.

    The eigenvalues are gamma / 2 +- sqrt(gamma^2 / 4 - slope^2): without a penalty imaginary, at gamma = 2 slope real
    and equal.
    """
    return np.array([[0.0, -slope], [slope, gamma]])


def consensus(field: Matrix, weight: float) -> Matrix:
    """Computes A + weight A^T A: the field plus the gradient of weight / 2 |v|^2.

    Without a penalty it equals A + weight slope^2 I, as do `symplectic` and, with the step as the weight,
    `extragradient`. Mescheder et al. 2017, "The numerics of GANs", Algorithm 2, https://arxiv.org/abs/1705.10461.
    """
    return field + weight * field.T @ field


def symplectic(field: Matrix, weight: float) -> Matrix:
    """Computes A + weight S^T A, where S = (A - A^T) / 2 is the antisymmetric part of A.

    Balduzzi et al. 2018, "The mechanics of n-player differentiable games", eq. 3, aligned with stable fixed
    points, https://arxiv.org/abs/1802.05642.
    """
    antisymmetric = (field - field.T) / 2
    return field + weight * antisymmetric.T @ field


def extragradient(field: Matrix, step: float) -> Matrix:
    """Computes A (I - step A): the field at the point that one plain update leads to. Korpelevich 1976."""
    return field @ simultaneous(field, step)


def simultaneous(field: Matrix, step: float) -> Matrix:
    """Computes I - step A: one simultaneous update of both players.

    Its eigenvalues are 1 - step times those of A. In plain play they are 1 +- i step slope, of modulus
    sqrt(1 + step^2 slope^2) > 1: plain play diverges.
    """
    return np.eye(2) - step * field


def alternating(field: Matrix, step: float) -> Matrix:
    """Computes (I - step A_g) (I - step A_d): the discriminator's update, then the generator's against the new one.

    A_g is the first row of A above zeros, A_d the second below them. In plain play both eigenvalues have modulus 1
    while step slope <= 2: the trajectory circles the equilibrium forever.
    """
    g, d = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
    return simultaneous(g @ field, step) @ simultaneous(d @ field, step)


def convergence_rate(update: Matrix) -> float:
    """Computes the spectral radius of an update: the factor per step on the distance from (0, 0), in the long run."""
    return float(np.abs(np.linalg.eigvals(update)).max())


def trajectory(update: Matrix, start: tuple[float, float], steps: int) -> Float[np.ndarray, "{steps}+1 2"]:
    """Computes (theta, psi) before and after each of `steps` updates: row k is `update`^k `start`."""
    path = [np.asarray(start, float)]
    for _ in range(steps):
        path.append(update @ path[-1])
    return np.stack(path)
