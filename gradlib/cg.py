"""Conjugate gradients: a direction that does not undo what the steps before it gained, for one more vector.

`solve` is the linear method, for Ax = b with A symmetric positive definite, `steepest_descent` the one it
improves on, and `minimize` the method for any smooth function. The four formulas for β are one on a quadratic
with exact steps; elsewhere they differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from inspect import signature, unwrap
from itertools import accumulate
from typing import Any, ParamSpec, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gradlib._objective import (
    Function,
    Jacobian,
    Objective,
    Vector,
    asks_to_stop,
    check_options,
    finite,
    is_finite,
    norm_inf,
    number,
    numeric,
)
from gradlib._scipy import scipy_method
from gradlib.linesearch import NOISE, wolfe_search
from gradlib.result import Callback, Recorder, Result, Status

__all__ = [
    "dai_yuan",
    "direction",
    "fletcher_reeves",
    "hestenes_stiefel",
    "minimize",
    "polak_ribiere",
    "solve",
    "steepest_descent",
    "step",
]

Operator: TypeAlias = Any  # a matrix, a sparse matrix, a LinearOperator, or a function v → Av
Product: TypeAlias = Callable[[Vector], Vector]
Arguments = ParamSpec("Arguments")

_DOUBLE = np.dtype(np.float64)
_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).tiny)
_FAR = 1e20  # beyond this multiple of the start's size the iterates run away
_ASYMMETRY = 1e-6  # relative; round-off stays below it, and a smaller asymmetry does not harm
_POWELL = 0.2  # gradients in a row that are less orthogonal than this have forgotten conjugacy
_C1 = 1e-4  # the line search's other constant
_RESTART = 6  # times n iterations: n would do if steps were exact, and is too soon where they are not
_PATIENCE = 100  # iterations without a better value or gradient, after which round-off has won
_SHORT = 10  # searches in a row, all but the first along -g, that end short of Wolfe's second condition


def step(x: Vector, r: Vector, p: Vector, Ap: Vector, alpha: float) -> tuple[Vector, Vector]:
    r"""Go to the next point of the linear method, and to its residual.

    .. math:: x_{k+1} = x_k + \alpha_k p_k, \qquad r_{k+1} = r_k - \alpha_k A p_k

    It checks nothing; `solve` does.

    Parameters
    ----------
    x, r, p, Ap : ndarray, shape (n,)
        Point, residual :math:`r = b - Ax`, direction, and the product :math:`Ap`.
    alpha : float
        Step length; exact where it is :math:`r^T r / p^T A p`.

    Returns
    -------
    x, r : ndarray, shape (n,)
        The next point and residual.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., eq. (5.24b, c), with r the negative of theirs.

    Examples
    --------
    >>> r = np.array([2.0, 1.0])
    >>> step(x=np.zeros(2), r=r, p=r, Ap=np.array([4.0, 4.0]), alpha=0.25)
    (array([0.5 , 0.25]), array([1., 0.]))
    """
    return x + alpha * p, r - alpha * Ap


def direction(r: Vector, p: Vector, beta: float) -> Vector:
    r"""Return the next direction: the newest residual, with so much of the last direction added.

    .. math:: p_{k+1} = r_{k+1} + \beta_{k+1} p_k

    It checks nothing; `solve` and `minimize` do.

    Parameters
    ----------
    r : ndarray, shape (n,)
        The newest residual, preconditioned where there is a preconditioner; for a function to be minimised
        its negative gradient.
    p : ndarray, shape (n,)
        Direction of the last step.
    beta : float
        0 gives steepest descent.

    Returns
    -------
    ndarray, shape (n,)
        The direction.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., eq. (5.24e).

    Examples
    --------
    >>> direction(r=np.array([0.0, 1.0]), p=np.array([2.0, 0.0]), beta=0.25)
    array([0.5, 1. ])
    """
    return r + beta * p


def _of_vectors(formula: Callable[Arguments, float]) -> Callable[Arguments, float]:
    """Check that a formula's arguments are vectors of one length; the formula itself is for drivers."""
    own = signature(formula)
    unchecked: Callable[..., float] = formula

    @wraps(formula)
    @np.errstate(all="ignore")
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> float:
        vectors: dict[str, Vector] = {}
        for name, value in own.bind(*args, **kwargs).arguments.items():
            v = numeric(value, name)
            if v.ndim != 1:
                raise ValueError(f"{name} must be a vector, got shape {v.shape}")
            first = next(iter(vectors), name)
            vectors[name] = v
            if v.size != vectors[first].size:
                raise ValueError(f"{name} must have length {vectors[first].size} as {first}, got {v.size}")
        return unchecked(**vectors)

    return checked


@_of_vectors
def fletcher_reeves(g: Vector, g_new: Vector) -> float:
    r"""Return Fletcher and Reeves's β.

    .. math:: \beta_{k+1} = \frac{g_{k+1}^T g_{k+1}}{g_k^T g_k}

    Parameters
    ----------
    g, g_new : array_like, shape (n,)
        Gradient at the last point and at the new one; or residuals, the sign cancels.

    Returns
    -------
    float
        β; infinite or NaN where the denominator is zero.

    Raises
    ------
    ValueError
        If the arguments are no vectors of one length.

    References
    ----------
    Fletcher & Reeves, Computer Journal 7 (1964) 149.

    Examples
    --------
    >>> fletcher_reeves([2.0, 0.0], [0.0, 1.0])
    0.25
    """
    return float(g_new.dot(g_new) / g.dot(g))


@_of_vectors
def polak_ribiere(g: Vector, g_new: Vector) -> float:
    r"""Return the β of Polak and Ribière, not below 0 (the variant called PR⁺).

    .. math:: \beta_{k+1} = \max\left(0, \frac{g_{k+1}^T (g_{k+1} - g_k)}{g_k^T g_k}\right)

    After a step that hardly changed the gradient it is near 0, so the method starts afresh by itself.

    Parameters
    ----------
    g, g_new : array_like, shape (n,)
        Gradient at the last point and at the new one.

    Returns
    -------
    float
        β; infinite or NaN where the denominator is zero.

    Raises
    ------
    ValueError
        If the arguments are no vectors of one length.

    References
    ----------
    Polak & Ribière, Rev. française informat. rech. opér. 3 (1969) 35. The restriction to β ≥ 0: Gilbert &
    Nocedal, SIAM J. Optim. 2 (1992) 21.

    Examples
    --------
    >>> polak_ribiere([2.0, 0.0], [1.0, 1.0])
    0.0
    >>> polak_ribiere([2.0, 0.0], [0.0, 1.0])
    0.25
    """
    return max(0.0, float(g_new.dot(g_new - g) / g.dot(g)))


@_of_vectors
def hestenes_stiefel(g: Vector, g_new: Vector, p: Vector) -> float:
    r"""Return Hestenes and Stiefel's β: the new direction is conjugate to the last for the curvature it saw.

    .. math:: \beta_{k+1} = \frac{g_{k+1}^T y_k}{p_k^T y_k}, \qquad y_k = g_{k+1} - g_k

    Parameters
    ----------
    g, g_new : array_like, shape (n,)
        Gradient at the last point and at the new one.
    p : array_like, shape (n,)
        Direction of the step between them.

    Returns
    -------
    float
        β; infinite or NaN where the denominator is zero.

    Raises
    ------
    ValueError
        If the arguments are no vectors of one length.

    References
    ----------
    Hestenes & Stiefel, J. Res. Nat. Bur. Standards 49 (1952) 409.

    Examples
    --------
    >>> hestenes_stiefel([2.0, 0.0], [0.0, 1.0], p=[-2.0, 0.0])
    0.25
    """
    y = g_new - g
    return float(g_new.dot(y) / p.dot(y))


@_of_vectors
def dai_yuan(g: Vector, g_new: Vector, p: Vector) -> float:
    r"""Return Dai and Yuan's β, which gives descent after every step that fulfils Wolfe's conditions.

    .. math:: \beta_{k+1} = \frac{g_{k+1}^T g_{k+1}}{p_k^T y_k}, \qquad y_k = g_{k+1} - g_k

    Parameters
    ----------
    g, g_new : array_like, shape (n,)
        Gradient at the last point and at the new one.
    p : array_like, shape (n,)
        Direction of the step between them.

    Returns
    -------
    float
        β; infinite or NaN where the denominator is zero.

    Raises
    ------
    ValueError
        If the arguments are no vectors of one length.

    References
    ----------
    Dai & Yuan, SIAM J. Optim. 10 (1999) 177.

    Examples
    --------
    >>> dai_yuan([2.0, 0.0], [0.0, 1.0], p=[-2.0, 0.0])
    0.25
    """
    y = g_new - g
    return float(g_new.dot(g_new) / p.dot(y))


# Unwrapped, since a driver's vectors are sound
_FLETCHER_REEVES, _POLAK_RIBIERE = unwrap(fletcher_reeves), unwrap(polak_ribiere)
_BETAS: dict[str, Callable[[Vector, Vector, Vector], float]] = {
    "fletcher-reeves": lambda g, g_new, p: _FLETCHER_REEVES(g, g_new),
    "polak-ribiere": lambda g, g_new, p: _POLAK_RIBIERE(g, g_new),
    "hestenes-stiefel": unwrap(hestenes_stiefel),
    "dai-yuan": unwrap(dai_yuan),
}
_REMEMBER = ("fletcher-reeves", "dai-yuan")  # after a bad direction these go on with bad directions


def solve(
    A: Operator,
    b: ArrayLike,
    x0: ArrayLike | None = None,
    *,
    preconditioner: Operator | None = None,
    tol: float = 1e-8,
    max_iter: int | None = None,
    callback: Callback | None = None,
    keep_trace: bool = True,
) -> Result:
    r"""Solve Ax = b by conjugate gradients.

    .. math::

        \alpha_k = \frac{r_k^T z_k}{p_k^T A p_k}, \qquad
        \beta_{k+1} = \frac{r_{k+1}^T z_{k+1}}{r_k^T z_k}, \qquad z_k = P^{-1} r_k

    between `step` and `direction`; without a preconditioner :math:`z_k = r_k`, and β is that of
    `fletcher_reeves`. In exact arithmetic the residuals are orthogonal and the directions conjugate,
    :math:`p_i^T A p_j = 0`, so there are at most n iterations.

    Parameters
    ----------
    A : array_like, sparse matrix, LinearOperator or callable, shape (n, n)
        Symmetric positive definite; a callable returns the product Av of a vector v.
    b : array_like, shape (n,)
        Right-hand side.
    x0 : array_like, shape (n,), optional
        Start; the origin if not given.
    preconditioner : array_like, sparse matrix, LinearOperator or callable, shape (n, n), optional
        The symmetric positive definite matrix :math:`P^{-1}`, near :math:`A^{-1}`, that is multiplied by each
        residual; a callable returns the product.
    tol : float
        The run has converged when :math:`\lVert r\rVert_2 / \lVert b\rVert_2` ≤ `tol`; where b = 0,
        :math:`\lVert r_0\rVert_2` stands in its place.
    max_iter : int, optional
        Largest number of iterations; 10 n if not given.
    callback : callable, optional
        Called with a copy of x after each iteration; returning True or raising StopIteration ends the run.
    keep_trace : bool
        Whether to keep all iterates. They are nit + 1 vectors: for large systems say False.

    Returns
    -------
    Result
        With the quadratic :math:`\tfrac12 x^T A x - b^T x`, which the solution minimises, as ``fun``, its
        gradient Ax - b as ``jac``, and the number of products with A as ``nhev``. The trace holds
        :math:`\lVert r\rVert_2 / \lVert b\rVert_2` as ``grad_norm``.

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it. That `A` is not symmetric or not positive definite
        shows in the products: in the second iteration :math:`x^T(Ap)` and :math:`p^T(Ax)` are compared, and
        in each the curvature :math:`p^T A p` is looked at.

    Notes
    -----
    The residual of the recurrence drifts from the true one, so success is only claimed when
    :math:`b - Ax`, computed afresh, is within `tol`; otherwise the method starts again from there, and ends
    with `Status.ROUND_OFF` when that no longer helps. A curvature that vanishes in the course of a run ends
    it with `Status.SINGULAR`.

    References
    ----------
    Hestenes & Stiefel, J. Res. Nat. Bur. Standards 49 (1952) 409. Nocedal & Wright, *Numerical Optimization*,
    2nd ed., algorithms 5.2 and 5.3.

    Examples
    --------
    >>> result = solve([[5.0, 2.0], [2.0, 2.0]], [8.0, 2.0])
    >>> result.x.round(12), result.nit, round(result.fun, 12)
    (array([ 2., -1.]), 2, -7.0)
    """
    return _solve(A, b, x0, preconditioner, True, tol, max_iter, callback, keep_trace)


def steepest_descent(
    A: Operator,
    b: ArrayLike,
    x0: ArrayLike | None = None,
    *,
    tol: float = 1e-8,
    max_iter: int | None = None,
    callback: Callback | None = None,
    keep_trace: bool = True,
) -> Result:
    r"""Solve Ax = b by steepest descent: conjugate gradients with β = 0.

    .. math:: x_{k+1} = x_k + \alpha_k r_k, \qquad \alpha_k = \frac{r_k^T r_k}{r_k^T A r_k}

    Parameters
    ----------
    A, b, x0, tol, callback, keep_trace
        As for `solve`.
    max_iter : int, optional
        Largest number of iterations; 1000 n if not given.

    Returns
    -------
    Result
        As of `solve`.

    Raises
    ------
    ValueError
        If an argument is unusable, as for `solve`.

    References
    ----------
    Boyd & Vandenberghe, *Convex Optimization*, section 9.3.

    Examples
    --------
    >>> steepest_descent([[1.0, 0.0], [0.0, 10.0]], [0.0, 0.0], [10.0, 1.0]).trace.x[:3].round(4)
    array([[10.    ,  1.    ],
           [ 8.1818, -0.8182],
           [ 6.6942,  0.6694]])
    """
    return _solve(A, b, x0, None, False, tol, max_iter, callback, keep_trace)


@np.errstate(all="ignore")
def _solve(
    A: Operator,
    b: ArrayLike,
    x0: ArrayLike | None,
    preconditioner: Operator | None,
    conjugate: bool,
    tol: float,
    max_iter: int | None,
    callback: Callback | None,
    keep_trace: bool,
) -> Result:
    """Do what `solve` says, or with conjugate=False what `steepest_descent` says."""
    b = _right_hand_side(b)
    n = b.size
    multiply = _multiplication(A, "A", n)
    # A is symmetric, and BLAS reads a matrix faster along its columns
    faster = A.T.dot if type(A) is np.ndarray and A.flags.c_contiguous and A.dtype is _DOUBLE else multiply
    precondition = None if preconditioner is None else _multiplication(preconditioner, "preconditioner", n)
    if max_iter is None:
        max_iter = (10 if conjugate else 1000) * n
    check_options(tol, max_iter, callback, keep_trace=keep_trace)
    x, r, products = _start(multiply, b, x0)
    scale = _norm(b, "b") or _norm(r, "x0") or 1.0
    rr = float(r.dot(r))
    norm = math.sqrt(rr) / scale
    run = Recorder(x, 0.0, norm, None, keep_trace=keep_trace)
    gains = []  # what each step takes off the quadratic
    nearly = max(tol, _EPS)  # where the recurrence is replaced by the true residual
    attained = math.inf  # the norm of the true residual when it was computed last

    status = Status.CONVERGED if norm <= tol else None
    if status is not None and not is_finite(multiply(x)):
        raise ValueError("A must give finite products")
    if status is None:
        z, rz = _preconditioned(precondition, r, rr)
        p = z.copy()  # a function may return the same array each time
    while status is None:
        if run.nit >= max_iter:
            status = Status.ITERATION_LIMIT
            break
        Ap = faster(p)
        products += 1
        curvature = float(p.dot(Ap))
        if run.nit == 1:
            _check_symmetry(x, p, Ap, b - r)
        if not 0 < curvature < math.inf:
            status = _failure(curvature, run.nit, p, multiply, b)
            break
        alpha = rz / curvature
        x, r = step(x, r, p, Ap, alpha)
        rr = float(r.dot(r))
        norm = math.sqrt(rr) / scale
        afresh = norm <= nearly
        if afresh:
            r = b - multiply(x)
            products += 1
            rr = float(r.dot(r))
            norm = math.sqrt(rr) / scale
        if not norm < math.inf:
            raise ValueError("A must be scaled: the solution of Ax = b is out of double precision's range")
        run.add(x, 0.0, norm, None, alpha)
        gains.append(0.5 * alpha * rz)
        asked = callback is not None and asks_to_stop(callback, x.copy())
        if norm <= tol:
            status = Status.CONVERGED
        elif afresh and norm > 0.5 * attained:
            status = Status.ROUND_OFF
        elif asked:
            status = Status.CALLBACK
        else:
            last = rz
            z, rz = _preconditioned(precondition, r, rr)
            p = direction(z, p, rz / last if conjugate and not afresh else 0.0)
            if afresh:
                attained = norm
    if not is_finite(x):
        raise ValueError("A must be scaled: the solution of Ax = b is out of double precision's range")
    fun = -0.5 * (float(x.dot(b)) + float(x.dot(r)))  # ½xᵀAx - bᵀx, where Ax = b - r
    values = [*accumulate(reversed(gains), initial=fun)][::-1]  # summed from the smallest on
    _, _, trace = run.finish(status, values)
    return Result(
        x=x.copy() if keep_trace else x,  # the trace holds x itself
        fun=fun,
        jac=-r,
        nit=run.nit,
        nfev=0,
        njev=0,
        nhev=products,
        status=status,
        trace=trace,
    )


@scipy_method
@np.errstate(all="ignore")
def minimize(
    fun: Function,
    x0: ArrayLike,
    jac: Jacobian = None,
    *,
    beta: str = "polak-ribiere",
    c2: float = 0.1,
    tol: float = 1e-6,
    max_iter: int = 10_000,
    callback: Callback | None = None,
    keep_trace: bool = True,
) -> Result:
    r"""Minimise f by nonlinear conjugate gradients.

    .. math:: x_{k+1} = x_k + \alpha_k p_k, \qquad p_{k+1} = -\nabla f(x_{k+1}) + \beta_{k+1} p_k

    with :math:`\alpha_k` from the strong Wolfe conditions.

    Parameters
    ----------
    fun : callable
        The function: a vector of shape (n,), or a number, to a number.
    x0 : float or array_like, shape (n,)
        Start; a number makes the result a number.
    jac : callable, True or None
        Gradient, shape (n,); True if `fun` returns the pair (f, g). None lets autograd differentiate `fun`,
        which is then written with ``autograd.numpy``.
    beta : {"polak-ribiere", "fletcher-reeves", "hestenes-stiefel", "dai-yuan"}
        The formula for β: `polak_ribiere`, `fletcher_reeves`, `hestenes_stiefel` or `dai_yuan`.
    c2 : float
        Share of the slope that a step may leave, between 1e-4 and 1: the smaller, the more exact the line
        search. Conjugacy needs nearly exact steps; SciPy's 0.4 makes iterations cheaper, and more of them.
    tol : float
        The run has converged when :math:`\lVert\nabla f\rVert_\infty` ≤ `tol`. That is a stationary point:
        the gradient alone cannot tell a minimum from a saddle point.
    max_iter : int
        Largest number of iterations.
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
    The method starts afresh, with β = 0, every 6n iterations as Hager & Zhang's, where the direction is none
    of descent, and where no step along it is acceptable. The formulas of Fletcher & Reeves and Dai & Yuan,
    which unlike the others do not return to :math:`\beta \approx 0` by themselves, start afresh also where
    gradients in a row are far from orthogonal (Powell):
    :math:`\lvert g_{k+1}^T g_k\rvert \ge 0.2\,\lVert g_{k+1}\rVert^2`.
    The first trial of a step has the same first-order gain :math:`\alpha_k g_k^T p_k` as the last step.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithm 5.4 and section 5.2. Powell, Math.
    Programming 12 (1977) 241. Hager & Zhang, ACM TOMS 32 (2006) 113.

    Examples
    --------
    >>> from gradlib.problems import rosenbrock
    >>> minimize(rosenbrock.fun, rosenbrock.x0, rosenbrock.jac).x.round(5)
    array([1., 1.])
    """
    check_options(tol, max_iter, callback, keep_trace=keep_trace)
    formula, remembers = _formula(beta), beta in _REMEMBER
    if not _C1 < number(c2, "c2") < 1:
        raise ValueError(f"c2 must lie between {_C1} and 1, got {c2!r}")
    objective = Objective(fun, x0, jac)
    fun, grad = objective.fun, objective.grad
    x, f, g = objective.x0, objective.f0, objective.g0
    norm = norm_inf(g)
    run = Recorder(x, f, norm, (f, g), keep_trace=keep_trace)
    far = _FAR * (1 + norm_inf(x))
    far *= far  # infinite where a power would overflow with an error
    best_f, best_norm, stalled, short = f, norm, 0, 0
    p, alpha, age = -g, _first_trial(g), 0  # age: steps since p was -g
    slope = float(g.dot(p))
    gain, retried = alpha * slope, 0  # gain: first-order change of f in the last step

    status = Status.CONVERGED if norm <= tol else None
    while status is None:
        if run.nit >= max_iter:
            status = Status.ITERATION_LIMIT
            break
        if -math.inf < slope < 0:
            alpha, x_new, f_new, g_new, _, _, shortfall = wolfe_search(
                fun, grad, x, p, f, g, slope, alpha, _C1, c2
            )
            failure = shortfall if alpha == 0 else None
        else:
            failure = Status.ROUND_OFF if norm < 1 else Status.LINE_SEARCH
        if failure is not None:
            if retried == 2:
                status = failure
                break
            p, age, retried = -g, 0, retried + 1
            slope = float(g.dot(p))
            # shorter, at last so short that its change is known to be noise, which is borne
            alpha = _next_trial(0.1 * gain if retried == 1 else -NOISE * abs(f), slope)
            continue
        retried = 0
        last, x, f, g = g, x_new, f_new, g_new
        norm = norm_inf(g)
        run.add(x, f, norm, (f, g), alpha)
        asked = callback is not None and asks_to_stop(callback, objective.hand_out(x))
        stalled += 1
        if f < best_f:
            best_f, stalled = f, 0
        if norm < best_norm:
            best_norm, stalled = norm, 0
        short = 0 if shortfall is None else short + 1
        if norm <= tol:
            status = Status.CONVERGED
        elif x.dot(x) > far:
            status = Status.DIVERGED
        elif asked:
            status = Status.CALLBACK
        elif stalled >= _PATIENCE or short >= _SHORT:
            status = shortfall or Status.ROUND_OFF
        else:
            age += 1
            due = age >= _RESTART * x.size or shortfall is not None
            if due or (remembers and _far_from_orthogonal(last, g)):
                age = 0
            p *= formula(last, g, p) if age else 0.0
            p -= g  # `direction`, in place
            gain, slope = alpha * slope, float(g.dot(p))
            alpha = _next_trial(gain, slope)
    return run.result(objective, status)


def _right_hand_side(b: ArrayLike) -> Vector:
    b = finite(b, "b")
    if b.ndim != 1 or b.size == 0:
        raise ValueError(f"b must be a vector, got shape {b.shape}")
    return b


def _start(multiply: Product, b: Vector, x0: ArrayLike | None) -> tuple[Vector, Vector, int]:
    """Return the start, its residual, and how many products that took."""
    if x0 is None:
        return np.zeros(b.size), b.copy(), 0
    x = finite(x0, "x0")
    if x.shape != b.shape:
        raise ValueError(f"x0 must have shape {b.shape} to fit b, got {x.shape}")
    r = b - multiply(x)
    if not is_finite(r):
        raise ValueError(f"A must give finite products, but Ax0 is {b - r}")
    return x, r, 1


def _preconditioned(precondition: Product | None, r: Vector, rr: float) -> tuple[Vector, float]:
    """Return z, the preconditioned residual, and rᵀz."""
    if precondition is None:
        return r, rr
    z = precondition(r)
    rz = float(r.dot(z))
    if not 0 < rz < math.inf:
        raise ValueError(f"preconditioner must be positive definite, but rᵀ(P⁻¹r) is {rz:.3g}")
    return z, rz


def _check_symmetry(x: Vector, p: Vector, Ap: Vector, Ax: Vector) -> None:
    """Compare xᵀ(Ap) with pᵀ(Ax), relative to ‖A‖, which is at least ‖Ap‖/‖p‖ and ‖Ax‖/‖x‖."""
    difference = float(x.dot(Ap)) - float(p.dot(Ax))
    size = math.sqrt(float(x.dot(x)) * float(Ap.dot(Ap))) + math.sqrt(float(p.dot(p)) * float(Ax.dot(Ax)))
    if abs(difference) > _ASYMMETRY * size:
        raise ValueError(f"A must be symmetric, but xᵀ(Ap) and pᵀ(Ax) differ by {difference:.3g}")


def _failure(curvature: float, nit: int, p: Vector, multiply: Product, b: Vector) -> Status:
    """Tell round-off in a nearly singular matrix from an A that is not positive definite."""
    if not math.isfinite(curvature):
        raise ValueError(f"A must be finite and scaled, but pᵀAp is {curvature} in iteration {nit}")
    typical = float(b.dot(multiply(b)) / b.dot(b)) if b.any() else math.nan
    if nit > 0 and curvature >= -math.sqrt(_EPS) * typical * float(p.dot(p)):
        return Status.SINGULAR
    raise ValueError(f"A must be positive definite, but pᵀAp is {curvature:.3g} in iteration {nit}")


def _multiplication(A: Operator, name: str, n: int) -> Product:
    """Return v → Av for whatever A is, or say that `name` is unusable."""
    if callable(A):  # a LinearOperator is, too
        shape, product = getattr(A, "shape", (n, n)), _checked(lambda v: A(v.copy()), name)
    elif hasattr(A, "toarray"):  # every sparse format
        shape, product = A.shape, _checked(lambda v: A @ v, name)
    else:
        dense = A if type(A) is np.ndarray and A.dtype is _DOUBLE else numeric(A, name)
        if not is_finite(dense):
            raise ValueError(f"{name} must be finite")
        shape, product = dense.shape, dense.dot
    if shape != (n, n):
        raise ValueError(f"{name} must have shape {(n, n)} to fit b, got {shape}")
    return product


def _checked(multiply: Callable[[Vector], Any], name: str) -> Product:
    """Return `multiply` with a check of what it returns."""

    def product(v: Vector) -> Vector:
        w = multiply(v)
        if not (type(w) is np.ndarray and w.dtype is _DOUBLE):
            w = numeric(w, f"what {name} returns")
        if w.shape != v.shape:
            raise ValueError(f"{name} returned shape {w.shape}, shape {v.shape} is needed")
        return w  # type: ignore[no-any-return]

    return product


def _norm(v: Vector, name: str) -> float:
    """Return ‖v‖₂, or say that its square is out of double precision's range."""
    square = float(v.dot(v))
    if not _TINY / _EPS**2 < square < math.inf and v.any():
        raise ValueError(f"{name} must be scaled: the square of its norm is {square:.3g}")
    return math.sqrt(square)


def _formula(beta: str) -> Callable[[Vector, Vector, Vector], float]:
    if not isinstance(beta, str) or beta not in _BETAS:
        raise ValueError(f"beta must be one of {', '.join(map(repr, _BETAS))}, got {beta!r}")
    return _BETAS[beta]


def _far_from_orthogonal(g: Vector, g_new: Vector) -> bool:
    """Apply Powell's test."""
    return abs(float(g_new.dot(g))) >= _POWELL * float(g_new.dot(g_new))


def _first_trial(g: Vector) -> float:
    """Return the first trial along -g: a move of length 1, or -g itself if that is shorter."""
    return 1.0 / max(1.0, float(np.linalg.norm(g)))


def _next_trial(gain: float, slope: float) -> float:
    """Return the trial with the same first-order gain α gᵀp as the last step; 1 if there is none."""
    alpha = gain / slope if slope else math.nan
    return alpha if 0 < alpha < math.inf else 1.0
