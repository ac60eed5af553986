"""Each check rejects plausible mistakes, says what is wrong, and does not give the answer away.

The hidden cells reject them, too: the reference earns all points, and a mistake none of those it is about.
The mistakes are listed in `wrong_answers/NN-name.toml`, one file for each sheet of exercises.
"""

import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course import exercises
from course.exercises import REGION, blank, reference
from course.grading.values import compare
from course.notebooks import find
from course.refresh import execute

ROOT = Path(__file__).parents[2]
SHEETS = find(ROOT, "solutions")


parse = cache(exercises.parse)


@cache
def mistakes(sheet):
    path = Path(__file__).parent / "wrong_answers" / f"{sheet.stem}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))["wrong"]


CASES = [
    pytest.param(sheet, number, id=f"{sheet.stem}-{wrong['exercise']}-{wrong['mistake'].replace(' ', '-')}")
    for sheet in SHEETS
    for number, wrong in enumerate(mistakes(sheet))
]


@cache
def feedback(path):
    """Run all mistakes of a sheet in one kernel; give what each check printed."""
    sheet = parse(path)
    cells = [new_code_cell(part.cell.source) for part in sheet.parts if not part.role and is_code(part.cell)]
    start = len(cells)
    sources = {exercise.id: exercise for exercise in sheet.exercises}
    for wrong in mistakes(path):
        exercise = sources[wrong["exercise"]]
        answers = [reference(cell.source) for cell in sheet.of(exercise, "answer")]
        checks = [cell.source for cell in sheet.of(exercise, "check")]
        cells.append(new_code_cell("\n\n".join([*answers, wrong["answer"], *checks])))
    ran = execute(numbered(cells), path).cells[start:]
    return ["".join(output.text for output in cell.outputs) for cell in ran]


def is_code(cell):
    return cell.cell_type == "code"


def numbered(cells):
    """Make a notebook; the ids that nbformat draws by itself are not always different."""
    for place, cell in enumerate(cells):
        cell.id = f"cell-{place}"
    return new_notebook(cells=cells)


@pytest.mark.parametrize(("sheet", "number"), CASES)
def test_mistake_is_rejected_with_a_reason(sheet, number):
    wrong = mistakes(sheet)[number]
    printed = feedback(sheet)[number]
    assert re.fullmatch(rf"{wrong['exercise']}: wrong: [^\n]*({wrong['says']})[^\n]*\n", printed)


@pytest.mark.parametrize(("sheet", "number"), CASES)
def test_reason_does_not_give_the_answer_away(sheet, number):
    parsed = parse(sheet)
    exercise = next(e for e in parsed.exercises if e.id == mistakes(sheet)[number]["exercise"])
    for answer in parsed.of(exercise, "answer"):
        for region in REGION.findall(answer.source):
            for line in map(str.strip, region[1].splitlines()):
                assert not line or line not in feedback(sheet)[number]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.stem)
def test_each_exercise_has_three_mistakes_or_more(sheet):
    listed = Counter(wrong["exercise"] for wrong in mistakes(sheet))
    assert listed.keys() == {exercise.id for exercise in parse(sheet).exercises}
    assert min(listed.values()) >= 3


SEPARATOR = "now comes "
APART = """\
for source in {sources!r}:
    try:
        exec(source, globals())
    except Exception as error:
        pass
    get_ipython().display_pub.publish({{"text/plain": {separator!r}}})
"""


@cache
def hidden(path):
    """Run the hidden cells of a sheet after all kinds of answers, in one kernel; give what is right of each.

    The keys are (exercise, "reference"), (exercise, "blank"), (mistake's number, "reference") and (mistake's
    number, "blank"): in the last two a mistake replaces its part of the reference, or of what is blank.
    """
    sheet = parse(path)
    cells = [new_code_cell(part.cell.source) for part in sheet.parts if not part.role and is_code(part.cell)]
    cases = {}

    def add(key, exercise, wrong=""):
        make = {"reference": reference, "blank": blank}[key[1]]
        answers = [make(cell.source) for cell in sheet.of(exercise, "answer")]
        sources = [*answers, wrong, *(cell.source for cell in sheet.of(exercise, "hidden"))]
        cells.append(new_code_cell(APART.format(sources=sources, separator=SEPARATOR)))
        cases[key] = len(cells) - 1, sheet.of(exercise, "hidden")

    sources = {exercise.id: exercise for exercise in sheet.exercises}
    for kind in ("reference", "blank"):
        for exercise in sheet.exercises:
            add((exercise.id, kind), exercise)
        for number, wrong in enumerate(mistakes(path)):
            add((number, kind), sources[wrong["exercise"]], wrong["answer"])
    ran = execute(numbered(cells), path).cells
    return {key: right(ran[place].outputs, cells) for key, (place, cells) in cases.items()}


def right(outputs, cells):
    """Tell for each hidden cell whether all its values are right."""
    shown = [[]]
    for output in outputs:
        if output.get("data", {}).get("text/plain") == SEPARATOR:
            shown.append([])
        else:
            shown[-1].append(output)
    last = shown[-1 - len(cells) : -1]
    return {
        cell.id: set(compare(cell, found).values()) == {"right"}
        for cell, found in zip(cells, last, strict=True)
    }


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.stem)
def test_reference_is_right_in_every_hidden_cell(sheet):
    for exercise in parse(sheet).exercises:
        right = hidden(sheet)[exercise.id, "reference"]
        assert all(right.values()), f"{exercise.id}: {right}"


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.stem)
def test_blank_is_right_in_no_hidden_cell(sheet):
    for exercise in parse(sheet).exercises:
        right = hidden(sheet)[exercise.id, "blank"]
        assert not any(right.values()), f"{exercise.id}: {right}"


@pytest.mark.parametrize(("sheet", "number"), CASES)
def test_mistake_costs_points(sheet, number):
    assert not all(hidden(sheet)[number, "reference"].values())


@pytest.mark.parametrize(("sheet", "number"), CASES)
def test_mistake_alone_scores_nothing(sheet, number):
    assert not any(hidden(sheet)[number, "blank"].values())
