"""Answers are read from whatever became of the student's notebook, or refused with a reason."""

import json

import pytest
import sheets
from nbformat.v4 import new_code_cell

from course.exercises import parse
from course.grading.answers import LARGEST, LONGEST, AnswersError, answers, cells, likeness

RIGHT = "def cube(x):\n    return x * x * x\n"


@pytest.fixture
def read(sheet, tmp_path):
    def read(nb):
        path = tmp_path / "any.ipynb"
        path.write_text(nb if isinstance(nb, str) else json.dumps(nb), encoding="utf-8")
        return answers(sheet, cells(path))

    return read


def of(nb, id_):
    return next(cell for cell in nb["cells"] if cell["id"] == id_)


SCRATCH = {"cell_type": "code", "metadata": {}, "source": "def cube(x):\n    return 0\n"}


def as_it_is(nb):
    return nb


def format_4_4(nb):
    for cell in nb["cells"]:
        del cell["id"]
    nb["cells"].insert(0, SCRATCH)
    return nb | {"nbformat_minor": 4}


def colab(nb):
    for cell in nb["cells"]:
        cell["metadata"] = {"id": cell.pop("id"), "colab": {"base_uri": "https://localhost:8080/"}}
        cell["source"] = cell["source"].splitlines(keepends=True)
    nb["cells"].append(SCRATCH)
    return nb | {"nbformat_minor": 0, "metadata": {"colab": {"provenance": []}}}


def vs_code(nb):
    for cell in nb["cells"]:
        cell["metadata"]["vscode"] = {"languageId": "python"}
        cell["source"] = cell["source"].replace("\n", "\r\n")
    return nb | {"metadata": {"language_info": {"name": "python", "version": "3.13.1"}}}


def everything_lost(nb):
    for cell in nb["cells"]:
        cell.pop("id")
        cell["metadata"] = {}
    return nb | {"nbformat_minor": 2}


def format_3(nb):
    for cell in nb["cells"]:
        cell.pop("id")
        cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source").splitlines(keepends=True)
            cell["language"] = "python"
    return {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [{"cells": nb["cells"], "metadata": {}}],
    }


def cells_added(nb):
    for place, source in enumerate(["1 + 1", "import math", "x = cube(2)", "# cube = 3"]):
        nb["cells"].insert(2 * place, dict(new_code_cell(source)))
    return nb


def widgets(nb):
    nb["metadata"]["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2}
    }
    return nb


def order_changed(nb):
    return nb | {"cells": nb["cells"][::-1]}


def byte_order_mark(nb):
    return "\ufeff" + json.dumps(nb)


@pytest.mark.parametrize(
    "change",
    [
        as_it_is,
        format_4_4,
        colab,
        vs_code,
        everything_lost,
        format_3,
        cells_added,
        widgets,
        order_changed,
        byte_order_mark,
    ],
)
def test_answer_is_read(change, handed_in, read):
    assert read(change(handed_in(RIGHT))).code == {"answer": RIGHT}


@pytest.mark.parametrize("change", [as_it_is, vs_code, everything_lost, format_3, widgets])
def test_blank_stays_blank(change, handed_in, read):
    assert read(change(handed_in())).code == {}


def test_answer_beside_its_cell_is_read_and_noted(handed_in, read):
    nb = handed_in()
    nb["cells"].append(dict(new_code_cell(RIGHT)))
    found = read(nb)
    assert found.code == {"answer": RIGHT}
    assert found.notes == ["Exercise 1.1 — A cube: read from the cell that defines its names"]


def test_of_two_answers_beside_the_cell_none_is_taken(handed_in, read):
    nb = handed_in()
    nb["cells"] += [dict(new_code_cell(RIGHT)), dict(new_code_cell("cube = abs"))]
    found = read(nb)
    assert found.code == {}
    assert "not read, since 2 cells define its names" in found.notes[0]


def test_first_cell_with_the_id_counts(handed_in, read):
    nb = handed_in(RIGHT)
    nb["cells"].append(dict(new_code_cell("def cube(x):\n    return 1", id="answer")))
    assert read(nb).code == {"answer": RIGHT}


def test_check_that_defines_the_name_is_no_answer(handed_in, read):
    nb = everything_lost(handed_in())
    nb["cells"].append(
        {"cell_type": "code", "metadata": {}, "source": "cube = 1\npractice.check('cube', cube)"}
    )
    assert read(nb).code == {}


def test_answer_cell_made_markdown_is_noted(handed_in, read):
    nb = handed_in(RIGHT)
    of(nb, "answer")["cell_type"] = "markdown"
    found = read(nb)
    assert found.code == {}
    assert found.notes == ["Exercise 1.1 — A cube: its answer cell is no code cell any more"]


def test_missing_answer_cell_is_noted(handed_in, read):
    nb = handed_in()
    nb["cells"].remove(of(nb, "answer"))
    assert read(nb).notes == ["Exercise 1.1 — A cube: its answer cell is missing"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("#" * (LONGEST + 1), "more than 100000 characters"),
        ("def cube(x): return '\ud800'", "no Unicode"),
        ("def cube(x): return '\0'", "a zero byte"),
    ],
)
def test_unusable_answer_is_refused_with_a_reason(answer, why, handed_in, read):
    found = read(handed_in(answer))
    assert found.code == {}
    assert why in found.notes[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no notebook"),
        ("{", "it is no notebook"),
        ("[]", "no JSON object"),
        ("{}", "no list of cells"),
        ('{"cells": {}}', "no list of cells"),
        ('{"cells": ' + "[" * 50_000 + "]" * 50_000 + "}", "it is no notebook"),
        ('{"cells": ' + "[" * 200 + "]" * 200 + "}", "nested more than 100 levels deep"),
        ('{"cells": [' + "9" * 10_000 + "]}", "it is no notebook"),
        (" " * (LARGEST + 1), "5.0 MB"),
    ],
)
def test_what_is_no_notebook_is_refused_with_a_reason(text, why, read):
    with pytest.raises(AnswersError, match=why):
        read(text)


def test_link_is_not_followed(tmp_path, course):
    link = tmp_path / "link.ipynb"
    link.symlink_to(course / "solutions" / "01-cubes.ipynb")
    with pytest.raises(AnswersError, match="it is a link"):
        cells(link)


@pytest.mark.parametrize(
    "cell",
    [
        1,
        None,
        {},
        {"cell_type": "code", "source": 3},
        {"id": ["answer"], "metadata": 3},
        {"metadata": {"course": 1}},
    ],
)
def test_cells_of_any_shape_are_survived(cell, handed_in, read):
    nb = handed_in(RIGHT)
    nb["cells"].insert(0, cell)
    assert read(nb).code == {"answer": RIGHT}


def test_notebook_is_known_by_what_is_in_it(sheet, handed_in, tmp_path):
    strange = sheets.cells()
    for cell in strange:
        cell.id = f"other-{cell.id}"
        if "course" in cell.metadata:
            cell.metadata.course.exercise = "other"
        cell.source = cell.source.replace("cube", "other")
    other = parse(sheets.write(tmp_path / "other", strange))
    path = tmp_path / "any.ipynb"
    for change in (as_it_is, colab, everything_lost):
        path.write_text(json.dumps(change(handed_in(RIGHT))), encoding="utf-8")
        assert likeness(sheet, cells(path)) > likeness(other, cells(path)) == 0
