"""Break every formula of the reference answers in every small way; count the breaks that hidden cells notice.

Run it by itself: ``python -m benchmarks.mutants 01-newton``, or without a name for all sheets. Each mutant
changes one operator, number, comparison, transpose or order of operands in a function of the answers to one
exercise. What survives is listed: some of it is no mistake at all, such as a limit on a loop that never
reaches it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from nbformat.v4 import new_code_cell, new_notebook

from course.exercises import Exercise, Sheet, parse, reference
from course.grading.values import compare
from course.notebooks import find
from course.refresh import execute

ROOT = Path(__file__).parents[1]
SEPARATOR = "now comes "
CELL = """\
import signal as _signal


def _late(*_):
    raise TimeoutError


_signal.signal(_signal.SIGALRM, _late)
for _source in {sources!r}:
    _signal.setitimer(_signal.ITIMER_REAL, 2)
    try:
        exec(_source, globals())
    except Exception as _error:
        pass
    _signal.setitimer(_signal.ITIMER_REAL, 0)
    get_ipython().display_pub.publish({{"text/plain": {separator!r}}})
"""
SWAPS: dict[type[ast.AST], list[type[ast.AST]]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.Lt: [ast.GtE],
    ast.LtE: [ast.Gt],
    ast.Gt: [ast.LtE],
    ast.GtE: [ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
}


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Give what is changed, and the changed source, of each mutant of an answer's code."""
    tree = ast.parse(source)
    formulas = {
        inner for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for inner in ast.walk(node)
    }
    for place, node in enumerate(ast.walk(tree)):
        if node not in formulas:
            continue
        for change in changes(node):
            mutated = copy.deepcopy(tree)
            target = next(found for number, found in enumerate(ast.walk(mutated)) if number == place)
            change(target)
            before = ast.unparse(node)
            after = ast.unparse(target)
            if before != after:
                yield f"{before}  ->  {after}", ast.unparse(ast.fix_missing_locations(mutated))


def changes(node: ast.AST) -> list[Callable[[Any], object]]:
    """List what can be changed in a node, each a function that changes its copy."""
    found: list[Callable[[Any], object]] = []
    if isinstance(node, ast.BinOp):
        found += [lambda n, kind=kind: setattr(n, "op", kind()) for kind in SWAPS.get(type(node.op), [])]
        if isinstance(node.op, ast.MatMult | ast.Sub | ast.Div | ast.Pow):
            found.append(lambda n: n.__dict__.update(left=n.right, right=n.left))
    elif isinstance(node, ast.Compare):
        found += [
            lambda n, kind=kind: setattr(n, "ops", [kind()]) for kind in SWAPS.get(type(node.ops[0]), [])
        ]
    elif isinstance(node, ast.BoolOp):
        found += [lambda n, kind=kind: setattr(n, "op", kind()) for kind in SWAPS.get(type(node.op), [])]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found.append(lambda n: setattr(n, "op", ast.UAdd()))
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        found.append(lambda n: setattr(n, "value", n.value + 1 if type(n.value) is int else n.value * 1.1))
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        found.append(lambda n: setattr(n, "attr", "real"))
    elif isinstance(node, ast.Return) and node.value is not None:
        found.append(lambda n: setattr(n, "value", ast.UnaryOp(ast.USub(), n.value)))
    return found


def broken(sheet: Sheet, exercise: Exercise) -> Iterator[tuple[str, list[str]]]:
    """Give each mutant of an exercise: what is changed, and the code of all its answer cells."""
    sources = [reference(cell.source) for cell in sheet.of(exercise, "answer")]
    for place, source in enumerate(sources):
        for what, changed in mutants(source):
            yield what, [*sources[:place], changed, *sources[place + 1 :]]


def survivors(path: Path) -> tuple[int, list[str]]:
    """Count the mutants of a sheet, and list those that no hidden cell notices."""
    sheet = parse(path)
    plain = [part.cell.source for part in sheet.parts if not part.role and part.cell.cell_type == "code"]
    cells = [new_code_cell(source) for source in plain]
    cases = []
    for exercise in sheet.exercises:
        hidden = sheet.of(exercise, "hidden")
        seen = set()
        for what, answers in broken(sheet, exercise):
            if (key := "\n".join(answers)) in seen:
                continue
            seen.add(key)
            sources = [*answers, *(cell.source for cell in hidden)]
            cells.append(new_code_cell(CELL.format(sources=sources, separator=SEPARATOR)))
            cases.append((f"{exercise.id}: {what}", len(cells) - 1, hidden))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    ran = execute(new_notebook(cells=cells), path).cells
    left = []
    for what, place, hidden in cases:
        shown: list[list[Any]] = [[]]
        for output in ran[place].outputs:
            if output.get("data", {}).get("text/plain") == SEPARATOR:
                shown.append([])
            else:
                shown[-1].append(output)
        last = shown[-1 - len(hidden) : -1]
        states = {
            state
            for cell, outputs in zip(hidden, last, strict=True)
            for state in compare(cell, outputs).values()
        }
        if states == {"right"}:
            left.append(what)
    return len(cases), left


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Break the answers of the sheets NAMES, of all if none is given."""
    counts, survived = 0, 0
    for path in [path for path in find(ROOT, "solutions") if not names or path.stem in names]:
        count, left = survivors(path)
        counts, survived = counts + count, survived + len(left)
        click.echo(f"{path.stem}: {count - len(left)} of {count} mutants are noticed")
        for what in left:
            click.echo(f"    {' '.join(what.split())[:150]}")
    click.echo(f"{counts - survived} of {counts} mutants are noticed: {100 * (1 - survived / counts):.1f} %")


if __name__ == "__main__":
    main()
