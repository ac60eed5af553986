"""The loop that BFGS and L-BFGS share: they differ in how they keep the inverse Hessian."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from gradlib._objective import Objective, Vector, asks_to_stop, norm_inf
from gradlib.linesearch import wolfe_search
from gradlib.result import Callback, Recorder, Result, Status

_INF = math.inf
_EPS = float(np.finfo(np.float64).eps)
_FAR = 1e20  # beyond this multiple of the start's size the iterates run away
_PATIENCE = 20  # so many iterations may pass without a new lowest value or smallest gradient


class InverseHessian(Protocol):
    """What a method knows of the inverse Hessian H."""

    fresh: bool
    """Whether it is the identity, so that the length of -Hg means nothing."""

    s: Vector
    """Where the last step stands: written before `update`, which saves a copy."""

    def direction(self, g: Vector) -> Vector:
        """Return -Hg; the next call may use the same array."""

    def update(self, y: Vector, sy: float) -> None:
        """Learn that along the step s the gradient changed by y, where sᵀy > 0."""

    def forget(self) -> bool:
        """Start afresh; return whether there was anything to forget."""


def descend(
    objective: Objective,
    H: InverseHessian,
    *,
    c2: float = 0.9,
    tol: float,
    max_iter: int,
    callback: Callback | None,
    keep_trace: bool,
) -> Result:
    """Go down along -Hg by steps that fulfil the strong Wolfe conditions; H learns from each."""
    fun, grad, direction, update = objective.fun, objective.grad, H.direction, H.update
    subtract = np.subtract
    x, f, g = objective.x0, objective.f0, objective.g0
    norm = norm_inf(g)
    run = Recorder(x, f, norm, (f, g), keep_trace=keep_trace)
    far = _FAR * (1 + norm_inf(x))
    f_before = lowest = f
    smallest, stalled = norm, 0

    status: Status | None = Status.CONVERGED if norm <= tol else None
    while status is None:
        if run.nit >= max_iter:
            status = Status.ITERATION_LIMIT
            break
        p = direction(g)
        slope = float(g.dot(p))
        if not -_INF < slope < 0:  # round-off has spoiled H, or the gradient's square leaves the range
            if H.forget():
                continue
            status = Status.LINE_SEARCH if slope else Status.ROUND_OFF
            break
        alpha = _first_trial(slope, f_before - f, H.fresh)
        alpha, x_new, f_new, g_new, _, _, failure = wolfe_search(
            fun, grad, x, p, f, g, slope, alpha, 1e-4, c2
        )
        if failure is not None and (alpha == 0 or f_new >= f):
            if H.forget():
                continue
            status = failure
            break
        s, y = subtract(x_new, x, H.s), g_new - g
        f_before = f
        x, f, g = x_new, f_new, g_new
        norm = _norm_inf(g)
        run.add(x, f, norm, (f, g), alpha)
        stalled += 1
        if f < lowest:
            lowest, stalled = f, 0
        if norm < smallest:
            smallest, stalled = norm, 0
        asked = callback is not None and asks_to_stop(callback, objective.hand_out(x))
        if norm <= tol:
            status = Status.CONVERGED
        elif alpha > 1 and norm_inf(x) > far:
            status = Status.DIVERGED
        elif asked:
            status = Status.CALLBACK
        elif stalled == _PATIENCE:
            status = Status.ROUND_OFF
        else:
            sy = float(s.dot(y))
            if sy > -_EPS * alpha * slope:  # else H would not stay positive definite
                update(y, sy)
    return run.result(objective, status)


def _first_trial(slope: float, fall: float, fresh: bool) -> float:
    """Return the step to try first: 1, which is Newton's, unless H is known to be far from its scale.

    The identity gets a step of length 1 at most. Later, if the last fall of the function promises a step
    below a fifth, that is taken (Nocedal & Wright, eq. (3.60)).
    """
    if fresh:
        return min(1.0, 1.0 / math.sqrt(-slope))
    promised = -2.02 * fall / slope
    return promised if 0.0 < promised < 0.2 else 1.0


def _norm_inf(g: Vector) -> float:
    """Return the largest absolute value of a finite vector; of a short one faster than by NumPy."""
    return max(map(abs, g.tolist())) if g.size < 12 else norm_inf(g)
