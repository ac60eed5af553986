"""What the methods for F(x) = 0 share: how they judge a Jacobian, and a point that is no root."""

from __future__ import annotations

import numpy as np

from gradlib._objective import Matrix, Vector

_EPS = float(np.finfo(np.float64).eps)


def is_singular(J: Matrix) -> bool:
    """Whether J is singular to working precision, apart from the scales of its rows and columns."""
    scaled = J / np.abs(J).max(axis=1, keepdims=True)
    scaled = scaled / np.abs(scaled).max(axis=0, keepdims=True)
    return not np.linalg.cond(scaled, 1) < 1 / _EPS


def is_local_minimum(x: Vector, size: float, slope: Vector) -> bool:
    """Whether ½‖F‖² is stationary, in relative terms (Dennis & Schnabel, section 7.2)."""
    return bool(np.max(np.abs(slope) * np.maximum(np.abs(x), 1)) <= _EPS ** (1 / 3) * size)
