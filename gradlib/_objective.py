"""Users' functions, checked in one place: what a driver calls is counted, of the right shape and float64."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = tuple[int, ...]
Function: TypeAlias = Callable[[Any], Any]
Jacobian: TypeAlias = Callable[[Any], Any] | Literal[True] | None

_DOUBLE = np.dtype(np.float64)
_FLOAT64 = np.float64
_ARRAY = np.ndarray
_REAL, _WHOLE = (float, Real), (int, Integral)  # the usual type first: abstract ones take their time
_OUTSIDE = object()  # in place of a value: the point lies outside the domain


class UsageError(ValueError):
    """A function is unusable; a ValueError raised inside it means that its domain has ended."""


def numeric(value: Any, name: str) -> Vector:
    """Return a float64 copy of `value`, or say that `name` is not numeric."""
    try:
        array = np.array(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} must be an array of real numbers: {error}") from error
    if array.dtype is _DOUBLE:
        return array
    try:
        if array.dtype.kind in "OSUmMc":
            raise TypeError(f"got {array.dtype}")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} must be real numbers: {error}") from error


def is_finite(array: Vector) -> bool:
    """Whether all elements are finite; faster than ``np.isfinite(array).all()``."""
    return int(np.count_nonzero(np.isfinite(array))) == array.size


def finite(value: ArrayLike, name: str) -> Vector:
    """Return a float64 copy of `value`, or say that `name` is not finite."""
    array = numeric(value, name)
    if not is_finite(array):
        raise ValueError(f"{name} must be finite, got {array}")
    return array


def number(value: ArrayLike, name: str) -> float:
    """Return `value` as a float, or say that `name` is no finite number."""
    if type(value) is float and math.isfinite(value):
        return value
    array = finite(value, name)
    if array.ndim != 0:
        raise ValueError(f"{name} must be a number, got shape {array.shape}")
    return float(array)


def scalar(value: Any, name: str) -> float:
    """Return what function `name` returned as a float, or say that it is not a number."""
    if type(value) is float or type(value) is _FLOAT64:
        return float(value)
    array = numeric(value, f"what {name} returns")
    if array.size != 1:
        raise UsageError(f"{name} returned shape {array.shape}, a scalar is needed")
    return float(array.item())


def function(value: object, name: str) -> Function:
    """Return `value`, or say that `name` is not callable."""
    if not callable(value):
        raise ValueError(f"{name} must be callable, got {type(value).__name__}")
    return value


def extended(f: Function, name: str) -> Callable[[Any], float]:
    """Return `f` with float values, and NaN where it says by an exception that its domain has ended."""

    def value(x: Any) -> float:
        try:
            return scalar(f(x), name)
        except UsageError:
            raise
        except (ArithmeticError, ValueError):
            return math.nan

    return value


def switch(value: object, name: str) -> None:
    """Check that `value` is a truth value, or say that `name` is none."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {value!r}")


def check_options(
    tol: float, max_iter: int, callback: Callable[[Any], object] | None, **switches: bool
) -> None:
    """Check the keywords that all drivers share."""
    for name, value in switches.items():
        switch(value, name)
    if isinstance(tol, bool) or not isinstance(tol, _REAL) or not 0 <= tol < math.inf:
        raise ValueError(f"tol must be a finite number >= 0, got {tol!r}")
    if isinstance(max_iter, bool) or not isinstance(max_iter, _WHOLE) or max_iter < 0:
        raise ValueError(f"max_iter must be an integer >= 0, got {max_iter!r}")
    if callback is not None:
        function(callback, "callback")


def asks_to_stop(callback: Callable[[Any], object] | None, x: Any) -> bool:
    """Call back with `x`; True or StopIteration ends the run."""
    if callback is None:
        return False
    try:
        answer = callback(x)
    except StopIteration:
        return True
    return isinstance(answer, bool | np.bool_) and bool(answer)


def norm_inf(v: Vector) -> float:
    """Return the largest absolute value; NaN if there is one."""
    size = np.abs(v)
    return float(size.item(size.argmax()))  # faster than the reduction by np.maximum


class _Counted:
    """What `Objective` and `Equations` share: the start, and calls that survive what users' functions do."""

    def __init__(self, x0: ArrayLike, jac: Jacobian) -> None:
        x = finite(x0, "x0")
        if x.ndim > 1 or x.size == 0:
            raise ValueError(f"x0 must be a number or a vector, got shape {x.shape}")
        self.is_scalar = x.ndim == 0
        self.x0: Vector = x.reshape(-1)
        self.nfev = self.njev = self.nhev = 0
        n = self.x0.size
        self._vector_shape, self._matrix_shape = (n,), (n, n)
        self._started = False
        self._pair = jac is True
        self._last_pair: tuple[Vector, Vector] | None = None

    def hand_out(self, x: Vector) -> Any:
        """Return `x` as the user gave it: a number or a vector, and a copy that may be changed."""
        return x[0] if self.is_scalar else x.copy()

    def _call(self, function: Function, x: Vector) -> Any:
        """Evaluate; beyond the start an exception from mathematics means that the domain has ended."""
        try:
            return function(x[0] if self.is_scalar else x.copy())
        except (ArithmeticError, ValueError) as error:
            return self._outside(error)

    def _outside(self, error: Exception) -> object:
        """Return the mark of a point outside the domain, unless the error has another cause."""
        if isinstance(error, UsageError) or not self._started:
            raise error
        return _OUTSIDE

    def _split(self, x: Vector, pair: Any, names: tuple[str, str], shape: Shape) -> Any:
        """Return the value of a pair (value, derivative); keep the derivative, which is asked for next."""
        if pair is _OUTSIDE:
            pair = _OUTSIDE, _OUTSIDE
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise UsageError(f"{names[0]} must return the pair {names[1]} when jac=True")
        self._last_pair = x, self._shaped(pair[1], "jac", shape)
        return pair[0]

    def _shaped(self, value: Any, name: str, shape: Shape) -> Vector:
        """Return a copy of `value` in this shape, or say what `name` returned."""
        if type(value) is _ARRAY and value.dtype is _DOUBLE and value.shape == shape:
            return value.copy()
        if value is _OUTSIDE:
            return np.full(shape, np.nan)
        array = numeric(value, f"what {name} returns")
        if array.shape == shape:
            return array
        n = self.x0.size
        if n == 1 and array.size == 1:
            return array.reshape(shape)
        needed, start = ("a scalar", ()) if self.is_scalar else (f"shape {shape}", (n,))
        raise UsageError(f"{name} returned shape {array.shape}, {needed} is needed: x0 has shape {start}")


def autograd_derivative(operator: str, f: Function, name: str, argument: str) -> Function:
    """Return autograd's derivative of `f`, with an error that tells the way out."""
    import autograd

    derivative = getattr(autograd, operator)(f)

    def call(x: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # autograd warns of a zero derivative, which is an answer
                return derivative(x)
        except (ArithmeticError, UsageError):
            raise
        except Exception as error:
            raise UsageError(
                f"{name} could not be differentiated by autograd ({type(error).__name__}: {error}): "
                f"write it with autograd.numpy, or pass {argument}"
            ) from error

    return call


class Objective(_Counted):
    """A function to minimise with its gradient and, where asked for, its Hessian.

    Parameters
    ----------
    fun, x0, jac, hess
        As the user gave them to a driver.
    second_order : bool
        Whether the Hessian is needed.

    Attributes
    ----------
    f0, g0, H0 : float, ndarray of shape (n,), ndarray of shape (n, n)
        Value, gradient and, where asked for, Hessian at `x0`, all finite.
    """

    def __init__(
        self,
        fun: Function,
        x0: ArrayLike,
        jac: Jacobian,
        hess: Function | None = None,
        *,
        second_order: bool = False,
    ) -> None:
        super().__init__(x0, jac)
        self._fun = function(fun, "fun")
        value = self._value_of_pair if self._pair else self._fun
        if jac is None:
            self._jac = autograd_derivative("grad", value, "fun", "jac")
        elif not self._pair:
            self._jac = function(jac, "jac")
        if second_order:
            self._hess = (
                autograd_derivative("hessian", value, "fun", "hess")
                if hess is None
                else function(hess, "hess")
            )
        self.f0 = self.fun(self.x0)
        if not math.isfinite(self.f0):
            raise ValueError(f"x0 must lie in the domain of fun: fun(x0) is {self.f0}")
        self.g0 = self.grad(self.x0)
        if not is_finite(self.g0):
            raise ValueError(f"x0 must lie in the domain of jac: the gradient there is {self.g0}")
        if second_order:
            self.H0 = self.hess(self.x0)
            if not is_finite(self.H0):
                raise ValueError(f"x0 must lie in the domain of hess: the Hessian there is {self.H0}")
        self._started = True

    def fun(self, x: Vector) -> float:
        """Return f(x); NaN outside the domain."""
        self.nfev += 1
        try:  # what `_call` does, without the call: the most frequent of all
            value = self._fun(x[0] if self.is_scalar else x.copy())
        except (ArithmeticError, ValueError) as error:
            value = self._outside(error)
        if self._pair:
            value = self._split(x, value, ("fun", "(f, g)"), self._vector_shape)
        elif type(value) is _FLOAT64:  # the usual case first: it is taken thousands of times
            return float(value)
        return math.nan if value is _OUTSIDE else scalar(value, "fun")

    def grad(self, x: Vector) -> Vector:
        """Return the gradient, shape (n,); NaN outside the domain."""
        self.njev += 1
        if self._pair:
            if self._last_pair is None or self._last_pair[0] is not x:
                self.fun(x)
            assert self._last_pair is not None
            return self._last_pair[1]
        try:
            value = self._jac(x[0] if self.is_scalar else x.copy())
        except (ArithmeticError, ValueError) as error:
            value = self._outside(error)
        if type(value) is _ARRAY and value.dtype is _DOUBLE and value.shape == self._vector_shape:
            return value.copy()
        return self._shaped(value, "jac", self._vector_shape)

    def hess(self, x: Vector) -> Matrix:
        """Return the Hessian, shape (n, n); NaN outside the domain."""
        self.nhev += 1
        H = self._shaped(self._call(self._hess, x), "hess", self._matrix_shape)
        if np.abs(H - H.T).max() > 1e-5 * np.abs(H).max():
            raise UsageError(f"hess must return a symmetric matrix, got {H}")
        return H / 2 + H.T / 2

    def _value_of_pair(self, x: Any) -> Any:
        return self._fun(x)[0]


class Equations(_Counted):
    """A system F(x) = 0 with its Jacobian.

    Parameters
    ----------
    F, x0, jac
        As the user gave them to a driver.

    Attributes
    ----------
    F0, J0 : ndarray of shape (n,), ndarray of shape (n, n)
        Residual and Jacobian at `x0`, both finite.
    """

    def __init__(self, F: Function, x0: ArrayLike, jac: Jacobian) -> None:
        super().__init__(x0, jac)
        self._F = function(F, "F")
        if jac is None:
            self._jac = autograd_derivative(
                "grad" if self.is_scalar else "jacobian", self._stacked, "F", "jac"
            )
        elif not self._pair:
            self._jac = function(jac, "jac")
        self.F0 = self.fun(self.x0)
        if not is_finite(self.F0):
            raise ValueError(f"x0 must lie in the domain of F: F(x0) is {self.F0}")
        self.J0 = self.jac(self.x0)
        if not is_finite(self.J0):
            raise ValueError(f"x0 must lie in the domain of jac: the Jacobian there is {self.J0}")
        self._started = True

    def fun(self, x: Vector) -> Vector:
        """Return F(x), shape (n,); NaN outside the domain."""
        self.nfev += 1
        value = self._call(self._F, x)
        if self._pair:
            value = self._split(x, value, ("F", "(F, J)"), self._matrix_shape)
        return self._shaped(value, "F", self._vector_shape)

    def jac(self, x: Vector) -> Matrix:
        """Return the Jacobian, shape (n, n); NaN outside the domain."""
        self.njev += 1
        if self._pair:
            if self._last_pair is None or self._last_pair[0] is not x:
                self.fun(x)
            assert self._last_pair is not None
            return self._last_pair[1]
        return self._shaped(self._call(self._jac, x), "jac", self._matrix_shape)

    def _stacked(self, x: Any) -> Any:
        """Return F(x) as one array, so that autograd also differentiates an F that returns a list."""
        import autograd.numpy as anp

        value = self._F(x)
        return anp.array(value) if isinstance(value, list | tuple) else value
