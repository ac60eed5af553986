r"""How far to go along a direction: step lengths :math:`\alpha` for :math:`x + \alpha p`.

Every search knows the function alone, no method that uses it. A trial point outside the domain (a value that
is not finite) is rejected like one that is too high, so a search backs off into the domain by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlib._objective import finite, function, norm_inf, scalar
from gradlib.result import Status

__all__ = ["Step", "backtracking", "exact_quadratic", "strong_wolfe"]

Vector = NDArray[np.float64]
Found: TypeAlias = tuple[float, Vector, float, Vector, int, int, Status | None]  # the fields of a Step

_DOUBLE = np.dtype(np.float64)
_REAL = (float, int, np.floating)
_INF = math.inf
_EPS = float(np.finfo(np.float64).eps)
# Differences of function values below this fraction of the value are noise: sums over many terms lose that
# much.
NOISE = 1e3 * _EPS


class Step(NamedTuple):
    """An accepted step, or why there is none.

    Attributes
    ----------
    alpha : float
        Step length; 0 where no step decreases the function.
    x : ndarray, shape (n,)
        The point ``x + alpha * p``.
    fun : float
        Value there.
    jac : ndarray of shape (n,), or None
        Gradient there, where the search evaluated it.
    nfev, njev : int
        Evaluations spent.
    failure : Status or None
        None when the conditions hold.

    Examples
    --------
    >>> import numpy as np
    >>> step = backtracking(lambda x: x @ x, np.array([1.0]), np.array([-2.0]), 1.0, np.array([2.0]))
    >>> step.alpha, step.x, step.nfev, step.failure
    (0.5, array([0.]), 2, None)
    """

    alpha: float
    x: Vector
    fun: float
    jac: Vector | None
    nfev: int
    njev: int
    failure: Status | None = None


@np.errstate(all="ignore")
def backtracking(
    fun: Callable[[Vector], float],
    x: Vector,
    p: Vector,
    f: float,
    g: Vector,
    *,
    alpha: float = 1.0,
    rho: float = 0.5,
    c1: float = 1e-4,
) -> Step:
    r"""Shrink the step until the function decreases enough.

    The first of :math:`\alpha, \rho\alpha, \rho^2\alpha, \dots` that fulfils Armijo's condition is accepted:

    .. math:: f(x + \alpha p) \le f(x) + c_1\,\alpha\,\nabla f(x)^T p

    Parameters
    ----------
    fun : callable
        The function: vector of shape (n,) to float.
    x, p : ndarray, shape (n,)
        Point and direction of descent.
    f, g : float, ndarray of shape (n,)
        Value and gradient at `x`.
    alpha : float
        First trial; 1 for Newton-like directions.
    rho : float
        Factor between trials, in (0, 1).
    c1 : float
        Share of the predicted decrease that is asked for, in (0, 1).

    Returns
    -------
    Step
        With ``jac=None``: no gradient is evaluated.

    Raises
    ------
    ValueError
        If an argument has the wrong shape or range, or `p` is no direction of descent.

    Notes
    -----
    Where the predicted decrease of the first trial is below the resolution of the values, the condition is
    granted that much slack; otherwise a value that is not lower is never accepted.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithm 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> x, p = np.array([1.0]), np.array([-8.0])
    >>> backtracking(lambda x: x[0] ** 2, x, p, 1.0, np.array([2.0])).alpha
    0.125
    """
    x, p, g, slope = _checked(fun, x, p, f, g, alpha)
    if not (_is_number(rho) and _is_number(c1) and 0 < rho < 1 and 0 < c1 < 1):
        raise ValueError(f"rho and c1 must lie in (0, 1), got rho={rho!r}, c1={c1!r}")
    slack = _slack(f, alpha * slope)
    inside = False
    nfev = 0
    # 100 halvings pass every scale of double precision that a gradient can be wrong by; a decrease that the
    # values cannot resolve ends the search earlier.
    while nfev < 100:
        trial = x + alpha * p
        value = scalar(fun(trial), "fun")
        nfev += 1
        # c1 α slope may round to nothing beside f, hence the second comparison
        if -math.inf < value <= f + c1 * alpha * slope + slack and (value < f or slack):
            return Step(alpha, trial, value, None, nfev, 0)
        inside = inside or math.isfinite(value)
        alpha *= rho
        if inside and -alpha * slope <= _EPS * abs(f):
            break
    failure, spent = _diagnose(fun, x, p, f, slope) if inside else (Status.NOT_FINITE, 0)
    return Step(0.0, x, f, g, nfev + spent, 0, failure)


@np.errstate(all="ignore")
def strong_wolfe(
    fun: Callable[[Vector], float],
    jac: Callable[[Vector], Vector],
    x: Vector,
    p: Vector,
    f: float,
    g: Vector,
    *,
    alpha: float = 1.0,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> Step:
    r"""Find a step that decreases the function enough and flattens the slope enough.

    The strong Wolfe conditions, with :math:`\varphi(\alpha) = f(x + \alpha p)`:

    .. math::

        \varphi(\alpha) \le \varphi(0) + c_1\,\alpha\,\varphi'(0), \qquad
        \lvert\varphi'(\alpha)\rvert \le c_2\,\lvert\varphi'(0)\rvert

    The step grows until an interval is known to hold such a point; then cubic interpolation shrinks the
    interval.

    Parameters
    ----------
    fun, jac : callable
        The function and its gradient: vectors of shape (n,) to float and to shape (n,).
    x, p : ndarray, shape (n,)
        Point and direction of descent.
    f, g : float, ndarray of shape (n,)
        Value and gradient at `x`.
    alpha : float
        First trial; 1 for Newton-like directions.
    c1, c2 : float
        Constants of the conditions, ``0 < c1 < c2 < 1``.

    Returns
    -------
    Step
        With `jac` at the accepted point. On failure with ``alpha > 0`` the point fulfils the first condition
        alone.

    Raises
    ------
    ValueError
        If an argument has the wrong shape or range, or `p` is no direction of descent.

    Notes
    -----
    Where the predicted decrease of the first trial is below the resolution of the values, the first condition
    cannot be tested. It is replaced by Hager & Zhang's approximate condition: the value must not rise beyond
    the noise, and the slope, which is still resolved, decides.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithms 3.5 and 3.6, in one loop. Hager & Zhang,
    SIAM J. Optim. 16 (2005) 170, eq. (4.1).

    Examples
    --------
    >>> import numpy as np
    >>> fun, jac = lambda x: np.cos(x[0]), lambda x: -np.sin(x)
    >>> x = np.array([1.0])
    >>> step = strong_wolfe(fun, jac, x, -jac(x), fun(x), jac(x), c2=0.1)
    >>> bool(abs(step.x[0] - np.pi) < 0.1)
    True
    """
    x, p, g, slope = _checked(fun, x, p, f, g, alpha)
    function(jac, "jac")
    if not (_is_number(c1) and _is_number(c2) and 0 < c1 < c2 < 1):
        raise ValueError(f"c1 and c2 must fulfil 0 < c1 < c2 < 1, got c1={c1!r}, c2={c2!r}")

    def checked_fun(at: Vector) -> float:
        return scalar(fun(at), "fun")

    def checked_jac(at: Vector) -> Vector:
        gradient = jac(at)
        if not isinstance(gradient, np.ndarray) or gradient.shape != x.shape:
            raise ValueError(f"jac must return a vector of shape {x.shape}, got {gradient!r}")
        return gradient

    return Step(*wolfe_search(checked_fun, checked_jac, x, p, f, g, slope, alpha, c1, c2))


def wolfe_search(
    fun: Callable[[Vector], float],
    jac: Callable[[Vector], Vector],
    x: Vector,
    p: Vector,
    f: float,
    g: Vector,
    slope: float,
    alpha: float,
    c1: float,
    c2: float,
) -> Found:
    """Do what `strong_wolfe` does, for drivers: the arguments are sound and warnings are off."""
    slack = NOISE * abs(f)
    if alpha * slope < -slack:
        slack = 0.0
    # The best end of the interval, `low`, always fulfils the first condition; the other end, `high`, is
    # infinite at first.
    low, f_low, d_low, x_low, g_low = 0.0, f, slope, x, g
    high, f_high, d_high = _INF, _INF, math.nan
    inside = False
    nfev = njev = 0
    while nfev < 100:
        trial = x + p if alpha == 1.0 else x + alpha * p
        value = fun(trial)
        nfev += 1
        if not -_INF < value < _INF:
            high, f_high, d_high = alpha, _INF, math.nan
        elif value > f + c1 * alpha * slope + slack or value - slack >= f_low:
            inside = True
            high, f_high, d_high = alpha, value, math.nan
        else:
            gradient = jac(trial)
            njev += 1
            derivative = float(gradient.dot(p))
            if abs(derivative) <= -c2 * slope:
                return alpha, trial, value, gradient, nfev, njev, None
            if not math.isfinite(derivative):
                high, f_high, d_high = alpha, _INF, math.nan
            else:
                inside = True
                if derivative * (high - low) >= 0:
                    high, f_high, d_high = low, f_low, d_low
                previous = low, f_low, d_low
                low, f_low, d_low, x_low, g_low = alpha, value, derivative, trial, gradient
                if high == _INF:
                    guess = _minimiser(*previous, low, f_low, d_low)
                    # at least a little farther: past a minimum that is near, the search would have to return;
                    # where the slope grows steeper, the guess lies behind, if there is one, and tells nothing
                    alpha = min(max(guess, 1.2 * low), 10 * low) if guess > low else 2 * low
                    continue
        width = high - low
        exhausted = inside and low == 0 and -high * slope <= _EPS * abs(f)
        if exhausted or abs(width) <= 1e-10 * max(low, high):
            break
        guess = _minimiser(low, f_low, d_low, high, f_high, d_high)
        share = (guess - low) / width
        alpha = guess if 0.1 <= share <= 0.9 else low + width * (0.1 if share < 0.1 else 0.5)
    failure, spent = _diagnose(fun, x, p, f, slope) if inside else (Status.NOT_FINITE, 0)
    return low, x_low, f_low, g_low, nfev + spent, njev, failure


def exact_quadratic(g: ArrayLike, p: ArrayLike, Ap: ArrayLike) -> float:
    r"""Return the step to the minimum along `p` of a quadratic with the positive definite matrix A.

    .. math:: \alpha = -\frac{g^T p}{p^T A p}

    Parameters
    ----------
    g, p, Ap : array_like, shape (n,)
        Gradient :math:`Ax - b`, direction, and the product :math:`Ap`.

    Returns
    -------
    float
        The step length.

    Raises
    ------
    ValueError
        If the shapes differ, or the curvature :math:`p^T A p` is not positive.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., eq. (3.55).

    Examples
    --------
    >>> exact_quadratic(g=[2.0, 0.0], p=[-1.0, 0.0], Ap=[-4.0, -1.0])
    0.5
    """
    g, p, Ap = finite(g, "g"), finite(p, "p"), finite(Ap, "Ap")
    if not (g.ndim == 1 and g.shape == p.shape == Ap.shape):
        raise ValueError(
            f"g, p and Ap must be vectors of one length, got shapes {g.shape}, {p.shape}, {Ap.shape}"
        )
    curvature = float(p @ Ap)
    if not curvature > 0:
        raise ValueError(f"A must be positive definite and p nonzero: pᵀAp = {curvature:.3g}")
    return float(-(g @ p) / curvature)


def _checked(
    fun: object, x: ArrayLike, p: ArrayLike, f: float, g: ArrayLike, alpha: float
) -> tuple[Vector, Vector, Vector, float]:
    """Return x, p, g and the slope gᵀp, or say which argument is unusable; costs a driver next to nothing."""
    function(fun, "fun")
    x, p, g = _vector(x, "x"), _vector(p, "p"), _vector(g, "g")
    if not x.shape == p.shape == g.shape:
        raise ValueError(f"p and g must have x's shape {x.shape}, got {p.shape} and {g.shape}")
    if not isinstance(f, _REAL) or not -math.inf < f < math.inf:
        raise ValueError(f"f must be a finite number, got {f!r}")
    if not isinstance(alpha, _REAL) or not 0 < alpha < math.inf:
        raise ValueError(f"alpha must be positive and finite, got {alpha!r}")
    slope = float(g.dot(p))
    if not -math.inf < slope < 0:
        raise ValueError(
            f"p must be a direction of descent: gᵀp must be negative and finite, it is {slope:.3g}"
        )
    return x, p, g, slope


def _is_number(value: object) -> bool:
    return isinstance(value, float | int | np.floating | np.integer)


def _slack(f: float, predicted: float) -> float:
    """Return how much a value may rise: by the noise where that hides the predicted change, else not."""
    noise = NOISE * abs(f)
    return noise if abs(predicted) <= noise else 0.0


def _vector(value: ArrayLike, name: str) -> Vector:
    if not (type(value) is np.ndarray and value.dtype is _DOUBLE):
        value = finite(value, name)
    if value.ndim != 1:
        raise ValueError(f"{name} must be a vector, got shape {value.shape}")
    return value


def _minimiser(a: float, fa: float, da: float, b: float, fb: float, db: float) -> float:
    """Return the minimiser of the cubic with these values and slopes; a parabola's if db is NaN; else NaN."""
    h = b - a
    if not math.isfinite(fb):
        return math.nan
    if math.isnan(db):
        denominator = 2 * (fb - fa - da * h)
        return a - da * h * h / denominator if denominator > 0 else math.nan
    # Nocedal & Wright, eq. (3.59)
    d1 = da + db - 3 * (fb - fa) / h
    root = d1 * d1 - da * db
    if root < 0:
        return math.nan
    d2 = math.copysign(math.sqrt(root), h)
    denominator = db - da + 2 * d2
    return b - h * (db + d2 - d1) / denominator if denominator else math.nan


def _diagnose(
    fun: Callable[[Vector], float], x: Vector, p: Vector, f: float, slope: float
) -> tuple[Status, int]:
    """Say why no step was found: compare gᵀp with differences of the function on both sides of x.

    At two small steps h: if the sides differ by as much at h/8 as at h it is a kink; if the mean slopes agree
    with each other but not with gᵀp, the gradient is wrong; if they agree with it, either the decrease drowns
    in round-off or no step is acceptable. If they agree with nothing, h is longer than the function's own
    scale, and a smaller one is tried.
    """
    h = _EPS ** (1 / 3) * max(1.0, norm_inf(x)) / norm_inf(p)
    for nfev in range(4, 41, 4):
        jumps, means = [], []
        for step in (h, h / 8):
            right = (fun(x + step * p) - f) / step
            left = (f - fun(x - step * p)) / step
            jumps.append(abs(right - left))
            means.append((right + left) / 2)
        noise = 10 * _EPS * abs(f) / step
        if not math.isfinite(means[1]):
            return Status.NOT_FINITE, nfev
        if noise > 0.1 * abs(slope):
            return Status.ROUND_OFF, nfev
        if jumps[1] > 0.5 * jumps[0] and jumps[1] > 0.5 * abs(slope):
            return Status.KINK, nfev
        error = abs(means[1] - slope)
        if error <= 0.5 * abs(slope):
            curvature = jumps[0] / h  # of the parabola, whose minimum must differ from x, and from f
            far = -slope * norm_inf(p) > 10 * _EPS * norm_inf(x) * curvature
            deep = slope * slope > 2 * curvature * NOISE * abs(f)
            return (Status.LINE_SEARCH if far and deep else Status.ROUND_OFF), nfev
        doubt = abs(means[0] - means[1]) + 10 * _EPS * jumps[1]
        if doubt <= 0.5 * error:
            return Status.GRADIENT_MISMATCH, nfev
        h /= 64
    return Status.ROUND_OFF, nfev
