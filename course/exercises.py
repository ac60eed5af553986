"""The format of exercises: one source, `solutions/NN-name.ipynb`, and the two notebooks made from it.

A cell of the source says what it is in `metadata.course`: `{"role": …, "exercise": id}`.

==========  =============  ==================================================================================
role        cell           what becomes of it
==========  =============  ==================================================================================
(none)      any            copied: introduction, imports, figures that a statement speaks of
`exercise`  markdown       the statement; it also carries the exercise's `title`, `kind`, `points`, `minutes`,
                           `difficulty` and `needs`
`hint`      markdown       folded; several, from a nudge to nearly all
`answer`    code           the lines between `### BEGIN SOLUTION` and `### END SOLUTION` become a stub
`check`     code           copied: it tests properties, and holds no answer
`hidden`    code           for grading alone: shows values of the answers, for inputs that nobody guesses
`solution`  markdown/code  the written solution, folded on the page with the reference answer and what its
                           code prints (no figures); never in the student's notebook
==========  =============  ==================================================================================

A hidden cell stands between check and solution. Each of its lines is one `practice.emit(label, lambda: …)`:
it calls an answer and shows a value, never a verdict. What the reference answer gives is stored as the
cell's outputs, and a student's values are compared with it, number by number, in a process that runs no
student's code. The cell may use names of answers and of cells without a role, not of checks. If all its
values are right it earns its share of the exercise's points, as large as that of each other hidden cell of
the exercise: so each part of a question has a hidden cell of its own. Beside role and exercise its
`metadata.course` may have

- `rtol` (1e-6 if it is not given) and `atol` (1e-9): numbers agree when they differ by no more than
  `atol + rtol * |expected|`;
- `accept`, for questions with many right answers: `{label: condition}`, where a Python expression of `value`
  (what was emitted; a list is an array), `np` and `math` decides in place of the comparison.
"""

import ast
import copy
import math
import re
import textwrap
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.notebooks import NotebookError, read

KINDS = {
    "pen": "by pen",
    "code": "in code",
    "break": "break it",
    "read": "read a figure",
    "measure": "measure a rate",
    "project": "a small project",
}
ROLES = {
    "exercise": ("markdown",),
    "hint": ("markdown",),
    "answer": ("code",),
    "check": ("code",),
    "hidden": ("code",),
    "solution": ("markdown", "code"),
}
NAME = re.compile(r"(\d\d)-([a-z0-9]+(?:-[a-z0-9]+)*)")
WORDS = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
HEADING = re.compile(r"^#{1,6} ", re.M)
LABEL = re.compile(r"^:label: *(\S+)|^\(([\w-]+)\)=|\$\$ \(([\w-]+)\)", re.M)
LINK = re.compile(r"\[[^\]]+\]\([^)\s]+\)")
TOLERANCES = {"rtol": 1e-6, "atol": 1e-9}
REGION = re.compile(r"^([ \t]*)### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION[ \t]*$", re.M | re.S)
MARKER = re.compile(r"(BEGIN|END)\s+SOLUTION", re.I)
FENCED = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.M | re.S)


class ExerciseError(NotebookError):
    """A source that breaks the format; the message names the file and the cell."""


@dataclass(frozen=True)
class Exercise:
    """What an exercise says about itself.

    Attributes
    ----------
    id : str
        Its name among the cells, `division-free`.
    number : str
        Chapter and place on the sheet, `1.2`.
    title : str
        Its heading.
    kind : str
        A key of `KINDS`.
    points, minutes, difficulty : int
        What it earns, how long it takes a student who read the lesson, and 1 (easy) to 3.
    needs : tuple of str
        Markdown links to the sections that it builds on.
    """

    id: str
    number: str
    title: str
    kind: str
    points: int
    minutes: int
    difficulty: int
    needs: tuple[str, ...]

    @property
    def heading(self) -> str:
        """The heading, the same in the notebook and on the page."""
        return f"## Exercise {self.number} — {self.title}"

    @property
    def facts(self) -> str:
        """Kind, points, time and difficulty in one line."""
        points = "1 point" if self.points == 1 else f"{self.points} points"
        kind = KINDS[self.kind].capitalize()
        return f"{kind} · {points} · {self.minutes} minutes · difficulty {self.difficulty} of 3"


@dataclass(frozen=True)
class Part:
    """A cell of the source, with its role, its exercise and, for a hint, its place among the hints."""

    cell: NotebookNode
    role: str | None = None
    exercise: Exercise | None = None
    place: int = 0


@dataclass(frozen=True)
class Sheet:
    """A source, parsed: the one list that both notebooks are made from."""

    path: Path
    parts: tuple[Part, ...]

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """The exercises, in order."""
        return tuple(part.exercise for part in self.parts if part.role == "exercise" and part.exercise)

    def of(self, exercise: Exercise, role: str) -> list[NotebookNode]:
        """List the cells that an exercise has of one role."""
        return [part.cell for part in self.parts if part.role == role and part.exercise == exercise]


def parse(path: Path) -> Sheet:
    """Read a source and check its format.

    Parameters
    ----------
    path : Path
        `solutions/NN-name.ipynb`; its number is the chapter's.

    Returns
    -------
    Sheet
        The parts, in order.

    Raises
    ------
    ExerciseError
        The format is broken: the message names the file and the cell, and says how to mend it.
    """
    name = NAME.fullmatch(path.stem)
    if not name:
        raise ExerciseError(f"{path}: is named otherwise than NN-name.ipynb")
    parts: list[Part] = []
    current: Exercise | None = None
    place: Counter[tuple[str, str]] = Counter()
    for cell in read(path).cells:
        facts = dict(cell.metadata.get("course", {}))
        if not facts:
            _check_plain(path, cell)
            parts.append(Part(cell))
            continue
        role, id_ = facts.pop("role", None), facts.pop("exercise", None)
        if role == "exercise":
            number = f"{int(name[1])}.{sum(part.role == 'exercise' for part in parts) + 1}"
            current = _exercise(path, cell, id_, number, facts)
        elif current is None or id_ != current.id:
            under = f"stands under {current.id!r}" if current else "stands before any exercise"
            raise _error(path, cell, f"belongs to the exercise {id_!r}, but {under}")
        elif role == "hidden":
            _check_hidden(path, cell, facts)
        elif facts:
            raise _error(path, cell, f"has {', '.join(facts)} in metadata.course, which only statements have")
        _check_part(path, cell, role)
        place[role, current.id] += 1
        parts.append(Part(cell, role, current, place[role, current.id]))
    sheet = Sheet(path, tuple(parts))
    _check_whole(sheet)
    return sheet


def blank(source: str) -> str:
    """Replace each solution in an answer's code by a stub.

    Inside a function the stub returns Ellipsis; at the top level each name that the solution assigns gets
    that value. So a blank notebook runs to its end, also where the code around a stub needs what is missing.

    Examples
    --------
    >>> print(blank('''def step(x, a):
    ...     ### BEGIN SOLUTION
    ...     return x * (2 - a * x)
    ...     ### END SOLUTION'''))
    def step(x, a):
        return ...  # your code here
    >>> print(blank('''### BEGIN SOLUTION
    ... order = 2
    ... ### END SOLUTION'''))
    order = ...  # your answer here
    """
    return REGION.sub(lambda region: _stub(region[1], region[2]), source)


def _stub(indent: str, solution: str) -> str:
    assigned = [] if indent else [node for node in ast.parse(solution).body if isinstance(node, ast.Assign)]
    names = [target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)]
    values = [f"{name} = ...  # your answer here" for name in names]
    return "\n".join(values) or f"{indent}return ...  # your code here"


def reference(source: str) -> str:
    """Give an answer's code as the solution shows it: the same without the marker lines."""
    return REGION.sub(lambda region: region[2].rstrip("\n"), source)


def student(sheet: Sheet) -> NotebookNode:
    """Make the student's notebook, not yet executed: no output, no answer, no solution.

    Parameters
    ----------
    sheet : Sheet
        The parsed source.

    Returns
    -------
    NotebookNode
        Plain Markdown that every notebook application shows: hints are native `<details>`.
    """
    cells = []
    for part in sheet.parts:
        cell = copy.deepcopy(part.cell)
        if part.exercise:
            cell.metadata = {"course": {"role": part.role, "exercise": part.exercise.id}}
        match part.role:
            case "exercise":
                assert part.exercise
                facts = f"*{part.exercise.facts}* · needs {', '.join(part.exercise.needs)}"
                cell.source = f"{part.exercise.heading}\n\n{facts}\n\n{cell.source}"
            case "hint":
                summary = f"<summary>Hint {part.place}</summary>"
                cell.source = f"<details>\n{summary}\n\n{cell.source}\n\n</details>"
            case "answer":
                cell.source = blank(cell.source)
            case "hidden" | "solution":
                continue
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
    made: NotebookNode = new_notebook(cells=cells)
    return made


def site_page(sheet: Sheet, released: NotebookNode, *, solutions: bool = True) -> NotebookNode:
    """Make the page of the book: MyST, with hints and solution folded.

    Parameters
    ----------
    sheet : Sheet
        The parsed source.
    released : NotebookNode
        The student's notebook as it is stored in `exercises/`. Its outputs are what the page shows, so that
        a site is built without running anything.
    solutions : bool
        Without them the page holds no trace of a solution; the hints stay.

    Returns
    -------
    NotebookNode
        The page's notebook.

    Raises
    ------
    ExerciseError
        `released` was not made from this source.
    """
    wanted = [(cell.id, cell.source) for cell in student(sheet).cells]
    if wanted != [(cell.id, cell.source) for cell in released.cells]:
        raise ExerciseError(f"{sheet.path}: exercises/{sheet.path.name} is out of date; run `course release`")
    pristine = {cell.id: cell for cell in released.cells}
    cells = []
    for part in sheet.parts:
        id_ = part.cell.id
        match part.role:
            case None:
                cells.append(pristine[id_])
            case "check":
                cells.append(copy.deepcopy(pristine[id_]))
                cells[-1].metadata.tags = ["hide-input"]  # a reader of the page does not run it
                cells[-1].metadata.mystnb = {"code_prompt_show": "The check", "code_prompt_hide": "The check"}
            case "answer":
                cells.append(new_code_cell(blank(part.cell.source), id=id_))
            case "exercise":
                assert part.exercise
                cells.append(new_markdown_cell(_statement(sheet, part.exercise, part.cell.source), id=id_))
            case "hint":
                text = _directive(f"dropdown}} Hint {part.place}", part.cell.source)
                cells.append(new_markdown_cell(text, id=id_))
            case "solution":
                assert part.exercise
                if solutions and part.place == len(sheet.of(part.exercise, "solution")):
                    text = _directive("dropdown} Solution", _solution(sheet, part.exercise))
                    cells.append(new_markdown_cell(text, id=id_))
    page: NotebookNode = new_notebook(cells=copy.deepcopy(cells), metadata=copy.deepcopy(released.metadata))
    return page


def _statement(sheet: Sheet, exercise: Exercise, text: str) -> str:
    # The number is ours and stands in the heading: the book would count its pages.
    name = NAME.fullmatch(sheet.path.stem)
    assert name
    head = f"exercise}} {exercise.facts}\n:label: {name[2]}-{exercise.id}\n:nonumber:\n"
    needs = f"**You need:** {', '.join(exercise.needs)}"
    return f"{exercise.heading}\n\n" + _directive(head, f"{text}\n\n{needs}")


def _solution(sheet: Sheet, exercise: Exercise) -> str:
    written = [
        cell.source if cell.cell_type == "markdown" else _listing(cell)
        for cell in sheet.of(exercise, "solution")
    ]
    answers = [_block("python", reference(cell.source)) for cell in sheet.of(exercise, "answer")]
    return "\n\n".join([*written, "**In code**", *answers])


def _listing(cell: NotebookNode) -> str:
    # A directive holds Markdown, no cells: so what a solution's code prints is shown, but no figure.
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    code = _block("python", cell.source)
    return code + "\n\n" + _block("text", printed.rstrip()) if printed else code


def _block(language: str, text: str) -> str:
    fence = _fence(text)
    return f"{fence}{language}\n{text}\n{fence}"


def _directive(head: str, body: str) -> str:
    fence = _fence(body)
    return f"{fence}{{{head}\n{body}\n{fence}"


def _fence(text: str) -> str:
    return "`" * max(3, 1 + max((len(run) for run in re.findall(r"`{3,}", text)), default=0))


def _exercise(path: Path, cell: NotebookNode, id_: Any, number: str, facts: dict[str, Any]) -> Exercise:
    def count(key: str, limit: int) -> int:
        value = facts.pop(key, None)
        if type(value) is not int or not 1 <= value <= limit:
            raise _error(path, cell, f"has {key} = {value!r}; wanted is a whole number from 1 to {limit}")
        return value

    title, kind, needs = facts.pop("title", None), facts.pop("kind", None), facts.pop("needs", None)
    if not isinstance(id_, str) or not WORDS.fullmatch(id_):
        raise _error(path, cell, f"names its exercise {id_!r}; wanted are lower-case words with hyphens")
    if not isinstance(title, str) or not title.strip():
        raise _error(path, cell, "has no title")
    if kind not in KINDS:
        raise _error(path, cell, f"has the kind {kind!r}, which is none of {', '.join(KINDS)}")
    if not (isinstance(needs, list) and needs and all(LINK.fullmatch(str(link)) for link in needs)):
        raise _error(
            path, cell, "lists no needs; wanted are links, [section](../chapters/NN-name.ipynb#section)"
        )
    points, minutes, difficulty = count("points", 100), count("minutes", 1000), count("difficulty", 3)
    if facts:
        raise _error(path, cell, f"has unknown keys in metadata.course: {', '.join(facts)}")
    return Exercise(id_, number, title, kind, points, minutes, difficulty, tuple(needs))


def _check_plain(path: Path, cell: NotebookNode) -> None:
    if MARKER.search(cell.source):
        raise _error(path, cell, "is no answer, but has a solution marker: students would see the solution")


def _check_part(path: Path, cell: NotebookNode, role: str) -> None:
    if role not in ROLES:
        raise _error(path, cell, f"has the role {role!r}, which is none of {', '.join(ROLES)}")
    if cell.cell_type not in ROLES[role]:
        raise _error(path, cell, f"is a {cell.cell_type} cell, which cannot have the role {role!r}")
    if cell.cell_type == "markdown" and HEADING.search(FENCED.sub("", cell.source)):
        raise _error(path, cell, "holds a heading; use bold text in statements, hints and solutions")
    if role == "answer":
        _check_answer(path, cell)
    else:
        _check_plain(path, cell)


def _check_answer(path: Path, cell: NotebookNode) -> None:
    if not REGION.search(cell.source):
        raise _error(path, cell, "has no lines between ### BEGIN SOLUTION and ### END SOLUTION")
    try:
        compile(cell.source, "with its solution", "exec")
        stub = blank(cell.source)
        compile(stub, "without its solution", "exec")
    except SyntaxError as error:
        raise _error(
            path, cell, f"is no Python, or a region is neither in a function nor assigns a name: {error}"
        ) from error
    if MARKER.search(stub):
        raise _error(path, cell, "has a ### BEGIN SOLUTION or ### END SOLUTION without its partner")


def _check_hidden(path: Path, cell: NotebookNode, facts: dict[str, Any]) -> None:
    if unknown := facts.keys() - {*TOLERANCES, "accept"}:
        raise _error(path, cell, f"has unknown keys in metadata.course: {', '.join(sorted(unknown))}")
    for key in TOLERANCES:
        value = facts.get(key, 0)
        if type(value) not in (int, float) or not 0 <= value < math.inf:
            raise _error(path, cell, f"has {key} = {value!r}; wanted is a number from 0")
    accept = facts.get("accept", {})
    if not isinstance(accept, dict):
        raise _error(path, cell, 'has an accept that is no {"label": "condition"}')
    for label, condition in accept.items():
        try:
            compile(condition, label, "eval")
        except (SyntaxError, TypeError) as error:
            raise _error(
                path, cell, f"accepts {label!r} on a condition that is no Python: {error}"
            ) from error
    if "practice.emit(" not in cell.source:
        raise _error(path, cell, "shows nothing; wanted are lines practice.emit(label, lambda: …)")


def _check_whole(sheet: Sheet) -> None:
    if not sheet.exercises:
        raise ExerciseError(f"{sheet.path}: no cell starts an exercise, with metadata.course.role 'exercise'")
    for id_, times in Counter(exercise.id for exercise in sheet.exercises).items():
        if times > 1:
            raise ExerciseError(f"{sheet.path}: {times} exercises are named {id_!r}")
    for exercise in sheet.exercises:
        roles = [part.role for part in sheet.parts if part.exercise == exercise]
        for role in ROLES:
            if role not in roles:
                raise ExerciseError(
                    f"{sheet.path}: the exercise {exercise.id!r} has no cell of role {role!r}"
                )
        if "solution" in roles[: -roles.count("solution")]:
            raise ExerciseError(f"{sheet.path}: the solution of {exercise.id!r} does not come last")
        if "check" in roles[roles.index("hidden") :]:
            raise ExerciseError(f"{sheet.path}: a check of {exercise.id!r} comes after what is hidden")
        _check_names(sheet, exercise)
    labels = (label for part in sheet.parts for label in LABEL.findall(part.cell.source))
    for label, times in Counter(map("".join, labels)).items():
        if times > 1:
            raise ExerciseError(f"{sheet.path}: the label {label!r} stands for {times} things")


def _check_names(sheet: Sheet, exercise: Exercise) -> None:
    # A stub names what it asks for; the name of a helper would give the solution's way away.
    checked = {name for cell in sheet.of(exercise, "check") for name in _names(cell.source, ast.Load)}
    for cell in sheet.of(exercise, "answer"):
        for region in REGION.finditer(cell.source):
            if unasked := [name for name in _names(blank(region[0]), ast.Store) if name not in checked]:
                raise _error(sheet.path, cell, f"asks for {', '.join(unasked)}, which its check does not use")


def _names(source: str, context: type[ast.expr_context]) -> list[str]:
    nodes = ast.walk(ast.parse(textwrap.dedent(source)))
    return [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)]


def _error(path: Path, cell: NotebookNode, what: str) -> ExerciseError:
    return ExerciseError(f"{path}: cell `{cell.id}` {what}")
