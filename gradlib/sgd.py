r"""Stochastic gradient descent: a step for each mini-batch, in place of one for all the data.

The cost is a mean over data points, :math:`C(\theta) = \frac1n \sum_i c_i(\theta)`. Its mean over a
mini-batch B of M points estimates it, and the gradient

.. math:: g = \frac1M \sum_{i \in B} \nabla c_i(\theta)

has the expectation :math:`\nabla C(\theta)`. With sums in place of means the sum over B has to be multiplied
by n/M; without that the step would shrink with the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from math import ceil, isfinite, isnan, nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlib._arrays import generator, whole
from gradlib._objective import (
    Function,
    Vector,
    asks_to_stop,
    autograd_derivative,
    check_options,
    finite,
    function,
    norm_inf,
    numeric,
    scalar,
    switch,
)
from gradlib.result import Callback, Recorder, Result, Status
from gradlib.rules import Rule

__all__ = ["minibatches", "minimize", "steps"]

Indices = NDArray[np.int64]

_FAR = 1e20  # beyond this multiple of the start's size the iterates run away


def minibatches(
    n: int, batch_size: int, *, rng: np.random.Generator, replacement: bool = False
) -> Iterator[Indices]:
    """Return the mini-batches of one epoch, as arrays of indices.

    Parameters
    ----------
    n : int
        Number of data points.
    batch_size : int
        Points in a mini-batch, at most `n`. If it does not divide `n`, the last batch is smaller.
    rng : numpy.random.Generator
        Source of randomness.
    replacement : bool
        Whether each index is drawn from all `n` independently: an epoch is then `n` draws, in which some
        points come twice and about a third not at all. Otherwise the data are shuffled and cut, so that
        every point comes once.

    Returns
    -------
    iterator of ndarray
        Arrays of int, ``ceil(n / batch_size)`` of them.

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it.

    References
    ----------
    Bottou, Curtis & Nocedal, *Optimization methods for large-scale machine learning*, SIAM Review 60
    (2018) 223, section 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> [batch.size for batch in minibatches(10, 4, rng=rng)]
    [4, 4, 2]
    >>> np.sort(np.concatenate(list(minibatches(10, 4, rng=rng))))
    array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    n, rng = whole(n, "n", 1), generator(rng)
    batch_size = _batch_size(batch_size, n)
    switch(replacement, "replacement")
    order = rng.integers(n, size=n) if replacement else rng.permutation(n)
    return (order[start : start + batch_size] for start in range(0, n, batch_size))


def steps(
    grad: Function, theta: Any, data: tuple[Any, ...], rule: Rule, batches: Iterable[Any]
) -> Iterator[Any]:
    """Take a step for each mini-batch, and yield where it leads.

    This is the whole method, and checks nothing; `minimize` adds what makes it safe.

    Parameters
    ----------
    grad : callable
        ``grad(theta, *batch)``, the gradient of the mean cost over a mini-batch.
    theta : ndarray
        Start.
    data : tuple of ndarray
        Arrays whose first axis counts the data points.
    rule : Rule
        How a gradient becomes a step.
    batches : iterable of ndarray
        Indices of each mini-batch.

    Yields
    ------
    ndarray
        The parameters after each step.

    References
    ----------
    Bottou, Curtis & Nocedal, *Optimization methods for large-scale machine learning*, SIAM Review 60
    (2018) 223, algorithm 4.1.

    Examples
    --------
    >>> from gradlib import rules
    >>> y = np.array([1.0, 2.0, 3.0, 6.0])
    >>> path = steps(lambda theta, y: theta - y.mean(), 0.0, (y,), rules.sgd(0.5), [[0, 1], [2, 3]])
    >>> list(path)
    [np.float64(0.75), np.float64(2.625)]
    """
    state = rule.init(theta)
    for batch in batches:
        g = grad(theta, *(array[batch] for array in data))
        step, state = rule.update(g, state, theta)
        theta = theta + step
        yield theta


@np.errstate(all="ignore")
def minimize(
    cost: Function,
    theta0: ArrayLike,
    data: Any,
    rule: Rule,
    *,
    grad: Function | None = None,
    batch_size: int,
    epochs: int,
    rng: np.random.Generator,
    replacement: bool = False,
    tol: float = 1e-8,
    callback: Callback | None = None,
    keep_trace: bool = True,
) -> Result:
    r"""Minimise a mean over data by a rule that sees one mini-batch at a time.

    .. math::
        \theta_{t+1} = \theta_t + \Delta\theta_t(g_t, g_{t-1}, \dots), \qquad
        g_t = \frac{1}{M_t} \sum_{i \in B_t} \nabla c_i(\theta_t)

    Parameters
    ----------
    cost : callable
        ``cost(theta, *batch)``: the *mean* over the data points in the batch, so that the gradient on a batch
        is an unbiased estimate of the gradient on all data. A sum over the batch would need the factor n/M.
    theta0 : float or array_like, shape (p,)
        Start; a number makes the result a number.
    data : array_like or tuple of array_like
        What `cost` is called with, as in ``(X, y)``: arrays whose first axis counts the n data points.
    rule : Rule
        How gradients become steps: one of `gradlib.rules`, or of optax. Its memory lasts over all epochs.
    grad : callable or None
        ``grad(theta, *batch)``, the gradient of `cost`, shape (p,). None lets autograd differentiate `cost`,
        which is then written with ``autograd.numpy``.
    batch_size : int
        Points in a mini-batch; n makes the method deterministic.
    epochs : int
        Largest number of passes through the data.
    rng : numpy.random.Generator
        Source of randomness.
    replacement : bool
        How mini-batches are drawn, see `minibatches`.
    tol : float
        The run has converged when, after an epoch, :math:`\lVert\nabla C\rVert_\infty` ≤ `tol` on all data.
    callback : callable, optional
        Called with a copy of θ after each epoch; returning True or raising StopIteration ends the run, as
        early stopping does when the cost on validation data rises.
    keep_trace : bool
        Whether to keep the point after each epoch.

    Returns
    -------
    Result
        Iterations are epochs: the trace has a row for the start and one for each epoch, with cost and
        gradient on all data, and ``step`` = 1, for the epoch's displacement as a whole. `njev` counts the
        calls of `grad`, one for each step and one for each row of the trace; `nfev` those of `cost`, one for
        each row.
        Noise keeps a constant learning rate from converging: a run that has used up its epochs ends with
        `Status.ITERATION_LIMIT`, which is no success, and returns the row with the smallest cost. With
        `Status.DIVERGED` the learning rate is too large.

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it.

    See Also
    --------
    steps : the single steps, for a picture of the path.

    References
    ----------
    Bottou, Curtis & Nocedal, *Optimization methods for large-scale machine learning*, SIAM Review 60
    (2018) 223.

    Examples
    --------
    >>> from gradlib import models, rules, schedules
    >>> rng = np.random.default_rng(1)
    >>> x = rng.random(200)
    >>> X, y = np.column_stack([np.ones(200), x]), 2 + 3 * x
    >>> result = minimize(
    ...     models.least_squares_cost, [0.0, 0.0], (X, y), rules.sgd(0.3), batch_size=5, epochs=100, rng=rng
    ... )
    >>> result.success, result.x.round(6)
    (True, array([2., 3.]))
    """
    check_options(tol, 0, callback, keep_trace=keep_trace, replacement=replacement)
    epochs, rng = whole(epochs, "epochs", 0), generator(rng)
    if not all(callable(getattr(rule, name, None)) for name in ("init", "update")):
        raise ValueError(f"rule must be a pair of functions (init, update), got {type(rule).__name__}")
    sampled = _Sampled(cost, theta0, data, grad)
    n, theta, f, g = sampled.n, sampled.theta0, sampled.f0, sampled.g0
    batch_size = _batch_size(batch_size, n)
    norm = norm_inf(g)
    run = Recorder(theta, f, norm, (f, g), keep_trace=keep_trace)
    far = _FAR * (1 + norm_inf(theta))
    shuffles = (minibatches(n, batch_size, rng=rng, replacement=replacement) for _ in range(epochs))
    path = steps(sampled.grad, theta, sampled.data, rule, chain.from_iterable(shuffles))

    status = Status.CONVERGED if norm <= tol else None
    while status is None:
        if run.nit >= epochs:
            status = Status.ITERATION_LIMIT
            break
        theta, status = _follow(islice(path, ceil(n / batch_size)), far)
        if status is not None:
            break
        f, g = sampled.full(theta)
        norm = norm_inf(g)
        if not (isfinite(f) and isfinite(norm)):
            status = Status.NOT_FINITE
            break
        run.add(theta, f, norm, (f, g), 1.0)
        asked = asks_to_stop(callback, sampled.hand_out(theta))
        if norm <= tol:
            status = Status.CONVERGED
        elif asked:
            status = Status.CALLBACK
    x, (f, g), trace = run.finish(status)
    return Result(
        x=sampled.hand_out(x),
        fun=f,
        jac=sampled.hand_out(g),
        nit=run.nit,
        nfev=sampled.nfev,
        njev=sampled.njev,
        nhev=0,
        status=status,
        trace=trace,
    )


def _follow(path: Iterable[Any], far: float) -> tuple[Vector, Status | None]:
    """Return where the path ends, and why it must not go on from there."""
    for theta in path:
        size = norm_inf(theta)
        if not size <= far:
            return theta, Status.DIVERGED if size > far else Status.NOT_FINITE
    return theta, None


def _batch_size(batch_size: int, n: int) -> int:
    batch_size = whole(batch_size, "batch_size", 1)
    if batch_size > n:
        raise ValueError(f"batch_size must be at most the number of data points, {n}, got {batch_size}")
    return batch_size


class _Sampled:
    """The user's cost and gradient on batches of data: counted, and checked for shape.

    Attributes
    ----------
    data : tuple of ndarray
        The data, n points along the first axis of each.
    theta0, f0, g0 : ndarray of shape (p,), float, ndarray of shape (p,)
        The start, and cost and gradient on all data there, all finite.
    """

    def __init__(self, cost: Function, theta0: ArrayLike, data: Any, grad: Function | None) -> None:
        start = finite(theta0, "theta0")
        if start.ndim > 1 or start.size == 0:
            raise ValueError(f"theta0 must be a number or a vector, got shape {start.shape}")
        self._is_scalar = start.ndim == 0
        self.theta0: Vector = start.reshape(-1)
        self.data = _arrays(data)
        self.n = len(self.data[0])
        self.nfev = self.njev = 0
        self._cost = function(cost, "cost")
        if grad is None:
            self._batch: tuple[Any, ...] = self.data
            self._autograd = autograd_derivative(
                "grad", lambda theta: cost(theta, *self._batch), "cost", "grad"
            )
            self._grad: Function = self._differentiated
        else:
            self._grad = function(grad, "grad")
        self._started = False
        self.f0, self.g0 = self.full(self.theta0)
        if not isfinite(self.f0):
            raise ValueError(f"theta0 must lie in the domain of cost: cost(theta0, *data) is {self.f0}")
        if not np.isfinite(self.g0).all():
            raise ValueError(f"theta0 must lie in the domain of grad: grad(theta0, *data) is {self.g0}")
        self._started = True

    def full(self, theta: Vector) -> tuple[float, Vector]:
        """Return cost and gradient on all data, of copies that the user's functions may change."""
        self.nfev += 1
        cost = scalar(self._call(self._cost, theta, self._copies()), "cost")
        return cost, self.grad(theta, *self._copies())

    def grad(self, theta: Vector, *batch: Any) -> Vector:
        """Return the gradient on a batch, shape (p,); NaN outside the domain."""
        self.njev += 1
        g = numeric(self._call(self._grad, theta, batch), "what grad returns")
        if g.shape == self.theta0.shape:
            return g
        if g.ndim == 0 and isnan(g):
            return np.full(self.theta0.shape, np.nan)
        if self._is_scalar and g.size == 1:
            return g.reshape(1)
        needed = "a scalar" if self._is_scalar else f"shape {self.theta0.shape}"
        raise ValueError(f"grad returned shape {g.shape}, {needed} is needed, as theta0 has it")

    def hand_out(self, theta: Vector) -> Any:
        """Return `theta` as the user gave it: a number or a vector, and a copy that may be changed."""
        copy = np.array(theta, dtype=np.float64)  # of a JAX array, where the rule is optax's
        return copy[0] if self._is_scalar else copy

    def _copies(self) -> tuple[NDArray[Any], ...]:
        return tuple(map(np.copy, self.data))

    def _call(self, function: Function, theta: Vector, batch: tuple[Any, ...]) -> Any:
        """Evaluate; beyond the start an arithmetic error means that the domain has ended.

        A ValueError is shown as it is: it tells more often of a last batch with fewer points than expected.
        """
        try:
            return function(self.hand_out(theta), *batch)
        except ArithmeticError:
            if not self._started:
                raise
            return nan

    def _differentiated(self, theta: Any, *batch: Any) -> Any:
        self._batch = batch
        return self._autograd(theta)


def _arrays(data: Any) -> tuple[NDArray[Any], ...]:
    """Return the data as arrays of numbers that count the same points along their first axis."""
    arrays = tuple(map(np.asarray, data)) if isinstance(data, tuple | list) else (np.asarray(data),)
    if not arrays or any(array.ndim == 0 for array in arrays):
        raise ValueError("data must be an array, or a tuple of arrays such as (X, y)")
    if len({len(array) for array in arrays}) > 1 or not len(arrays[0]):
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(f"data must hold the same number of points in each array, got shapes {shapes}")
    for array in arrays:
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise ValueError("data must hold finite real numbers")
    return arrays
