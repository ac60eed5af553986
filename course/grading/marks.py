"""What each check of each student earned."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from course.exercises import Exercise, Sheet

STATES = {
    "right": "right",
    "wrong": "not right: what your answer gives differs from what is expected",
    "blank": "not answered",
    "raised": "your answer raises an exception",
    "refused": "your answer gives something that is no number, text, list or array",
    "missing": "not reached: something before it went wrong",
    "time": "stopped: it took too long",
    "memory": "stopped: it used too much memory",
    "output": "stopped: it printed too much",
    "kernel died": "not reached: the kernel ended",
    "not handed in": "not handed in",
    "not readable": "not graded: see the note above",
}
"""The states of a check, in words for the student. They tell nothing of what is compared."""


@dataclass(frozen=True)
class Mark:
    """One line of the grades.

    Attributes
    ----------
    student, sheet : str
        Whose, and of which sheet.
    exercise : Exercise
        The exercise.
    check : str
        The id of the hidden cell.
    points, possible : Fraction
        What was earned, and what could be.
    state : str
        A key of `STATES`.
    """

    student: str
    sheet: str
    exercise: Exercise
    check: str
    points: Fraction
    possible: Fraction
    state: str


def marks(student: str, sheet: Sheet, checks: Mapping[str, str] | str) -> list[Mark]:
    """Turn the states of hidden cells into points.

    Parameters
    ----------
    student : str
        Whose they are.
    sheet : Sheet
        The sheet.
    checks : mapping or str
        A state for each hidden cell, or one for all of them.

    Returns
    -------
    list of Mark
        One for each hidden cell. The cells of an exercise share its points equally.
    """
    found = []
    for exercise in sheet.exercises:
        hidden = sheet.of(exercise, "hidden")
        share = Fraction(exercise.points, len(hidden))
        for cell in hidden:
            state = checks if isinstance(checks, str) else checks.get(cell.id, "missing")
            earned = share if state == "right" else Fraction(0)
            found.append(Mark(student, sheet.path.stem, exercise, cell.id, earned, share, state))
    return found
