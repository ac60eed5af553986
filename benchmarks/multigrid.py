"""Poisson's equation on a square, and a preconditioner for it in twenty lines.

The grids have m × m inner points, m = 2ᵏ - 1, so that every second point is the next coarser grid.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse


def poisson(m: int) -> sparse.csr_array:
    """Return the five-point Laplacian on m × m inner points of a square."""
    T = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
    return sparse.csr_array(sparse.kron(T, sparse.eye_array(m)) + sparse.kron(sparse.eye_array(m), T))


def laplace(z: np.ndarray) -> np.ndarray:
    """Return what `poisson` makes of z, which is given on the grid."""
    Az = 4 * z
    Az[1:] -= z[:-1]
    Az[:-1] -= z[1:]
    Az[:, 1:] -= z[:, :-1]
    Az[:, :-1] -= z[:, 1:]
    return Az


def refine(z: np.ndarray) -> np.ndarray:
    """Interpolate linearly to the grid with half the spacing, in one direction after the other."""
    for _ in range(2):
        fine = np.zeros((2 * len(z) + 1, z.shape[1]))
        fine[1::2] = z
        fine[:-1:2] += z / 2
        fine[2::2] += z / 2
        z = fine.T
    return z


def coarsen(r: np.ndarray) -> np.ndarray:
    """Apply the transpose of `refine`."""
    for _ in range(2):
        r = (r[1::2] + (r[:-1:2] + r[2::2]) / 2).T
    return r


def v_cycle(r: np.ndarray) -> np.ndarray:
    """Solve the Poisson equation roughly by a V-cycle, which as a matrix is symmetric positive definite."""
    if len(r) == 1:
        return r / 4
    z = 0.2 * r  # a step of Jacobi's method, damped by 0.8, from zero
    z += refine(v_cycle(coarsen(r - laplace(z))))
    z += 0.2 * (r - laplace(z))
    return z
