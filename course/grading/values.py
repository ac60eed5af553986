"""Compare what a hidden cell showed with what the reference showed.

Nothing here runs or trusts what came from a student: lines of text are read as JSON, with limits, and numbers
are compared. How the lines are written: `gradlib.practice.emit`.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from nbformat import NotebookNode

from course.exercises import TOLERANCES

LONGEST = 1_000_000
"""Characters of a line beyond which it is not read."""

STATES = ("right", "wrong", "blank", "raised", "refused", "missing")


def shown(outputs: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Gather the values that a hidden cell showed, by their labels; of two with one label, the first."""
    values: dict[str, str] = {}
    for output in outputs:
        text = output.get("data", {}).get("text/plain", "")
        if output["output_type"] == "display_data" and isinstance(text, str) and ": " in text:
            label, value = text.split(": ", 1)
            values.setdefault(label, value)
    return values


def compare(cell: NotebookNode, outputs: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Compare the values of a hidden cell with the stored ones.

    Parameters
    ----------
    cell : NotebookNode
        The hidden cell of the solutions, with its outputs, and its tolerances in `metadata.course`.
    outputs : iterable of mappings
        What the same cell showed after a student's answers.

    Returns
    -------
    dict
        For each label that the reference shows one of `STATES`.

    Raises
    ------
    ValueError
        The reference shows nothing: then every answer would be right.
    """
    facts = cell.metadata.course
    expected, given = shown(cell.outputs), shown(outputs)
    if not expected:
        raise ValueError(f"cell `{cell.id}` has no stored values to compare with; run `course refresh`")
    tolerances = {key: facts.get(key, value) for key, value in TOLERANCES.items()}
    return {
        label: _state(value, given.get(label), facts.get("accept", {}).get(label), tolerances)
        for label, value in expected.items()
    }


def _state(expected: str, given: str | None, condition: str | None, tolerances: dict[str, float]) -> str:
    if given is None:
        return "missing"
    word = given.split(" ", 1)[0]
    if word in ("blank", "raised", "refused"):
        return word
    if len(given) > LONGEST:
        return "refused"
    try:
        value = json.loads(given)
        right = _fulfils(value, condition) if condition else agree(json.loads(expected), value, **tolerances)
    except (ValueError, RecursionError):
        return "wrong"
    return "right" if right else "wrong"


def agree(expected: Any, given: Any, *, rtol: float, atol: float) -> bool:
    """Tell whether two values of JSON agree: the same shape, the same words, numbers within the tolerance.

    Examples
    --------
    >>> agree([1, 2.0], [1.0, 2.0000001], rtol=1e-6, atol=0)
    True
    >>> agree([1, 2.0], [1.0, [2.0]], rtol=1e-6, atol=0)
    False
    >>> agree(1, True, rtol=1e-6, atol=0)
    False
    """
    if _is_number(expected) and _is_number(given):
        try:
            wanted, found = float(expected), float(given)
        except OverflowError:
            return bool(expected == given)
        if math.isfinite(wanted) and math.isfinite(found):
            return abs(found - wanted) <= atol + rtol * abs(wanted)
        return wanted == found or (math.isnan(wanted) and math.isnan(found))
    if type(expected) is not type(given):
        return False
    if isinstance(expected, list):
        return len(expected) == len(given) and all(
            agree(*pair, rtol=rtol, atol=atol) for pair in zip(expected, given, strict=True)
        )
    if isinstance(expected, dict):
        return expected.keys() == given.keys() and all(
            agree(part, given[key], rtol=rtol, atol=atol) for key, part in expected.items()
        )
    return bool(expected == given)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fulfils(value: Any, condition: str) -> bool:
    import numpy as np  # here, for most cells have no condition

    if isinstance(value, list):
        value = np.array(value)
    try:  # a condition is the instructor's; a value that it was not written for does not fulfil it
        return bool(eval(condition, {"np": np, "math": math, "value": value}))
    except Exception:
        return False
