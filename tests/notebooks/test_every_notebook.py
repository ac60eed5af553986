"""Every notebook keeps the course's conventions.

That its outputs reproduce is nbval's part, that no cell takes over 10 s that of `course refresh`.
"""

from pathlib import Path

import pytest

from course.conventions import RULES
from course.exercises import parse, site_page
from course.notebooks import find, read
from course.release import differences, orphans, pairs

ROOT = Path(__file__).parents[2]
# `find` raises where there is nothing to find, so none of these tests can pass over no notebook.
NOTEBOOKS = [path for folder in ("chapters", "exercises", "solutions") for path in find(ROOT, folder)]
PAIRS = pairs(ROOT)


def name(path):
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_convention_is_kept(path, rule):
    assert list(rule(read(path), path)) == []


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=[source.stem for source, _ in PAIRS])
def test_exercises_are_what_the_solutions_give(source, target):
    assert differences(source, target) == []


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=[source.stem for source, _ in PAIRS])
def test_page_can_be_made_from_what_is_stored(source, target):
    sheet = parse(source)
    solutions = [
        cell for cell in site_page(sheet, read(target)).cells if "{dropdown} Solution\n" in cell.source
    ]
    assert len(solutions) == len(sheet.exercises)


def test_no_exercises_without_a_source():
    assert orphans(ROOT) == []
