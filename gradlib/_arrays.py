"""One formula for NumPy, JAX and autograd: functions that no operator stands for, and checks of arguments.

A traced value has a shape but no value, so only what is static is checked.
"""

from __future__ import annotations

import sys
from numbers import Integral
from types import ModuleType
from typing import Any

import numpy as np

from gradlib._objective import number

__all__ = ["generator", "is_traced", "maximum", "namespace", "positive", "sqrt", "static_number", "whole"]


def namespace(array: Any) -> Any:
    """Return the module whose functions take `array`: the array API standard, or else NumPy."""
    if type(array) is np.ndarray:
        return np  # the usual case first: it is taken at every step
    try:
        return array.__array_namespace__()
    except AttributeError:
        return np


def sqrt(x: Any) -> Any:
    """Return the square root of each element."""
    return namespace(x).sqrt(x)  # x**0.5 would be slower where XLA compiles it


def maximum(x: Any, y: Any) -> Any:
    """Return the larger of each two elements."""
    return namespace(x).maximum(x, y)


def is_traced(value: object) -> bool:
    """Whether JAX is tracing, so that `value` is not known; JAX itself is not imported."""
    jax: ModuleType | None = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.core.Tracer)


def static_number(value: Any, name: str) -> Any:
    """Return `value` as a float, or as it is where JAX traces it."""
    return value if is_traced(value) else number(value, name)


def positive(value: Any, name: str) -> Any:
    """Return `value` as a float > 0, or as it is where JAX traces it."""
    value = static_number(value, name)
    if not is_traced(value) and value <= 0:
        raise ValueError(f"{name} must be positive, got {value}")
    return value


def whole(value: object, name: str, least: int) -> int:
    """Return `value` as an int, or say that `name` is no integer >= `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be an integer >= {least}, got {value!r}")
    return int(value)


def generator(rng: object) -> np.random.Generator:
    """Return `rng`, or say that it is no random generator."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got {type(rng).__name__}")
    return rng
