"""How long a check takes to answer: each check cell of the exercises, after the reference answers.

Run it by itself: ``python -m benchmarks.checks``, or with names of sheets, ``python -m benchmarks.checks
01-newton``. The first time a check is run much has to be imported or compiled; the bar is for the times after
it, as a student changes an answer, runs it, and runs the check again. What is counted is CPU time: a check
waits for nothing, and what else the machine does must not matter.
"""

from __future__ import annotations

from pathlib import Path

import click
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from rich.progress import track

from course.exercises import parse, reference
from course.notebooks import find
from course.refresh import execute

ROOT = Path(__file__).parents[1]
LIMIT = 200
"""Milliseconds in which a check is to answer."""
TIMED = """\
import time as _time

for _ in range({times}):
    for _source in {answers!r}:
        exec(_source, globals())
    _begun = _time.process_time()
    exec({check!r}, globals())
    print("took", 1000 * (_time.process_time() - _begun))
"""


def measure(path: Path, times: int) -> dict[str, list[float]]:
    """Run a sheet with its reference answers; give the milliseconds that each check took, time after time."""
    sheet = parse(path)
    cells: list[NotebookNode] = []
    checks = {}
    for part in sheet.parts:
        if part.role is None and part.cell.cell_type == "code":
            cells.append(new_code_cell(part.cell.source, id=part.cell.id))
        elif part.role == "check" and part.exercise is not None:
            answers = [reference(cell.source) for cell in sheet.of(part.exercise, "answer")]
            checks[part.cell.id] = len(cells)
            source = TIMED.format(times=times, answers=answers, check=part.cell.source)
            cells.append(new_code_cell(source, id=part.cell.id))
    ran = execute(new_notebook(cells=cells), path).cells
    printed = {
        id_: "".join(output.get("text", "") for output in ran[at].outputs) for id_, at in checks.items()
    }
    return {
        id_: [float(line.removeprefix("took ")) for line in text.splitlines() if line.startswith("took ")]
        for id_, text in printed.items()
    }


@click.command()
@click.argument("names", nargs=-1)
@click.option("--times", default=4, show_default=True, help="Runs of each check.")
def main(names: tuple[str, ...], times: int) -> None:
    """Time the checks of the sheets NAMES, of all if none is given; the slowest come first."""
    paths = [path for path in find(ROOT, "solutions") if not names or path.stem in names]
    took: dict[str, tuple[float, float]] = {}
    for path in track(paths, "Checking"):
        for id_, (once, *again) in measure(path, times).items():
            took[f"{path.stem} {id_}"] = (min(again), once)
    click.echo(f"{'milliseconds':45} {'later':>6} {'first':>6}")
    for name, (later, first) in sorted(took.items(), key=lambda item: item[1], reverse=True):
        click.echo(f"{name:45} {later:6.0f} {first:6.0f}")
    slow = sum(later > LIMIT for later, _ in took.values())
    click.echo(f"{slow} of {len(took)} take more than {LIMIT} ms after the first time")


if __name__ == "__main__":
    main()
