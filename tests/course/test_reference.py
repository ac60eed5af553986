"""The reference answers to every sheet earn all points, in the sandbox and within its limits."""

import json
from pathlib import Path

import pytest

from course.exercises import parse, reference, student
from course.grading.engine import run_here
from course.grading.grade import grade
from course.notebooks import find

ROOT = Path(__file__).parents[2]
SHEETS = [path.stem for path in find(ROOT, "solutions")]


@pytest.fixture(scope="module")
def marks(sandbox, tmp_path_factory):
    """Hand in the reference as a student would, and grade it."""
    folder = tmp_path_factory.mktemp("reference")
    for name in SHEETS:
        sheet = parse(ROOT / "solutions" / f"{name}.ipynb")
        nb = student(sheet)
        answers = {part.cell.id: reference(part.cell.source) for part in sheet.parts if part.role == "answer"}
        for cell in nb.cells:
            cell.source = answers.get(cell.id, cell.source)
        path = folder / "inbox" / "reference" / "exercises" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(nb), encoding="utf-8")
    (graded,) = grade(folder / "inbox", folder / "grades", run_here, root=ROOT)
    assert not graded.failed + graded.problems
    return graded.marks


@pytest.mark.parametrize("name", SHEETS)
def test_reference_earns_all_points(name, marks):
    found = [mark for mark in marks if mark.sheet == name]
    assert found
    assert {mark.check: mark.state for mark in found if mark.state != "right"} == {}
    assert sum(mark.points for mark in found) == sum(
        {mark.exercise.id: mark.exercise.points for mark in found}.values()
    )
