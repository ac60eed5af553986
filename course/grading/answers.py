"""Read a student's answers from whatever notebook they come in, and nothing else from it.

A notebook that was edited in Colab, VS Code, an old Jupyter or by hand may have lost cell ids, gained
cells, or be of another format. Only the source of the answer cells is taken: outputs, metadata, kernel and
all other cells are the student's own affair.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course.exercises import Sheet, blank

LARGEST = 5_000_000
"""Bytes of a notebook; outputs that are larger can be cleared."""

LONGEST = 100_000
"""Characters of an answer."""

DEEPEST = 100
"""Levels of lists and objects in a notebook."""


class AnswersError(ValueError):
    """A notebook from which no answers can be read; the message says why, in words for its author."""


DEFINED = re.compile(r"^(?:(?:async +)?def|class) +(\w+)|^(\w+(?: *, *\w+)*) *(?::[^=\n]*)?=(?!=)", re.M)


@dataclass(frozen=True)
class Cell:
    """A cell, reduced to what answers are told by."""

    kind: str
    source: str
    ids: tuple[str, ...]
    exercise: str | None
    role: str | None


@dataclass
class Answers:
    """The answers to one sheet.

    Attributes
    ----------
    code : dict
        The source of answer cells, by their ids.
    notes : list of str
        What was unusual, in words for the student.
    """

    code: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def cells(path: Path) -> list[Cell]:
    """Read the cells of a notebook of any format.

    Raises
    ------
    AnswersError
        It is no notebook, or larger or deeper than any honest one.
    """
    if path.is_symlink() or not path.is_file():
        raise AnswersError("it is a link, not a file")
    if (size := path.stat().st_size) > LARGEST:
        raise AnswersError(f"it has {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}; clear its outputs")
    try:
        stored = json.loads(path.read_text(encoding="utf-8-sig"))
        _check_depth(stored)
    except OSError as error:
        raise AnswersError(f"it cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise AnswersError(f"it is no notebook: {str(error)[:200]}") from error
    if not isinstance(stored, dict):
        raise AnswersError("it is no notebook: the file holds no JSON object")
    found = stored.get("cells")
    if stored.get("nbformat") == 3 or "worksheets" in stored:
        sheets = stored.get("worksheets")
        found = [cell for sheet in _dicts(sheets) for cell in _dicts(sheet.get("cells"))]
    if not isinstance(found, list):
        raise AnswersError("it is no notebook: it has no list of cells")
    return [_cell(cell) for cell in _dicts(found)]


def _check_depth(stored: Any) -> None:
    level, deepest = [stored], 0
    while level:
        deepest += 1
        if deepest > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep")
        parts = (
            part.values() if isinstance(part, dict) else part
            for part in level
            if isinstance(part, dict | list)
        )
        level = [part for each in parts for part in each]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _cell(cell: dict[str, Any]) -> Cell:
    source = cell.get("source", cell.get("input", ""))  # `input` in format 3
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    course = metadata.get("course")
    course = course if isinstance(course, dict) else {}
    ids = tuple(
        id_ for id_ in (cell.get("id"), metadata.get("id")) if isinstance(id_, str)
    )  # Colab: in metadata
    return Cell(
        kind=str(cell.get("cell_type")),
        source=source.replace("\r\n", "\n") if isinstance(source, str) else "",
        ids=ids,
        exercise=course["exercise"] if isinstance(course.get("exercise"), str) else None,
        role=course["role"] if isinstance(course.get("role"), str) else None,
    )


def answers(sheet: Sheet, found: list[Cell]) -> Answers:
    """Take the answers to a sheet from the cells of a notebook.

    Parameters
    ----------
    sheet : Sheet
        The source of the exercises.
    found : list of Cell
        What `cells` read.

    Returns
    -------
    Answers
        The first cell with the id of the answer cell; where the id is lost, the cell that says in its
        metadata which answer it is; where that is lost too, or the answer cell was left as it was, the one
        cell that defines the names asked for. An answer that cannot be told is not there; a note says why.
    """
    taken = Answers()
    for exercise in sheet.exercises:
        title = exercise.heading.lstrip("# ")
        stubs = sheet.of(exercise, "answer")
        marked = [cell for cell in found if cell.exercise == exercise.id and cell.role == "answer"]
        for place, stub in enumerate(stubs):
            given = [cell for cell in found if stub.id in cell.ids]
            if not given and len(marked) == len(stubs):
                given = [marked[place]]
            pristine = blank(stub.source).strip()
            cell = given[0] if given else None
            if cell is None or cell.kind != "code" or cell.source.strip() in ("", pristine):
                elsewhere = list(_defining(_names(pristine), found, but=cell))
                if len(elsewhere) == 1:
                    cell = elsewhere[0]
                    taken.notes.append(f"{title}: read from the cell that defines its names")
                elif elsewhere:
                    taken.notes.append(
                        f"{title}: not read, since {len(elsewhere)} cells define its names, "
                        "and none of them is its answer cell"
                    )
                elif cell is None:
                    taken.notes.append(f"{title}: its answer cell is missing")
                elif cell.kind != "code":
                    taken.notes.append(f"{title}: its answer cell is no code cell any more")
            if cell is None or cell.kind != "code" or cell.source.strip() == pristine:
                continue
            if why := _unusable(cell.source):
                taken.notes.append(f"{title}: not read, since {why}")
                continue
            taken.code[stub.id] = cell.source
    return taken


def likeness(sheet: Sheet, found: list[Cell]) -> int:
    """Count the cells by which a notebook is known as this sheet's: it may have been renamed."""
    ids = {part.cell.id for part in sheet.parts if part.role}
    exercises = {exercise.id for exercise in sheet.exercises}
    answered = [_names(blank(part.cell.source)) for part in sheet.parts if part.role == "answer"]
    return sum(
        bool(ids & set(cell.ids))
        or cell.exercise in exercises
        or (cell.kind == "code" and any(names <= _names(cell.source) for names in answered))
        for cell in found
    )


def _unusable(source: str) -> str:
    if len(source) > LONGEST:
        return f"it has more than {LONGEST} characters"
    try:
        source.encode()
    except UnicodeError:
        return "it holds characters that are no Unicode"
    return "it holds a zero byte" if "\0" in source else ""


def _defining(names: set[str], found: list[Cell], but: Cell | None) -> Iterator[Cell]:
    for cell in found:
        if (
            cell is not but
            and cell.kind == "code"
            and cell.role != "check"
            and "practice.check" not in cell.source
        ):
            defined = _names(cell.source)
            if names and names <= defined:
                yield cell


def _names(source: str) -> set[str]:
    """Name what a cell defines at its top level, by a search: Python's own parser can be made to crash."""
    found = DEFINED.findall(source[:LONGEST])
    return {name for function, names in found for name in (function, *re.split(r"[\s,]+", names)) if name}
