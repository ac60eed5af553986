"""Lets a driver be passed to ``scipy.optimize.minimize`` as its ``method``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec

from gradlib.result import Result

Parameters = ParamSpec("Parameters")


def scipy_method(minimize: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return the driver `minimize`, made to understand also the way in which SciPy calls a method.

    That is ``method(fun, x0, args, jac, hess, hessp, bounds, constraints, callback, **options)``, all but the
    first two by name. What the driver cannot heed is refused, lest it be taken for heeded.
    """
    own = signature(minimize).parameters
    unchecked: Callable[..., Result] = minimize

    @wraps(minimize)
    def method(*positional: Any, **keywords: Any) -> Result:
        if "constraints" not in keywords:  # SciPy always passes them, nobody else does
            return minimize(*positional, **keywords)
        fun, x0 = positional
        return unchecked(**_translated(own, fun=fun, x0=x0, **keywords))

    return method


def _translated(
    own: Iterable[str], args: tuple[Any, ...], hessp: Any, bounds: Any, constraints: Any, **keywords: Any
) -> dict[str, Any]:
    """Return SciPy's keywords as those of a driver, whose `own` are given."""
    pair: Any = getattr(keywords["jac"], "__self__", None)
    if pair is not None and pair is keywords["fun"]:  # jac=True, which SciPy has taken apart
        keywords["fun"], keywords["jac"] = pair.fun, True
    if keywords["hess"] is None:
        del keywords["hess"]
    for name, value in (("hessp", hessp), ("bounds", bounds), ("constraints", constraints)):
        if value is not None and not (isinstance(value, list | tuple) and not value):
            raise ValueError(f"{name} must not be given: this method minimises without")
    unknown = sorted(keywords.keys() - set(own))
    if unknown:
        raise ValueError(f"{unknown[0]} is nothing that this method knows: it takes {', '.join(own)}")
    if args:
        for name in {"fun", "jac", "hess"} & keywords.keys():
            keywords[name] = _with(args, keywords[name])
    return keywords


def _with(args: tuple[Any, ...], function: Any) -> Any:
    """Return the function of x alone that SciPy's `args` make of `function`."""
    return (lambda x: function(x, *args)) if callable(function) else function
