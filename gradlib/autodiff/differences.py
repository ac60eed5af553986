"""Derivatives from values of the function alone: finite differences and the complex step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from gradlib._objective import finite, function, number, numeric
from gradlib.autodiff._traced import along_each_axis

__all__ = ["complex_step", "finite_difference"]

Function = Callable[..., Any]

_EPS = float(np.finfo(np.float64).eps)


def finite_difference(
    f: Function, x: ArrayLike, h: float | None = None, scheme: Literal["central", "forward"] = "central"
) -> Any:
    r"""Approximate the derivative of f at x by a difference quotient.

    .. math::

        \frac{\partial f}{\partial x_i} \approx \frac{f(x + h e_i) - f(x - h e_i)}{2h}
        \quad\text{(central)}, \qquad \frac{f(x + h e_i) - f(x)}{h} \quad\text{(forward)}

    Parameters
    ----------
    f : callable
        A function of a number or an array, with numbers or an array as its value.
    x : float or array_like
        Where.
    h : float, optional
        The step, for every element of x. If not given it is :math:`\max(1, |x_i|)` times
        :math:`\varepsilon^{1/3}` (central) or :math:`\varepsilon^{1/2}` (forward), which balances the error
        of the formula, of order h² or h, with the round-off, of order ε/h.
    scheme : {"central", "forward"}
        Which quotient.

    Returns
    -------
    float or ndarray
        Derivatives, of the shape of f(x) followed by that of x.

    Raises
    ------
    ValueError
        If an argument is unusable, or `h` vanishes beside an element of x.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., section 8.1.

    Examples
    --------
    >>> print(f"{finite_difference(np.sin, 0.0):.9f}")
    1.000000000
    >>> finite_difference(lambda x: x[0] * x[1], [2.0, 5.0], scheme="forward").round(6)
    array([5., 2.])
    """
    f, point, steps = _checked(f, x, h, scheme)

    def slope(e: Any) -> Any:
        step = steps * e
        if scheme == "central":
            return (f(point + step) - f(point - step)) / (2 * np.sum(step))
        return (f(point + step) - f(point)) / np.sum(step)

    return along_each_axis(slope, point)


def complex_step(f: Function, x: ArrayLike, h: float = 1e-20) -> Any:
    r"""Compute the derivative of an analytic f at x to round-off, with no difference taken.

    .. math:: \frac{\partial f}{\partial x_i} = \frac{\operatorname{Im} f(x + \mathrm{i}\,h\,e_i)}{h} + O(h^2)

    Parameters
    ----------
    f : callable
        A function that can be evaluated at complex arguments and is analytic there: arithmetic, powers, exp,
        log, sin, …; not ``abs``, ``max``, ``np.linalg.norm`` or a conjugate.
    x : float or array_like
        Where.
    h : float
        The step; nothing cancels, so it can be so small that its square vanishes.

    Returns
    -------
    float or ndarray
        Derivatives, of the shape of f(x) followed by that of x.

    Raises
    ------
    ValueError
        If an argument is unusable, or `f` returns real numbers for complex arguments.

    References
    ----------
    Squire & Trapp, SIAM Review 40 (1998) 110.

    Examples
    --------
    >>> complex_step(np.exp, 0.0)
    np.float64(1.0)
    """
    function(f, "f")
    point, h = finite(x, "x")[()], _step(h)

    def slope(e: Any) -> Any:
        return np.imag(_analytic(f(point + 1j * h * e))) / h

    return along_each_axis(slope, point)


def _checked(f: Function, x: ArrayLike, h: float | None, scheme: str) -> tuple[Function, Any, Any]:
    """Return `f` with arrays as values, `x` and the step for each element."""
    function(f, "f")
    if not isinstance(scheme, str) or scheme not in ("central", "forward"):
        raise ValueError(f"scheme must be 'central' or 'forward', got {scheme!r}")
    point = finite(x, "x")[()]
    if h is None:
        steps = _EPS ** (1 / 3 if scheme == "central" else 1 / 2) * np.maximum(1.0, np.abs(point))
    else:
        steps = np.full(np.shape(point), _step(h))
        if np.any(point + steps == point):
            raise ValueError(f"h must change x: {h!r} is lost in the round-off of {point}")
    return (lambda x: numeric(f(x), "what f returns")[()]), point, steps


def _step(h: float) -> float:
    h = number(h, "h")
    if h <= 0:
        raise ValueError(f"h must be positive, got {h}")
    return h


def _analytic(y: Any) -> Any:
    if not np.iscomplexobj(y):
        raise ValueError("f must be analytic: it returned real numbers for complex arguments")
    return np.asarray(y)
