"""Break formulas in every small way; count the breaks that the hidden cells of the exercises notice.

Run it by itself: ``python -m benchmarks.mutants answers 01-newton`` breaks the reference answers of a sheet,
``python -m benchmarks.mutants formulas cg`` the formulas of a module of gradlib; without names: all of them.
Each mutant changes one operator, number, comparison, transpose, sign or order of operands in a function.
What survives is listed.

A formula of gradlib is a public function of three to ten lines whose docstring states it or whose source a
lesson shows, or one of the derivative rules of `gradlib.autodiff.rules`. Its mutants are put in its place
while an exercise is answered: by the reference, or by the formula itself where `formulas.toml` tells an
answer that is made of it. A mutant is noticed when a value of a hidden cell of any exercise is not right.
"""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import re
import textwrap
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from nbformat.v4 import new_code_cell, new_notebook
from rich.progress import track

from course.exercises import Exercise, Sheet, parse, reference
from course.grading.values import compare
from course.notebooks import find, read
from course.refresh import execute

ROOT = Path(__file__).parents[1]
LISTED = tomllib.loads((Path(__file__).parent / "formulas.toml").read_text("utf-8"))
"""Answers by formulas, and mutants that are no mistakes, with the reason."""
SEPARATOR = "now comes "
TOOLS = (
    f"_separator = {SEPARATOR!r}"
    + """
import contextlib as _contextlib
import importlib as _importlib
import inspect as _inspect
import signal as _signal
import sys as _sys


class _Late(BaseException):
    pass


def _late(*_):
    raise _Late


_signal.signal(_signal.SIGPROF, _late)


def _run(sources, seconds):
    "Run cells one after the other, as long as there is time."
    _signal.setitimer(_signal.ITIMER_PROF, seconds)
    try:
        for source in sources:
            with _contextlib.suppress(Exception):
                exec(source, globals())
            get_ipython().display_pub.publish({"text/plain": _separator})
    except _Late:
        pass
    finally:
        _signal.setitimer(_signal.ITIMER_PROF, 0)


def _function(module, path):
    return _inspect.unwrap(eval(path, vars(_importlib.import_module(module))))


@_contextlib.contextmanager
def _changed(module, path, name, source):
    "Put another body into a function of gradlib, wherever it is called from."
    function = _function(module, path)
    scope = dict(vars(_importlib.import_module(module)))
    exec(source, scope)
    kept, function.__code__ = function.__code__, scope[name].__code__
    try:
        yield
    finally:
        function.__code__ = kept


def _called(sources, seconds, paths):
    "Run cells, and show which functions of gradlib they call."
    seen = set()
    _sys.settrace(lambda frame, *_: seen.add(frame.f_code))
    try:
        _run(sources, seconds)
    finally:
        _sys.settrace(None)
    found = [number for number, path in enumerate(paths) if _function(*path).__code__ in seen]
    get_ipython().display_pub.publish({"text/plain": "called " + " ".join(map(str, found))})
"""
)
SECONDS = 6
"""Seconds of CPU that the cells of an exercise may take; a mutant that takes longer is noticed."""
MOST_LINES = 10
"""Statements of a formula; what is longer is an algorithm."""
TABLES = ("PARTIALS", "ADJOINTS")
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
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.Lambda)
        for inner in ast.walk(node)
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
        found += [partial(_become, "op", kind()) for kind in SWAPS.get(type(node.op), [])]
        if isinstance(node.op, ast.MatMult | ast.Sub | ast.Div | ast.Pow):
            found.append(lambda n: n.__dict__.update(left=n.right, right=n.left))
    elif isinstance(node, ast.Compare):
        found += [partial(_become, "ops", [kind()]) for kind in SWAPS.get(type(node.ops[0]), [])]
    elif isinstance(node, ast.BoolOp):
        found += [partial(_become, "op", kind()) for kind in SWAPS.get(type(node.op), [])]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found.append(lambda n: setattr(n, "op", ast.UAdd()))
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        found.append(lambda n: setattr(n, "value", n.value + 1 if type(n.value) is int else n.value * 1.1))
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        found.append(lambda n: setattr(n, "attr", "real"))
    elif isinstance(node, ast.Return) and node.value is not None:
        found.append(lambda n: setattr(n, "value", ast.UnaryOp(ast.USub(), n.value)))
    elif isinstance(node, ast.Lambda):
        found.append(lambda n: setattr(n, "body", ast.UnaryOp(ast.USub(), n.body)))
    return found


def _become(field: str, value: Any, node: ast.AST) -> None:
    setattr(node, field, value)


@dataclass(frozen=True)
class Formula:
    """A function of gradlib that states a formula.

    Attributes
    ----------
    module : str
        Its module, `gradlib.cg`.
    path : str
        What gives it there: `step`, or `PARTIALS[np.sqrt][0]`.
    name : str
        The name that its source defines.
    source : str
        Its definition, without decorators and docstring.
    """

    module: str
    path: str
    name: str
    source: str

    def __str__(self) -> str:
        return f"{self.module.removeprefix('gradlib.')}.{self.path}"


def formulas() -> list[Formula]:
    """List the formulas of gradlib."""
    shown = {
        name
        for path in find(ROOT, "chapters")
        for cell in read(path).cells
        for name in re.findall(r"show\.source\(([\w.]+)", cell.source)
    }
    found = {}
    for file in sorted((ROOT / "gradlib").rglob("[!_]*.py")):
        module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        short = module.__name__.split(".")[1]
        methods = [name.removeprefix(f"{short}.") for name in shown if name.startswith(f"{short}.")]
        for path in [*getattr(module, "__all__", ()), *(path for path in methods if "." in path)]:
            try:
                function = inspect.unwrap(eval(path, vars(module)))
            except NameError:  # of another module of the package
                continue
            if not inspect.isfunction(function) or function.__module__ != module.__name__:
                continue
            states_it = ".. math::" in (inspect.getdoc(function) or "") or f"{short}.{path}" in shown
            if states_it and function.__annotations__.get("return") != "Result":
                formula = _defined(module.__name__, path, inspect.getsource(function))
                if _lines(formula.source) <= MOST_LINES:
                    found[str(formula)] = formula
    return [*found.values(), *_rules()]


def _defined(module: str, path: str, text: str) -> Formula:
    (node,) = ast.parse(textwrap.dedent(text)).body
    assert isinstance(node, ast.FunctionDef)
    node.decorator_list, node.returns = [], None
    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        argument.annotation = None
    node.args.defaults, node.args.kw_defaults = [], [None] * len(node.args.kwonlyargs)
    if ast.get_docstring(node):
        node.body = node.body[1:]
    return Formula(module, path, node.name, ast.unparse(node))


def _lines(source: str) -> int:
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(source))) - 1


def _rules() -> Iterator[Formula]:
    """List the entries of the tables of derivative rules, and the functions that stand in them by name."""
    module = importlib.import_module("gradlib.autodiff.rules")
    seen = set()
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) in TABLES:
            assert isinstance(node.value, ast.Dict)
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                assert key is not None
                assert isinstance(value, ast.Tuple)
                for place, entry in enumerate(value.elts):
                    path = f"{ast.unparse(node.target)}[{ast.unparse(key)}][{place}]"
                    if isinstance(entry, ast.Lambda):
                        yield Formula(module.__name__, path, "rule", f"rule = {ast.unparse(entry)}")
                    elif (name := ast.unparse(entry)) not in seen:
                        seen.add(name)
                        yield _defined(module.__name__, name, inspect.getsource(getattr(module, name)))


@dataclass(frozen=True)
class Answered:
    """An exercise with the code that answers it."""

    sheet: Sheet
    exercise: Exercise
    answers: tuple[str, ...]

    @property
    def sources(self) -> list[str]:
        """The code of answers and hidden cells."""
        return [*self.answers, *(cell.source for cell in self.sheet.of(self.exercise, "hidden"))]

    def is_right(self, outputs: list[dict[str, Any]]) -> bool:
        """Tell whether hidden cells that have shown this have shown what the reference shows."""
        shown: list[list[Any]] = [[]]
        for output in outputs:
            if output.get("data", {}).get("text/plain") == SEPARATOR:
                shown.append([])
            else:
                shown[-1].append(output)
        hidden = self.sheet.of(self.exercise, "hidden")
        if len(shown) <= len(self.answers) + len(hidden):  # one took too long
            return False
        pairs = zip(hidden, shown[len(self.answers) :], strict=False)
        return all(state == "right" for cell, of in pairs for state in compare(cell, of).values())


def by_reference(sheet: Sheet, exercise: Exercise) -> Answered:
    """Answer an exercise as the solution does."""
    return Answered(sheet, exercise, tuple(reference(cell.source) for cell in sheet.of(exercise, "answer")))


def by_formulas(sheet: Sheet) -> Iterator[Answered]:
    """Answer exercises of a sheet by formulas of gradlib."""
    sources = {exercise.id: exercise for exercise in sheet.exercises}
    for each in LISTED["answer"]:
        if each["sheet"] == sheet.path.stem:
            first = by_reference(sheet, sources[each["exercise"]])
            yield Answered(sheet, first.exercise, (*first.answers, each["code"]))


def run(sheet: Sheet, cells: list[str]) -> list[list[dict[str, Any]]]:
    """Run cells in one kernel, after the plain cells of a sheet; give what each has shown."""
    plain = [part.cell.source for part in sheet.parts if not part.role and part.cell.cell_type == "code"]
    made = [new_code_cell(source) for source in (*plain, TOOLS, *cells)]
    for number, cell in enumerate(made):
        cell.id = f"cell-{number}"
    ran = execute(new_notebook(cells=made), sheet.path).cells
    return [cell.outputs for cell in ran[len(plain) + 1 :]]


def broken(answer: Answered) -> Iterator[tuple[str, Answered]]:
    """Give each mutant of the answers to an exercise, once."""
    seen = set()
    for place, source in enumerate(answer.answers):
        for what, changed in mutants(source):
            answers = (*answer.answers[:place], changed, *answer.answers[place + 1 :])
            if answers not in seen:
                seen.add(answers)
                yield what, Answered(answer.sheet, answer.exercise, answers)


def survivors(path: Path) -> tuple[int, list[str]]:
    """Count the mutants of the answers of a sheet, and list those that no hidden cell notices."""
    sheet = parse(path)
    cases = [case for exercise in sheet.exercises for case in broken(by_reference(sheet, exercise))]
    ran = run(sheet, [f"_run({mutant.sources!r}, {SECONDS})" for _, mutant in cases])
    left = [
        f"{mutant.exercise.id}: {what}"
        for (what, mutant), outputs in zip(cases, ran, strict=True)
        if mutant.is_right(outputs)
    ]
    return len(cases), left


@dataclass(frozen=True)
class Mutant:
    """A formula with one change."""

    formula: Formula
    change: str
    source: str


def of_formulas(modules: Collection[str]) -> list[Mutant]:
    """List the mutants of the formulas of some modules, of all without names; each once, none equivalent."""
    made = [
        Mutant(formula, " ".join(change.split()), source)
        for formula in formulas()
        for change, source in {text: (what, text) for what, text in mutants(formula.source)}.values()
    ]
    left_out = {(each["formula"], change) for each in LISTED["equivalent"] for change in each["changes"]}
    if unknown := left_out - {(str(mutant.formula), mutant.change) for mutant in made}:
        raise click.ClickException(f"formulas.toml: no such mutants: {sorted(unknown)}")
    return [
        mutant
        for mutant in made
        if (str(mutant.formula), mutant.change) not in left_out
        and (not modules or mutant.formula.module.split(".")[1] in modules)
    ]


def unnoticed(sheet: Sheet, alive: list[Mutant]) -> list[Mutant]:
    """List the mutants of formulas that no hidden cell of a sheet notices."""
    answers = [*by_formulas(sheet), *(by_reference(sheet, exercise) for exercise in sheet.exercises)]
    paths = [(mutant.formula.module, mutant.formula.path) for mutant in alive]
    ran = run(sheet, [f"_called({answer.sources!r}, {SECONDS}, {paths!r})" for answer in answers])
    for answer, outputs in zip(answers, ran, strict=True):
        *shown, last = outputs
        if not answer.is_right(shown):
            raise click.ClickException(
                f"{sheet.path.stem}, {answer.exercise.id}: this is wrong:\n{answer.answers[-1]}"
            )
        called = set(map(paths.__getitem__, map(int, last["data"]["text/plain"].split()[1:])))
        tried = [mutant for mutant in alive if (mutant.formula.module, mutant.formula.path) in called]
        cells = [
            f"with _changed{(each.formula.module, each.formula.path, each.formula.name, each.source)!r}:\n"
            f"    _run({answer.sources!r}, {SECONDS})"
            for each in tried
        ]
        noticed = {
            each
            for each, found in zip(tried, run(sheet, cells) if cells else (), strict=True)
            if not answer.is_right(found)
        }
        alive = [each for each in alive if each not in noticed]
    return alive


@click.group()
def main() -> None:
    """Break answers or formulas, and count what the hidden cells notice."""


@main.command("answers")
@click.argument("names", nargs=-1)
def _answers(names: tuple[str, ...]) -> None:
    """Break the reference answers of the sheets NAMES."""
    counts, survived = 0, 0
    for path in [path for path in find(ROOT, "solutions") if not names or path.stem in names]:
        count, left = survivors(path)
        counts, survived = counts + count, survived + len(left)
        click.echo(f"{path.stem}: {_share(count, len(left))}")
        for what in left:
            click.echo(f"    {' '.join(what.split())[:150]}")
    click.echo(_share(counts, survived))


@main.command("formulas")
@click.argument("modules", nargs=-1)
def _formulas(modules: tuple[str, ...]) -> None:
    """Break the formulas of the MODULES of gradlib."""
    made = alive = of_formulas(modules)
    for path in track(find(ROOT, "solutions"), "Answering"):
        alive = unnoticed(parse(path), alive)
    left = Counter(each.formula.module for each in alive)
    for module, count in Counter(each.formula.module for each in made).items():
        click.echo(f"{module}: {_share(count, left[module])}")
        for each in alive:
            if each.formula.module == module:
                click.echo(f"    {each.formula}: {each.change[:150]}")
    click.echo(_share(len(made), len(alive)))


def _share(count: int, left: int) -> str:
    return f"{count - left} of {count} mutants are noticed, {100 * (1 - left / count):.1f} %"


if __name__ == "__main__":
    main()
