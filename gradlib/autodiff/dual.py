"""Forward mode: dual numbers, which carry a derivative along with a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlib._objective import function
from gradlib.autodiff._traced import LEVELS, Traced, along_each_axis, one_argument, real
from gradlib.autodiff.rules import push

__all__ = ["Dual", "derivative", "jacobian"]

Function = Callable[..., Any]


class Dual(Traced):
    r"""The number :math:`x + \dot x\,\varepsilon` with :math:`\varepsilon^2 = 0`.

    .. math:: f(x + \dot x\,\varepsilon) = f(x) + f'(x)\,\dot x\,\varepsilon

    Every function of `gradlib.autodiff` that NumPy offers, and every operator, computes both parts.

    Parameters
    ----------
    value : float or array_like
        x.
    tangent : float or array_like
        :math:`\dot x`, of the shape of `value`: 1 for the variable, 0 for a constant.
    level : int
        Which derivative it belongs to; differs only in nested ones.

    Raises
    ------
    ValueError
        If `value` or `tangent` is not real, or their shapes do not fit.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., section 3.1.

    Examples
    --------
    >>> x = Dual(2.0, 1.0)
    >>> x * x + 1
    Dual(5.0, 4.0)
    >>> np.sin(Dual(0.0, 1.0))
    Dual(0.0, 1.0)
    """

    __slots__ = ("tangent",)

    def __init__(self, value: Any, tangent: Any = 0.0, level: int = 0) -> None:
        super().__init__(value, level)
        self.tangent = real(tangent, "tangent")
        if self.tangent.shape != self.shape:
            try:
                self.tangent = np.broadcast_to(self.tangent, self.shape)
            except ValueError:
                raise ValueError(
                    f"tangent must have the shape {self.shape} of value, got {self.tangent.shape}"
                ) from None

    def apply(self, function: Function, arguments: tuple[Any, ...], options: dict[str, Any]) -> Dual:
        """Return ``function(*arguments, **options)`` with its tangent: the chain rule."""
        values = self.values(arguments)
        z = function(*values, **options)
        tangent: Any = 0.0
        for i, argument in enumerate(arguments):
            if self.owns(argument):
                tangent = tangent + push(function, i, argument.tangent, z, values, options)
        return Dual(z, tangent, self.level)

    def __repr__(self) -> str:
        return f"Dual({self.value}, {self.tangent})"


def derivative(f: Function, argnum: int = 0) -> Function:
    r"""Return the function that computes f′, by one pass in forward mode.

    Parameters
    ----------
    f : callable
        A function of a number, written with operators and NumPy functions; its value may be a number or an
        array. For an array x it must act on each element alone: then so does f′.
    argnum : int
        Which argument of `f` to differentiate by; the others are constants.

    Returns
    -------
    callable
        It takes the arguments of `f`; integers are taken as floats.

    Raises
    ------
    ValueError
        If `f` is not callable, or (when called) an argument is not real or `f` uses what has no derivative
        rule.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., section 3.1.

    Examples
    --------
    >>> derivative(lambda x: x**3 + 1)(1.0)
    np.float64(3.0)
    >>> derivative(np.sin)(np.array([0.0, np.pi])).round(12)
    array([ 1., -1.])
    >>> derivative(derivative(lambda x: x**3))(2.0)
    np.float64(12.0)
    """
    function(f, "f")

    def df(*arguments: Any) -> Any:
        g, x = one_argument(f, arguments, argnum)
        return _push_forward(g, x, np.ones_like(x))

    return df


def jacobian(f: Function, argnum: int = 0) -> Function:
    r"""Return the function that computes the Jacobian, by one pass in forward mode for each column.

    .. math:: J_{ij} = \frac{\partial f_i}{\partial x_j}, \qquad J e_j = \dot y \text{ for } \dot x = e_j

    Parameters
    ----------
    f : callable
        A function of an array, written with operators and NumPy functions; its value may be a number, an
        array, or a list of numbers.
    argnum : int
        Which argument of `f` to differentiate by; the others are constants.

    Returns
    -------
    callable
        It takes the arguments of `f`; the result has the shape of f(x) followed by that of x.

    Raises
    ------
    ValueError
        If `f` is not callable, or (when called) an argument is not real or `f` uses what has no derivative
        rule.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., section 3.1.

    Examples
    --------
    >>> jacobian(lambda x: [x[0] + x[1], x[0] ** 2 + x[1] ** 2])(np.array([1.0, 5.0]))
    array([[ 1.,  1.],
           [ 2., 10.]])
    """
    function(f, "f")

    def df(*arguments: Any) -> Any:
        g, x = one_argument(f, arguments, argnum)
        return along_each_axis(lambda e: _push_forward(g, x, e), x)

    return df


def _push_forward(f: Function, x: Any, direction: Any) -> Any:
    """Return the derivative of `f` at `x` along `direction`."""
    level = next(LEVELS)
    y = f(Dual(x, direction, level))
    if isinstance(y, Dual) and y.level == level:
        return y.tangent
    return np.zeros(np.shape(y))[()]
