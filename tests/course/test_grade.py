"""From submissions to grades: what is kept, what is run again, and what each reader gets to see."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import pytest
import sheets

from course.exercises import parse
from course.grading.grade import GradeError, grade
from course.grading.marks import STATES, marks
from course.grading.report import Graded, canvas, feedback, grades, histogram, junit, moodle, number, write
from course.grading.run import Outcome, RunError, graded
from course.grading.values import shown
from course.notebooks import dumps

RIGHT = "def cube(x):\n    return x**3\n"
WRONG = "def cube(x):\n    return x**2\n"


class Runner:
    """Stands for the engine: right where the answer is `RIGHT`, and counting."""

    def __init__(self, stop_after=None, fail=()):
        self.ran = 0
        self.stop_after = stop_after
        self.fail = fail

    def __call__(self, tasks):
        for task in tasks:
            if self.ran == self.stop_after:
                raise KeyboardInterrupt
            self.ran += 1
            if any(word in task.notebook for word in self.fail):
                yield task, RunError("the kernel did not start: no space left")
            else:
                yield task, Outcome({"hidden": "right" if "x**3" in task.notebook else "wrong"}, 1.23456)


@pytest.fixture
def inbox(tmp_path, handed_in):
    folder = tmp_path / "inbox"
    folder.mkdir()
    for student, answer in {"ada": RIGHT, "bob": WRONG, "eve": None}.items():
        (folder / f"{student}.ipynb").write_text(json.dumps(handed_in(answer)), encoding="utf-8")
    (folder / "nil").mkdir()
    return folder


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_graded_notebook_is_pristine_but_for_the_answers(sheet):
    nb = graded(sheet, {"answer": RIGHT, "check": "pass", "setup": "pass", "hidden": "pass"})
    assert [(cell.id, cell.source) for cell in nb.cells] == [
        ("setup", "from gradlib import practice\nprint('ready')"),
        ("answer", RIGHT),
        ("hidden", f"practice.emit('{sheets.CANARY}', lambda: cube(1.7183))"),
    ]
    assert [bool(cell.outputs) for cell in nb.cells] == [False, False, True]
    assert "SOLUTION" not in dumps(graded(sheet, {}))


def test_grades(inbox, course, tmp_path):
    found = grade(inbox, tmp_path / "out", Runner(), root=course)
    assert [(each.student, float(sum(mark.points for mark in each.marks))) for each in found] == [
        ("ada", 2.0),
        ("bob", 0.0),
        ("eve", 0.0),
        ("nil", 0.0),
    ]
    lines = list(csv.DictReader(io.StringIO((tmp_path / "out" / "grades.csv").read_text())))
    assert lines[0] == {
        "student": "ada",
        "sheet": "01-cubes",
        "exercise": "cube",
        "check": "hidden",
        "points": "2",
        "possible": "2",
        "status": "right",
        "late": "",
    }
    assert [line["status"] for line in lines] == ["right", "wrong", "wrong", "not handed in"]


def test_second_run_runs_nothing_and_changes_no_byte(inbox, course, tmp_path):
    grade(inbox, tmp_path / "out", Runner(), root=course)
    before = files(tmp_path / "out")
    again = Runner()
    grade(inbox, tmp_path / "out", again, root=course)
    assert again.ran == 0
    assert files(tmp_path / "out") == before


def test_run_that_was_broken_off_goes_on_and_ends_the_same(inbox, course, tmp_path):
    grade(inbox, tmp_path / "whole", Runner(), root=course)
    with pytest.raises(KeyboardInterrupt):
        grade(inbox, tmp_path / "out", Runner(stop_after=2), root=course)
    rest = Runner()
    grade(inbox, tmp_path / "out", rest, root=course)
    assert rest.ran == 1
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_shards_together_give_what_one_machine_gives(inbox, course, tmp_path):
    grade(inbox, tmp_path / "whole", Runner(), root=course)
    runners = [Runner(), Runner()]
    for place, runner in enumerate(runners, 1):
        grade(inbox, tmp_path / "out", runner, root=course, shard=(place, 2))
    assert [runner.ran for runner in runners] == [2, 1]
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_changed_answer_is_run_again_and_the_others_are_not(inbox, course, tmp_path, handed_in):
    grade(inbox, tmp_path / "out", Runner(), root=course)
    (inbox / "bob.ipynb").write_text(json.dumps(handed_in(RIGHT)), encoding="utf-8")
    again = Runner()
    found = grade(inbox, tmp_path / "out", again, root=course)
    assert again.ran == 1
    assert [mark.state for mark in found[1].marks] == ["right"]


def test_equal_answers_of_two_students_are_two_runs(inbox, course, tmp_path, handed_in):
    (inbox / "ann.ipynb").write_text(json.dumps(handed_in(RIGHT)), encoding="utf-8")
    runner = Runner()
    grade(inbox, tmp_path / "out", runner, root=course)
    assert runner.ran == 4


def test_machine_that_fails_gives_no_grade_and_is_tried_again(inbox, course, tmp_path):
    found = grade(inbox, tmp_path / "out", Runner(fail=["x**3"]), root=course)
    assert found[0].marks == []
    assert found[0].failed == ["01-cubes: the kernel did not start: no space left"]
    assert "ada" not in (tmp_path / "out" / "grades.csv").read_text()
    assert "will be graded later" in (tmp_path / "out" / "feedback" / "ada.html").read_text()
    assert grade(inbox, tmp_path / "out", Runner(), root=course)[0].marks[0].state == "right"


def test_unreadable_work_says_so(inbox, course, tmp_path):
    (inbox / "nil" / "01-cubes.ipynb").write_text("{")
    found = grade(inbox, tmp_path / "out", Runner(), root=course)
    assert found[-1].marks[0].state == "not readable"
    assert "01-cubes.ipynb was not graded" in (tmp_path / "out" / "feedback" / "nil.html").read_text()
    assert "nil: 01-cubes.ipynb was not graded" in (tmp_path / "out" / "summary.html").read_text()


def test_work_without_a_notebook_is_to_be_looked_at(inbox, course, tmp_path):
    (inbox / "nil" / "answers.pdf").write_text("")
    found = grade(inbox, tmp_path / "out", Runner(), root=course)
    assert found[-1].marks[0].state == "not handed in"
    for page in ("summary.html", "feedback/nil.html"):
        assert "there is no notebook in what was handed in" in (tmp_path / "out" / page).read_text()


def test_late_work_is_marked_and_earns_the_same(inbox, course, tmp_path):
    found = grade(inbox, tmp_path / "out", Runner(), root=course, due=datetime(2000, 1, 1))
    assert [each.late for each in found] == [True, True, True, False]
    assert (tmp_path / "out" / "grades.csv").read_text().count(",late\n") == 4  # with the head
    assert found[0].marks[0].points == 2


def test_nothing_to_grade_is_an_error(course, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(GradeError, match="no folder, zip file or notebook in it"):
        grade(tmp_path / "empty", tmp_path / "out", Runner(), root=course)


def test_unknown_sheet_is_an_error(inbox, course, tmp_path):
    with pytest.raises(GradeError, match="02-squares: no such sheet; there are 01-cubes"):
        grade(inbox, tmp_path / "out", Runner(), root=course, only=["02-squares"])


# Reports


@pytest.fixture
def two(tmp_path):
    """Give a sheet whose exercise has three hidden cells."""
    cells = sheets.cells()
    hidden = next(cell for cell in cells if cell.id == "hidden")
    for name in ("cube-hidden-far-away", "cube-hidden-near"):
        copied = type(hidden)(hidden | {"id": name})
        cells.insert(cells.index(hidden), copied)
    return parse(sheets.write(tmp_path, cells))


def test_checks_share_the_points_of_their_exercise(two):
    found = marks("ada", two, {"cube-hidden-near": "right", "hidden": "right"})
    assert [mark.points for mark in found] == [0, Fraction(2, 3), Fraction(2, 3)]
    assert sum(mark.possible for mark in found) == 2
    assert [mark.state for mark in found] == ["missing", "right", "right"]
    full = marks("ada", two, "right")
    assert moodle([Graded("ada", full)]) == "ID number,01-cubes\nada,2\n"


def test_every_state_has_words(two):
    for state in STATES:
        assert STATES[state] in feedback(Graded("ada", marks("ada", two, state)))


def test_feedback_leaks_no_input_and_no_expected_value(two, sheet):
    for state in STATES:
        page = feedback(Graded("ada", marks("ada", two, state)))
        assert sheets.CANARY not in page
        assert "1.7183" not in page
        hidden = sheet.of(sheet.exercises[0], "hidden")[0]
        for value in shown(hidden.outputs).values():
            assert value not in page
    assert "far away: " in page


def test_feedback_of_the_real_sheets_names_no_value():
    for path in sorted((Path(__file__).parents[2] / "solutions").glob("*.ipynb")):
        sheet = parse(path)
        page = feedback(Graded("ada", marks("ada", sheet, "wrong")))
        for exercise in sheet.exercises:
            for cell in sheet.of(exercise, "hidden"):
                for digits in re.findall(r"\d+\.\d{3,}", cell.source + json.dumps(cell.outputs)):
                    assert digits not in page, f"{path.stem}: {cell.id}"


def test_names_are_text_in_every_report(two, tmp_path):
    name = '=HYPERLINK("x") <script>alert(1)</script>&'
    each = Graded(name, marks(name, two, "wrong"), problems=["<b>bold</b>"], notes={"01-cubes": ["<i>"]})
    page = feedback(each)
    assert "<script>" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    for table in (grades([each]), moodle([each]), canvas([each])):
        rows = list(csv.reader(io.StringIO(table)))
        assert all(len(row) == len(rows[0]) for row in rows)
        assert not any(cell.startswith("=") for row in rows for cell in row)
    assert len(ET.fromstring(junit([Graded("\x00\x1b", marks("", two, "wrong"))]))) == 1


def test_junit_counts_and_tells(two):
    root = ET.fromstring(junit([Graded("ada", marks("ada", two, {"hidden": "right"}))]))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "2", "0")
    assert [case.get("name") for case in suite if len(case) == 0] == ["hidden"]


def test_canvas_has_its_row_of_possible_points(two):
    rows = list(csv.reader(io.StringIO(canvas([Graded("ada", marks("ada", two, "right"))]))))
    assert rows == [
        ["Student", "ID", "SIS Login ID", "Section", "01-cubes"],
        ["    Points Possible", "", "", "", "2"],
        ["ada", "", "ada", "", "2"],
    ]


def test_histogram_puts_every_student_into_one_range():
    totals = [Fraction(points, 3) for points in range(7)]
    assert histogram(totals, Fraction(2)) == [1, 1, 0, 1, 0, 1, 1, 0, 1, 1]
    assert sum(histogram(totals, Fraction(2))) == len(totals)


@pytest.mark.parametrize(
    ("points", "text"),
    [(Fraction(2), "2"), (Fraction(2, 3), "0.67"), (Fraction(0), "0"), (Fraction(10), "10")],
)
def test_points_are_written_plainly(points, text):
    assert number(points) == text


def test_summary_shows_the_histogram(two, tmp_path):
    states = ["right", "wrong", "right", "not handed in"]
    write(tmp_path, [Graded(f"s{n}", marks(f"s{n}", two, state)) for n, state in enumerate(states)])
    page = (tmp_path / "summary.html").read_text()
    assert "4 students" in page
    assert "3 handed in; of 2 points the median is 2" in page
    assert page.count('class="bar" style="width: 100.0%"') == 1
    assert "wrong 1" in page


def test_page_of_a_student_who_is_gone_is_removed(two, tmp_path):
    write(tmp_path, [Graded("ada", marks("ada", two, "right"))])
    write(tmp_path, [Graded("bob", marks("bob", two, "right"))])
    assert [path.name for path in (tmp_path / "feedback").iterdir()] == ["bob.html"]
