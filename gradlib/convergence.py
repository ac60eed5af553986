"""How fast a sequence converges, measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlib._objective import finite

__all__ = ["observed_order"]


def observed_order(errors: ArrayLike) -> NDArray[np.float64]:
    r"""Return the order of convergence seen in three errors in a row.

    Where :math:`e_{k+1} \approx C e_k^q`,

    .. math:: q_k = \frac{\ln(e_{k+1} / e_k)}{\ln(e_k / e_{k-1})}

    tends to q: 1 for linear, 2 for quadratic convergence.

    Parameters
    ----------
    errors : array_like, shape (m,)
        Absolute errors :math:`e_0, \dots, e_{m-1}`; zeros, where an iterate hit the solution exactly, are
        dropped.

    Returns
    -------
    ndarray, shape (m - 2,)
        One order for each inner error; NaN where two errors in a row are equal.

    Raises
    ------
    ValueError
        If `errors` is no vector of finite numbers >= 0, or fewer than three are positive.

    References
    ----------
    Driscoll & Braun, *Fundamentals of Numerical Computation*, section 4.3.

    Examples
    --------
    >>> observed_order([1e-1, 1e-2, 1e-4, 1e-8])
    array([2., 2.])
    """
    change = np.diff(np.log(_positive(errors)))
    change[change == 0] = np.nan
    return change[1:] / change[:-1]


def _positive(errors: ArrayLike) -> NDArray[np.float64]:
    e = finite(errors, "errors")
    if e.ndim != 1 or (e < 0).any():
        raise ValueError(f"errors must be a vector of absolute values, got {e}")
    if np.count_nonzero(e) < 3:
        raise ValueError(f"errors must hold three positive values or more, got {np.count_nonzero(e)}")
    return e[e > 0]
