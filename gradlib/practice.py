"""Feedback at once on an exercise, and values for whoever grades it.

`check` tells the student: passed, wrong with a counterexample, or not attempted. It tests properties that the
answer must have, so it holds no answer. `emit` shows what an answer gives for one input. It compares nothing:
the expected value is what the reference answer gave, and is kept where no student's code runs.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
import reprlib
import sys
from collections.abc import Callable
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

__all__ = ["agree", "check", "emit"]

_POINTS = 12
_TRIES = 10_000
_MOST = 10_000
_KINDS = {"b": bool, "i": int, "u": int, "f": float, "c": complex}
_NUMBERS = {np.dtype(code).type: _KINDS[np.dtype(code).kind] for code in "?bhilqBHILQefdgFDG"}


class _BlankError(Exception):
    """An answer is still blank; the message names it."""


class _AnswerError(Exception):
    """An answer's function raised; the message says for which arguments."""


class _RefusedError(Exception):
    """A value of a kind that is not shown; the message says which."""


def check(name: str, *answers: Any) -> Callable[[Callable[..., None]], None]:
    """Decorate a test of a student's answers: it runs at once and prints one line.

    ======================================  ================================================
    what happens in the test                the line
    ======================================  ================================================
    an answer holds or returns ``...``      `name`: not attempted, with what is still blank
    an assertion fails                      `name`: wrong, with its message
    anything else is raised                 `name`: error, with what raised it
    nothing                                 `name`: passed
    ======================================  ================================================

    Parameters
    ----------
    name : str
        The exercise.
    *answers
        The student's functions and values. The test gets them as its arguments, in this order.

    Returns
    -------
    callable
        The decorator. It leaves None in the place of the test.

    Examples
    --------
    >>> def cube(x):
    ...     return x * x
    >>> @check("cube", cube)
    ... def oddness(cube):
    ...     for x in (1, 2):
    ...         assert cube(-x) == -cube(x), f"at x = {x} the function is not odd"
    cube: wrong: at x = 1 the function is not odd
    >>> volume = ...
    >>> @check("volume", volume)
    ... def positive(volume):
    ...     assert volume > 0, "a volume is positive"
    volume: not attempted (volume is still ...)
    """

    def run(test: Callable[..., None]) -> None:
        print(f"{name}: {' '.join(_verdict(test, answers).split())}")

    return run


def agree(
    expression: Callable[..., Any],
    step: Callable[..., Fraction],
    where: Callable[..., bool] = lambda *point: True,
) -> None:
    """Assert that a student's expression equals a step of a proof, exactly, at random rational points.

    Parameters
    ----------
    expression : callable
        The student's: numbers to a number. A float that it returns is read as the nearest fraction with a
        denominator of at most a million, so that ``1/2 * x`` is as good as ``x / 2``.
    step : callable
        The same quantity, computed from its definition. The names of its parameters are those of the message.
    where : callable, optional
        The domain: whether a point is to be tried.

    Raises
    ------
    AssertionError
        The two differ: the message tells the simplest of the points where they do.
    ValueError
        `where` and `step` are defined at fewer than 12 of the points tried.

    Examples
    --------
    >>> agree(lambda x, h: 2 * x * h + h**2, lambda x, h: (x + h) ** 2 - x**2)
    >>> agree(lambda x, h: 2 * x * h, lambda x, h: (x + h) ** 2 - x**2)
    Traceback (most recent call last):
        ...
    AssertionError: at x = 2, h = 1/2 your expression gives 2, the step gives 9/4
    """
    names = list(inspect.signature(step).parameters)
    wrong = []
    for point, value in _valid_points(step, where, len(names)).items():
        given = _exact(expression(*point))
        if given != value:
            size = sum(abs(x.numerator) + x.denominator for x in point)
            wrong.append((size, point, given, value))
    if wrong:
        _, point, given, value = min(wrong, key=lambda found: found[0])
        at = ", ".join(f"{name} = {x}" for name, x in zip(names, point, strict=True))
        raise AssertionError(f"at {at} your expression gives {_show(given)}, the step gives {value}")


def emit(label: str, answer: Callable[[], Any]) -> None:
    """Show what an answer gives for one input, as one line ``label: value`` with all digits.

    =====================================================  ==================================================
    what `answer()` does                                   the line ends in
    =====================================================  ==================================================
    gives numbers, texts, lists, tuples, dicts or arrays   the value as JSON; arrays and tuples are lists
    gives or meets a ``...`` that is still to be replaced  ``blank``
    raises                                                 ``raised`` and the name of the exception
    gives anything else, or over 10 000 numbers            ``refused`` and the reason
    =====================================================  ==================================================

    A value is taken for what its exact type is: an object which calls itself equal to everything, or prints
    as it likes, is refused.

    Parameters
    ----------
    label : str
        Names the value among those of a cell; without a colon.
    answer : callable
        A function without parameters, mostly a ``lambda``. It is called here, so that an answer which raises,
        or a name that is missing, costs this value alone.

    Examples
    --------
    >>> emit("a third", lambda: 1 / 3)
    a third: 0.3333333333333333
    >>> emit("rows", lambda: (np.eye(2), 7))
    rows: [[[1.0, 0.0], [0.0, 1.0]], 7]
    >>> emit("left out", lambda: [1, ...])
    left out: blank
    >>> emit("pole", lambda: 1 / 0)
    pole: raised ZeroDivisionError
    """
    if type(label) is not str or not label.strip() or ":" in label or "\n" in label:
        raise ValueError(f"label: wanted is a line of text without a colon, not {label!r}")
    if not callable(answer):
        raise TypeError(f"answer: wanted is a function without parameters; write emit({label!r}, lambda: …)")
    line = f"{label}: {_outcome(answer)}"
    # Shown, not printed: what an answer prints goes elsewhere, and cannot get between the values.
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        print(line)
    else:
        shell.display_pub.publish({"text/plain": line})


def _outcome(answer: Callable[[], Any]) -> str:
    try:
        return json.dumps(_plain(answer(), [0]))
    except _BlankError:
        return "blank"
    except _RefusedError as error:
        return f"refused {error}"
    except (Exception, SystemExit) as error:
        said = error.args[0] if type(error) is TypeError and error.args else ""
        if type(said) is str and "ellipsis" in said.lower():  # a blank was computed with
            return "blank"
        return f"raised {_name(type(error))}"


def _plain(value: Any, counted: list[int]) -> Any:
    """Rebuild a value from what its exact type says; a subclass is none of these types."""
    counted[0] += 1
    if counted[0] > _MOST:
        raise _RefusedError(f"more than {_MOST} numbers")
    kind = type(value)
    if value is ...:
        raise _BlankError
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is complex:
        return {"real": value.real, "imag": value.imag}
    if kind is Fraction:
        return value.numerator / value.denominator
    if kind in (list, tuple):
        return [_plain(part, counted) for part in value]
    if kind is dict:
        return {str(_plain(key, counted)): _plain(part, counted) for key, part in value.items()}
    if kind in _NUMBERS:
        return _plain(_NUMBERS[kind](value), counted)
    if kind is np.str_:
        return str(value)
    if kind is not np.ndarray and kind.__module__.startswith(("jaxlib.", "jax.")):
        value, kind = np.asarray(value), np.ndarray
    if kind is np.ndarray and value.dtype.kind in "biufcUO":
        if value.size > _MOST:
            raise _RefusedError(f"more than {_MOST} numbers")
        return _plain(value.tolist(), counted)
    raise _RefusedError(f"the type {_name(kind)}")


def _name(kind: type) -> str:
    name = type.__dict__["__name__"].__get__(kind)
    return name if type(name) is str and name.isidentifier() and len(name) < 80 else "without a plain name"


def _verdict(test: Callable[..., None], answers: tuple[Any, ...]) -> str:
    try:
        test(*map(_watched, inspect.signature(test).parameters, answers))
    except _BlankError as error:
        return f"not attempted ({error} is still ...)"
    except AssertionError as error:
        return f"wrong: {error}"
    except _AnswerError as error:
        return f"error: {error}"
    except Exception as error:
        return f"error: {type(error).__name__}: {error} (is each answer of the kind that is asked for?)"
    return "passed"


def _watched(name: str, answer: Any) -> Any:
    if not callable(answer):
        return _attempted(name, answer)

    @functools.wraps(answer)
    def watched(*args: Any) -> Any:
        call = f"{name}({', '.join(map(_show, args))})"
        try:
            value = answer(*args)
        except (_BlankError, _AnswerError):  # of another answer, which this one was given and has called
            raise
        except Exception as error:
            raise _AnswerError(f"{call} raises {type(error).__name__}: {error}") from error
        if value is None:
            raise AssertionError(f"{call} gives None: is a return missing?")
        return _attempted(name, value)

    return watched


def _attempted(name: str, value: Any) -> Any:
    parts: list[Any] = [value]
    while parts:
        part = parts.pop()
        if part is None or part is ...:
            raise _BlankError(name)
        if isinstance(part, dict):
            parts += part.values()
        elif isinstance(part, list | tuple | set):
            parts += part
        elif isinstance(part, np.ndarray) and part.dtype == object:
            parts += part.ravel().tolist()
    return value


def _valid_points(
    step: Callable[..., Fraction], where: Callable[..., bool], size: int
) -> dict[tuple[Fraction, ...], Fraction]:
    rng = np.random.default_rng(0)
    points: dict[tuple[Fraction, ...], Fraction] = {}
    for _ in range(_TRIES):
        numerators, denominators = rng.integers(-24, 25, size).tolist(), rng.integers(1, 5, size).tolist()
        point = tuple(map(Fraction, numerators, denominators))
        if where(*point):
            try:
                points[point] = Fraction(step(*point))
            except ZeroDivisionError:
                continue
        if len(points) == _POINTS:
            return points
    raise ValueError(f"where: only {len(points)} of {_TRIES} points lie in the domain; {_POINTS} are needed")


def _exact(value: Any) -> Any:
    if isinstance(value, float) and math.isfinite(value):
        return Fraction(value).limit_denominator(1_000_000)
    return Fraction(int(value.numerator), int(value.denominator)) if isinstance(value, Rational) else value


def _show(value: Any) -> str:
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return getattr(value, "__name__", None) or reprlib.repr(value)
