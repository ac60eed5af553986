"""What `course grade` says while it works."""

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from course.grading import report
from course.grading.engine import Task, run_here, run_there
from course.grading.grade import GradeError, Run
from course.grading.grade import grade as grade_folder
from course.grading.run import Outcome
from course.grading.sandbox import SandboxError, require
from course.notebooks import NotebookError


def grade(
    root: Path,
    submissions: Path,
    out: Path,
    sheets: tuple[str, ...],
    *,
    due: datetime | None,
    jobs: int | None,
    scheduler: str | None,
    shard: str,
    trusted: bool,
) -> None:
    """Grade, with a bar of progress and a table at the end."""
    console = Console()
    with ExitStack() as stack:
        try:
            if not trusted and not scheduler:
                require()
            run = _runner(stack, jobs, scheduler)
            graded = grade_folder(
                submissions, out, run, root=root, only=sheets, shard=_shard(shard), due=due, trusted=trusted
            )
        except (SandboxError, GradeError, NotebookError) as error:
            raise click.ClickException(str(error)) from error
    console.print(_table(graded))
    console.print(
        f"{out / 'grades.csv'}, {out / 'summary.html'}, feedback for each student in {out / 'feedback'}"
    )
    for line in report.problems(graded):
        console.print(f"To look at: {line}", markup=False, highlight=False)
    if failed := [f"{each.student}: {line}" for each in graded for line in each.failed]:
        raise click.ClickException("\n".join([*failed, "Not graded; run the same command again."]))


def _runner(stack: ExitStack, jobs: int | None, scheduler: str | None) -> Run:
    def shown(run: Run) -> Run:
        def watched(tasks: list[Task]) -> Iterator[tuple[Task, Outcome | Exception]]:
            done: Iterable[tuple[Task, Outcome | Exception]] = run(tasks)
            yield from track(done, total=len(tasks), description="Grading") if tasks else ()

        return watched

    if scheduler is None:
        return shown(lambda tasks: run_here(tasks, jobs))
    try:
        from distributed import Client
    except ImportError as error:
        raise click.ClickException("--scheduler needs dask: pip install distributed") from error
    client = stack.enter_context(Client(scheduler, timeout=30))
    return shown(lambda tasks: run_there(tasks, client))


def _shard(text: str) -> tuple[int, int]:
    parts = re.fullmatch(r"(\d+)/(\d+)", text)
    if not parts or not 1 <= int(parts[1]) <= int(parts[2]):
        raise click.BadParameter(f"{text!r} is not K/N with K from 1 to N", param_hint="--shard")
    return int(parts[1]), int(parts[2])


def _table(graded: list[report.Graded]) -> Table:
    table = Table("sheet", "students", "points, from none to all", title="Grades")
    for name, possible in report.possible(graded).items():
        totals = [
            sum((mark.points for mark in each.marks if mark.sheet == name), Fraction(0)) for each in graded
        ]
        counts = report.histogram(totals, possible)
        heights = "".join(" ▁▂▃▄▅▆▇█"[-(-8 * count // max(counts))] for count in counts)
        table.add_row(name, str(len(totals)), heights)
    return table
