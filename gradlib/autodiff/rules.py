r"""The derivative rules, each written once for both modes and for every order.

Two tables hold them. `PARTIALS` has the functions that act on each element alone, with their partial
derivatives. `ADJOINTS` has the functions that are linear in each argument, such as a sum or a product of
matrices, with the adjoint of each of these linear maps; a linear map is its own derivative, so the forward
mode needs no more. `push` and `pull` are all that the two modes do with them; they check nothing.

The rules are written with NumPy functions. Applied to traced values they are traced themselves, which is how
second derivatives come about.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral
from types import EllipsisType
from typing import Any

import numpy as np

from gradlib._objective import UsageError
from gradlib.autodiff._traced import IMPLEMENTATIONS, Traced, implements, plain, record

__all__ = ["ADJOINTS", "PARTIALS", "pull", "push"]

Function = Callable[..., Any]


def push(function: Function, i: int, tangent: Any, z: Any, values: Sequence[Any], options: Any) -> Any:
    r"""Return what the tangent of argument i adds to the tangent of the result (forward mode).

    .. math:: \dot z \mathrel{+}= \frac{\partial z}{\partial x_i}\,\dot x_i

    Parameters
    ----------
    function : callable
        A function of one of the tables.
    i : int
        Which argument.
    tangent : ndarray
        :math:`\dot x_i`.
    z, values, options
        ``z = function(*values, **options)``.

    Returns
    -------
    ndarray
        The contribution, of a shape that broadcasts to that of z.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., section 3.1.

    Examples
    --------
    >>> push(np.multiply, 0, 1.0, 10.0, (2.0, 5.0), {})
    5.0
    """
    if function in PARTIALS:
        return PARTIALS[function][i](z, *values) * tangent
    return function(*values[:i], tangent, *values[i + 1 :], **options)


def pull(function: Function, i: int, adjoint: Any, z: Any, values: Sequence[Any], options: Any) -> Any:
    r"""Return what the adjoint of the result adds to the adjoint of argument i (reverse mode).

    .. math:: \bar x_i \mathrel{+}= \Bigl(\frac{\partial z}{\partial x_i}\Bigr)^{\!T}\,\bar z

    Parameters
    ----------
    function : callable
        A function of one of the tables.
    i : int
        Which argument.
    adjoint : ndarray
        :math:`\bar z`, of the shape of z.
    z, values, options
        ``z = function(*values, **options)``.

    Returns
    -------
    ndarray
        The contribution, of the shape of argument i: over an axis along which the argument was broadcast the
        contributions are summed.

    References
    ----------
    Griewank & Walther, *Evaluating Derivatives*, 2nd ed., section 3.2.

    Examples
    --------
    >>> pull(np.multiply, 0, np.ones(3), None, (2.0, np.array([5.0, 6.0, 7.0])), {})
    np.float64(18.0)
    """
    if function in PARTIALS:
        contribution = PARTIALS[function][i](z, *values) * adjoint
    else:
        contribution = ADJOINTS[function][i](adjoint, *values, **options)
    return _sum_to(contribution, np.shape(values[i]))


def _sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` over the axes along which `shape` was broadcast."""
    if np.shape(g) == shape:
        return g
    new = np.ndim(g) - len(shape)
    stretched = (new + i for i, n in enumerate(shape) if n == 1)
    return np.reshape(np.sum(g, axis=(*range(new), *stretched)), shape)


# Elementwise functions: z = function(x) or function(x, y).


def _by_base(z: Any, x: Any, y: Any) -> Any:
    if np.any(y == 0):  # x⁰ is constant, at x = 0 too
        return y * x ** np.where((x == 0) & (y == 0), 1.0, y - 1)
    return y * x ** (y - 1)


def _by_exponent(z: Any, x: Any, y: Any) -> Any:
    return z * np.log(np.where(x == 0, 1.0, x))  # 0^y stays 0


def _nonzero(z: Any) -> Any:
    return np.where(z == 0, 1.0, z)


PARTIALS: dict[Function, tuple[Function, ...]] = {
    np.add: (lambda z, x, y: 1.0, lambda z, x, y: 1.0),
    np.subtract: (lambda z, x, y: 1.0, lambda z, x, y: -1.0),
    np.multiply: (lambda z, x, y: y, lambda z, x, y: x),
    np.divide: (lambda z, x, y: 1 / y, lambda z, x, y: -z / y),
    operator.pow: (_by_base, _by_exponent),  # np.power, but as fast as x**2 is
    np.negative: (lambda z, x: -1.0,),
    np.positive: (lambda z, x: 1.0,),
    np.reciprocal: (lambda z, x: -z * z,),
    np.square: (lambda z, x: 2 * x,),
    np.sqrt: (lambda z, x: 0.5 / z,),
    np.cbrt: (lambda z, x: 1 / (3 * z * z),),
    np.exp: (lambda z, x: z,),
    np.expm1: (lambda z, x: np.exp(x),),
    np.log: (lambda z, x: 1 / x,),
    np.log2: (lambda z, x: 1 / (np.log(2) * x),),
    np.log10: (lambda z, x: 1 / (np.log(10) * x),),
    np.log1p: (lambda z, x: 1 / (1 + x),),
    np.logaddexp: (lambda z, x, y: np.exp(x - z), lambda z, x, y: np.exp(y - z)),
    np.sin: (lambda z, x: np.cos(x),),
    np.cos: (lambda z, x: -np.sin(x),),
    np.tan: (lambda z, x: 1 + z * z,),
    np.arcsin: (lambda z, x: 1 / np.sqrt((1 - x) * (1 + x)),),
    np.arccos: (lambda z, x: -1 / np.sqrt((1 - x) * (1 + x)),),
    np.arctan: (lambda z, x: 1 / (1 + x * x),),
    np.arctan2: (lambda z, x, y: y / (x * x + y * y), lambda z, x, y: -x / (x * x + y * y)),
    np.sinh: (lambda z, x: np.cosh(x),),
    np.cosh: (lambda z, x: np.sinh(x),),
    np.tanh: (lambda z, x: 1 - z * z,),
    np.arcsinh: (lambda z, x: 1 / np.sqrt(1 + x * x),),
    np.arccosh: (lambda z, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)),),
    np.arctanh: (lambda z, x: 1 / ((1 - x) * (1 + x)),),
    # At a kink the value is a subgradient: the mean of the slopes on both sides.
    np.absolute: (lambda z, x: np.sign(x),),
    np.maximum: (lambda z, x, y: np.heaviside(x - y, 0.5), lambda z, x, y: np.heaviside(y - x, 0.5)),
    np.minimum: (lambda z, x, y: np.heaviside(y - x, 0.5), lambda z, x, y: np.heaviside(x - y, 0.5)),
    np.hypot: (lambda z, x, y: x / _nonzero(z), lambda z, x, y: y / _nonzero(z)),
}
r"""For each elementwise function its partial derivatives, as functions of the result z and the arguments."""


# Functions that are linear in each argument, and what the linear maps among them need.


def _getitem(x: Any, *, index: Any) -> Any:
    return x[index]


def _scatter(g: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
    """Put `g` at `index` of zeros, adding where an index repeats: the adjoint of taking elements."""
    if isinstance(g, Traced):
        return record(_scatter, g, index=index, shape=shape)
    x = np.zeros(shape)
    parts = index if isinstance(index, tuple) else (index,)
    if all(part is None or isinstance(part, int | slice | EllipsisType) for part in parts):
        x[index] = g
    else:
        np.add.at(x, index, g)
    return x


def _keep(x: Any, *, mask: Any) -> Any:
    """Return `x` where `mask` is true, else 0."""
    if isinstance(x, Traced):
        return record(_keep, x, mask=mask)
    return np.where(mask, x, 0.0)


def _spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Give each element of `x` the adjoint of the sum that it is in."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, np.shape(x))


def _swap(x: Any) -> Any:
    """Transpose the last two axes."""
    return np.transpose(x, (*range(np.ndim(x) - 2), -1, -2))


def _left_of_product(g: Any, a: Any, b: Any) -> Any:
    """Return Z̄Bᵀ, where a vector counts as a row."""
    if np.ndim(b) == 1:
        return g[..., None] * b
    if np.ndim(a) == 1:
        return (b @ g[..., None])[..., 0]
    return g @ _swap(b)


def _right_of_product(g: Any, a: Any, b: Any) -> Any:
    """Return AᵀZ̄, where a vector counts as a column."""
    if np.ndim(a) == 1:
        return a * g[..., None] if np.ndim(b) == 1 else a[:, None] * g[..., None, :]
    if np.ndim(b) == 1:
        return (_swap(a) @ g[..., None])[..., 0]
    return _swap(a) @ g


ADJOINTS: dict[Function, tuple[Function, ...]] = {
    np.matmul: (_left_of_product, _right_of_product),
    np.sum: (lambda g, x, axis, keepdims: _spread(g, x, axis, keepdims),),
    np.broadcast_to: (lambda g, x, shape: g,),  # summed back to the shape of x, as every contribution is
    np.reshape: (lambda g, x, shape: np.reshape(g, np.shape(x)),),
    np.transpose: (lambda g, x, axes: np.transpose(g, np.argsort(axes)),),
    _getitem: (lambda g, x, index: _scatter(g, index=index, shape=np.shape(x)),),
    _scatter: (lambda g, x, index, shape: g[index],),
    _keep: (lambda g, x, mask: _keep(g, mask=mask),),
}
r"""For each function that is linear in every argument the adjoints: functions of :math:`\bar z` and the
arguments."""


# What NumPy's functions do with traced values.

_UFUNCS: tuple[Function, ...] = (*PARTIALS, np.matmul)
IMPLEMENTATIONS.update({function: partial(record, function) for function in _UFUNCS})
IMPLEMENTATIONS[np.power] = IMPLEMENTATIONS.pop(operator.pow)

_PIECEWISE_CONSTANT: tuple[Function, ...] = (
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.sign, np.heaviside, np.floor, np.ceil, np.rint, np.trunc),
    *(np.isnan, np.isfinite, np.isinf, np.allclose, np.isclose, np.array_equal, np.any, np.all),
    *(np.argmax, np.argmin, np.argsort, np.shape, np.ndim, np.size, np.zeros_like, np.ones_like),
)


def _untraced(function: Function) -> Function:
    return lambda *arguments, **options: function(*map(plain, arguments), **options)


IMPLEMENTATIONS.update({function: _untraced(function) for function in _PIECEWISE_CONSTANT})


@implements(Traced.__getitem__)
def _take(x: Any, index: Any) -> Any:
    return record(_getitem, x, index=index)


@implements(np.sum)
def _sum(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return record(np.sum, x, axis=axis, keepdims=keepdims)


@implements(np.mean)
def _mean(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    total = np.sum(x, axis=axis, keepdims=keepdims)
    return total / (np.size(x) / np.size(total))


@implements(np.reshape)
def _reshape(x: Any, shape: Any) -> Any:
    return record(np.reshape, x, shape=shape)


@implements(np.ravel)
def _ravel(x: Any) -> Any:
    return np.reshape(x, -1)


@implements(np.expand_dims)
def _expand_dims(x: Any, axis: Any) -> Any:
    return np.reshape(x, np.expand_dims(plain(x), axis).shape)


@implements(np.broadcast_to)
def _broadcast_to(x: Any, shape: Any) -> Any:
    return record(np.broadcast_to, x, shape=shape)


@implements(np.transpose)
def _transpose(x: Any, axes: Any = None) -> Any:
    axes = range(np.ndim(x))[::-1] if axes is None else axes
    return record(np.transpose, x, axes=[axis % np.ndim(x) for axis in axes])


@implements(np.copy)
def _copy(x: Any) -> Any:
    return x


@implements(np.concatenate)
def _concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:
    shape = np.concatenate([plain(x) for x in arrays], axis).shape
    index: list[Any] = [slice(None)] * len(shape)
    total: Any = 0.0
    end = 0
    for x in arrays:
        start, end = end, end + np.shape(x)[axis]
        index[axis] = slice(start, end)
        total = total + _scatter(x, index=tuple(index), shape=shape)
    return total


@implements(np.stack)
def _stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    return np.concatenate([np.expand_dims(x, axis) for x in arrays], axis)


@implements(np.where)
def _where(condition: Any, x: Any, y: Any) -> Any:
    mask = np.asarray(plain(condition), dtype=bool)
    return _keep(x, mask=mask) + _keep(y, mask=~mask)


@implements(np.clip)
def _clip(x: Any, a_min: Any, a_max: Any) -> Any:
    x = x if a_min is None else np.maximum(x, a_min)
    return x if a_max is None else np.minimum(x, a_max)


@implements(np.dot)
def _dot(x: Any, y: Any) -> Any:
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return x * y
    if np.ndim(y) > 2:
        raise UsageError("np.dot with a second argument of more than two axes: write np.matmul")
    return x @ y


@implements(np.inner)
def _inner(x: Any, y: Any) -> Any:
    return np.dot(x, np.transpose(y))


@implements(np.outer)
def _outer(x: Any, y: Any) -> Any:
    return np.reshape(x, (-1, 1)) * np.reshape(y, (1, -1))


@implements(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: int | None = None, *, keepdims: bool = False) -> Any:
    of_vectors = np.ndim(x) == 1 or isinstance(axis, Integral)
    if ord is not None and (ord not in (1, 2, np.inf) or not of_vectors):
        raise UsageError(
            f"np.linalg.norm with ord={ord!r} and axis={axis!r} has no rule for shape {np.shape(x)}"
        )
    if ord in (1, np.inf):
        return (np.sum if ord == 1 else np.max)(np.abs(x), axis=axis, keepdims=keepdims)
    squares = np.sum(x * x, axis=axis, keepdims=keepdims)
    # at 0 the square root is kept away from its infinite slope, and the subgradient is 0
    return np.where(squares == 0, 0.0, np.sqrt(_nonzero(squares)))


@implements(np.max, np.amax)
def _max(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    return _pick(np.argmax, x, axis, keepdims)


@implements(np.min, np.amin)
def _min(x: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    return _pick(np.argmin, x, axis, keepdims)


def _pick(place: Function, x: Any, axis: int | None, keepdims: bool) -> Any:
    """Take the element that `place` finds; of equal ones the first, which gives a subgradient."""
    if axis is None:
        largest = np.ravel(x)[place(x)]
        return np.reshape(largest, (1,) * np.ndim(x)) if keepdims else largest
    where = np.expand_dims(place(x, axis), axis)
    index: list[Any] = list(np.indices(where.shape, sparse=True))
    index[axis] = where
    picked = x[tuple(index)]
    return picked if keepdims else np.reshape(picked, place(x, axis).shape)
