"""What a run returns: where it ended, why, and every point on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Recorder", "Result", "Status", "Trace"]

Vector = NDArray[np.float64]


class Status(IntEnum):
    """Why a run ended; only `CONVERGED` is success.

    The value is SciPy's integer convention (0: converged), and `message` says what happened and what to try.

    Examples
    --------
    >>> Status.SINGULAR.name, int(Status.CONVERGED)
    ('SINGULAR', 0)
    >>> print(Status.ITERATION_LIMIT.message)
    Iteration limit reached before the tolerance: raise max_iter, or look for a cycle in the trace.
    """

    message: str

    def __new__(cls, value: int, message: str) -> Status:
        """Attach the message to the integer."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.message = message
        return member

    CONVERGED = 0, "Converged: the norm is within tol."
    ITERATION_LIMIT = (
        1,
        "Iteration limit reached before the tolerance: raise max_iter, or look for a cycle in the trace.",
    )
    LINE_SEARCH = (
        2,
        "No acceptable step along the search direction, though the gradient agrees with the function there: "
        "rescale the variables, or start elsewhere.",
    )
    GRADIENT_MISMATCH = (
        3,
        "The gradient disagrees with the function along the search direction: check jac.",
    )
    KINK = (
        4,
        "The function has a kink here: its slopes on the two sides of the point differ. "
        "Smooth it, or use a method that needs no gradient.",
    )
    ROUND_OFF = (
        5,
        "Function values no longer resolve the decrease: this is as close as round-off allows. Raise tol, "
        "shift the function so that its values near the solution are small, or scale it.",
    )
    SINGULAR = (
        6,
        "The Jacobian (of a gradient: the Hessian) is singular to working precision, so the linear model has "
        "no unique solution: start elsewhere, or check the derivative for dependent rows.",
    )
    NOT_FINITE = (
        7,
        "The next point lies outside the domain (a function or derivative value is not finite): "
        "start closer to the solution, keep damped=True where there is one, or check the derivative.",
    )
    STATIONARY = (
        8,
        "The gradient is zero but the Hessian has negative curvature: a saddle point or a maximum, "
        "not a minimum. Start from a point beside it.",
    )
    LOCAL_MINIMUM_OF_NORM = (
        9,
        "The norm of F has a minimum here that is not zero: there may be no root nearby. Start elsewhere.",
    )
    DIVERGED = (
        10,
        "The iterates run away: there may be no solution in this direction. Start closer, or damp the steps.",
    )
    CALLBACK = 11, "Stopped by callback."


@dataclass(frozen=True, repr=False)
class Trace:
    r"""The path of a run: one row per point, the start included.

    Attributes
    ----------
    x : ndarray, shape (nit + 1, n)
        The iterates; one column where the start was a scalar.
    fun : ndarray, shape (nit + 1,)
        :math:`f(x_k)`; for a root :math:`\tfrac12\lVert F(x_k)\rVert_2^2`, the quantity that damping
        decreases.
    grad_norm : ndarray, shape (nit + 1,)
        :math:`\lVert\nabla f(x_k)\rVert_\infty`; for a root :math:`\lVert F(x_k)\rVert_\infty`. It is what
        `tol` bounds.
    step : ndarray, shape (nit,)
        Step lengths: :math:`x_{k+1} = x_k + \alpha_k p_k` with :math:`\alpha_k` = ``step[k]``.

    Notes
    -----
    With ``keep_trace=False`` a trace is empty: its length is 0.

    Examples
    --------
    >>> from gradlib import newton
    >>> trace = newton.root(lambda x: x**2 - 2, 1.0).trace
    >>> trace
    <Trace of 5 points in 1 dimensions>
    >>> trace.x[:3].ravel().round(4)
    array([1.    , 1.5   , 1.4167])
    """

    _points: Sequence[Vector] | Vector
    fun: Vector
    grad_norm: Vector
    step: Vector

    @cached_property
    def x(self) -> Vector:
        """The iterates, a row each: copied into one array when first asked for, which many a run never is."""
        x = np.array(self._points)
        object.__setattr__(self, "_points", x)  # one copy is enough
        return x

    def __len__(self) -> int:
        """Count the points: ``nit + 1``."""
        return len(self.fun)

    def __repr__(self) -> str:
        return f"<Trace of {len(self)} points in {self.x.shape[1]} dimensions>"


@dataclass(frozen=True, repr=False)
class Result:
    """Outcome of a run, under SciPy's field names.

    Attributes
    ----------
    x : float or ndarray, shape (n,)
        The solution where the run converged (the stationary point for `Status.STATIONARY`), else the best
        point seen: the one with the smallest `trace.fun`. A scalar start gives a scalar.
    fun : float or ndarray, shape (n,)
        Value at `x`: the minimum, or for a root the residual ``F(x)``.
    jac : float or ndarray
        Gradient, shape (n,), or for a root the Jacobian, shape (n, n), at `x`.
    nit, nfev, njev, nhev : int
        Iterations, and evaluations of the function, its derivative and its Hessian.
    status : Status
        Why the run ended.
    trace : Trace
        Every iterate on the way.

    Examples
    --------
    >>> from gradlib import newton
    >>> result = newton.root(lambda x: x**2 - 2, 1.0)
    >>> result.success, result.status.name, result.nit, len(result.trace)
    (True, 'CONVERGED', 4, 5)
    """

    x: Any
    fun: Any
    jac: Any
    nit: int
    nfev: int
    njev: int
    nhev: int
    status: Status
    trace: Trace

    @property
    def success(self) -> bool:
        """Whether the run converged."""
        return self.status is Status.CONVERGED

    @property
    def message(self) -> str:
        """What happened, and what to try."""
        return self.status.message

    def __repr__(self) -> str:
        def short(value: Any) -> str:
            return np.array2string(np.asarray(value), precision=6, threshold=6, prefix=" " * 9)

        return (
            f"Result: {self.status.name} after {self.nit} iteration{'s' * (self.nit != 1)}\n"
            f"      x: {short(self.x)}\n"
            f"    fun: {short(self.fun)}\n"
            f"    jac: {short(self.jac)}\n"
            f"  evals: nfev={self.nfev}, njev={self.njev}, nhev={self.nhev}\n"
            f"message: {self.message}"
        )


class Recorder:
    """Collects the points of one run and remembers the best; every driver has one.

    A point is recorded as a reference, so a driver makes a new array for each iterate.

    Parameters
    ----------
    x, fun, grad_norm : ndarray, float, float
        The start: what `Trace` holds of it.
    state : object
        What `finish` shall give back with the best point, such as (value, derivative).
    keep_trace : bool
        Whether the points are kept.

    Examples
    --------
    >>> run = Recorder(np.array([2.0]), 4.0, 4.0, "state at 2", keep_trace=True)
    >>> run.add(np.array([1.0]), 1.0, 2.0, "state at 1", step=1.0)
    >>> run.add(np.array([3.0]), 9.0, 6.0, "state at 3", step=1.0)
    >>> run.finish(Status.ITERATION_LIMIT)
    (array([1.]), 'state at 1', <Trace of 3 points in 1 dimensions>)
    """

    __slots__ = ("_best", "_keep", "_last", "_points", "nit")

    def __init__(self, x: Vector, fun: float, grad_norm: float, state: Any, *, keep_trace: bool) -> None:
        self.nit = 0
        self._keep = keep_trace
        self._points = [(x, fun, grad_norm, np.nan)] if keep_trace else []
        self._last = self._best = (fun, x, state)

    def add(self, x: Vector, fun: float, grad_norm: float, state: Any, step: float) -> None:
        """Record the next iterate, reached with step length `step`."""
        self.nit += 1
        self._last = (fun, x, state)
        if fun < self._best[0]:
            self._best = self._last
        if self._keep:
            self._points.append((x, fun, grad_norm, step))

    def finish(self, status: Status, values: Sequence[float] = ()) -> tuple[Vector, Any, Trace]:
        """Return the point to hand back, its state and the trace.

        Where the status speaks of the last point, it is that one, otherwise the best. A driver that knows the
        values only at the end gives them here, for the trace.
        """
        of_last = status is Status.CONVERGED or status is Status.STATIONARY
        _, x, state = self._last if of_last else self._best
        xs, funs, norms, steps = zip(*self._points, strict=True) if self._points else ((), (), (), ())
        trace = Trace(
            xs or np.empty((0, x.size)),
            fun=np.array((values or funs) if self._keep else (), dtype=np.float64),
            grad_norm=np.array(norms, dtype=np.float64),
            step=np.array(steps[1:], dtype=np.float64),
        )
        return x.copy(), state, trace

    def result(self, counts: Counts, status: Status) -> Result:
        """Return what a driver returns, where the state is (value, derivative)."""
        x, (value, derivative), trace = self.finish(status)
        if counts.is_scalar:
            x, value, derivative = x[0], np.ravel(value)[0], np.ravel(derivative)[0]
        return Result(
            x=x,
            fun=value,
            jac=derivative,
            nit=self.nit,
            nfev=counts.nfev,
            njev=counts.njev,
            nhev=counts.nhev,
            status=status,
            trace=trace,
        )


class Counts(Protocol):
    """What a result tells of the function: whether its variable is a number, and the evaluations."""

    is_scalar: bool
    nfev: int
    njev: int
    nhev: int


Callback = Callable[[Any], object]
