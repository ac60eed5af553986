"""What both modes share: a value that answers to NumPy's functions and records what was done to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from numbers import Integral
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from gradlib._objective import UsageError, numeric

__all__ = [
    "IMPLEMENTATIONS",
    "LEVELS",
    "Traced",
    "along_each_axis",
    "implements",
    "one_argument",
    "plain",
    "real",
    "record",
]

Function = Callable[..., Any]

LEVELS = count(1)
"""Each derivative takes the next level, so an inner derivative has a higher one than those around it."""

IMPLEMENTATIONS: dict[Function, Function] = {}
"""What stands in for a NumPy function that is called with a traced value."""

_METHODS = {"copy", "dot", "max", "mean", "min", "ravel", "sum", "transpose"}  # np.sum(x) is x.sum()


class Traced(NDArrayOperatorsMixin):
    """A float or float64 array that is being differentiated; `Dual` and `Var` say how.

    NumPy hands each function that is called with a traced value to `__array_ufunc__` or
    `__array_function__` (NEP 13 and 18); the operators are NumPy's ufuncs.

    Attributes
    ----------
    value : float, ndarray or Traced
        What is computed; itself traced when derivatives are nested.
    level : int
        Which derivative it belongs to. What belongs to another one is a constant, so that nested derivatives
        are not confused.
    """

    __slots__ = ("level", "value")

    def __init__(self, value: Any, level: int) -> None:
        self.value: Any = real(value, "value")
        self.level = level

    def apply(self, function: Function, arguments: tuple[Any, ...], options: dict[str, Any]) -> Traced:
        """Return the traced value of ``function(*arguments, **options)``."""
        raise NotImplementedError

    def owns(self, other: object) -> bool:
        """Whether `other` belongs to the same derivative."""
        return isinstance(other, Traced) and type(other) is type(self) and other.level == self.level

    def values(self, arguments: tuple[Any, ...]) -> list[Any]:
        """Return the arguments with this derivative's trace taken off."""
        return [a.value if self.owns(a) else a for a in arguments]

    def __array_ufunc__(self, ufunc: Function, method: str, *inputs: Any, **options: Any) -> Any:
        if self.ndim == 0 and options.get("out", (None,))[0] is self:
            options.pop("out")  # x += 1 on a number makes a new number
        if "out" in options:
            raise UsageError(
                f"a traced array cannot be changed in place by {_name(ufunc)}: write a = a + b, not a += b"
            )
        if method != "__call__" or options:
            how = ", ".join(options) or f"its method {method}"
            raise UsageError(f"{_name(ufunc)} cannot be differentiated with {how}")
        return self.__array_function__(ufunc, (), inputs, options)

    def __array_function__(
        self, function: Function, types: Any, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        if function not in IMPLEMENTATIONS:
            raise UsageError(
                f"{_name(function)} has no derivative rule here: write it with functions that have one "
                "(gradlib.autodiff.rules lists them), or use autograd or JAX"
            )
        try:
            return IMPLEMENTATIONS[function](*arguments, **options)
        except TypeError as error:
            raise UsageError(f"{_name(function)} cannot be differentiated like this: {error}") from error

    def __getitem__(self, index: Any) -> Any:
        return IMPLEMENTATIONS[Traced.__getitem__](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise UsageError(
            "an element of a traced array cannot be assigned: "
            "build the array with np.stack, np.concatenate or np.where"
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise UsageError(
            "a traced value cannot become a plain number or array, which would lose its derivative: write "
            "np.sin(x) for math.sin(x), np.dot(a, x) for a.dot(x), np.stack([...]) for np.array([...])"
        )

    __float__ = __int__ = __index__ = __complex__ = __array__

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            return partial(getattr(np, name), self)
        raise AttributeError(f"a traced value has no attribute {name!r}: write np.{name}(x) if there is one")

    def reshape(self, *shape: Any) -> Any:
        """Return the same elements in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    @property
    def T(self) -> Any:
        """The transpose."""
        return np.transpose(self)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self.value.size)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.value)


def record(function: Function, *arguments: Any, **options: Any) -> Any:
    """Evaluate a function that has a derivative rule; the innermost derivative records it first."""
    operands = tuple(np.asarray(a) if isinstance(a, list | tuple) else a for a in arguments)
    traced = [a for a in operands if isinstance(a, Traced)]
    if not traced:
        return function(*operands, **options)
    return max(traced, key=lambda a: a.level).apply(function, operands, options)


def implements(*functions: Function) -> Callable[[Function], Function]:
    """Register what is decorated as the stand-in for NumPy's `functions`."""

    def register(implementation: Function) -> Function:
        IMPLEMENTATIONS.update(dict.fromkeys(functions, implementation))
        return implementation

    return register


def plain(x: Any) -> Any:
    """Return the value of `x` with every trace taken off."""
    while isinstance(x, Traced):
        x = x.value
    return x


def real(x: Any, name: str) -> Any:
    """Return a traced value as it is, anything else as float64; say that `name` is not real."""
    if isinstance(x, Traced | np.float64) or (type(x) is np.ndarray and x.dtype == np.float64):
        return x
    return numeric(x, name)[()]


def _name(function: Function) -> str:
    name = function.__name__
    for prefix, module in (("np.", np), ("np.linalg.", np.linalg)):
        if getattr(module, name, None) is function:
            return prefix + name
    return name


def along_each_axis(slope: Function, x: Any) -> Any:
    """Return ``slope(e)`` for each unit vector e; the shape is that of one slope followed by that of `x`."""
    if np.size(x) == 0:
        raise UsageError(f"x must hold at least one number, got shape {np.shape(x)}")
    axes = np.eye(np.size(x)).reshape(-1, *np.shape(x))
    slopes = np.stack([slope(e) for e in axes], axis=-1)
    return np.reshape(slopes, (*np.shape(slopes)[:-1], *np.shape(x)))[()]


def one_argument(f: Function, arguments: tuple[Any, ...], argnum: int) -> tuple[Function, Any]:
    """Return `f` as a function of one of its arguments, and that argument as float64."""
    if isinstance(argnum, bool) or not isinstance(argnum, Integral) or not 0 <= argnum < len(arguments):
        raise UsageError(f"argnum must be the position of one of {len(arguments)} arguments, got {argnum!r}")

    def g(x: Any) -> Any:
        y = f(*arguments[:argnum], x, *arguments[argnum + 1 :])
        return real(np.stack(y) if isinstance(y, list | tuple) else y, "what f returns")

    return g, real(arguments[argnum], f"argument {argnum} of f")
