"""Newton's method: replace the function by its linear or quadratic model, solve that, repeat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlib._equations import is_local_minimum, is_singular
from gradlib._objective import (
    Equations,
    Function,
    Jacobian,
    Matrix,
    Objective,
    Vector,
    asks_to_stop,
    check_options,
    finite,
    norm_inf,
)
from gradlib._scipy import scipy_method
from gradlib.linesearch import Step, backtracking
from gradlib.result import Callback, Recorder, Result, Status

__all__ = ["minimize", "regularise", "root", "step"]

_EPS = float(np.finfo(np.float64).eps)
_FAR = 1e20  # beyond this multiple of the start's size the iterates run away


@np.errstate(divide="ignore", invalid="ignore")
def step(F: ArrayLike, J: ArrayLike) -> Any:
    r"""Return Newton's step: where the linear model of F has its zero.

    .. math:: J(x)\,p = -F(x)

    Parameters
    ----------
    F : array_like, shape (n,) or any
        Values at x. For minimisation this is the gradient.
    J : array_like, shape (n, n), or the shape of `F`
        Jacobian at x; for minimisation the Hessian. With the shape of `F` it holds the derivatives of
        independent scalar equations: the step is :math:`-F/J` for each, real or complex.

    Returns
    -------
    ndarray, shape of `F`
        The step p; infinite or NaN for an independent equation whose derivative is zero.

    Raises
    ------
    ValueError
        If the shapes do not fit, or the matrix `J` is singular.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., eq. (11.5).

    Examples
    --------
    >>> step(F=2.0, J=4.0)
    np.float64(-0.5)
    >>> step(F=[3.0, 17.0], J=[[1.0, 1.0], [2.0, 10.0]])
    array([-1.625, -1.375])
    """
    F, J = _linear_model(F, J)
    if J.shape == F.shape:
        return -F / J
    return _solve(J, -F)


def regularise(H: ArrayLike) -> Matrix:
    r"""Return H if it is positive definite, else H + τI that is.

    The search starts from τ = 0 where the diagonal is positive, else from
    :math:`\tau = \beta - \min_i H_{ii}`, and goes on with :math:`\max(2\tau, \beta)` until a Cholesky
    factorisation exists; :math:`\beta = 10^{-3}\max_{ij}\lvert H_{ij}\rvert`.

    Parameters
    ----------
    H : array_like, shape (n, n)
        Symmetric matrix.

    Returns
    -------
    ndarray, shape (n, n)
        Positive definite.

    Raises
    ------
    ValueError
        If `H` is not a finite symmetric matrix, or so large that τ would leave the range.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithm 3.3, with β relative to H.

    Examples
    --------
    >>> regularise([[2.0, 0.0], [0.0, 1.0]])
    array([[2., 0.],
           [0., 1.]])
    >>> np.linalg.eigvalsh(regularise([[2.0, 0.0], [0.0, -1.0]])).min().round(3)
    np.float64(0.002)
    """
    H = _symmetric(H)
    beta, lowest = 1e-3 * norm_inf(H), np.diag(H).min()
    tau = 0.0 if lowest > 0 else beta - lowest
    while not _is_positive_definite(H + tau * np.eye(len(H))):
        tau = max(2 * tau, beta or 1e-3)
    return H + tau * np.eye(len(H))


@np.errstate(all="ignore")
def root(
    F: Function,
    x0: ArrayLike,
    jac: Jacobian = None,
    *,
    damped: bool = True,
    tol: float = 1e-10,
    max_iter: int = 100,
    callback: Callback | None = None,
    keep_trace: bool = True,
) -> Result:
    r"""Solve F(x) = 0 by Newton's method.

    .. math:: x_{k+1} = x_k + \alpha_k p_k, \qquad J(x_k)\,p_k = -F(x_k)

    Parameters
    ----------
    F : callable
        The equations: a vector of shape (n,) to shape (n,), or a number to a number.
    x0 : float or array_like, shape (n,)
        Start; a number makes the result a number.
    jac : callable, True or None
        Jacobian, shape (n, n); True if `F` returns the pair (F, J). None lets autograd differentiate `F`,
        which is then written with ``autograd.numpy``.
    damped : bool
        Whether :math:`\alpha_k` is found by backtracking on :math:`\tfrac12\lVert F\rVert_2^2`. Without it
        all are 1: the textbook iteration, which may cycle or run away.
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
        With ``fun`` = F(x) and ``jac`` = J(x).

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithms 11.1 and 11.4.

    Examples
    --------
    >>> result = root(lambda x: x**2 - 2, 1.0)
    >>> result.success, result.nit
    (True, 4)
    >>> root(lambda x: [x[0] + x[1] - 3, x[0] ** 2 + x[1] ** 2 - 9], [1.0, 5.0]).x.round(8) + 0.0
    array([0., 3.])
    """
    check_options(tol, max_iter, callback, damped=damped, keep_trace=keep_trace)
    equations = Equations(F, x0, jac)
    x, value, J = equations.x0, equations.F0, equations.J0
    norm, size, slope = norm_inf(value), _half_square(value), J.T @ value
    if not np.isfinite(size):
        raise ValueError(f"F must be scaled: the square of its norm at x0 overflows, F(x0) is {value}")
    run = Recorder(x, size, norm, (value, J), keep_trace=keep_trace)
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
        if is_singular(J):
            status = Status.SINGULAR
            break
        taken = _go(merit, x, step(value, J), size, slope, damped=damped)
        if taken.failure is not None:
            status = taken.failure
            break
        last_size, last_norm = size, norm
        x, size, norm = taken.x, taken.fun, norm_inf(value)
        J = equations.jac(x)
        slope = J.T @ value
        run.add(x, size, norm, (value, J), taken.alpha)
        asked = asks_to_stop(callback, equations.hand_out(x))
        if norm <= tol:
            status = Status.CONVERGED
        elif not np.isfinite(J).all():
            status = Status.NOT_FINITE
        else:
            stalled = damped and size >= last_size and norm >= last_norm
            status = _reason_to_stop(x, far, stalled, asked)
    no_progress = status in (Status.LINE_SEARCH, Status.ROUND_OFF, Status.KINK)
    if no_progress and is_local_minimum(x, size, slope):
        status = Status.LOCAL_MINIMUM_OF_NORM
    return run.result(equations, status)


@scipy_method
@np.errstate(all="ignore")
def minimize(
    fun: Function,
    x0: ArrayLike,
    jac: Jacobian = None,
    hess: Function | None = None,
    *,
    damped: bool = True,
    tol: float = 1e-8,
    max_iter: int = 100,
    callback: Callback | None = None,
    keep_trace: bool = True,
) -> Result:
    r"""Minimise f by Newton's method: find a zero of the gradient, going downhill.

    .. math:: x_{k+1} = x_k + \alpha_k p_k, \qquad \nabla^2 f(x_k)\,p_k = -\nabla f(x_k)

    Parameters
    ----------
    fun : callable
        The function: a vector of shape (n,), or a number, to a number.
    x0 : float or array_like, shape (n,)
        Start; a number makes the result a number.
    jac : callable, True or None
        Gradient, shape (n,); True if `fun` returns the pair (f, g). None lets autograd differentiate `fun`,
        which is then written with ``autograd.numpy``.
    hess : callable or None
        Hessian, shape (n, n); None lets autograd supply it.
    damped : bool
        Whether the Hessian is made positive definite by `regularise` where it is not, and :math:`\alpha_k`
        found by backtracking. Without it all :math:`\alpha_k` are 1: the textbook iteration, which goes to
        any stationary point.
    tol : float
        The run has converged when :math:`\lVert\nabla f\rVert_\infty` ≤ `tol` and the Hessian has no negative
        eigenvalue.
    max_iter : int
        Largest number of iterations.
    callback : callable, optional
        Called with a copy of x after each iteration; returning True or raising StopIteration ends the run.
    keep_trace : bool
        Whether to keep all iterates.

    Returns
    -------
    Result
        With the gradient as ``jac``. A saddle point or a maximum ends with `Status.STATIONARY`, which is no
        success.

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithm 3.2.

    Examples
    --------
    >>> from gradlib.problems import rosenbrock
    >>> result = minimize(rosenbrock.fun, rosenbrock.x0, rosenbrock.jac, rosenbrock.hess)
    >>> result.x.round(8), result.nit
    (array([1., 1.]), 21)
    >>> minimize(lambda x: x[0] ** 2 - x[1] ** 2, [1.0, 0.0], damped=False).status.name
    'STATIONARY'
    """
    check_options(tol, max_iter, callback, damped=damped, keep_trace=keep_trace)
    objective = Objective(fun, x0, jac, hess, second_order=True)
    x, f, g, H = objective.x0, objective.f0, objective.g0, objective.H0
    norm = norm_inf(g)
    run = Recorder(x, f, norm, (f, g), keep_trace=keep_trace)
    far = _FAR * (1 + norm_inf(x))

    status = _kind_of_stationary_point(H) if norm <= tol else None
    while status is None:
        if run.nit >= max_iter:
            status = Status.ITERATION_LIMIT
            break
        if damped:
            p = step(g, regularise(H))
        elif is_singular(H):
            status = Status.SINGULAR
            break
        else:
            p = step(g, H)
        taken = _go(objective.fun, x, p, f, g, damped=damped)
        if taken.failure is not None:
            status = taken.failure
            break
        last_f, last_norm = f, norm
        x, f, g = taken.x, taken.fun, objective.grad(taken.x)
        norm = norm_inf(g)
        if not np.isfinite(norm):
            status = Status.NOT_FINITE
            break
        run.add(x, f, norm, (f, g), taken.alpha)
        H = objective.hess(x)
        asked = asks_to_stop(callback, objective.hand_out(x))
        if norm <= tol:
            status = _kind_of_stationary_point(H)
        elif not np.isfinite(H).all():
            status = Status.NOT_FINITE
        else:
            stalled = damped and f >= last_f and norm >= last_norm
            status = _reason_to_stop(x, far, stalled, asked)
    return run.result(objective, status)


def _linear_model(F: ArrayLike, J: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return F and J as arrays whose shapes fit."""
    F, J = np.asarray(F), np.asarray(J)
    for name, array in (("F", F), ("J", J)):
        if array.dtype.kind not in "iufc":
            raise ValueError(f"{name} must be numbers, got {array.dtype}")
    if J.shape != F.shape and (F.ndim != 1 or J.shape != (F.size, F.size)):
        raise ValueError(f"J must have the shape {F.shape} of F or be its Jacobian, got shape {J.shape}")
    return F, J


def _solve(J: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    try:
        return np.linalg.solve(J, b)
    except np.linalg.LinAlgError:
        raise ValueError("J is singular: the linear model of F has no unique zero") from None


def _symmetric(H: ArrayLike) -> Matrix:
    H = finite(H, "H")
    square = H.ndim == 2 and H.shape[0] == H.shape[1] > 0
    if not square or np.abs(H - H.T).max() > 1e-8 * norm_inf(H):
        raise ValueError(f"H must be a symmetric matrix, got {H}")
    if not 4 * len(H) * norm_inf(H) < np.inf:  # no eigenvalue is below -n max |Hᵢⱼ|, and τ overshoots
        raise ValueError(f"H must be scaled: its largest element is {norm_inf(H):.3g}")
    return H


def _is_positive_definite(H: Matrix) -> bool:
    """Whether a Cholesky factorisation exists whose pivots are more than round-off."""
    try:
        pivots = np.diag(np.linalg.cholesky(H)) ** 2
    except np.linalg.LinAlgError:
        return False
    return bool((pivots > 10 * len(H) * _EPS * np.diag(H)).all())


def _go(fun: Callable[[Vector], float], x: Vector, p: Vector, f: float, g: Vector, *, damped: bool) -> Step:
    """Return the step along p: found by backtracking, or the full one of the textbook."""
    if not damped:
        trial = x + p
        value = fun(trial)
        inside = np.isfinite(value) and np.isfinite(trial).all()
        return Step(1.0, trial, value, None, 1, 0, None if inside else Status.NOT_FINITE)
    if not -np.inf < g @ p < 0:  # round-off has spoiled the solution of the linear system
        return Step(0.0, x, f, g, 0, 0, Status.SINGULAR)
    return backtracking(fun, x, p, f, g)


def _reason_to_stop(x: Vector, far: float, stalled: bool, asked: bool) -> Status | None:
    """Return why a run cannot or shall not go on from a sound point, or None."""
    if norm_inf(x) > far:
        return Status.DIVERGED
    if asked:
        return Status.CALLBACK
    return Status.ROUND_OFF if stalled else None


def _kind_of_stationary_point(H: Matrix) -> Status:
    """Tell a saddle point or a maximum, where the Hessian has a negative eigenvalue, from a minimum."""
    if not np.isfinite(H).all():
        return Status.NOT_FINITE
    curvatures = np.linalg.eigvalsh(H)
    return Status.STATIONARY if curvatures[0] < -(_EPS**0.5) * np.abs(curvatures).max() else Status.CONVERGED


def _half_square(v: Vector) -> float:
    return 0.5 * float(v @ v)
