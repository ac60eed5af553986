"""Reverse mode: the rows of a computation are kept, and read backwards."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gradlib._objective import UsageError, function, number
from gradlib.autodiff._traced import LEVELS, Traced, one_argument, plain
from gradlib.autodiff.dual import Dual, jacobian
from gradlib.autodiff.rules import pull

__all__ = ["Row", "Var", "backward", "grad", "hessian", "trace"]

Function = Callable[..., Any]

_BIRTHS = count()


class Var(Traced):
    """A variable on the tape: its value, and the function and arguments that it came from.

    The tape (Wengert list) is the chain of these references, in the order of birth: a variable is always
    younger than its arguments. Nothing else holds it, so it is freed with the last variable.

    Parameters
    ----------
    value : float or array_like
        Where the computation starts.
    level : int
        Which derivative it belongs to; differs only in nested ones.

    Attributes
    ----------
    adjoint : ndarray or None
        The derivative by this variable of what `backward` started from; None where it has not been.
    function, arguments, options
        ``value = function(*arguments, **options)``; None where the tape starts.

    Raises
    ------
    ValueError
        If `value` is not real.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., section 3.2. Karpathy's micrograd is the same idea
    for numbers.

    Examples
    --------
    >>> x, y = Var(2.0), Var(5.0)
    >>> backward(np.log(x) + x * y - np.sin(y))
    >>> x.adjoint, y.adjoint.round(3)
    (np.float64(5.5), np.float64(1.716))
    """

    __slots__ = ("adjoint", "arguments", "birth", "function", "options")

    def __init__(self, value: Any, level: int = 0) -> None:
        super().__init__(value, level)
        self.birth = next(_BIRTHS)
        self.adjoint: Any = None
        self.function: Any = None
        self.arguments: tuple[Any, ...] = ()
        self.options: dict[str, Any] = {}

    def apply(self, function: Function, arguments: tuple[Any, ...], options: dict[str, Any]) -> Var:
        """Return ``function(*arguments, **options)`` as the next row of the tape."""
        z = Var(function(*self.values(arguments), **options), self.level)
        z.function, z.arguments, z.options = function, arguments, options
        return z

    def parents(self) -> Iterator[tuple[int, Var]]:
        """Yield the position and the variable for each argument that is one."""
        return ((i, a) for i, a in enumerate(self.arguments) if self.owns(a))

    def __repr__(self) -> str:
        return f"Var({self.value})"


def backward(y: Var) -> None:
    r"""Set the adjoint :math:`\bar v = \partial y / \partial v` of every variable v that `y` came from.

    From the youngest row to the oldest, each hands its adjoint on to its arguments:

    .. math:: \bar v_i = \sum_{j\,:\,v_i \text{ is an argument of } v_j}
        \Bigl(\frac{\partial v_j}{\partial v_i}\Bigr)^{\!T} \bar v_j, \qquad \bar y = 1

    Parameters
    ----------
    y : Var
        The result; for an array the adjoints are those of the sum of its elements.

    Raises
    ------
    ValueError
        If `y` is not a variable.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., section 3.2.

    Examples
    --------
    >>> x = Var([1.0, 2.0, 3.0])
    >>> backward(x @ x)
    >>> x.adjoint
    array([2., 4., 6.])
    """
    rows = _rows(y)
    y.adjoint = np.ones(y.shape)[()]
    for v in reversed(rows):
        values = v.values(v.arguments)
        for i, parent in v.parents():
            contribution = pull(v.function, i, v.adjoint, v.value, values, v.options)
            parent.adjoint = contribution if parent.adjoint is None else parent.adjoint + contribution


def _rows(y: Var) -> list[Var]:
    """Return the part of the tape that leads to `y`, the oldest row first, with no adjoints."""
    if not isinstance(y, Var):
        raise ValueError(f"y must be a Var, got {type(y).__name__}")
    found: dict[int, Var] = {}
    todo = [y]
    while todo:
        v = todo.pop()
        if v.birth not in found:
            found[v.birth] = v
            v.adjoint = None
            todo.extend(parent for _, parent in v.parents())
    return [found[birth] for birth in sorted(found)]


def grad(f: Function, argnum: int = 0) -> Function:
    r"""Return the function that computes the gradient, by one sweep in reverse mode.

    Its cost is a small multiple of the cost of `f`, whatever the number of variables.

    Parameters
    ----------
    f : callable
        A function with a scalar value, written with operators and NumPy functions.
    argnum : int
        Which argument of `f` to differentiate by; the others are constants.

    Returns
    -------
    callable
        It takes the arguments of `f`, and returns an array of the shape of the one that it differentiates by;
        integers are taken as floats.

    Raises
    ------
    ValueError
        If `f` is not callable, or (when called) an argument is not real, f(x) is not a scalar, or `f` uses
        what has no derivative rule.

    Notes
    -----
    At a kink the result is a subgradient: 0 for ``abs`` and ``np.linalg.norm`` at 0, the mean of both slopes
    where the arguments of ``np.maximum`` or ``np.minimum`` are equal.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., section 3.2; Baydin, Pearlmutter, Radul & Siskind,
    JMLR 18 (2018) 153.

    Examples
    --------
    >>> def f(x):
    ...     return np.log(x[0]) + x[0] * x[1] - np.sin(x[1])
    >>> grad(f)(np.array([2.0, 5.0])).round(3)
    array([5.5  , 1.716])
    >>> grad(lambda x, y: x * y**2, argnum=1)(3.0, 2.0)
    np.float64(12.0)
    >>> grad(np.linalg.norm)(np.zeros(2))
    array([0., 0.])
    """
    function(f, "f")

    def df(*arguments: Any) -> Any:
        g, start = one_argument(f, arguments, argnum)
        x = Var(start, next(LEVELS))
        y = g(x)
        if np.size(y) != 1:
            raise UsageError(f"f returned shape {np.shape(y)}, a scalar is needed: use jacobian, or sum it")
        if not x.owns(y):
            return np.zeros(x.shape)[()]
        backward(y)
        return x.adjoint if isinstance(x.adjoint, Traced) else np.array(x.adjoint)[()]

    return df


def hessian(f: Function, argnum: int = 0) -> Function:
    r"""Return the function that computes the Hessian: the Jacobian of the gradient, forward over reverse.

    .. math:: H_{ij} = \frac{\partial^2 f}{\partial x_i\,\partial x_j}

    Parameters
    ----------
    f : callable
        A function with a scalar value, written with operators and NumPy functions.
    argnum : int
        Which argument of `f` to differentiate by; the others are constants.

    Returns
    -------
    callable
        It takes the arguments of `f`; the result has the shape of x twice.

    Raises
    ------
    ValueError
        As for `grad`.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., section 5.1.

    Examples
    --------
    >>> from gradlib.problems import rosenbrock
    >>> hessian(rosenbrock.fun)(rosenbrock.x0)
    array([[1330.,  480.],
           [ 480.,  200.]])
    """
    return jacobian(grad(f, argnum), argnum)


class Row(NamedTuple):
    r"""A row of the tape.

    Attributes
    ----------
    name, formula : str
        Such as v₃ and v₁ + v₂; a variable's formula is empty.
    value, tangent, adjoint : float
        :math:`v`, :math:`\dot v = \partial v / \partial x_1` and :math:`\bar v = \partial y / \partial v`.

    Examples
    --------
    >>> row = trace(lambda x: x * x, 3.0)[-1]
    >>> row.formula, float(row.value), float(row.tangent)
    ('v₀ * v₀', 9.0, 6.0)
    """

    name: str
    formula: str
    value: float
    tangent: float
    adjoint: float


def trace(f: Function, *x: ArrayLike) -> list[Row]:
    r"""Return the tape of f(x₁, …, xₙ), with the derivatives that both modes compute.

    Parameters
    ----------
    f : callable
        A function of n numbers with a scalar value, written with operators and NumPy functions.
    *x : float
        The arguments.

    Returns
    -------
    list of Row
        The variables :math:`v_{1-n}, \dots, v_0`, then one row for each operation; the last is f(x).

    Raises
    ------
    ValueError
        If `f` is not callable or f(x) does not depend on x, or an argument is not a number.

    References
    ----------
    Baydin, Pearlmutter, Radul & Siskind, JMLR 18 (2018) 153, tables 2 and 3.

    Examples
    --------
    >>> for row in trace(lambda x, y: np.log(x) + x * y - np.sin(y), 2.0, 5.0):
    ...     print(f"{row.name:4} {row.formula:8} {row.value:7.3f} {row.tangent:6.3f} {row.adjoint:6.3f}")
    v₋₁             2.000  1.000  5.500
    v₀              5.000  0.000  1.716
    v₁   log(v₋₁)   0.693  0.500  1.000
    v₂   v₋₁ * v₀  10.000  5.000  1.000
    v₃   v₁ + v₂   10.693  5.500  1.000
    v₄   sin(v₀)   -0.959  0.000 -1.000
    v₅   v₃ - v₄   11.652  5.500  1.000
    """
    function(f, "f")
    forward, reverse = next(LEVELS), next(LEVELS)
    numbers = [number(xi, f"x[{i}]") for i, xi in enumerate(x)]
    variables = [Var(Dual(xi, float(i == 0), forward), reverse) for i, xi in enumerate(numbers)]
    y = f(*variables)
    if not isinstance(y, Var) or y.level != reverse:
        raise ValueError("f must return a value that depends on x")
    rows = [*variables, *(v for v in _rows(y) if v.function is not None)]
    if any(v.ndim for v in rows):
        raise ValueError("f must compute with numbers alone, it makes an array")
    backward(y)
    adjoints = [0.0 if v.adjoint is None else plain(v.adjoint) for v in rows]
    names = {v.birth: "v" + str(i - len(x) + 1).translate(_SUBSCRIPTS) for i, v in enumerate(rows)}
    return [
        Row(names[v.birth], _formula(v, names), v.value.value, v.value.tangent, adjoint)
        for v, adjoint in zip(rows, adjoints, strict=True)
    ]


_SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")
_OPERATORS = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", operator.pow: "**"}


def _formula(v: Var, names: dict[int, str]) -> str:
    if v.function is None:
        return ""
    arguments = [names[a.birth] if isinstance(a, Var) else f"{a:.6g}" for a in v.arguments]
    if v.function in _OPERATORS:
        return f" {_OPERATORS[v.function]} ".join(arguments)
    return f"{v.function.__name__}({', '.join(arguments)})"
