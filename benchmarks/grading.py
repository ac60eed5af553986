"""Many submissions of one sheet, honest, wrong and hostile, graded on this machine.

Run it by itself: ``python -m benchmarks.grading --count 500``. As root on Linux it counts the CPU time of
every process there was, by a control group; elsewhere that column is empty. ``--nbgrader PYTHON`` grades
the same honest submissions with the nbgrader of another environment beside it, each as its command does: ours
on all cores, nbgrader, which has no such option, on one.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import numpy as np
import psutil
from rich.progress import track

from course.exercises import Exercise, Sheet, blank, parse, reference, student
from course.grading.engine import Task, perform, run_here
from course.grading.grade import grade
from course.grading.run import Outcome, graded
from course.grading.sandbox import require
from course.notebooks import dumps

ROOT = Path(__file__).parents[1]
SHEET = "01-newton"


class Clock:
    """CPU seconds of this process and of all that it ever started, from a control group; None without one."""

    def __init__(self) -> None:
        self.usage: Callable[[], float] | None = None
        for place, file, read in (
            ("/sys/fs/cgroup/cpuacct", "cpuacct.usage", lambda text: int(text) / 1e9),
            ("/sys/fs/cgroup", "cpu.stat", lambda text: int(text.split()[1]) / 1e6),
        ):
            group = Path(place, f"course-benchmark-{os.getpid()}")
            with contextlib.suppress(OSError):
                group.mkdir()
                (group / "cgroup.procs").write_text(str(os.getpid()))
                path = group / file
                read(path.read_text())
                self.usage = lambda path=path, read=read: read(path.read_text())
                return

    def __call__(self) -> float | None:
        """Read the clock."""
        return self.usage() if self.usage else None


def answers_of(
    sheet: Sheet, exercise: Exercise, make: Callable[[str], str], wrong: str = ""
) -> dict[str, str]:
    """Answer one exercise; a mistake is put below what is left blank."""
    cells = sheet.of(exercise, "answer")
    sources = {cell.id: make(cell.source) for cell in cells}
    if wrong:
        sources[cells[-1].id] += f"\n\n{wrong}"
    return sources


def invent(sheet: Sheet, count: int, seed: int = 20260101) -> Iterator[tuple[str, dict[str, str], Fraction]]:
    """Invent submissions whose points are known: name, answers, points."""
    rng = np.random.default_rng(seed)
    listed = tomllib.loads((ROOT / "tests/course/wrong_answers" / f"{SHEET}.toml").read_text("utf-8"))[
        "wrong"
    ]
    attacks = []
    for path in sorted((ROOT / "tests/course/attacks").glob("*.ipynb")):
        with contextlib.suppress(RecursionError):
            cells = json.loads(path.read_text("utf-8"))["cells"]
            attacks += ["".join(cell["source"]) for cell in cells if cell.get("id") == "answer"]
    hostile = itertools.cycle(attacks)
    for number in range(count):
        points = Fraction(0)
        answers: dict[str, str] = {}
        if number % 14 == 13:
            cell = sheet.of(sheet.exercises[0], "answer")[0]
            yield f"{number:04d}-hostile", {cell.id: next(hostile)}, points
            continue
        for exercise in sheet.exercises:
            kind = rng.choice(["right", "wrong", "blank"], p=[0.7, 0.2, 0.1])
            mistakes = [wrong["answer"] for wrong in listed if wrong["exercise"] == exercise.id]
            if kind == "right":
                answers |= answers_of(sheet, exercise, reference)
                points += exercise.points
            elif kind == "wrong":
                answers |= answers_of(sheet, exercise, blank, str(rng.choice(mistakes)))
        yield f"{number:04d}", answers, points


def hand_in(sheet: Sheet, answers: dict[str, str], path: Path) -> None:
    """Write a notebook as a student hands it in."""
    nb = student(sheet)
    for cell in nb.cells:
        cell.source = answers.get(cell.id, cell.source)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(nb), encoding="utf-8")


class Memory(threading.Thread):
    """Look at the memory of this process, in MB, twice a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: list[float] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        """Look until told to stop."""
        while not self.stopped.wait(0.5):
            self.seen.append(psutil.Process().memory_info().rss / 1e6)


def shown(tasks: list[Task]) -> Iterator[tuple[Task, Outcome | Exception]]:
    """Run with a bar of progress."""
    return iter(track(run_here(tasks), total=len(tasks), description="Grading"))


def many(sheet: Sheet, count: int, folder: Path, clock: Clock) -> dict[str, Any]:
    """Grade many submissions as `course grade` does."""
    expected = {}
    for name, answers, points in invent(sheet, count):
        hand_in(sheet, answers, folder / "inbox" / name / f"{SHEET}.ipynb")
        expected[name] = points
    memory = Memory()
    memory.start()
    begun, cpu = time.monotonic(), clock()
    found = grade(folder / "inbox", folder / "grades", shown, root=ROOT, only=[SHEET])
    wall = time.monotonic() - begun
    used = None if cpu is None else (clock() or 0.0) - cpu
    memory.stopped.set()
    totals = {each.student: sum((mark.points for mark in each.marks), Fraction(0)) for each in found}
    tenth = max(1, len(memory.seen) // 10)
    return {
        "submissions": count,
        "scores that are wrong": sum(totals[name] != points for name, points in expected.items()),
        "not graded": sum(len(each.failed) for each in found),
        "seconds on the clock": round(wall),
        "CPU seconds each, mean": None if used is None else round(used / count, 2),
        "memory of the grader, MB, first tenth": round(statistics.mean(memory.seen[:tenth])),
        "memory of the grader, MB, last tenth": round(statistics.mean(memory.seen[-tenth:])),
    }


def each(sheet: Sheet, count: int, clock: Clock) -> dict[str, Any]:
    """Grade honest and wrong submissions one at a time."""
    wall, cpu = [], []
    tasks = [
        Task(name, dumps(graded(sheet, answers)))
        for name, answers, _ in invent(sheet, count)
        if "h" not in name
    ]
    for task in track(tasks, description="One at a time"):
        begun, used = time.monotonic(), clock()
        perform(task)
        wall.append(time.monotonic() - begun)
        cpu.append((clock() or 0.0) - (used or 0.0))
    return {
        "one at a time, seconds each, median": round(statistics.median(wall), 2),
        "one at a time, CPU seconds each, median": round(statistics.median(cpu), 2) if clock() else None,
    }


def nbgrader(sheet: Sheet, python: str, count: int, folder: Path, clock: Clock) -> dict[str, Any]:
    """Grade honest submissions with nbgrader: the same answers, called at the same inputs by hidden tests."""
    course = folder / "nbgrader"
    nb = student(sheet)
    hidden = {exercise.id: sheet.of(exercise, "hidden") for exercise in sheet.exercises}
    cells = []
    for part in sheet.parts:
        made = next((cell for cell in nb.cells if cell.id == part.cell.id), None)
        if part.role == "answer" and made is not None:
            made.source = part.cell.source
            facts = {"grade": False, "solution": True, "locked": False}
        elif part.role == "check" and made is not None and part.exercise is not None:
            tests = "\n".join(cell.source for cell in hidden[part.exercise.id]).replace(
                "practice.emit(", "tested("
            )
            made.source += f"\n### BEGIN HIDDEN TESTS\n{tests}\n### END HIDDEN TESTS"
            facts = {"grade": True, "points": part.exercise.points, "solution": False, "locked": True}
        else:
            cells += [] if made is None else [made]
            continue
        made.metadata["nbgrader"] = facts | {"grade_id": made.id, "schema_version": 3, "task": False}
        cells.append(made)
    nb.cells = cells
    setup = next(cell for cell in cells if cell.cell_type == "code")
    setup.source += "\n\n\ndef tested(label, answer):\n    assert answer() is not None, label"
    source = course / "source" / "ps" / "sheet.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(json.dumps(nb), encoding="utf-8")
    (course / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    path = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": path}

    def run(*command: str) -> None:
        done = subprocess.run(
            [python, "-m", "nbgrader", *command], cwd=course, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])

    run("generate_assignment", "ps")
    released = json.loads((course / "release" / "ps" / "sheet.ipynb").read_text("utf-8"))
    right = {part.cell.id: reference(part.cell.source) for part in sheet.parts if part.role == "answer"}
    for cell in released["cells"]:
        cell["source"] = right.get(cell.get("id"), cell["source"])
    for number in range(count):
        submitted = course / "submitted" / f"student{number}" / "ps" / "sheet.ipynb"
        submitted.parent.mkdir(parents=True)
        submitted.write_text(json.dumps(released), encoding="utf-8")
    tasks = [Task(str(number), dumps(graded(sheet, right))) for number in range(count)]

    def both(work: Callable[[], object]) -> tuple[float, float | None]:
        begun, cpu = time.monotonic(), clock()
        work()
        wall = time.monotonic() - begun
        return wall / count, None if cpu is None else ((clock() or 0.0) - cpu) / count

    theirs, ours = both(lambda: run("autograde", "ps")), both(lambda: list(run_here(tasks)))
    return {
        "honest ones, seconds each: nbgrader": round(theirs[0], 2),
        "honest ones, seconds each: course grade": round(ours[0], 2),
        "honest ones, nbgrader / course grade": round(theirs[0] / ours[0], 2),
        "honest ones, CPU seconds each: nbgrader": theirs[1] and round(theirs[1], 2),
        "honest ones, CPU seconds each: course grade": ours[1] and round(ours[1], 2),
    }


@click.command()
@click.option("--count", default=500, show_default=True, help="Submissions in all.")
@click.option("--sample", default=40, show_default=True, help="Submissions that are also run one at a time.")
@click.option("--nbgrader", "python", help="The Python of an environment with nbgrader.")
def main(count: int, sample: int, python: str | None) -> None:
    """Measure, and print what was measured."""
    require()
    sheet = parse(ROOT / "solutions" / f"{SHEET}.ipynb")
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        measured = each(sheet, sample, clock)
        if python:
            measured |= nbgrader(sheet, python, sample, Path(folder), clock)
        if count:
            measured |= many(sheet, count, Path(folder), clock)
    for name, value in measured.items():
        click.echo(f"{name:45} {value}")


if __name__ == "__main__":
    main()
