"""Convexity measured: three characterisations as numbers, a search for a counterexample, and the envelope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlib._arrays import generator, whole
from gradlib._objective import (
    Function,
    autograd_derivative,
    extended,
    finite,
    function,
    number,
    numeric,
    scalar,
)

__all__ = ["Witness", "envelope", "find_counterexample", "jensen_gap", "smallest_curvature", "tangent_gap"]

Vector = NDArray[np.float64]


def jensen_gap(f: Function, x: ArrayLike, y: ArrayLike, t: float) -> float:
    r"""Return how far the chord from x to y lies above the function.

    .. math:: t f(x) + (1 - t) f(y) - f(t x + (1 - t) y)

    f is convex if and only if this is nowhere negative: Jensen's inequality, the definition.

    Parameters
    ----------
    f : callable
        The function: a vector of shape (n,), or a number, to a number.
    x, y : float or array_like, shape (n,)
        The ends of the chord.
    t : float
        Where on the chord, in [0, 1]: 1 is at x, 0 at y.

    Returns
    -------
    float
        The gap; NaN or infinite where a value of `f` is.

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it.

    References
    ----------
    Boyd & Vandenberghe, *Convex Optimization*, eq. (3.1).

    Examples
    --------
    >>> jensen_gap(lambda x: x**2, 0.0, 2.0, 0.5)
    1.0
    >>> jensen_gap(lambda x: x**3, -1.0, 0.0, 0.5)
    -0.375
    """
    f, (x, y), t = _scalar_valued(f), _points(x, y), _share(t)
    return t * f(x) + (1 - t) * f(y) - f(t * x + (1 - t) * y)


def tangent_gap(f: Function, x: ArrayLike, y: ArrayLike, grad: Function | None = None) -> float:
    r"""Return how far the function at y lies above its tangent at x.

    .. math:: f(y) - f(x) - \nabla f(x)^T (y - x)

    A differentiable f is convex if and only if this is nowhere negative: the first-order condition.

    Parameters
    ----------
    f : callable
        The function: a vector of shape (n,), or a number, to a number.
    x, y : float or array_like, shape (n,)
        Where the tangent touches, and where the gap is measured.
    grad : callable, optional
        Gradient, shape (n,). If not given, autograd differentiates `f`, which is then written with
        ``autograd.numpy``.

    Returns
    -------
    float
        The gap; NaN or infinite where a value is.

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it.

    References
    ----------
    Boyd & Vandenberghe, *Convex Optimization*, eq. (3.2).

    Examples
    --------
    >>> tangent_gap(lambda x: x**2, 1.0, 3.0)
    4.0
    >>> tangent_gap(lambda x: x[0] * x[1], [0.0, 0.0], [1.0, -1.0])
    -1.0
    """
    f, (x, y), grad = _scalar_valued(f), _points(x, y), _gradient(f, grad)
    return f(y) - f(x) - float(np.vdot(grad(x), y - x))


def smallest_curvature(f: Function, x: ArrayLike, hess: Function | None = None) -> float:
    r"""Return the smallest eigenvalue of the Hessian at x.

    .. math:: \lambda_{\min}\bigl(\nabla^2 f(x)\bigr)

    A twice differentiable f is convex if and only if this is nowhere negative: the second-order condition.
    For a function of one variable it is :math:`f''(x)`.

    Parameters
    ----------
    f : callable
        The function: a vector of shape (n,), or a number, to a number.
    x : float or array_like, shape (n,)
        Where.
    hess : callable, optional
        Hessian, shape (n, n). If not given, autograd differentiates `f` twice; `f` is then written with
        ``autograd.numpy``.

    Returns
    -------
    float
        The eigenvalue; NaN where the Hessian is not finite.

    Raises
    ------
    ValueError
        If an argument is unusable, or the Hessian is not symmetric; the message names it.

    References
    ----------
    Boyd & Vandenberghe, *Convex Optimization*, section 3.1.4.

    Examples
    --------
    >>> smallest_curvature(lambda x: x**2, 3.0)
    2.0
    >>> smallest_curvature(lambda x: x[0] ** 2 - 3 * x[1] ** 2, [0.0, 0.0])
    -6.0
    """
    (x,) = _points(x)
    H = _hessian(f, hess)(x)
    return float(np.linalg.eigvalsh(H)[0]) if np.isfinite(H).all() else np.nan


@dataclass(frozen=True, repr=False)
class Witness:
    """What a search for a counterexample to convexity found; false if that is nothing.

    Attributes
    ----------
    x, y : float or ndarray of shape (n,), or None
        Ends of a chord.
    t, gap : float
        Where the function lies above the chord, and the gap there, which is negative; NaN if there is none.
    tried, skipped : int
        How many chords were tried, and how many of these were skipped because a value was not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> witness = find_counterexample(lambda x: x**2, (0.0, 1.0), rng=rng, tries=3)
    >>> witness
    no counterexample (3 chords tried, 0 outside the domain)
    >>> bool(witness)
    False
    """

    x: Any
    y: Any
    t: float
    gap: float
    tried: int
    skipped: int

    def __bool__(self) -> bool:
        return self.gap < 0

    def __repr__(self) -> str:
        effort = f"{self.tried} chord{'s' * (self.tried != 1)} tried, {self.skipped} outside the domain"
        if not self:
            return f"no counterexample ({effort})"
        return f"x = {self.x}, y = {self.y}, t = {self.t:.4g}: gap {self.gap:.4g} ({effort})"


@np.errstate(all="ignore")
def find_counterexample(
    f: Function, bounds: ArrayLike, *, rng: np.random.Generator, tries: int = 1000
) -> Witness:
    r"""Look for a chord that the function rises above, on random chords of all lengths.

    Parameters
    ----------
    f : callable
        The function: a vector of shape (n,), or a number, to a number.
    bounds : array_like, shape (2,) or (n, 2)
        The interval (low, high), or one for each element of x. They may touch the edge of the domain, or
        reach beyond it.
    rng : numpy.random.Generator
        Draws the chords.
    tries : int
        How many chords at most.

    Returns
    -------
    Witness
        The first chord found and the t that violate Jensen's inequality. If there is none it is false and
        says how many were tried; it proves nothing then.

    Raises
    ------
    ValueError
        If an argument is unusable, or no chord lies in the domain; the message names it.

    Notes
    -----
    A violation counts if it exceeds what round-off can do to the values, which is measured: over a tenth of
    the chord a smooth f is almost a cubic, and what a fitted cubic leaves is round-off. A violation below it,
    as in :math:`x^2 + 10^{-20} \sin x`, stays unseen.

    Outside its domain f may be +∞, be NaN or raise an exception. Only +∞ between two finite values counts as
    a violation, as it does for the indicator of a set that is not convex: 0 on the set, +∞ elsewhere.

    References
    ----------
    Boyd & Vandenberghe, *Convex Optimization*, section 3.1.1; Moré & Wild, SIAM J. Sci. Comput. 33 (2011)
    1292, for the idea of measuring round-off.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> witness = find_counterexample(np.sin, (0.0, 3.0), rng=rng)
    >>> bool(witness), jensen_gap(np.sin, witness.x, witness.y, witness.t) < 0
    (True, True)
    >>> find_counterexample(np.exp, (0.0, 3.0), rng=rng)
    no counterexample (1000 chords tried, 0 outside the domain)
    """
    f, box = extended(_scalar_valued(f), "f"), _box(bounds)
    rng, tries = generator(rng), whole(tries, "tries", 1)
    skipped = 0
    for tried in range(1, tries + 1):
        x, y, t = _random_chord(box, rng)
        gap = jensen_gap(f, x, y, t)
        if np.isneginf(gap) and np.isfinite([f(x), f(y)]).all():
            return Witness(x, y, t, gap, tried, skipped)  # infinite between two points of the domain
        if not np.isfinite(gap):
            skipped += 1
        elif gap < 0 and gap < -_round_off(f, x, y, t):
            return Witness(x, y, t, gap, tried, skipped)
    if skipped == tries:
        raise ValueError(f"bounds must reach into the domain of f: all {tries} chords left it")
    return Witness(None, None, np.nan, np.nan, tries, skipped)


@np.errstate(all="ignore")
def envelope(x: ArrayLike, values: ArrayLike) -> Vector:
    r"""Return the convex envelope of a sampled function: the largest convex function nowhere above it.

    .. math:: \min \bigl\{ t f(x_1) + (1 - t) f(x_2) \;:\; t x_1 + (1 - t) x_2 = x,\ 0 \le t \le 1 \bigr\}

    From left to right each sample becomes a corner, once the corners that lie on or above a chord to it have
    gone; between two corners the envelope is their chord.

    Parameters
    ----------
    x : array_like, shape (m,)
        Where the function was sampled, in increasing order.
    values : array_like, shape (m,)
        The function there.

    Returns
    -------
    ndarray, shape (m,)
        The envelope at `x`: equal to `values` at its corners, and below them wherever a chord is.

    Raises
    ------
    ValueError
        If `x` is not increasing, or the shapes differ; the message names the argument.

    References
    ----------
    A. M. Andrew, *Another efficient algorithm for convex hulls in two dimensions*, Information Processing
    Letters 9 (1979) 216: its lower half.

    Examples
    --------
    >>> envelope([0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 1.0, 3.0])
    array([0. , 0.5, 1. , 3. ])
    """
    x, f = _samples(x, values)
    corners: list[int] = []
    for k in range(len(x)):
        while len(corners) > 1:
            i, j = corners[-2:]
            if f[j] < _chord(x, f, i, j, k):
                break
            corners.pop()
        corners.append(k)
    below = f.copy()
    for i, k in pairwise(corners):
        below[i:k] = _chord(x, f, i, slice(i, k), k)
    return below


def _chord(x: Vector, f: Vector, i: int, j: int | slice, k: int) -> Any:
    """Return the height of the chord from sample i to sample k, at sample j or at several."""
    t = (x[k] - x[j]) / (x[k] - x[i])
    return t * f[i] + (1 - t) * f[k]


def _samples(x: ArrayLike, values: ArrayLike) -> tuple[Vector, Vector]:
    places, heights = finite(x, "x"), finite(values, "values")
    if places.ndim != 1 or places.size == 0:
        raise ValueError(f"x must be a vector of places, got shape {places.shape}")
    if not np.isfinite(places[-1] - places[0]) or not (np.diff(places) > 0).all():
        raise ValueError("x must be increasing, over a finite width")
    if heights.shape != places.shape:
        raise ValueError(f"values must have the shape {places.shape} of x, got {heights.shape}")
    return places, heights


def _random_chord(box: Vector, rng: np.random.Generator) -> tuple[Any, Any, float]:
    """Return two points of the box and a share t; the points are a thousandth of its width apart or more."""
    low, high = box[..., 0], box[..., 1]
    while True:
        x, other = rng.uniform(low, high), rng.uniform(low, high)
        y = x + 10 ** rng.uniform(-2.5, 0) * (other - x)
        if np.max(np.abs(y - x) / (high - low)) >= 1e-3:
            return x, y, rng.uniform(0.1, 0.9)


def _round_off(f: Callable[[Any], float], x: Any, y: Any, t: float) -> float:
    """Return a bound on the round-off in the gap, from values near both ends of the chord and near t."""
    # Chebyshev's points, because equal steps may be in step with the round-off and then not show it
    window = 0.05 * (1 - np.cos(np.pi * (np.arange(12) + 0.5) / 12))
    # and windows of three widths, because by chance one of them may be
    cubics, _ = np.linalg.qr(np.vander(window, 4))
    shares = np.array([window, t + 0.87 * (window - 0.05), 1 - 0.73 * window])
    values = np.array([[f(s * x + (1 - s) * y) for s in row] for row in shares])
    residuals = values - values @ cubics @ cubics.T
    return float(10 * np.abs(residuals).max())


def _scalar_valued(f: Function) -> Callable[[Any], float]:
    function(f, "f")
    return lambda x: scalar(f(_handed_out(x)), "f")


def _handed_out(x: Any) -> Any:
    """Return a copy of `x` that a user's function may change."""
    return np.array(x)[()]


def _points(*points: ArrayLike) -> list[Vector]:
    """Return numbers as floats and vectors as arrays, all of one shape."""
    arrays = [finite(point, name) for point, name in zip(points, "xy", strict=False)]
    if arrays[0].ndim > 1 or arrays[0].size == 0:
        raise ValueError(f"x must be a number or a vector, got shape {arrays[0].shape}")
    if arrays[-1].shape != arrays[0].shape:
        raise ValueError(f"y must have the shape {arrays[0].shape} of x, got {arrays[-1].shape}")
    return [array[()] for array in arrays]


def _share(t: float) -> float:
    t = number(t, "t")
    if not 0 <= t <= 1:
        raise ValueError(f"t must lie in [0, 1], got {t}")
    return t


def _gradient(f: Function, grad: Function | None) -> Function:
    """Return the gradient as a function, autograd's if it is not given, that checks its shape."""
    derivative = autograd_derivative("grad", f, "f", "grad") if grad is None else function(grad, "grad")

    def checked(x: Any) -> Vector:
        g = numeric(derivative(_handed_out(x)), "what grad returns")
        if g.shape != np.shape(x):
            raise ValueError(f"grad returned shape {g.shape}, x has shape {np.shape(x)}")
        return g

    return checked


def _hessian(f: Function, hess: Function | None) -> Callable[[Any], Vector]:
    """Return the Hessian as a function, autograd's if it is not given, that makes it an (n, n) matrix."""
    function(f, "f")
    second = autograd_derivative("hessian", f, "f", "hess") if hess is None else function(hess, "hess")

    def checked(x: Any) -> Vector:
        H = numeric(second(_handed_out(x)), "what hess returns")
        n = np.size(x)
        if H.shape != 2 * np.shape(x) and H.shape != (n, n):
            raise ValueError(f"hess returned shape {H.shape}, x has shape {np.shape(x)}")
        H = H.reshape(n, n)
        if np.isfinite(H).all() and np.abs(H - H.T).max() > 1e-5 * np.abs(H).max():
            raise ValueError(f"hess must return a symmetric matrix, got {H}")
        return H

    return checked


def _box(bounds: ArrayLike) -> Vector:
    box = finite(bounds, "bounds")
    if box.ndim not in (1, 2) or box.shape[-1] != 2 or box.size == 0:
        raise ValueError(
            f"bounds must be (low, high), or one such pair for each element, got shape {box.shape}"
        )
    with np.errstate(over="ignore"):
        width = box[..., 1] - box[..., 0]
    if not ((width > 0) & np.isfinite(width)).all():
        raise ValueError(f"bounds must be increasing, low < high, by a finite width, got {box.tolist()}")
    return box
