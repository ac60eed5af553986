"""The format of exercises: what is refused, what students get, what the page shows."""

import copy
import math
import re

import pytest
import sheets
from markdown_it import MarkdownIt
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbformat.validator import iter_validate

from course.exercises import ExerciseError, blank, parse, reference, site_page, student
from course.notebooks import dumps, normalise, read
from course.refresh import execute, refresh


def cell(cells, id_):
    return next(cell for cell in cells if cell.id == id_)


@pytest.fixture
def sheet(tmp_path):
    return parse(sheets.write(tmp_path))


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Give a sheet whose source was run, and the student's notebook, run as well."""
    path = sheets.write(tmp_path_factory.mktemp("course"))
    refresh(path)
    return parse(path), execute(student(parse(path)), path)


# What is refused


def facts(**changes):
    def change(cells):
        statement = cell(cells, "statement").metadata.course
        statement.update(changes)
        for key in [key for key, value in changes.items() if value is None]:
            del statement[key]

    return change


def without(id_):
    def change(cells):
        cells.remove(cell(cells, id_))

    return change


def source(id_, text):
    def change(cells):
        cell(cells, id_).source = text

    return change


def course(id_, **changes):
    def change(cells):
        cell(cells, id_).metadata.course.update(changes)

    return change


def moved(id_, place):
    def change(cells):
        moving = cell(cells, id_)
        cells.remove(moving)
        cells.insert(place, moving)

    return change


def added(new):
    def change(cells):
        cells.append(new)

    return change


def again(cells):
    for old in [cell for cell in cells if "course" in cell.metadata]:
        new = copy.deepcopy(old)
        new.id = f"{old.id}-again"
        cells.append(new)


def both_solutions_gone(cells):
    without("solution")(cells)
    without("solution-run")(cells)


def both_hints_gone(cells):
    without("hint-1")(cells)
    without("hint-2")(cells)


BROKEN = {
    "no role": (course("hint-1", role=None), "cell `hint-1` has the role None"),
    "unknown role": (
        course("hint-1", role="tip"),
        "cell `hint-1` has the role 'tip', which is none of exercise",
    ),
    "role of another kind of cell": (
        course("hint-1", role="check"),
        "`hint-1` is a markdown cell, which cannot",
    ),
    "unknown key": (facts(bonus=1), "cell `statement` has unknown keys in metadata.course: bonus"),
    "key in the wrong place": (course("hint-1", points=1), "cell `hint-1` has points in metadata.course"),
    "no title": (facts(title=None), "cell `statement` has no title"),
    "empty title": (facts(title=" "), "cell `statement` has no title"),
    "unknown kind": (facts(kind="essay"), "cell `statement` has the kind 'essay', which is none of pen"),
    "no points": (facts(points=None), "cell `statement` has points = None"),
    "no whole points": (facts(points=1.5), "cell `statement` has points = 1.5"),
    "points true": (facts(points=True), "cell `statement` has points = True"),
    "no minutes": (facts(minutes=0), "cell `statement` has minutes = 0; wanted is a whole number from 1"),
    "too difficult": (facts(difficulty=4), "cell `statement` has difficulty = 4; wanted .+ from 1 to 3"),
    "no needs": (facts(needs=[]), "cell `statement` lists no needs"),
    "needs without a text": (facts(needs=["../chapters/01-cubes.ipynb"]), "cell `statement` lists no needs"),
    "id not in words": (facts(exercise="Cube 1"), "names its exercise 'Cube 1'"),
    "part of another exercise": (
        course("hint-1", exercise="cubes"),
        "`hint-1` belongs .+ stands under 'cube'",
    ),
    "part before its exercise": (moved("hint-1", 0), "`hint-1` belongs .+ stands before any exercise"),
    "no hint": (both_hints_gone, "the exercise 'cube' has no cell of role 'hint'"),
    "no answer": (without("answer"), "the exercise 'cube' has no cell of role 'answer'"),
    "no check": (without("check"), "the exercise 'cube' has no cell of role 'check'"),
    "no hidden cell": (without("hidden"), "the exercise 'cube' has no cell of role 'hidden'"),
    "hidden before the check": (moved("hidden", 6), "a check of 'cube' comes after what is hidden"),
    "hidden after the solution": (moved("hidden", 9), "the solution of 'cube' does not come last"),
    "hidden cell that shows nothing": (source("hidden", "cube(2)"), "`hidden` shows nothing"),
    "tolerance below zero": (course("hidden", rtol=-1), "`hidden` has rtol = -1; wanted is a number from 0"),
    "tolerance without end": (course("hidden", atol=math.inf), "`hidden` has atol = inf"),
    "unknown key of a hidden cell": (
        course("hidden", tol=1),
        "`hidden` has unknown keys in metadata.course: tol",
    ),
    "accept without a label": (course("hidden", accept="value > 0"), "`hidden` has an accept that is no"),
    "accept that is no Python": (course("hidden", accept={"a": "value >"}), "`hidden` accepts 'a' on a cond"),
    "no solution": (both_solutions_gone, "the exercise 'cube' has no cell of role 'solution'"),
    "exercise twice": (again, "2 exercises are named 'cube'"),
    "solution before the check": (moved("solution", 6), "the solution of 'cube' does not come last"),
    "answer without a region": (source("answer", "cube = 1"), "`answer` has no lines between ### BEGIN"),
    "region without an end": (source("answer", "### BEGIN SOLUTION\na = 1"), "`answer` has no lines between"),
    "second region without an end": (
        source("answer", "### BEGIN SOLUTION\na = 1\n### END SOLUTION\n### BEGIN SOLUTION"),
        "`answer` has a ### BEGIN SOLUTION or ### END SOLUTION without",
    ),
    "end without a begin": (
        source("answer", "### END SOLUTION\n### BEGIN SOLUTION\na = 1\n### END SOLUTION"),
        "`answer` has a ### BEGIN SOLUTION or ### END SOLUTION without",
    ),
    "answer that is no Python": (
        source("answer", "### BEGIN SOLUTION\na = = 1\n### END SOLUTION"),
        "`answer` is no Python",
    ),
    "stub outside of a function": (
        source("answer", "if True:\n    ### BEGIN SOLUTION\n    a = 1\n    ### END SOLUTION"),
        "`answer` is no Python, or a region is neither in a function",
    ),
    "helper named in the stub": (
        source("answer", "### BEGIN SOLUTION\nway = 3\ncube = way\n### END SOLUTION"),
        "`answer` asks for way, which its check does not use",
    ),
    "marker in a check": (
        source("check", "### BEGIN SOLUTION"),
        "`check` is no answer, but has a solution marker",
    ),
    "marker in a plain cell": (
        source("setup", "# end  solution"),
        "`setup` is no answer, but has a solution marker",
    ),
    "heading in a hint": (source("hint-1", "text\n\n## Hint"), "`hint-1` holds a heading"),
    "label twice": (
        added(new_markdown_cell("$$ x $$ (eq-a)\n\n(eq-a)=\n# B", id="labels")),
        "the label 'eq-a' stands for 2 things",
    ),
}


@pytest.mark.parametrize(("change", "says"), BROKEN.values(), ids=BROKEN)
def test_broken_source_is_refused(change, says, tmp_path):
    cells = sheets.cells()
    change(cells)
    path = sheets.write(tmp_path, cells)
    with pytest.raises(ExerciseError, match=says) as error:
        parse(path)
    assert str(error.value).startswith(f"{path}: ")


def test_source_without_an_exercise_is_refused(tmp_path):
    path = sheets.write(tmp_path, [new_markdown_cell("# Nothing", id="title")])
    with pytest.raises(ExerciseError, match="no cell starts an exercise"):
        parse(path)


def test_name_without_a_number_is_refused(tmp_path):
    path = sheets.write(tmp_path)
    with pytest.raises(ExerciseError, match=r"cubes\.ipynb: is named otherwise than NN-name"):
        parse(path.rename(path.with_name("cubes.ipynb")))


def test_headings_in_listings_are_comments(tmp_path):
    cells = sheets.cells()
    source("hint-1", "```python\n# a comment\n```")(cells)
    assert parse(sheets.write(tmp_path, cells)).exercises


def test_exercises_are_numbered_by_chapter(tmp_path):
    cells = sheets.cells()
    again(cells)
    for new in cells[10:]:
        new.metadata.course.exercise = "cube-again"
    sheet = parse(sheets.write(tmp_path, cells))
    assert [(exercise.id, exercise.number) for exercise in sheet.exercises] == [
        ("cube", "1.1"),
        ("cube-again", "1.2"),
    ]
    assert [part.place for part in sheet.parts if part.role == "hint"] == [1, 2, 1, 2]


# Stubs


@pytest.mark.parametrize(
    ("source", "stub"),
    [
        (
            "### BEGIN SOLUTION\na = 1\nb = a\n### END SOLUTION",
            "a = ...  # your answer here\nb = ...  # your answer here",
        ),
        (
            "class A:\n    def f(self):\n"
            "        ### BEGIN SOLUTION\n        a = 1\n        ### END SOLUTION\n        return a",
            "class A:\n    def f(self):\n        return ...  # your code here\n        return a",
        ),
        (
            "def f():\n    ### BEGIN SOLUTION\n    if 1:\n        return 2\n    ### END SOLUTION\n\n\nf()",
            "def f():\n    return ...  # your code here\n\n\nf()",
        ),
    ],
    ids=["values", "method", "function"],
)
def test_stub_stands_where_the_solution_stood(source, stub):
    assert blank(source) == stub
    assert "SOLUTION" not in reference(source)
    compile(reference(source), "reference", "exec")


# What students get


def test_student_gets_all_but_the_solution(sheet):
    nb = student(sheet)
    assert [cell.id for cell in nb.cells] == [
        *("introduction", "setup", "statement", "hint-1", "hint-2", "answer", "check")
    ]
    assert cell(nb.cells, "statement").source == (
        "## Exercise 1.1 — A cube\n\n"
        "*In code · 2 points · 5 minutes · difficulty 1 of 3* · "
        "needs [The lesson](../chapters/01-cubes.ipynb#cubes)\n\n"
        "Find $x^3$."
    )
    assert cell(nb.cells, "hint-2").source == (
        "<details>\n<summary>Hint 2</summary>\n\nThink of $x x^2$.\n\n</details>"
    )
    assert cell(nb.cells, "answer").source == "def cube(x):\n    return ...  # your code here"
    assert cell(nb.cells, "check").source == cell(sheets.cells(), "check").source
    assert cell(nb.cells, "answer").metadata == {"course": {"role": "answer", "exercise": "cube"}}


def test_student_gets_no_output_of_the_source(executed):
    sheet, _ = executed
    assert cell(read(sheet.path).cells, "check").outputs
    for given in (given for given in student(sheet).cells if given.cell_type == "code"):
        assert (given.outputs, given.execution_count) == ([], None)


def test_nothing_of_the_solution_is_in_the_students_notebook(executed):
    sheet, released = executed
    assert sheets.CANARY in dumps(read(sheet.path))
    for nb in (student(sheet), released):
        text = dumps(nb)
        assert sheets.CANARY not in text
        assert not re.search("solution", text, re.I)


def test_pristine_notebook_runs_and_says_not_attempted(executed):
    _, released = executed
    assert cell(released.cells, "check").outputs[0].text == "cube: not attempted (cube is still ...)\n"
    assert cell(released.cells, "setup").outputs[0].text == "ready\n"


def test_source_runs_and_passes(executed):
    sheet, _ = executed
    assert cell(read(sheet.path).cells, "check").outputs[0].text == "cube: passed\n"


def test_maths_in_a_hint_is_markdown_again(sheet):
    # A blank line ends the HTML block, so what follows is Markdown, with its maths, in every application.
    tokens = MarkdownIt().parse(cell(student(sheet).cells, "hint-2").source)
    assert [token.type for token in tokens] == [
        *("html_block", "paragraph_open", "inline", "paragraph_close", "html_block")
    ]


# What the page shows


def test_page_folds_hints_and_solution(executed):
    page = site_page(*executed).cells
    assert cell(page, "statement").source == (
        "## Exercise 1.1 — A cube\n\n"
        "```{exercise} In code · 2 points · 5 minutes · difficulty 1 of 3\n"
        ":label: cubes-cube\n:nonumber:\n\n"
        "Find $x^3$.\n\n"
        "**You need:** [The lesson](../chapters/01-cubes.ipynb#cubes)\n```"
    )
    assert cell(page, "hint-1").source == "```{dropdown} Hint 1\nThink.\n```"
    assert cell(page, "answer").source == "def cube(x):\n    return ...  # your code here"
    assert cell(page, "answer").outputs == []
    assert cell(page, "check").outputs[0].text.startswith("cube: not attempted")
    assert cell(page, "check").metadata.tags == ["hide-input"]
    assert "tags" not in cell(executed[1].cells, "check").metadata
    assert cell(page, "setup").outputs[0].text == "ready\n"
    assert [cell.id for cell in page if cell.id.startswith("solution")] == ["solution-run"]
    assert cell(page, "solution-run").source == (
        "````{dropdown} Solution\n"
        f"It is {sheets.CANARY}.\n\n"
        f"```python\nprint('{sheets.CANARY}', cube(3))\n```\n\n"
        f"```text\n{sheets.CANARY} 27\n```\n\n"
        "**In code**\n\n"
        f"```python\ndef cube(x):\n    {sheets.CANARY} = x**3\n    return {sheets.CANARY}\n```\n"
        "````"
    )


def test_page_without_solutions_holds_no_trace_of_them(executed):
    text = dumps(site_page(*executed, solutions=False))
    assert sheets.CANARY not in text
    assert not re.search("solution", text, re.I)
    assert "{dropdown} Hint 2" in text
    assert sheets.CANARY in dumps(site_page(*executed))


def test_page_is_a_notebook_of_the_course(executed):
    page = site_page(*executed)
    assert len({cell.id for cell in page.cells}) == len(page.cells)
    assert page.metadata == executed[1].metadata
    assert dumps(normalise(normalise(page))) == dumps(normalise(page))
    assert not list(iter_validate(page, version=4, version_minor=5))


def test_fences_are_longer_than_those_inside(tmp_path):
    cells = sheets.cells()
    source("hint-1", "````text\n```\n````")(cells)
    sheet = parse(sheets.write(tmp_path, cells))
    page = site_page(sheet, student(sheet))
    assert cell(page.cells, "hint-1").source == "`````{dropdown} Hint 1\n````text\n```\n````\n`````"


@pytest.mark.parametrize(
    "change", [without("hint-2"), source("check", "1"), added(new_code_cell("1", id="more"))]
)
def test_page_from_an_old_release_is_refused(executed, change):
    sheet, released = executed
    old = copy.deepcopy(released)
    change(old.cells)
    with pytest.raises(ExerciseError, match="out of date; run `course release`"):
        site_page(sheet, old)
