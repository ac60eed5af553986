import hashlib
import inspect
import itertools
import math
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from nbclient import NotebookClient

from gradlib import newton, plots, problems
from gradlib.problems import Problem
from gradlib.result import Result


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    with mpl.rc_context():
        plots.setup()
        yield
    plt.close("all")


def run(problem: Problem, **options: Any) -> Result:
    return newton.minimize(problem.fun, problem.x0, problem.jac, problem.hess, **options)


def cubic(x: Any) -> Any:
    return x**3 - 2 * x + 2


def root_of_cubic(**options: Any) -> Result:
    return newton.root(cubic, -3.0, lambda x: 3 * x**2 - 2, damped=False, **options)


DRAW = """
import sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt, numpy as np
from gradlib import newton, plots, problems
plots.setup()
p, f = problems.rosenbrock, lambda x: x**3 - 2 * x + 2
r = newton.minimize(p.fun, p.x0, p.jac, p.hess)
s = newton.root(f, -3.0, lambda x: 3 * x**2 - 2)
labels = (np.indices((120, 160)).sum(axis=0) // 40) % 4 - 1
for draw in (
    lambda: plots.contour(p, r, labels=["Newton"]),
    lambda: plots.convergence(r, s, labels=["minimum", "root"]),
    lambda: plots.tangents(f, s),
    lambda: plots.chord(f, -1.0, 2.0),
    lambda: plots.basins(labels, (-2, 2, -1, 1)),
):
    draw().figure.savefig(sys.stdout.buffer, format="svg", metadata={"Date": None})
    sys.stdout.buffer.write(bytes(1))
"""


def test_every_figure_has_the_same_bytes_on_every_run_and_is_small() -> None:
    outputs = [
        subprocess.run([sys.executable, "-c", DRAW], check=True, capture_output=True).stdout for _ in range(2)
    ]
    first, second = ([hashlib.sha256(svg).hexdigest() for svg in out.split(bytes(1))] for out in outputs)
    assert len(first) == 6
    assert first == second
    assert max(map(len, outputs[0].split(bytes(1)))) < 60_000


def test_every_plot_draws_on_the_axes_given_and_returns_them() -> None:
    result, root = run(problems.rosenbrock), root_of_cubic()
    calls = {
        "contour": lambda ax: plots.contour(problems.rosenbrock, result, ax=ax),
        "convergence": lambda ax: plots.convergence(result, ax=ax),
        "tangents": lambda ax: plots.tangents(cubic, root, ax=ax),
        "chord": lambda ax: plots.chord(cubic, 0.0, 1.0, ax=ax),
        "basins": lambda ax: plots.basins([[0]], (0, 1, 0, 1), ax=ax),
    }
    functions = {name for name in plots.__all__ if inspect.isfunction(getattr(plots, name))}
    assert set(calls) == functions - {"setup"}
    for call in calls.values():
        _, ax = plt.subplots()
        assert call(ax) is ax
        assert ax.has_data()
        assert call(None) is not ax


def test_contour_shows_paths_and_minimum() -> None:
    result = run(problems.himmelblau)
    ax = plots.contour(problems.himmelblau, result, bounds=(-5, 5, -4, 4), labels=["Newton"])
    path, stars = ax.lines
    np.testing.assert_array_equal(path.get_xydata(), result.trace.x)
    np.testing.assert_array_equal(stars.get_xydata(), problems.himmelblau.minimum)
    assert ax.get_xlim() == (-5, 5)
    assert ax.get_ylim() == (-4, 4)
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["Newton"]


def test_contour_without_bounds_holds_path_and_minimum() -> None:
    result = run(problems.rosenbrock, damped=False)
    ax = plots.contour(problems.rosenbrock, result)
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    points = np.vstack([result.trace.x, problems.rosenbrock.minimum])
    assert (points > [left, low]).all()
    assert (points < [right, high]).all()


def test_contour_of_a_function_with_a_domain() -> None:
    ax = plots.contour(lambda x: np.log(x[0]) ** 2 + x[1] ** 2, bounds=(-1, 3, -1, 1))
    assert ax.has_data()


def test_curves_differ_in_colour_and_marker_and_line() -> None:
    ax = plots.convergence(*[run(problems.rosenbrock)] * len(plots.COLOURS))
    for look in ("get_color", "get_marker"):
        assert len({getattr(line, look)() for line in ax.lines}) == len(plots.COLOURS)
    assert len({str(line._dash_pattern) for line in ax.lines}) == len(plots.COLOURS)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, lambda t: t.grad_norm),
        ({"quantity": "fun"}, lambda t: t.fun),
        ({"quantity": "fun", "reference": -1.0}, lambda t: t.fun + 1),
        ({"quantity": "error", "reference": [1.0, 1.0]}, lambda t: np.linalg.norm(t.x - 1, axis=1)),
        (
            {"quantity": "error", "reference": [[9.0, 9.0], [1.0, 1.0]]},
            lambda t: np.linalg.norm(t.x - 1, axis=1),
        ),
    ],
)
def test_convergence_draws_the_quantity_asked_for(options: dict[str, Any], expected: Any) -> None:
    result = run(problems.rosenbrock)
    ax = plots.convergence(result, **options)
    assert ax.get_yscale() == "log"
    np.testing.assert_allclose(ax.lines[0].get_ydata(), expected(result.trace))


def test_convergence_leaves_out_zeros() -> None:
    result = newton.root(lambda x: x**2 - 4, 2.0)
    values = np.asarray(plots.convergence(result).lines[0].get_ydata(), dtype=float)
    assert np.isnan(values[result.trace.grad_norm == 0]).all()


def test_tangents_meet_the_axis_at_the_next_iterate() -> None:
    result = root_of_cubic()
    x = result.trace.x[:, 0]
    ax = plots.tangents(cubic, result, steps=2)
    tangents = [line.get_xydata() for line in ax.lines if line.get_linestyle() == "--"]
    assert len(tangents) == 2
    for k, tangent in enumerate(tangents):
        np.testing.assert_allclose(tangent, [[x[k], cubic(x[k])], [x[k + 1], 0]])
        np.testing.assert_allclose((0 - cubic(x[k])) / (x[k + 1] - x[k]), 3 * x[k] ** 2 - 2)
    assert any(isinstance(collection, LineCollection) for collection in ax.collections)


def test_labels_of_iterates_do_not_lie_on_each_other() -> None:
    # thrown to the other side, where they come together at -√2
    result = newton.root(lambda u: u**3 - 2 * u, 0.7, damped=False)
    ax = plots.tangents(lambda u: u**3 - 2 * u, result, bounds=(-2.5, 2.5))
    assert [text.get_text() for text in ax.texts] == ["$x_0$", "$x_1$", "$x_2$"]
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_chord_shows_the_gap_of_jensen() -> None:
    ax = plots.chord(lambda u: u**2, -1.0, 3.0, t=0.25)
    _, chord, gap = ax.lines
    np.testing.assert_allclose(chord.get_xydata(), [[-1, 1], [3, 9]])
    np.testing.assert_allclose(gap.get_xydata(), [[2, 4], [2, 0.25 * 1 + 0.75 * 9]])


def test_basins_are_an_image_of_the_labels() -> None:
    labels = np.array([[0, 1, 2], [-1, -5, 5]])
    ax = plots.basins(labels, (0, 3, 0, 2))
    image = ax.images[0]
    assert image.get_rasterized()
    np.testing.assert_array_equal(image.get_extent(), [0, 3, 0, 2])
    colours = image.to_rgba(image.get_array())
    assert len({tuple(c) for c in colours.reshape(-1, 4)}) == 5  # both negative ones are black
    np.testing.assert_allclose(colours[1, 0], [0, 0, 0, 1])


def luminance(colour: str) -> float:
    r, g, b = np.where(
        (c := np.array(mpl.colors.to_rgb(colour))) <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4
    )
    return float(0.2126 * r + 0.7152 * g + 0.0722 * b)


def test_the_first_regions_of_a_map_differ_in_grey() -> None:
    ax: Axes = plots.basins([[-1, 0, 1, 2]], (0, 4, 0, 1))
    image = ax.images[0]
    shades = sorted(luminance(mpl.colors.to_hex(c)) for c in image.to_rgba(image.get_array())[0])
    assert (np.array(shades[1:]) + 0.05 > 1.5 * (np.array(shades[:-1]) + 0.05)).all()


def test_setup_is_the_style_and_nothing_else() -> None:
    with mpl.rc_context():
        mpl.rcdefaults()
        plots.setup()
        for name, value in plots.STYLE.items():
            assert mpl.rcParams[name] == mpl.RcParams({name: value})[name]


ROSENBROCK = problems.rosenbrock


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.contour(3.0), "problem must be callable"),
        (lambda: plots.contour(lambda x: x[0]), "bounds must be given"),
        (lambda: plots.contour(ROSENBROCK, bounds=(1, 0, 0, 1)), "bounds must be"),
        (lambda: plots.contour(ROSENBROCK, bounds=(0, 1)), "bounds must be"),
        (lambda: plots.contour(ROSENBROCK, bounds=(0, np.nan, 0, 1)), "bounds must be"),
        (lambda: plots.contour(ROSENBROCK, bounds="all"), "bounds must be"),
        (
            lambda: plots.contour(lambda x: np.log(x[0]), bounds=(-2, -1, 0, 1)),
            "bounds must overlap the domain",
        ),
        (lambda: plots.contour(problems.chained_rosenbrock(3)), "problem must have two variables"),
        (lambda: plots.contour(ROSENBROCK, root_of_cubic()), "results must be in 2 dimensions"),
        (
            lambda: plots.contour(ROSENBROCK, run(ROSENBROCK, keep_trace=False)),
            "results must have a trace",
        ),
        (lambda: plots.contour(ROSENBROCK, np.ones((3, 2))), "results must be Results"),
        (lambda: plots.contour(ROSENBROCK, labels=["a"]), "labels"),
        (lambda: plots.contour(ROSENBROCK, run(ROSENBROCK), labels="N"), "labels"),
        (lambda: plots.convergence(), "results must hold at least one"),
        (lambda: plots.convergence(1.0), "results must be Results"),
        (lambda: plots.convergence(run(ROSENBROCK, keep_trace=False)), "results must have a trace"),
        (lambda: plots.convergence(root_of_cubic(), quantity="speed"), "quantity must be"),
        (lambda: plots.convergence(root_of_cubic(), quantity="error"), "reference must be given"),
        (
            lambda: plots.convergence(root_of_cubic(), quantity="error", reference=np.nan),
            "reference must be finite",
        ),
        (
            lambda: plots.convergence(run(ROSENBROCK), quantity="error", reference=np.ones(3)),
            "reference must",
        ),
        (lambda: plots.convergence(root_of_cubic(), quantity="fun", reference=[1.0, 2.0]), "reference must"),
        (lambda: plots.tangents(None, root_of_cubic()), "f must be callable"),
        (lambda: plots.tangents(cubic, run(ROSENBROCK)), "result must be in 1 dimension"),
        (lambda: plots.tangents(cubic, root_of_cubic(keep_trace=False)), "result must have a trace"),
        (lambda: plots.tangents(cubic, root_of_cubic(), bounds=(1, 0)), "bounds must be"),
        (lambda: plots.tangents(cubic, root_of_cubic(), steps=0), "steps must be"),
        (lambda: plots.tangents(cubic, root_of_cubic(), steps=1.5), "steps must be"),
        (lambda: plots.chord(1.0, 0.0, 1.0), "f must be callable"),
        (lambda: plots.chord(lambda u: [u, u], 0.0, 1.0), "f returned shape"),
        (lambda: plots.tangents(lambda u: [u, u], root_of_cubic()), "f returned shape"),
        (lambda: plots.contour(lambda x: x, bounds=(0, 1, 0, 1)), "problem returned shape"),
        (lambda: plots.chord(cubic, 1.0, 1.0), "x and y must differ"),
        (lambda: plots.chord(cubic, np.inf, 1.0), "x must be finite"),
        (lambda: plots.chord(cubic, 0.0, "b"), "y must be"),
        (lambda: plots.chord(cubic, 0.0, [1.0, 2.0]), "y must be a number"),
        (lambda: plots.chord(cubic, 0.0, 1.0, t=2.0), "t must lie"),
        (lambda: plots.chord(cubic, 0.0, 1.0, bounds=(0.0, 0.0)), "bounds must be"),
        (lambda: plots.basins([0, 1], (0, 1, 0, 1)), "labels must be a matrix"),
        (lambda: plots.basins([[0.5]], (0, 1, 0, 1)), "labels must be a matrix"),
        (lambda: plots.basins([[6]], (0, 1, 0, 1)), "labels must be a matrix of integers below 6"),
        (lambda: plots.basins([[0]], (0, 1, 1, 0)), "bounds must be"),
        (lambda: plots.basins([[0]], (0, 1, 0, 1), ax="here"), "ax must be Axes"),  # type: ignore[arg-type]
        (lambda: plots.contour(ROSENBROCK, run(ROSENBROCK), labels=[3]), "labels"),  # type: ignore[list-item]
        (lambda: plots.convergence(run(ROSENBROCK), labels=["a", "b"]), "labels"),
        (lambda: plots.contour(ROSENBROCK, bounds=(-1e308, 1e308, 0, 1)), "bounds must be"),
        (lambda: plots.chord(cubic, -1e308, 1e308), "x and y must differ, by a finite width"),
        (lambda: plots.chord(math.log, 0.0, 1.0), "x and y must lie in the domain"),
    ],
)
def test_bad_input_is_named(draw: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw()
    assert not plt.get_fignums()  # and no empty figure is left behind


def test_a_domain_that_ends_by_an_exception_is_left_blank() -> None:
    (curve, *_) = plots.chord(math.log, 0.1, 1.0).lines
    outside = curve.get_xdata() <= 0
    assert outside.any()
    np.testing.assert_array_equal(np.isnan(curve.get_ydata()), outside)
    plots.contour(lambda x: math.sqrt(x[0]) + x[1] ** 2, bounds=(-1, 1, 0, 1))
    root = newton.root(lambda x: math.sqrt(x - 1.4) - 1, 1.5, lambda x: 0.5 / math.sqrt(x - 1.4))
    plots.tangents(lambda x: math.sqrt(x - 1.4) - 1, root)


def test_values_as_large_as_floats_can_be() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.contour(lambda x: 1.7e308 * x[0], bounds=(-1, 1, 0, 1))


CELL = """
from gradlib import newton, plots, problems
plots.setup()
p = problems.rosenbrock
plots.contour(p, newton.minimize(p.fun, p.x0, p.jac, p.hess));
"""


def test_a_notebook_stores_deterministic_svg() -> None:
    def stored() -> Any:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
        NotebookClient(notebook).execute()
        return notebook.cells[0].outputs

    (output,) = first = stored()
    assert output.output_type == "display_data"
    assert set(output.data) == {"image/svg+xml", "text/plain"}
    assert "dc:date" not in output.data["image/svg+xml"]
    assert stored() == first
