"""Gradient descent: go downhill, with a step length that is fixed, scheduled or searched for; and momentum.

The formulas of a step are those of `gradlib.rules`, where stochastic methods use them too: plain descent is
`rules.sgd_step`, the heavy ball is `rules.momentum_step`, and Nesterov's method is the heavy ball with the
gradient at the point where `look_ahead` expects to be.
"""

from __future__ import annotations

import math
from collections.abc import Callable

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
    norm_inf,
    number,
)
from gradlib._scipy import scipy_method
from gradlib.linesearch import NOISE, Step, backtracking
from gradlib.result import Callback, Recorder, Result, Status
from gradlib.rules import momentum_step
from gradlib.schedules import Schedule

__all__ = ["look_ahead", "minimize"]

_FAR = 1e20  # beyond this multiple of the start's size the iterates run away
_PATIENCE = 20  # searches without a better value or gradient, after which round-off has won
_LONGEST = 1e300  # a step length that doubles for ever must stay finite


def look_ahead(x: ArrayLike, v: ArrayLike, momentum: float) -> Vector:
    r"""Return the point to which the velocity alone would lead, where Nesterov's method takes its gradient.

    .. math:: x - \gamma v

    Parameters
    ----------
    x, v : array_like, shape (n,)
        Point and velocity; the velocity points uphill, as the step is :math:`x \leftarrow x - v`.
    momentum : float
        γ.

    Returns
    -------
    ndarray, shape (n,)
        The point ahead.

    Raises
    ------
    ValueError
        If the shapes of `x` and `v` differ, or an argument is not finite.

    References
    ----------
    Sutskever, Martens, Dahl & Hinton, *On the importance of initialization and momentum in deep learning*,
    ICML 2013, eq. (3).

    Examples
    --------
    >>> look_ahead([1.0, 0.0], [0.5, -1.0], 0.8)
    array([0.6, 0.8])
    """
    x, v = _alike(x, v)
    return x - number(momentum, "momentum") * v


@scipy_method
@np.errstate(all="ignore")
def minimize(
    fun: Function,
    x0: ArrayLike,
    jac: Jacobian = None,
    *,
    step_size: float | Schedule | None = None,
    momentum: float | Schedule = 0.0,
    nesterov: bool = False,
    tol: float = 1e-6,
    max_iter: int = 10_000,
    callback: Callback | None = None,
    keep_trace: bool = True,
) -> Result:
    r"""Minimise f by gradient descent.

    .. math:: x_{k+1} = x_k - v_{k+1}, \qquad v_{k+1} = \gamma_k v_k + \eta_k g_k, \qquad v_0 = 0

    Here :math:`g_k` is the gradient at :math:`x_k`, or with `nesterov` at :math:`x_k - \gamma_k v_k`. Without
    momentum (γ = 0) this is :math:`x_{k+1} = x_k - \eta_k \nabla f(x_k)`; with it, the heavy ball.

    Parameters
    ----------
    fun : callable
        The function: a vector of shape (n,), or a number, to a number.
    x0 : float or array_like, shape (n,)
        Start; a number makes the result a number.
    jac : callable, True or None
        Gradient, shape (n,); True if `fun` returns the pair (f, g). None lets autograd differentiate `fun`,
        which is then written with ``autograd.numpy``.
    step_size : float, callable or None
        The step length η, or a schedule: from k = 0, 1, … to :math:`\eta_k`, such as those of
        `gradlib.schedules`. None searches for it in each step by backtracking from twice the last one, from 1
        at the start; that needs a direction of descent, so it excludes momentum.
    momentum : float or callable
        The share γ in [0, 1) of its velocity that a step keeps, or a schedule from k to :math:`\gamma_k`.
    nesterov : bool
        Whether the gradient is taken at `look_ahead`. That is a second gradient in each iteration, as `tol`
        and the trace speak of the gradient at :math:`x_k`.
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
        With the gradient as ``jac``. A step length that is too large ends with `Status.DIVERGED` or
        `Status.NOT_FINITE`, and with the best point seen.

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it.

    Notes
    -----
    On a quadratic whose largest curvature is L, a constant step length converges exactly when
    :math:`\eta < 2/L`; with the heavy ball when :math:`\eta < 2(1+\gamma)/L`, and with Nesterov's method when
    :math:`\eta < 2(1+\gamma)/((1+2\gamma)L)`, which is less.

    References
    ----------
    Polyak, *Some methods of speeding up the convergence of iteration methods*, USSR Comput. Math. Math. Phys.
    4 (1964) 1. Nesterov, *A method of solving a convex programming problem with convergence rate O(1/k²)*,
    Soviet Math. Dokl. 27 (1983) 372.

    Examples
    --------
    >>> from gradlib.problems import course_quadratic as q
    >>> minimize(q.fun, q.x0, q.jac).x.round(6)
    array([ 2., -1.])
    >>> plain = minimize(q.fun, q.x0, q.jac, step_size=0.1)
    >>> heavy = minimize(q.fun, q.x0, q.jac, step_size=0.1, momentum=0.4)
    >>> plain.nit, heavy.nit
    (145, 70)
    >>> minimize(q.fun, q.x0, q.jac, step_size=0.34).status.name  # 2/L is 1/3
    'DIVERGED'
    """
    check_options(tol, max_iter, callback, keep_trace=keep_trace)
    eta = None if step_size is None else _schedule(step_size, "step_size", lambda rate: rate > 0, "positive")
    gamma = _schedule(momentum, "momentum", lambda share: 0 <= share < 1, "in [0, 1)")
    _check_combination(eta is None, momentum, nesterov)
    objective = Objective(fun, x0, jac)
    x, f, g = objective.x0, objective.f0, objective.g0
    norm = norm_inf(g)
    run = Recorder(x, f, norm, (f, g), keep_trace=keep_trace)
    far = _FAR * (1 + norm_inf(x))
    best_f, best_norm, stalled = f, norm, 0
    alpha, v = 0.5, np.zeros_like(x)

    status = Status.CONVERGED if norm <= tol else None
    while status is None:
        if run.nit >= max_iter:
            status = Status.ITERATION_LIMIT
            break
        last_f, last_norm = f, norm
        if eta is None:
            taken = _search(objective, x, f, g, alpha=min(2 * alpha, _LONGEST))
            if taken.failure is not None:
                status = taken.failure
                break
            alpha, x, f = taken.alpha, taken.x, taken.fun
        else:
            alpha, share = eta(run.nit), gamma(run.nit)
            slope = objective.grad(look_ahead(x, v, share)) if nesterov else g
            step, v = momentum_step(slope, v, rate=alpha, momentum=share)
            x = x + step
            f = objective.fun(x)
        g = objective.grad(x)
        norm = norm_inf(g)
        if not (math.isfinite(f) and math.isfinite(norm) and np.isfinite(x).all()):
            status = Status.NOT_FINITE
            break
        run.add(x, f, norm, (f, g), alpha)
        asked = asks_to_stop(callback, objective.hand_out(x))
        if last_f - f <= NOISE * abs(f):  # the search cannot see here whether a step is too long
            alpha /= 2 if norm < last_norm else 4
        stalled = 0 if f < best_f or norm < best_norm else stalled + 1
        best_f, best_norm = min(f, best_f), min(norm, best_norm)
        if norm <= tol:
            status = Status.CONVERGED
        elif norm_inf(x) > far:
            status = Status.DIVERGED
        elif asked:
            status = Status.CALLBACK
        elif eta is None and stalled >= _PATIENCE:
            status = Status.ROUND_OFF
    return run.result(objective, status)


def _alike(x: ArrayLike, v: ArrayLike) -> tuple[Vector, Vector]:
    """Return x and v as vectors of one shape."""
    x, v = finite(x, "x"), finite(v, "v")
    if x.shape != v.shape:
        raise ValueError(f"v must have x's shape {x.shape}, got {v.shape}")
    return x, v


def _schedule(
    value: float | Schedule, name: str, is_sound: Callable[[float], bool], needed: str
) -> Callable[[int], float]:
    """Return k → value, for a number or a schedule, which is checked in each step."""

    def checked(rate: float) -> float:
        rate = number(rate, name)
        if not is_sound(rate):
            raise ValueError(f"{name} must be {needed}, got {rate}")
        return rate

    if callable(value):
        return lambda k: checked(value(k))
    constant = checked(value)
    return lambda k: constant


def _check_combination(searched: bool, momentum: float | Schedule, nesterov: bool) -> None:
    """Refuse options that contradict each other."""
    if not isinstance(nesterov, bool | np.bool_):
        raise ValueError(f"nesterov must be True or False, got {nesterov!r}")
    has_momentum = callable(momentum) or momentum != 0
    if nesterov and not has_momentum:
        raise ValueError(
            "momentum must be given with nesterov=True: without it there is nothing to look ahead to"
        )
    if searched and has_momentum:
        raise ValueError(
            "step_size must be given with momentum: backtracking needs a direction of descent, "
            "which the velocity need not be"
        )


def _search(objective: Objective, x: Vector, f: float, g: Vector, *, alpha: float) -> Step:
    """Backtrack along -g, if its slope -gᵀg is a number that double precision can hold."""
    if not 0 < g @ g < math.inf:
        failure = Status.ROUND_OFF if norm_inf(g) < 1 else Status.LINE_SEARCH
        return Step(0.0, x, f, g, 0, 0, failure)
    return backtracking(objective.fun, x, -g, f, g, alpha=alpha)
