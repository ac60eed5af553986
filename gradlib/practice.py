"""Feedback at once on an exercise, and values for whoever grades it.

`check` tells the student: passed, wrong with a counterexample, or not attempted. It tests properties that the
answer must have, so it holds no answer. Steps of a proof have tests of their own: `agree` for an identity,
`certify` for a sum in which nothing is negative, `chain` for inequalities with their reasons. `emit` shows
what an answer gives for one input. It compares nothing: the expected value is what the reference answer gave,
and is kept where no student's code runs.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
import reprlib
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

__all__ = ["agree", "certify", "chain", "check", "emit"]

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
    wrong = []
    for point, value in _valid_points(step, where, step).items():
        given = _exact(expression(*point))
        if given != value:
            wrong.append((point, given, value))
    if wrong:
        point, given, value = min(wrong, key=lambda found: _size(found[0]))
        at = _at(step, point)
        raise AssertionError(f"at {at} your expression gives {_show(given)}, the step gives {value}")


def certify(
    terms: Callable[..., Sequence[tuple[Any, Any, Any]]],
    value: Callable[..., Any],
    where: Callable[..., bool] = lambda *point: True,
) -> None:
    r"""Assert that a function is a sum of terms of which none can be negative.

    .. math:: \sum_i c_i\, s_i^2\, e^{h_i}, \qquad c_i \ge 0

    Parameters
    ----------
    terms : callable
        The student's: numbers to a list of triples (c, s, h). Each c is a constant; s and h are computed by
        ``+ - * / **`` alone, so that nobody hides a square root or an exponential in them. They are computed
        with fractions; a float is read as in `agree`.
    value : callable
        The function, from its definition: floats to a float. The names of its parameters are those of the
        message. Sum and function are compared as floats, to a relative 1e-9.
    where : callable, optional
        The domain: whether a point is to be tried.

    Raises
    ------
    AssertionError
        An entry is of the wrong kind, a c is negative or changes, or the two differ: the message tells the
        simplest of the points where they do.
    ValueError
        `where` and `value` are defined at fewer than 12 of the points tried.

    Examples
    --------
    >>> certify(lambda x: [(2, x, 0), (1, 1, x)], lambda x: 2 * x**2 + math.exp(x))
    >>> certify(lambda x: [(2, x, 0)], lambda x: 2 * x**2 + math.exp(x))
    Traceback (most recent call last):
        ...
    AssertionError: at x = 0 your terms add up to 0, the function is 1
    """
    points = _valid_points(lambda *point: _finite(value(*map(float, point))), where, value)
    weights = None
    wrong = []
    for point, wanted in points.items():
        triples = [_term(number, term, point) for number, term in enumerate(terms(*point), 1)]
        constants = [c for c, _, _ in triples]
        weights = constants if weights is None else weights
        _ensure(
            constants == weights, "your terms: the first entry of each is a constant, the same everywhere"
        )
        given = math.fsum(float(c * s**2) * _exp(h) for c, s, h in triples)
        if not math.isclose(given, wanted, rel_tol=1e-9):
            wrong.append((point, given, wanted))
    if wrong:
        point, given, wanted = min(wrong, key=lambda found: _size(found[0]))
        at = _at(value, point)
        raise AssertionError(f"at {at} your terms add up to {given:.6g}, the function is {float(wanted):.6g}")


def chain(
    lines: Callable[..., Sequence[Any]],
    reasons: Sequence[Collection[str]],
    cases: Iterable[tuple[str, tuple[Any, ...], Collection[str]]],
) -> None:
    """Assert that in a chain of inequalities each link follows from its reasons, and needs each of them.

    A reason is a hypothesis. A link follows from its reasons if it holds in every case in which they are
    true, whatever else is not; and it needs one of them if it fails in a case in which the others are true.

    Parameters
    ----------
    lines : callable
        The arguments of a case to the lines of the chain, each to be at most the next.
    reasons : sequence of collections of str
        The student's, one for each link; a lone reason may be a string.
    cases : iterable of (str, tuple, collection of str)
        How the message calls the case, the arguments of `lines`, and the reasons that are true there.

    Raises
    ------
    AssertionError
        A link fails, and the message tells a case; or one of its reasons is unknown, or not needed.
    ValueError
        No case has all the reasons of a link.

    Examples
    --------
    >>> cases = [(f"x = {x}", (x,), {"x >= 1"} if x >= 1 else set()) for x in (0, 0.5, 1, 2)]
    >>> chain(lambda x: [x, x**2, x**2 + 1], [["x >= 1"], []], cases)
    >>> chain(lambda x: [x, x**2, x**2 + 1], [[], []], cases)
    Traceback (most recent call last):
        ...
    AssertionError: link 1 does not follow from nothing: for x = 0.5 it says 0.5 <= 0.25
    """
    worlds = [
        (text, [_real(v) for v in lines(*arguments)], frozenset(facts)) for text, arguments, facts in cases
    ]
    known = frozenset().union(*(facts for _, _, facts in worlds))
    links = [frozenset([given] if isinstance(given, str) else given) for given in reasons]
    fits = all(len(values) == len(links) + 1 for _, values, _ in worlds)
    _ensure(fits, f"a chain with {len(links)} links has {len(links) + 1} lines")
    for k, given in enumerate(links):
        for name in sorted(given - known):
            _ensure(False, f"link {k + 1}: {name!r} is none of the reasons, which are {_listed(known)}")
        if not any(given <= facts for _, _, facts in worlds):
            raise ValueError(f"cases: in none of them is all true of {_listed(given)}")
        if broken := _broken(worlds, k, given):
            text, low, high = broken
            because = f"link {k + 1} does not follow from {_listed(given)}"
            raise AssertionError(f"{because}: for {text} it says {low:.6g} <= {high:.6g}")
        for name in sorted(given):
            needed = _broken(worlds, k, given - {name}) is not None
            _ensure(needed, f"link {k + 1} does not need {name!r}")


def _broken(
    worlds: list[tuple[str, list[float], frozenset[str]]], k: int, given: frozenset[str]
) -> tuple[str, float, float] | None:
    """Return a case in which the reasons are true and the link is not."""
    for text, values, facts in worlds:
        low, high = values[k], values[k + 1]
        if given <= facts and low - high > 1e-9 * (1 + abs(low) + abs(high)):
            return text, low, high
    return None


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

    Raises
    ------
    ValueError, TypeError
        If `label` is no such text, or `answer` is no function.

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
    step: Callable[..., Fraction], where: Callable[..., bool], named: Callable[..., Any]
) -> dict[tuple[Fraction, ...], Fraction]:
    """Return the values of a step at random points, one coordinate for each parameter of `named`."""
    rng, size = np.random.default_rng(0), len(inspect.signature(named).parameters)
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


def _term(number: int, term: Any, point: tuple[Fraction, ...]) -> tuple[Fraction, Fraction, Fraction]:
    """Return one of the student's triples as fractions, or say what is wrong with it."""
    _ensure(isinstance(term, tuple | list) and len(term) == 3, f"term {number} is no triple (c, s, h)")
    c, s, h = map(_exact, term)
    for name, given, entry in zip("csh", term, (c, s, h), strict=True):
        # a float that is no fraction of moderate size came from a root or an exponential
        near = isinstance(entry, Fraction) and math.isclose(entry, given, rel_tol=1e-15, abs_tol=0)
        _ensure(near, f"term {number}: {name} = {_show(given)} is not made by + - * / ** alone")
    _ensure(c >= 0, f"term {number}: its constant {c} is negative")
    return c, s, h


def _ensure(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _exp(h: Fraction) -> float:
    try:
        return math.exp(h)
    except OverflowError:
        return math.inf


def _finite(value: Any) -> Any:
    """Return a number; where it is none, let the point be left out."""
    if not math.isfinite(value):
        raise ZeroDivisionError
    return value


def _real(value: Any) -> float:
    number = float(value)
    _ensure(math.isfinite(number), f"a line of your chain is {number}")
    return number


def _size(point: tuple[Fraction, ...]) -> int:
    return sum(abs(x.numerator) + x.denominator for x in point)


def _at(named: Callable[..., Any], point: tuple[Fraction, ...]) -> str:
    names = inspect.signature(named).parameters
    return ", ".join(f"{name} = {x}" for name, x in zip(names, point, strict=True))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _show(value: Any) -> str:
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return getattr(value, "__name__", None) or reprlib.repr(value)
