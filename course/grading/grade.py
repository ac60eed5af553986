"""Grade a folder of submissions: from what was handed in to the reports.

Each outcome is kept, as soon as it is there, in a file named by everything that it depends on. So a run
that was broken off goes on where it stopped, a second run runs nothing, and the outcomes of several
machines can be put into one folder.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from course.exercises import Sheet, parse
from course.grading import report
from course.grading.answers import Answers
from course.grading.engine import Task
from course.grading.marks import marks
from course.grading.run import Outcome, graded
from course.grading.sandbox import Limits
from course.grading.scratch import scratch
from course.grading.submissions import collect, match
from course.notebooks import dumps, find, write_text

Run = Callable[[list[Task]], Iterable[tuple[Task, Outcome | Exception]]]
VERSION = 1
"""Counted up when the same notebook may have another outcome."""


class GradeError(ValueError):
    """There is nothing to grade; the message says what is missing."""


def grade(
    folder: Path,
    out: Path,
    run: Run,
    *,
    root: Path = Path(),
    only: Iterable[str] = (),
    shard: tuple[int, int] = (1, 1),
    due: datetime | None = None,
    trusted: bool = False,
    limits: Limits | None = None,
) -> list[report.Graded]:
    """Grade what is in a folder and write the reports.

    Parameters
    ----------
    folder : Path
        The submissions, one entry a student.
    out : Path
        Where outcomes and reports go.
    run : callable
        Runs tasks: `course.grading.engine.run_here`, or another.
    root : Path
        The folder of the course, with `solutions`.
    only : iterable of str
        Names of sheets, `01-newton`; without any, those to which there are answers.
    shard : tuple of int
        (2, 5): run the second fifth of the notebooks, and report what is known.
    due : datetime, optional
        Work that was changed after it is marked late.
    trusted : bool
        Without the sandbox.
    limits : Limits, optional
        What one notebook may use.

    Returns
    -------
    list of Graded
        One for each student, as reported.

    Raises
    ------
    GradeError
        There is no submission, or no such sheet.
    """
    sources = {path.stem: path for path in find(root, "solutions")}
    if unknown := set(only) - sources.keys():
        raise GradeError(f"{', '.join(sorted(unknown))}: no such sheet; there are {', '.join(sources)}")
    wanted = {name: parse(path) for name, path in sources.items() if name in only or not only}
    with scratch() as unpacked:
        submissions = collect(folder, unpacked)
        if not submissions:
            raise GradeError(f"{folder}: no folder, zip file or notebook in it, one for each student")
        found = {each.student: match(each, list(wanted.values())) for each in submissions}
        modified = {each.student: each.modified for each in submissions}
    if not only:
        given = {name for answers in found.values() for name in answers}
        wanted = {name: sheet for name, sheet in wanted.items() if name in given}
    tasks = {
        (student, name): _task(student, wanted[name], answers, limits or Limits(), trusted=trusted)
        for student, sheets_of in found.items()
        for name, answers in sheets_of.items()
    }
    outcomes, failed = _outcomes(out / "outcomes", list(tasks.values()), run, shard)
    graded_ = []
    for each in submissions:
        state = "not readable" if each.problems else "not handed in"
        if not (each.notebooks or each.problems):
            each.problems.append("there is no notebook in what was handed in")
        line = report.Graded(each.student, problems=each.problems)
        line.late = due is not None and modified[each.student] > due.timestamp()
        for name, sheet in wanted.items():
            task = tasks.get((each.student, name))
            if task is None:
                line.marks += marks(each.student, sheet, state)
            elif task.key in outcomes:
                line.marks += marks(each.student, sheet, outcomes[task.key])
                line.notes[name] = found[each.student][name].notes
            elif task.key in failed:
                line.failed.append(f"{name}: {failed[task.key]}")
        graded_.append(line)
    report.write(out, graded_)
    return graded_


def _task(student: str, sheet: Sheet, answers: Answers, limits: Limits, *, trusted: bool) -> Task:
    text = dumps(graded(sheet, answers.code))
    facts = json.dumps([VERSION, student, text, limits.asdict(), trusted])
    return Task(hashlib.sha256(facts.encode()).hexdigest()[:32], text, trusted, limits)


def _outcomes(
    folder: Path, tasks: list[Task], run: Run, shard: tuple[int, int]
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    folder.mkdir(parents=True, exist_ok=True)
    place, shards = shard
    waiting = [task for task in tasks[place - 1 :: shards] if not (folder / f"{task.key}.json").exists()]
    failed = {}
    for task, outcome in run(waiting):
        if isinstance(outcome, Outcome):
            kept = {"checks": outcome.checks, "seconds": round(outcome.seconds, 2)}
            write_text(folder / f"{task.key}.json", json.dumps(kept, indent=1) + "\n")
        else:
            failed[task.key] = str(outcome)
    return dict(_kept(folder, tasks)), failed


def _kept(folder: Path, tasks: list[Task]) -> Iterator[tuple[str, dict[str, str]]]:
    for task in tasks:
        path = folder / f"{task.key}.json"
        if path.exists():
            yield task.key, json.loads(path.read_text(encoding="utf-8"))["checks"]
