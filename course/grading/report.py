"""Write down the grades: tables, a page for each student, a summary for the instructor.

What the student gets tells the state of each check, in words chosen here: no input, no expected value, and
nothing that came out of a kernel.
"""

import csv
import io
import statistics
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from course.grading.marks import STATES, Mark
from course.notebooks import write_text

BINS = 10


@dataclass
class Graded:
    """A student, with marks and with what is to be said beside them.

    Attributes
    ----------
    student : str
        The name under which the work was handed in.
    marks : list of Mark
        In the order of sheets and checks.
    notes : dict
        What was unusual, by sheet.
    problems : list of str
        What could not be read.
    failed : list of str
        Sheets that could not be graded, with the reason: the machine's, not the student's.
    late : bool
        Whether the last change was made after the day that it was due.
    """

    student: str
    marks: list[Mark] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    late: bool = False


def write(out: Path, graded: list[Graded]) -> None:
    """Write all reports into a folder; the same grades give the same bytes."""
    pages = out / "feedback"
    pages.mkdir(parents=True, exist_ok=True)
    for old in pages.glob("*.html"):
        if old.stem not in {each.student for each in graded}:
            old.unlink()
    for each in graded:
        write_text(pages / f"{each.student}.html", feedback(each))
    write_text(out / "grades.csv", grades(graded))
    write_text(out / "gradebook-moodle.csv", moodle(graded))
    write_text(out / "gradebook-canvas.csv", canvas(graded))
    write_text(out / "junit.xml", junit(graded))
    write_text(out / "summary.html", summary(graded))


def number(points: Fraction) -> str:
    """Write points with two decimals at most."""
    return f"{float(points):.2f}".rstrip("0").rstrip(".")


def grades(graded: Iterable[Graded]) -> str:
    """List every check of every student."""
    head = ["student", "sheet", "exercise", "check", "points", "possible", "status", "late"]
    lines = [
        [
            *(each.student, mark.sheet, mark.exercise.id, mark.check),
            *(number(mark.points), number(mark.possible), mark.state, "late" if each.late else ""),
        ]
        for each in graded
        for mark in each.marks
    ]
    return _csv([head, *lines])


def moodle(graded: list[Graded]) -> str:
    """Make a file for Moodle's gradebook (Import, CSV file): its first column is mapped to the ID number."""
    sheets = possible(graded)
    lines = [[each.student, *_totals(each, sheets)] for each in graded]
    return _csv([["ID number", *sheets], *lines])


def canvas(graded: list[Graded]) -> str:
    """Make a file for Canvas's gradebook (Import), where students are known by their login."""
    sheets = possible(graded)
    empty = ["", "", ""]
    most = ["    Points Possible", *empty, *(number(points) for points in sheets.values())]
    lines = [[each.student, "", each.student, "", *_totals(each, sheets)] for each in graded]
    return _csv([["Student", "ID", "SIS Login ID", "Section", *sheets], most, *lines])


def possible(graded: Iterable[Graded]) -> dict[str, Fraction]:
    """Tell how many points each sheet gives."""
    sheets: dict[str, dict[str, Fraction]] = defaultdict(dict)
    for each in graded:
        for mark in each.marks:
            sheets[mark.sheet][mark.check] = mark.possible
    return {name: sum(checks.values(), Fraction(0)) for name, checks in sorted(sheets.items())}


def _totals(each: Graded, sheets: Iterable[str]) -> list[str]:
    of = {name: [mark.points for mark in each.marks if mark.sheet == name] for name in sheets}
    return [number(sum(points, Fraction(0))) if points else "" for points in of.values()]


def _csv(lines: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[_inert(cell) for cell in line] for line in lines])
    return text.getvalue()


def _inert(cell: str) -> str:
    """Keep a spreadsheet from taking a file's name for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def junit(graded: Iterable[Graded]) -> str:
    """Write a suite for each student and a case for each check, for machines that read JUnit's XML."""
    root = ET.Element("testsuites")
    for each in graded:
        states = Counter("right" if mark.state == "right" else "failure" for mark in each.marks)
        counts = {"tests": str(states.total()), "failures": str(states["failure"]), "errors": "0"}
        suite = ET.SubElement(root, "testsuite", {"name": _printable(each.student), **counts})
        for mark in each.marks:
            name = {"classname": f"{mark.sheet}.{mark.exercise.id}", "name": mark.check}
            case = ET.SubElement(suite, "testcase", name)
            if mark.state != "right":
                ET.SubElement(case, "failure", {"message": STATES[mark.state]})
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def feedback(each: Graded) -> str:
    """Make the page that a student gets."""
    sheets = [
        {
            "name": name,
            "notes": each.notes.get(name, []),
            **_sum(of_sheet := list(of)),
            "exercises": [
                {
                    "title": exercise.heading.lstrip("# "),
                    **_sum(parts := list(of_exercise)),
                    "parts": [f"{_name(part)}: {STATES[part.state]}" for part in parts],
                }
                for exercise, of_exercise in groupby(of_sheet, key=lambda mark: mark.exercise)
            ],
        }
        for name, of in groupby(each.marks, key=lambda mark: mark.sheet)
    ]
    notes = each.problems + [f"{line}; this will be graded later" for line in each.failed]
    return _render("feedback.html", title=f"Feedback for {each.student}", sheets=sheets, notes=notes)


def _name(mark: Mark) -> str:
    """Name a check by what is particular in its cell's id: "restored step"."""
    return (
        mark.check.removeprefix(mark.exercise.id).replace("-hidden", "").replace("-", " ").strip() or "check"
    )


def _sum(marks: list[Mark]) -> dict[str, str]:
    points = sum((mark.points for mark in marks), Fraction(0))
    possible = sum((mark.possible for mark in marks), Fraction(0))
    return {"points": number(points), "possible": number(possible)}


def summary(graded: list[Graded]) -> str:
    """Make the instructor's page: how many earned how much, and which checks were hard."""
    return _render(
        "summary.html",
        title="Grades",
        students=len(graded),
        late=sum(each.late for each in graded),
        ungraded=[f"{each.student}: {line}" for each in graded for line in each.failed],
        problems=problems(graded),
        sheets=[_of_sheet(name, possible, graded) for name, possible in possible(graded).items()],
    )


def problems(graded: Iterable[Graded]) -> list[str]:
    """List what could not be read, with whose it is: the instructor may know what was meant."""
    return [f"{each.student}: {line}" for each in graded for line in each.problems]


def histogram(totals: Iterable[Fraction], possible: Fraction) -> list[int]:
    """Count totals in ten equal ranges of the points; all points belong to the last."""
    counts = [0] * BINS
    for total in totals:
        counts[min(int(BINS * total / possible), BINS - 1)] += 1
    return counts


def _of_sheet(name: str, possible: Fraction, graded: Iterable[Graded]) -> dict[str, Any]:
    of = [[mark for mark in each.marks if mark.sheet == name] for each in graded]
    handed_in = [marks for marks in of if marks and marks[0].state not in ("not handed in", "not readable")]
    totals = [sum((mark.points for mark in marks), Fraction(0)) for marks in handed_in]
    counts = histogram(totals, possible)
    checks = []
    for column in zip(*handed_in, strict=True):
        states = Counter(mark.state for mark in column)
        right = round(100 * states.pop("right", 0) / len(column))
        others = ", ".join(f"{state} {times}" for state, times in states.most_common())
        first = column[0]
        checks.append(
            {
                "exercise": first.exercise.heading.lstrip("# "),
                "name": _name(first),
                "right": right,
                "otherwise": others,
            }
        )
    return {
        "name": name,
        "handed_in": len(handed_in),
        "possible": number(possible),
        "median": number(Fraction(statistics.median(totals))) if totals else "0",
        "mean": number(Fraction(statistics.mean(totals))) if totals else "0",
        "histogram": [
            {
                "label": f"{number(possible * place / BINS)} – {number(possible * (place + 1) / BINS)}",
                "count": count,
                "share": round(100 * count / max(counts), 1) if any(counts) else 0,
            }
            for place, count in enumerate(counts)
        ],
        "checks": checks,
    }


def _render(name: str, **facts: Any) -> str:
    environment = Environment(
        loader=PackageLoader("course.grading"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(**facts)
