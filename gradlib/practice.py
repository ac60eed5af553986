"""Feedback at once on an exercise: passed, wrong with a counterexample, or not attempted.

A check tests properties that the answer must have, so it holds no answer.
"""

from __future__ import annotations

import functools
import inspect
import math
import reprlib
from collections.abc import Callable
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

__all__ = ["agree", "check"]

_POINTS = 12
_TRIES = 10_000


class _BlankError(Exception):
    """An answer is still blank; the message names it."""


class _AnswerError(Exception):
    """An answer's function raised; the message says for which arguments."""


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
