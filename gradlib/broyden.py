"""Broyden's methods: Newton's method with a Jacobian that is learnt from the steps themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gradlib._equations import is_local_minimum, is_singular
from gradlib._objective import (
    Equations,
    Function,
    Matrix,
    Vector,
    asks_to_stop,
    check_options,
    finite,
    norm_inf,
    numeric,
)
from gradlib.linesearch import Step, backtracking
from gradlib.result import Callback, Recorder, Result, Status

__all__ = ["root", "update_bad", "update_good", "update_good_inverse"]

_DOUBLE = np.dtype(np.float64)
_EPS = float(np.finfo(np.float64).eps)
_FAR = 1e20  # beyond this multiple of the start's size the iterates run away
_BREAKDOWN = 1e-10  # an update with a relative denominator below this leaves nothing but round-off


def update_good(B: ArrayLike, s: ArrayLike, y: ArrayLike) -> Matrix:
    r"""Return the matrix nearest to B that fulfils the secant equation :math:`B_+ s = y`.

    .. math:: B_+ = B + \frac{(y - Bs)\,s^T}{s^T s}

    Parameters
    ----------
    B : array_like, shape (n, n)
        Approximation of the Jacobian.
    s, y : array_like, shape (n,)
        Step and change of F along it.

    Returns
    -------
    ndarray, shape (n, n)
        The new approximation: of all with :math:`B_+ s = y` the one with the smallest
        :math:`\lVert B_+ - B\rVert_F`.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `s` is zero.

    References
    ----------
    Broyden, Math. Comp. 19 (1965) 577. Dennis & Schnabel, *Numerical Methods for Unconstrained Optimization
    and Nonlinear Equations*, eq. (8.1.5) and lemma 8.1.1.

    Examples
    --------
    >>> update_good(np.eye(2), s=[1.0, 0.0], y=[3.0, 1.0])
    array([[3., 0.],
           [1., 1.]])
    """
    B, s, y = _secant(("B", B), s, y)
    return B + np.outer(y - B @ s, s) / _nonzero(s @ s, "s")


def update_good_inverse(H: ArrayLike, s: ArrayLike, y: ArrayLike) -> Matrix:
    r"""Return the inverse of the good update of :math:`B = H^{-1}`, by Sherman and Morrison's formula.

    .. math:: H_+ = H + \frac{(s - Hy)\,s^T H}{s^T H y}

    Parameters
    ----------
    H : array_like, shape (n, n)
        Approximation of the inverse Jacobian.
    s, y : array_like, shape (n,)
        Step and change of F along it.

    Returns
    -------
    ndarray, shape (n, n)
        ``inv(update_good(inv(H), s, y))``, at the cost of products of matrix and vector.

    Raises
    ------
    ValueError
        If the shapes do not fit, or :math:`s^T H y = 0`: then the good update is singular.

    References
    ----------
    Dennis & Schnabel, *Numerical Methods for Unconstrained Optimization and Nonlinear Equations*,
    eq. (8.3.1).

    Examples
    --------
    >>> update_good_inverse(np.eye(2), s=[1.0, 0.0], y=[4.0, 1.0])
    array([[ 0.25,  0.  ],
           [-0.25,  1.  ]])
    """
    H, s, y = _secant(("H", H), s, y)
    Hy = H @ y
    return H + np.outer(s - Hy, s @ H) / _nonzero(s @ Hy, "sᵀHy")


def update_bad(H: ArrayLike, s: ArrayLike, y: ArrayLike) -> Matrix:
    r"""Return the matrix nearest to H that fulfils the secant equation :math:`H_+ y = s`.

    .. math:: H_+ = H + \frac{(s - Hy)\,y^T}{y^T y}

    It does for the inverse what `update_good` does for the Jacobian, which Broyden found to work less well.

    Parameters
    ----------
    H : array_like, shape (n, n)
        Approximation of the inverse Jacobian.
    s, y : array_like, shape (n,)
        Step and change of F along it.

    Returns
    -------
    ndarray, shape (n, n)
        The new approximation: of all with :math:`H_+ y = s` the one with the smallest
        :math:`\lVert H_+ - H\rVert_F`.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `y` is zero.

    References
    ----------
    Broyden, Math. Comp. 19 (1965) 577. Dennis & Schnabel, *Numerical Methods for Unconstrained Optimization
    and Nonlinear Equations*, section 8.4.

    Examples
    --------
    >>> update_bad(np.eye(2), s=[3.0, 1.0], y=[1.0, 0.0])
    array([[3., 0.],
           [1., 1.]])
    """
    H, s, y = _secant(("H", H), s, y)
    return H + np.outer(s - H @ y, y) / _nonzero(y @ y, "y")


_UPDATES = {"good": update_good_inverse, "bad": update_bad}


@np.errstate(all="ignore")
def root(
    F: Function,
    x0: ArrayLike,
    *,
    method: str = "good",
    B0: ArrayLike | None = None,
    tol: float = 1e-10,
    max_iter: int = 1000,
    callback: Callback | None = None,
    keep_trace: bool = True,
) -> Result:
    r"""Solve F(x) = 0 by Broyden's method, which needs no derivative.

    .. math:: x_{k+1} = x_k - H_k F(x_k)

    Each step teaches the approximate inverse Jacobian :math:`H_k` what F did along it, by
    `update_good_inverse` or `update_bad`, in :math:`O(n^2)` operations and one evaluation of F.

    Parameters
    ----------
    F : callable
        The equations: a vector of shape (n,) to shape (n,), or a number to a number.
    x0 : float or array_like, shape (n,)
        Start; a number makes the result a number.
    method : {"good", "bad"}
        Which update.
    B0 : array_like, shape (n, n), optional
        Approximation of the Jacobian at `x0`, such as ``np.eye(n)``, or the Jacobian itself. Without it, it
        is found by differences, for n evaluations of F.
    tol : float
        The run has converged when :math:`\lVert F\rVert_\infty` ≤ `tol`.
    max_iter : int
        Largest number of iterations.
    callback : callable, optional
        Called with a copy of x after each iteration; returning True or raising StopIteration ends the run.
    keep_trace : bool
        Whether to keep all iterates.

    Returns
    -------
    Result
        With ``fun`` = F(x) and, as ``jac``, the approximation B = H⁻¹, which need not be near the Jacobian
        even where x has converged. ``nfev`` counts every evaluation of F, those for differences too.

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it.

    Notes
    -----
    Steps are full as long as F is finite there, for the norm of F may rise on the way to a solution: on a
    linear system of n equations the method ends after at most 2n steps (Gay), wherever it starts. When no
    point in 2n + 1 steps was better than the best one, or when an update breaks down (:math:`s^T H y`, or for
    the bad method :math:`y^T B s`, is zero), the run goes back to that best point and restarts there, with a
    Jacobian from n differences. A step with such a Jacobian decreases the norm, by backtracking, or else the
    run ends and says why.

    References
    ----------
    Broyden, Math. Comp. 19 (1965) 577. Gay, SIAM J. Numer. Anal. 16 (1979) 623. Dennis & Schnabel, *Numerical
    Methods for Unconstrained Optimization and Nonlinear Equations*, ch. 8.

    Examples
    --------
    >>> from gradlib.problems import dennis_schnabel as system
    >>> result = root(system.F, system.x0, B0=system.jac(system.x0))
    >>> result.x.round(10) + 0.0, result.nit, result.nfev
    (array([0., 3.]), 7, 8)
    """
    check_options(tol, max_iter, callback, keep_trace=keep_trace)
    if not isinstance(method, str) or method not in _UPDATES:
        raise ValueError(f'method must be "good" or "bad", got {method!r}')
    equations = Equations(F, x0, lambda x: np.eye(np.size(x)))
    equations.njev = 0  # the Jacobian at the start, which it asked for, is none
    x, value = equations.x0, equations.F0
    norm, size = norm_inf(value), _half_square(value)
    if not math.isfinite(size):
        raise ValueError(f"F must be scaled: the square of its norm at x0 overflows, F(x0) is {value}")
    fresh = B0 is None  # whether B is the Jacobian at x, by differences
    B = _differences(equations, x, value) if fresh else _square(B0, x.size)
    H = _inverse(B)
    if not np.isfinite(B).all():
        raise ValueError(f"x0 must lie inside the domain of F: its differences there are {B}")
    if H is None and not fresh:
        raise ValueError(f"B0 must not be singular, got {B}")
    run = Recorder(x, size, norm, (value, H), keep_trace=keep_trace)
    best, idle = (size, x, value), 0  # idle: steps since then
    far = _FAR * (1 + norm_inf(x))

    def merit(x: Vector) -> float:
        nonlocal value  # the last point tried is the one accepted, so F is not evaluated twice
        value = equations.fun(x)
        return _half_square(value)

    status = Status.CONVERGED if norm <= tol else None
    while status is None:
        if run.nit >= max_iter:
            status = Status.ITERATION_LIMIT
            break
        if H is None and not fresh:
            size, x, value = best
            B, fresh, idle = _differences(equations, x, value), True, 0
            H = _inverse(B)
        if H is None:
            status = Status.SINGULAR if np.isfinite(B).all() else Status.NOT_FINITE
            break
        before, p = value, -H @ value
        taken = _damped_step(merit, x, p, size, B.T @ value) if fresh else _full_step(merit, x, p)
        if taken.failure is not None and fresh:
            status = _reason(taken.failure, x, size, B.T @ before)
            break
        if taken.failure is not None:
            H = None
            continue
        fresh = False
        learnt = _update(method, H, taken.x - x, value - before, before)
        x, size, norm = taken.x, taken.fun, norm_inf(value)
        run.add(x, size, norm, (value, H if learnt is None else learnt), taken.alpha)
        H = learnt
        asked = asks_to_stop(callback, equations.hand_out(x))
        is_best = size < best[0]
        best, idle = ((size, x, value), 0) if is_best else (best, idle + 1)
        if norm <= tol:
            status = Status.CONVERGED
        elif asked:
            status = Status.CALLBACK
        elif norm_inf(x) > far and is_best:
            status = Status.DIVERGED
        elif norm_inf(x) > far or idle > 2 * x.size:
            H = None
    result = run.result(equations, status)
    return replace(result, jac=_jacobian(B, result.jac, equations.is_scalar))


def _secant(matrix: tuple[str, ArrayLike], s: ArrayLike, y: ArrayLike) -> tuple[Matrix, Vector, Vector]:
    """Return matrix, s and y as arrays whose shapes fit."""
    name, M = matrix[0], _array(matrix[1], matrix[0])
    s, y = _array(s, "s"), _array(y, "y")
    if s.ndim != 1 or s.shape != y.shape:
        raise ValueError(f"s and y must be vectors of one length, got shapes {s.shape} and {y.shape}")
    if M.shape != (s.size, s.size):
        raise ValueError(f"{name} must have shape {(s.size, s.size)} to fit s, got {M.shape}")
    return M, s, y


def _array(value: ArrayLike, name: str) -> Vector:
    return value if type(value) is np.ndarray and value.dtype is _DOUBLE else numeric(value, name)


def _nonzero(denominator: Any, name: str) -> float:
    if denominator == 0:
        raise ValueError(f"{name} must not be zero")
    return float(denominator)


def _square(B0: ArrayLike | None, n: int) -> Matrix:
    """Return B0 as a matrix of shape (n, n); a number will do where n = 1."""
    B = finite(B0, "B0")  # type: ignore[arg-type]
    if B.shape != (n, n) and not B.size == n == 1:
        raise ValueError(f"B0 must have shape {(n, n)} to fit x0, got {B.shape}")
    return B.reshape(n, n)


def _differences(equations: Equations, x: Vector, value: Vector) -> Matrix:
    """Return the Jacobian at x by one-sided differences, backward where forward leaves the domain."""
    B = np.empty((x.size, x.size))
    for j in range(x.size):
        for h in (_EPS**0.5 * max(abs(x[j]), 1.0), -(_EPS**0.5) * max(abs(x[j]), 1.0)):
            beside = x.copy()
            beside[j] += h
            B[:, j] = (equations.fun(beside) - value) / (beside[j] - x[j])
            if np.isfinite(B[:, j]).all():
                break
    return B


def _inverse(B: Matrix) -> Matrix | None:
    """Return the inverse, or None where B is singular to working precision or not finite."""
    if not np.isfinite(B).all() or is_singular(B):
        return None
    return np.asarray(np.linalg.inv(B), dtype=np.float64)


def _full_step(merit: Callable[[Vector], float], x: Vector, p: Vector) -> Step:
    """Go along p, all the way if F is finite there, else by the largest of ½, ¼, … that stays inside."""
    alpha = 1.0
    for nfev in range(1, 61):
        trial = x + alpha * p
        size = merit(trial)
        if math.isfinite(size):
            return Step(alpha, trial, size, None, nfev, 0)
        alpha /= 2
    return Step(0.0, x, math.nan, None, nfev, 0, Status.NOT_FINITE)


def _damped_step(merit: Callable[[Vector], float], x: Vector, p: Vector, size: float, slope: Vector) -> Step:
    """Backtrack along p, if round-off has left it a direction of descent."""
    if not -math.inf < slope @ p < 0:
        return Step(0.0, x, size, None, 0, 0, Status.SINGULAR)
    return backtracking(merit, x, p, size, slope)


def _reason(failure: Status, x: Vector, size: float, slope: Vector) -> Status:
    """Say why the norm cannot be decreased along the direction that differences give."""
    if failure in (Status.NOT_FINITE, Status.SINGULAR):
        return failure
    if is_local_minimum(x, size, slope):
        return Status.LOCAL_MINIMUM_OF_NORM
    return Status.ROUND_OFF if failure is Status.GRADIENT_MISMATCH else failure  # no jac was given


def _update(method: str, H: Matrix, s: Vector, y: Vector, before: Vector) -> Matrix | None:
    """Return the updated H, or None where it, or its inverse, would be nothing but round-off."""
    # det H₊ is det H times sᵀs / sᵀHy (good) or yᵀBs / yᵀy (bad), where Bs is a multiple of F(x)
    u, v = (s, H @ y) if method == "good" else (y, before)
    if not abs(u @ v) > _BREAKDOWN * math.sqrt((u @ u) * (v @ v)):
        return None
    return _UPDATES[method](H, s, y)


def _half_square(v: Vector) -> float:
    return 0.5 * float(v @ v)


def _jacobian(B: Matrix, H: Any, is_scalar: bool) -> Any:
    """Return what stands for the Jacobian at the end: the inverse of H, or B, by differences, without H."""
    if H is None:
        return B[0, 0] if is_scalar else B
    if is_scalar:
        return 1 / H
    try:
        return np.linalg.inv(H)
    except np.linalg.LinAlgError:
        return np.full_like(H, np.nan)
