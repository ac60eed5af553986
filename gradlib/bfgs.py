"""BFGS and DFP: Newton's method with an inverse Hessian that is learnt from the gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gradlib._objective import Function, Jacobian, Matrix, Objective, Vector, check_options, finite, number
from gradlib._quasinewton import descend
from gradlib._scipy import scipy_method
from gradlib.result import Callback, Result

__all__ = ["minimize", "update_inverse", "update_inverse_dfp"]

Weights: TypeAlias = Callable[[float, float], tuple[float, float, float, float]]

_C1 = 1e-4  # the line search's other constant
_BLOCK = 128  # so many rows of H are updated at a time: beyond, H and its update leave the cache


def update_inverse(H: ArrayLike, s: ArrayLike, y: ArrayLike) -> Matrix:
    r"""Return the BFGS update of the inverse Hessian.

    .. math:: H_+ = (I - \rho\,s y^T)\,H\,(I - \rho\,y s^T) + \rho\,s s^T, \qquad \rho = \frac{1}{y^T s}

    Of all symmetric matrices that fulfil the secant equation :math:`H_+ y = s` it is the one nearest to H in
    a weighted Frobenius norm.

    Parameters
    ----------
    H : array_like, shape (n, n)
        Inverse Hessian so far, symmetric.
    s, y : array_like, shape (n,)
        Step, and the change of the gradient along it.

    Returns
    -------
    ndarray, shape (n, n)
        Symmetric; positive definite if `H` is.

    Raises
    ------
    ValueError
        If the shapes do not fit, or :math:`s^T y` is not positive.

    Notes
    -----
    Multiplied out, it is :math:`H + s a^T + a s^T` with one vector a: a product with H and two outer
    products, :math:`O(n^2)`. The products of matrices, as displayed, would cost :math:`O(n^3)`.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., eq. (6.17).

    Examples
    --------
    >>> H = update_inverse(np.eye(2), s=[1.0, 0.0], y=[2.0, 1.0])
    >>> H
    array([[ 0.75, -0.5 ],
           [-0.5 ,  1.  ]])
    >>> H @ [2.0, 1.0]
    array([1., 0.])
    """
    H, s, y = _secant_pair(H, s, y)
    Hy, rho = H @ y, 1 / (s @ y)
    a = rho * (1 + rho * (y @ Hy)) / 2 * s - rho * Hy
    return H + np.outer(s, a) + np.outer(a, s)


def update_inverse_dfp(H: ArrayLike, s: ArrayLike, y: ArrayLike) -> Matrix:
    r"""Return the update of Davidon, Fletcher and Powell, the older sister of BFGS.

    .. math:: H_+ = H + \frac{s s^T}{s^T y} - \frac{H y\,y^T H}{y^T H y}

    Exchange s with y and H with its inverse B, and it is the BFGS update of B. It recovers less well from a
    bad H, so that BFGS has replaced it.

    Parameters
    ----------
    H : array_like, shape (n, n)
        Inverse Hessian so far, symmetric positive definite.
    s, y : array_like, shape (n,)
        Step, and the change of the gradient along it.

    Returns
    -------
    ndarray, shape (n, n)
        Symmetric; positive definite if `H` is. It fulfils the secant equation :math:`H_+ y = s`.

    Raises
    ------
    ValueError
        If the shapes do not fit, or :math:`s^T y` or :math:`y^T H y` is not positive.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., eq. (6.15).

    Examples
    --------
    >>> update_inverse_dfp(np.eye(2), s=[1.0, 0.0], y=[2.0, 1.0])
    array([[ 0.7, -0.4],
           [-0.4,  0.8]])
    """
    H, s, y = _secant_pair(H, s, y)
    Hy = _positive_product(H, y)
    return H + np.outer(s, s) / (s @ y) - np.outer(Hy, Hy) / (y @ Hy)


@scipy_method
@np.errstate(all="ignore")
def minimize(
    fun: Function,
    x0: ArrayLike,
    jac: Jacobian = None,
    *,
    update: Literal["bfgs", "dfp"] = "bfgs",
    H0: ArrayLike | None = None,
    c2: float = 0.9,
    tol: float = 1e-8,
    max_iter: int | None = None,
    callback: Callback | None = None,
    keep_trace: bool = True,
) -> Result:
    r"""Minimise f by BFGS, or by DFP.

    .. math:: x_{k+1} = x_k - \alpha_k H_k \nabla f(x_k), \qquad
        H_{k+1} y_k = s_k = x_{k+1} - x_k, \quad y_k = \nabla f(x_{k+1}) - \nabla f(x_k)

    with :math:`\alpha_k` from the strong Wolfe conditions, which make :math:`s_k^T y_k` positive.

    Parameters
    ----------
    fun : callable
        The function: a vector of shape (n,), or a number, to a number.
    x0 : float or array_like, shape (n,)
        Start; a number makes the result a number.
    jac : callable, True or None
        Gradient, shape (n,); True if `fun` returns the pair (f, g). None lets autograd differentiate `fun`,
        which is then written with ``autograd.numpy``.
    update : {"bfgs", "dfp"}
        Which formula corrects H: `update_inverse` or `update_inverse_dfp`.
    H0 : array_like, shape (n, n), optional
        First inverse Hessian, symmetric positive definite; the identity if not given.
    c2 : float
        Share of the slope that a step may leave, between 1e-4 and 1: the smaller, the more exact the line
        search. BFGS does well with a coarse one; DFP needs 0.1 on harder problems.
    tol : float
        The run has converged when :math:`\lVert\nabla f\rVert_\infty` ≤ `tol`.
    max_iter : int, optional
        Largest number of iterations; 200 n if not given.
    callback : callable, optional
        Called with a copy of x after each iteration; returning True or raising StopIteration ends the run.
    keep_trace : bool
        Whether to keep all iterates.

    Returns
    -------
    Result
        With the gradient as ``jac``.

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it.

    Notes
    -----
    The identity is not rescaled after the first step (Nocedal & Wright, eq. (6.20)). Instead the line search
    first tries a step of length 1, and later a shorter one than Newton's where the last fall of the function
    promises less than a fifth of it. Over the problems of `gradlib.mgh` that costs as few evaluations, and
    Rosenbrock's function takes the 34 iterations of Nocedal & Wright, section 6.1.

    The update is left out where round-off makes :math:`s^Ty` too small for H to stay positive definite, and H
    falls back to the identity where no step is found along :math:`-H\nabla f`. Only first derivatives are
    known: a start on a saddle point counts as converged, where `newton.minimize` tells it from a minimum.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithm 6.1.

    Examples
    --------
    >>> from gradlib.problems import rosenbrock
    >>> result = minimize(rosenbrock.fun, rosenbrock.x0, rosenbrock.jac)
    >>> result.success, result.x.round(8)
    (True, array([1., 1.]))
    """
    objective = Objective(fun, x0, jac)
    n = objective.x0.size
    max_iter = 200 * n if max_iter is None else max_iter
    check_options(tol, max_iter, callback, keep_trace=keep_trace)
    if not _C1 < number(c2, "c2") < 1:
        raise ValueError(f"c2 must lie between {_C1} and 1, got {c2!r}")
    H = _Dense(n, _start(H0, n), _weights(update))
    return descend(objective, H, c2=c2, tol=tol, max_iter=max_iter, callback=callback, keep_trace=keep_trace)


class _Dense:
    """The inverse Hessian as a matrix, with its sign turned, N = -H, and changed in place.

    With the rows s and Ny of W both updates are :math:`N + W^T K W`, where K is 2 × 2: no products of
    matrices with n columns, and no new matrix where N is large.
    """

    def __init__(self, n: int, H0: Matrix | None, weights: Weights) -> None:
        self._n, self._H0, self._weights = n, H0, weights
        self._W, self._K = np.empty((2, n)), np.empty((2, 2))
        self.s, self._Ny, self._W_T = self._W[0], self._W[1], self._W.T
        # where products are written: for short vectors new arrays would take longer than the products
        self._p, self._KW, self._change = np.empty(n), np.empty((2, n)), np.empty((min(n, _BLOCK), n))
        self._learnt = True
        self.forget()

    def direction(self, g: Vector) -> Vector:
        return self._N.dot(g, self._p)

    def update(self, y: Vector, sy: float) -> None:
        N, K, W_T, change = self._N, self._K, self._W_T, self._change
        yHy = -float(y.dot(N.dot(y, self._Ny)))
        K[0, 0], K[0, 1], K[1, 0], K[1, 1] = self._weights(sy, yHy)
        KW = K.dot(self._W, self._KW)
        if self._n <= _BLOCK:
            N += W_T.dot(KW, change)
        else:
            for i in range(0, self._n, _BLOCK):
                rows = N[i : i + _BLOCK]
                rows += W_T[i : i + _BLOCK].dot(KW, change[: len(rows)])
        self.fresh, self._learnt = False, True

    def forget(self) -> bool:
        """Go back to the start's matrix."""
        if not self._learnt:
            return False
        self._N = -np.eye(self._n) if self._H0 is None else -self._H0
        self.fresh, self._learnt = self._H0 is None, False
        return True


def _bfgs_weights(sy: float, yHy: float) -> tuple[float, float, float, float]:
    rho = 1 / sy
    return -rho * (1 + rho * yHy), -rho, -rho, 0.0


def _dfp_weights(sy: float, yHy: float) -> tuple[float, float, float, float]:
    # yᵀHy may leave the range: no direction comes of infinity, and H is forgotten
    return -1 / sy, 0.0, 0.0, 1 / yHy if yHy else math.inf


_WEIGHTS: dict[str, Weights] = {"bfgs": _bfgs_weights, "dfp": _dfp_weights}


def _secant_pair(H: ArrayLike, s: ArrayLike, y: ArrayLike) -> tuple[Matrix, Vector, Vector]:
    """Return H, s and y as arrays that fit an update, or say which one does not."""
    H, s, y = finite(H, "H"), finite(s, "s"), finite(y, "y")
    if s.ndim != 1 or s.shape != y.shape:
        raise ValueError(f"s and y must be vectors of one length, got shapes {s.shape} and {y.shape}")
    if H.shape != (s.size, s.size):
        raise ValueError(f"H must have shape {(s.size, s.size)} to fit s, got {H.shape}")
    if not s @ y > 0:
        raise ValueError(f"y must fulfil sᵀy > 0, else H does not stay positive definite: it is {s @ y:.3g}")
    return H, s, y


def _positive_product(H: Matrix, y: Vector) -> Vector:
    Hy = H @ y
    if not y @ Hy > 0:
        raise ValueError(f"H must be positive definite: yᵀHy is {y @ Hy:.3g}")
    return Hy


def _start(H0: ArrayLike | None, n: int) -> Matrix | None:
    """Return the first inverse Hessian, or say why it cannot be one."""
    if H0 is None:
        return None
    H = finite(H0, "H0")
    if H.shape != (n, n):
        raise ValueError(f"H0 must have shape {(n, n)} to fit x0, got {H.shape}")
    if np.abs(H - H.T).max() > 1e-8 * np.abs(H).max():
        raise ValueError("H0 must be symmetric")
    try:
        np.linalg.cholesky(H)
    except np.linalg.LinAlgError:
        raise ValueError("H0 must be positive definite: it has an eigenvalue <= 0") from None
    return H


def _weights(update: str) -> Weights:
    """Return the weights of an update by its name."""
    if not isinstance(update, str) or update not in _WEIGHTS:
        raise ValueError(f'update must be "bfgs" or "dfp", got {update!r}')
    return _WEIGHTS[update]
