"""Gradient methods, each formula a function.

Every module is a lesson's name, so that calls read as sentences: `newton.root(F, x0)`,
`plots.contour(problem, result)`.
Modules are loaded when they are first used, which keeps ``import gradlib`` light.

>>> import gradlib
>>> gradlib.newton.root(lambda x: x**2 - 2, 1.0).x.round(10)
np.float64(1.4142135624)
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from gradlib.result import Result, Status, Trace

__version__ = "0.1.0"

__all__ = ["Result", "Status", "Trace", "__version__"]

_MODULES = {module.name for module in iter_modules(__path__) if not module.name.startswith("_")}


def __getattr__(name: str) -> ModuleType:
    if name in _MODULES:
        return import_module(f"gradlib.{name}")
    raise AttributeError(f"module 'gradlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES})
