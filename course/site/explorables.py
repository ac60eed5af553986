"""Figures that the reader can move: controls, problem and default path, written into the page.

A lesson asks for one with an empty container, right after the cell that draws the same figure::

    <div class="explorable" id="explore-learning-rate" data-figure="descent"></div>

In a notebook that shows nothing. The site puts in the figure's controls, its numbers as a table and as JSON,
and the script `_static/explorable.js`, which computes again what moves; tests compare it with `run` of the
same figure, that is with gradlib. Without scripts and on paper the static figure and the table remain.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sphinx.application import Sphinx
from sphinx.util import logging

from gradlib import cg, descent, newton, problems, rules

logger = logging.getLogger(__name__)

PLACE = re.compile(r'<div class="explorable" id="([\w-]+)" data-figure="([\w-]+)"></div>')
FILES = {"explorable.js", "explorable.css"}  # only for pages that have a figure

Values = dict[str, float]
Path2 = NDArray[np.float64]

QUADRATIC = problems.course_quadratic
BOUNDS = (-3.0, 4.0, -3.5, 3.0)  # of the lessons' figures of the course's quadratic
STARTS = np.linspace(-2.5, 2.5, 501).round(2)  # of the strip of basins
CONVERGED = 1e-12  # relative residual at which the linear methods are done


@dataclass(frozen=True)
class Control:
    """A number that the reader sets, by slider or keyboard; with `options`, a choice among them by index."""

    name: str
    label: str
    low: float
    high: float
    step: float
    value: float
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    """A drawing: its bounds, the height of its inside, which is 350 wide, and the names of its axes."""

    label: str
    height: float
    bounds: tuple[float, float, float, float]
    axes: tuple[str, str] = ("x₁", "x₂")


@dataclass(frozen=True)
class Basins:
    """Where starts lead: the roots, and for each start the number of its root, -1 for none."""

    roots: NDArray[np.float64]
    labels: NDArray[np.int_]


@dataclass(frozen=True)
class Figure:
    """All that the page says of a figure.

    Attributes
    ----------
    label
        Its title.
    controls
        What the reader sets.
    panels
        What is drawn, from left to right.
    names
        A name for each path.
    columns
        What each coordinate of a path is called in the table.
    problem
        The numbers that the script needs beside those of the controls.
    run
        From the values of the controls to the paths, by gradlib.
    basins
        From the values of the controls to where each of the strip's starts leads, for the figure that asks.
    """

    label: str
    controls: tuple[Control, ...]
    panels: tuple[Panel, ...]
    names: tuple[str, ...]
    problem: dict[str, Any]
    run: Callable[[Values], list[Path2]]
    columns: tuple[str, ...] = ("x₁", "x₂")
    basins: Callable[[Values], Basins] | None = None

    @property
    def defaults(self) -> Values:
        """The values with which the figure opens."""
        return {control.name: control.value for control in self.controls}


def descent_paths(s: Values) -> list[Path2]:
    """Gradient descent on the course's quadratic."""
    start = [s["x1"], s["x2"]]
    run = descent.minimize(
        *(QUADRATIC.fun, start, QUADRATIC.jac), step_size=s["rate"], tol=0.0, max_iter=int(s["steps"])
    )
    return [run.trace.x]


def momentum_paths(s: Values) -> list[Path2]:
    """Momentum on the course's quadratic: the heavy ball, or Nesterov's method for ``method`` 1."""
    start = [s["x1"], s["x2"]]
    run = descent.minimize(
        *(QUADRATIC.fun, start, QUADRATIC.jac),
        step_size=s["rate"],
        momentum=s["momentum"],
        nesterov=s["method"] == 1 and s["momentum"] > 0,  # without momentum they are one method
        tol=0.0,
        max_iter=int(s["steps"]),
    )
    return [run.trace.x]


def newton_paths(s: Values) -> list[Path2]:
    """Newton's textbook iteration on a cubic."""
    c = s["constant"]
    run = newton.root(
        lambda x: x * x * x - 2 * x + c,
        s["x0"],
        lambda x: 3 * x * x - 2,
        damped=False,
        tol=0.0,
        max_iter=int(s["steps"]),
    )
    return [run.trace.x]


def newton_basins(s: Values) -> Basins:
    """Find the roots of the cubic, from the left, and the one that Newton's steps reach from each start."""
    c = s["constant"]
    roots = np.sort([root.real for root in np.roots([1, 0, -2, c]) if abs(root.imag) < 1e-9])
    x = STARTS
    with np.errstate(all="ignore"):
        for _ in range(100):
            x = x + newton.step(x * x * x - 2 * x + c, 3 * x * x - 2)
        near = np.abs(x[:, None] - roots) < 1e-8
    return Basins(roots, np.where(near.any(axis=1), near.argmax(axis=1), -1))


def cg_paths(s: Values) -> list[Path2]:
    """Steepest descent and conjugate gradients, from (κ, height)."""
    valley = problems.quadratic(s["kappa"])
    start = [s["kappa"], s["height"]]
    return [
        method(valley.A, valley.b, start, tol=CONVERGED, max_iter=int(s["steps"])).trace.x
        for method in (cg.steepest_descent, cg.solve)
    ]


def adaptive_paths(s: Values) -> list[Path2]:
    """Three adaptive rules on the course's quadratic, turned about its minimum."""
    angle = np.radians(s["turn"])
    Q = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    A = Q @ QUADRATIC.A @ Q.T
    paths = []
    for rule in (rules.adagrad(s["adagrad"]), rules.rmsprop(s["rmsprop"]), rules.adam(s["adam"])):
        x = np.array([s["x1"], s["x2"]], dtype=float)
        state = rule.init(x)
        path = [x]
        for _ in range(int(s["steps"])):
            step, state = rule.update(A @ (x - QUADRATIC.minimum), state)
            x = x + step
            path.append(x)
        paths.append(np.array(path))
    return paths


def _quadratic() -> dict[str, Any]:
    low, high = np.linalg.eigvalsh(QUADRATIC.A)
    return {"A": QUADRATIC.A.tolist(), "minimum": QUADRATIC.minimum.tolist(), "mu": low, "L": high}


def _start(problem: problems.Problem) -> tuple[Control, Control]:
    x1, x2 = problem.x0.tolist()
    low, high, bottom, top = BOUNDS
    return (
        Control("x1", "start, x₁", low, high, 0.1, x1),
        Control("x2", "start, x₂", bottom, top, 0.1, x2),
    )


def _steps(value: int, most: int) -> Control:
    return Control("steps", "steps", 1, most, 1, value)


_SQUARE = Panel("Contours and path", 325, BOUNDS)

FIGURES = {
    "newton": Figure(
        label="Newton's tangents",
        controls=(
            Control("x0", "start x₀", -4, 5, 0.05, 4),
            Control("constant", "constant c", -6, 6, 0.1, -5),
            _steps(3, 12),
        ),
        panels=(Panel("The cubic and its tangents", 240, (-4.5, 5.5, -20, 60), ("x", "x³ − 2x + c")),),
        names=("tangents",),
        problem={},
        run=newton_paths,
        columns=("x",),
    ),
    "basins": Figure(
        label="Newton's tangents and their basins",
        controls=(
            Control("x0", "start x₀", -2.5, 2.5, 0.01, 0.7),
            Control("constant", "constant c", -2.5, 2.5, 0.05, 0),
            _steps(3, 12),
        ),
        panels=(
            Panel("The cubic and its tangents", 200, (-2.5, 2.5, -8, 8), ("x", "x³ − 2x + c")),
            Panel(
                "The root that each start leads to",
                72,
                (-2.5, 2.5, -0.5, 3.5),
                ("start x₀", "root"),
            ),
        ),
        names=("tangents",),
        problem={"starts": STARTS.tolist()},
        run=newton_paths,
        columns=("x",),
        basins=newton_basins,
    ),
    "descent": Figure(
        label="Gradient descent on the course's quadratic",
        controls=(
            Control("rate", "learning rate η", 0.005, 0.4, 0.005, 0.28),
            *_start(QUADRATIC),
            _steps(19, 60),
        ),
        panels=(_SQUARE,),
        names=("gradient descent",),
        problem=_quadratic(),
        run=descent_paths,
    ),
    "momentum": Figure(
        label="Momentum on the course's quadratic, and where it is stable",
        controls=(
            Control("method", "method", 0, 1, 1, 0, options=("heavy ball", "Nesterov")),
            Control("rate", "learning rate η", 0.005, 0.7, 0.005, 0.335),
            Control("momentum", "momentum γ", 0, 0.99, 0.01, 0.18),
            *_start(QUADRATIC),
            _steps(23, 60),
        ),
        panels=(_SQUARE, Panel("Region of stability", 325, (0, 4.2, 0, 1), ("ηλ", "γ"))),
        names=("path",),
        problem=_quadratic(),
        run=momentum_paths,
    ),
    "cg": Figure(
        label="Steepest descent and conjugate gradients",
        controls=(
            Control("kappa", "condition number κ", 1, 100, 1, 10),
            Control("height", "start, x₂", -2, 2, 0.1, 1),
            _steps(12, 60),
        ),
        panels=(Panel("Contours and paths", 170, (-0.4, 1.1, -2.2, 2.2), ("x₁/κ", "x₂")),),
        names=("steepest descent", "conjugate gradients"),
        problem={"tol": CONVERGED},
        run=cg_paths,
    ),
    "adaptive": Figure(
        label="Adaptive methods in a ravine",
        controls=(
            Control("turn", "turn the ravine, degrees", -90, 90, 1, 0),
            Control("adagrad", "η of AdaGrad", 0.01, 2, 0.01, 1),
            Control("rmsprop", "η of RMSprop", 0.01, 1, 0.01, 0.1),
            Control("adam", "η of Adam", 0.01, 1, 0.01, 0.2),
            *_start(QUADRATIC),
            _steps(59, 200),
        ),
        panels=(_SQUARE,),
        names=("AdaGrad", "RMSprop", "Adam"),
        problem=_quadratic(),
        run=adaptive_paths,
    ),
}


def render(name: str, place: str) -> str:
    """Write a figure as HTML: complete but for the drawing, so that nothing moves when that arrives.

    Parameters
    ----------
    name
        One of `FIGURES`.
    place
        The id of its container.
    """
    figure = FIGURES[name]
    paths = figure.run(figure.defaults)
    panels = [panel.bounds for panel in figure.panels]
    data = {
        **figure.problem,
        "names": figure.names,
        "columns": figure.columns,
        "panels": panels,
        "axes": [panel.axes for panel in figure.panels],
        "defaults": figure.defaults,
        "paths": [path.tolist() for path in paths],
    }
    label = escape(figure.label)
    tables = _table(figure, paths)
    if figure.basins:
        found = figure.basins(figure.defaults)
        data["basins"] = {"roots": found.roots.tolist(), "labels": found.labels.tolist()}
        tables += _ranges(found)
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", r"\u003c")
    return f"""<div class="explorable" id="{place}" data-figure="{name}">
<div class="explorable-live" role="group" aria-label="{label}">
<div class="explorable-panels">{"".join(_panel(panel) for panel in figure.panels)}</div>
{_keys(figure)}<div class="explorable-controls">{"".join(_control(c, place) for c in figure.controls)}</div>
<p class="explorable-status" role="status" aria-live="polite"></p>
<p><button type="button" class="explorable-reset">Start again</button></p>
</div>
<details class="explorable-numbers"><summary>{label}: the numbers</summary>
<div class="explorable-scroll" role="region" aria-label="{label}: the plotted numbers" tabindex="0">
{tables}
</div>
</details>
<script type="application/json">{written}</script>
</div>"""


def _panel(panel: Panel) -> str:
    return (
        f'<svg class="explorable-plot" viewBox="0 0 400 {panel.height + 45:g}" role="img" '
        f'aria-label="{escape(panel.label)}"></svg>'
    )


def _keys(figure: Figure) -> str:
    if len(figure.names) == 1:
        return ""
    keys = (f'<span class="explorable-key explorable-key-{i}">{n}</span>' for i, n in enumerate(figure.names))
    return f'<p class="explorable-keys">{" ".join(keys)}</p>\n'


def _control(control: Control, place: str) -> str:
    where = f"{place}-{control.name}"
    label = f'<label for="{where}">{escape(control.label)}</label>'
    if control.options:
        options = "".join(f'<option value="{i}">{escape(o)}</option>' for i, o in enumerate(control.options))
        return f'<div>{label}<select id="{where}" data-name="{control.name}">{options}</select></div>'
    limits = (
        f'min="{control.low:g}" max="{control.high:g}" data-name="{control.name}" value="{control.value:g}"'
    )
    whole = control.step if control.step == 1 and control.name == "steps" else "any"
    return (
        f'<div>{label}<input type="range" id="{where}" {limits} step="{control.step:g}" autocomplete="off">'
        f'<input type="number" aria-label="{escape(control.label)}, as a number" {limits} step="{whole}" '
        f'autocomplete="off"></div>'
    )


def _table(figure: Figure, paths: list[Path2]) -> str:
    several = len(paths) > 1
    titles = [f"{n}, {c}" if several else c for n in figure.names for c in figure.columns]
    blank = ("",) * len(figure.columns)
    texts = [[tuple(f"{value:.6g}" for value in point) for point in path] for path in paths]
    rows = ((k, *chain.from_iterable(row)) for k, row in enumerate(zip_longest(*texts, fillvalue=blank)))
    return _html_table(("step", *titles), rows)


def _ranges(found: Basins) -> str:
    edges = np.flatnonzero(np.diff(found.labels)) + 1
    rows = []
    for part in np.split(np.arange(len(STARTS)), edges):
        label = found.labels[part[0]]
        root = ("none", "") if label < 0 else (label + 1, f"{found.roots[label]:.6g}")
        rows.append((f"{STARTS[part[0]]:.6g}", f"{STARTS[part[-1]]:.6g}", *root))
    return _html_table(("starts from", "to", "lead to root", "at"), rows)


def _html_table(titles: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{text}</td>" for text in rest)}</tr>'
        for first, *rest in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def show(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put the figures into a page; pages without any do without script and styles."""
    body = context.get("body") or ""

    def place(found: re.Match[str]) -> str:
        where, name = found.groups()
        if name in FIGURES:
            return render(name, where)
        logger.warning("no explorable figure is called %s", name, location=page, type="explorables")
        return found[0]

    context["body"], count = PLACE.subn(place, body)
    if not count:
        for kind in ("script_files", "css_files"):
            context[kind] = [file for file in context[kind] if _name(file) not in FILES]


def _name(file: Any) -> str:
    return Path(str(getattr(file, "filename", file) or "")).name.partition("?")[0]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the handler."""
    app.connect("html-page-context", show)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
