"""The course's pictures: each takes results and returns the Axes it drew on.

One look for all: colours that colour-blind readers can tell apart (Okabe & Ito), each with its own marker and
line style, so that a figure also reads in grey. `setup` makes figures deterministic SVG: the same bytes on
every run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from gradlib._objective import extended, finite, function, number
from gradlib.problems import Problem
from gradlib.result import Result

__all__ = ["COLOURS", "STYLE", "basins", "chord", "contour", "convergence", "setup", "tangents"]

Bounds = tuple[float, float, float, float]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
"""Okabe & Ito's palette; the last two are too light for lines on white, and good for areas."""

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
# Okabe & Ito's palette again, ordered so that the first three regions of a map differ in grey, too
_REGIONS = ("#0072B2", "#E69F00", "#F0E442", "#CC79A7", "#009E73", "#56B4E9")
_GRID = (120, 96)  # points of a contour grid: fine enough for a narrow valley, an SVG of some 60 kB

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.facecolor": "white",
    "axes.grid": True,
    "axes.labelsize": 13,
    "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=_LINES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 13,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.figsize": (6.4, 4.0),
    "font.family": "DejaVu Sans",  # ships with matplotlib
    "font.size": 12,
    "grid.alpha": 0.3,
    "legend.fontsize": 11,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
    "savefig.dpi": 200,
    "svg.fonttype": "path",
    "svg.hashsalt": "gradlib",
}
"""The rcParams of every figure in the course."""


def setup() -> None:
    """Give all figures the course's style; in a notebook, show them as deterministic SVG.

    A lesson's first cell calls it.

    Examples
    --------
    >>> with mpl.rc_context():
    ...     setup()
    ...     mpl.rcParams["svg.hashsalt"]
    'gradlib'
    """
    mpl.rcParams.update(STYLE)
    try:
        shell = get_ipython()  # type: ignore[name-defined]
    except NameError:
        return
    shell.run_line_magic("matplotlib", "inline")
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    set_matplotlib_formats("svg", metadata={"Date": None})  # type: ignore[no-untyped-call]
    mpl.rcParams.update(STYLE)  # starting the inline backend has set its own


def contour(
    problem: Problem | Callable[[Any], Any],
    *results: Result,
    bounds: Bounds | None = None,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the level lines of a function of two variables, with the paths of runs on it.

    Levels lie evenly in the logarithm of the height above the lowest value drawn, so that a narrow valley
    shows.

    Parameters
    ----------
    problem : Problem or callable
        What to draw; a `Problem`'s minimum is marked by a star.
    *results : Result
        Runs with a trace, in two dimensions.
    bounds : (float, float, float, float), optional
        ``(x_min, x_max, y_min, y_max)``; if not given, whatever holds the paths and the minimum.
    labels : sequence of str, optional
        One for each result; the legend shows them.
    ax : Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `bounds` cannot be used, `labels` and `results` differ in number, or a trace is empty or not
        two-dimensional.

    Examples
    --------
    >>> from gradlib import newton, problems
    >>> p = problems.rosenbrock
    >>> ax = contour(p, newton.minimize(p.fun, p.x0, p.jac, p.hess), labels=["Newton"])
    >>> ax.get_xlabel()
    '$x_1$'
    """
    fun = problem.fun if isinstance(problem, Problem) else function(problem, "problem")
    paths = [_path(result, 2) for result in results]
    names = _labels(labels, len(results))
    minima = np.atleast_2d(problem.minimum) if isinstance(problem, Problem) else np.empty((0, 2))
    if minima.shape[1] != 2:
        raise ValueError(f"problem must have two variables, got {minima.shape[1]}")
    x_min, x_max, y_min, y_max = _surrounding([*paths, minima]) if bounds is None else _box(bounds)

    x, y = np.linspace(x_min, x_max, _GRID[0]), np.linspace(y_min, y_max, _GRID[1])
    value = extended(fun, "problem")
    with np.errstate(all="ignore"):
        z = np.ma.masked_invalid([[value(np.array([u, v])) for u in x] for v in y])
        if z.count() == 0:
            raise ValueError("bounds must overlap the domain of the function: no value there is finite")
        above = np.ma.masked_invalid(z - z.min())
        floor = 1e-2 * float(np.median(above.compressed())) or 1.0
        height = np.log10(above + floor)
    if height.max() == height.min():
        raise ValueError("problem must not be constant within bounds")
    height = height.round(9)  # the last bits differ between processors, the picture must not
    ax = _axes(ax)
    levels = np.linspace(height.min(), height.max(), 14)[1:]
    # from dark near the minimum to the lightest grey that still has a contrast of 3 on white
    span = levels[-1] - levels[0]
    shades = {"cmap": "Greys_r", "vmin": levels[0] - span / 2, "vmax": levels[-1] + 1.6 * span}
    ax.contour(x, y, height, levels=levels, linewidths=0.6, linestyles="solid", **shades)
    for k, (path, name) in enumerate(zip(paths, names, strict=True)):
        ax.plot(path[:, 0], path[:, 1], label=name, **_look(k, len(path)))
    if len(minima):
        ax.plot(
            *minima.T, "*", color="black", markersize=13, markeredgecolor="white", linestyle="none", zorder=4
        )
    ax.set(xlim=(x_min, x_max), ylim=(y_min, y_max), xlabel="$x_1$", ylabel="$x_2$")
    ax.grid(visible=False)
    if labels:
        ax.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False
        )  # inside it would hide paths
    return ax


def convergence(
    *results: Result,
    quantity: str = "grad_norm",
    reference: ArrayLike | None = None,
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how runs converge, on a logarithmic axis.

    Parameters
    ----------
    *results : Result
        Runs with a trace.
    quantity : {"grad_norm", "fun", "error"}
        What of the trace to draw: the norm that ``tol`` bounds, the value, or the distance in x from
        `reference`.
    reference : array_like, optional
        For ``"error"`` the solution, or one per row, of which the nearest to the run's end counts; for
        ``"fun"`` the minimum that is subtracted, 0 if not given.
    labels : sequence of str, optional
        One for each result.
    ax : Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If no result is given, a trace is empty, or `quantity`, `reference` or `labels` do not fit.

    Notes
    -----
    Values that are zero, or negative by round-off, have no place on the axis and are left out.

    Examples
    --------
    >>> from gradlib import newton
    >>> ax = convergence(newton.root(lambda x: x**2 - 2, 1.0))
    >>> ax.get_yscale()
    'log'
    """
    if not results:
        raise ValueError("results must hold at least one Result")
    curves = [_curve(result, quantity, reference) for result in results]
    names = _labels(labels, len(results))
    ax = _axes(ax)
    for k, (values, name) in enumerate(zip(curves, names, strict=True)):
        ax.plot(np.where(values > 0, values, np.nan), label=name, **_look(k, len(values)))
    ax.set_yscale("log")
    ylabel = {
        "grad_norm": "norm at $x_k$",  # of the gradient, or for a root of F
        "fun": "$f(x_k)$",
        "error": r"$\|x_k - x^*\|_2$",
    }[quantity]
    if quantity == "fun" and reference is not None:
        ylabel = "$f(x_k) - f^*$"
    ax.set(xlabel="iteration $k$", ylabel=ylabel)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if labels:
        ax.legend()
    return ax


def tangents(
    f: Callable[[Any], Any],
    result: Result,
    *,
    bounds: tuple[float, float] | None = None,
    steps: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw Newton's method for one equation: each tangent meets the axis where the next iterate lies.

    Parameters
    ----------
    f : callable
        The function whose root was looked for.
    result : Result
        A run of `newton.root` from a scalar start, with its trace.
    bounds : (float, float), optional
        Range of x; if not given, whatever holds the iterates.
    steps : int, optional
        How many tangents to draw; all if not given.
    ax : Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the trace is empty or not one-dimensional, or `bounds` or `steps` cannot be used.

    Examples
    --------
    >>> from gradlib import newton
    >>> f = lambda x: x**2 - 2
    >>> ax = tangents(f, newton.root(f, 3.0), steps=2)
    >>> len(ax.collections) > 0
    True
    """
    function(f, "f")
    x = _path(result, 1, "result")[:, 0]
    if steps is not None:
        if isinstance(steps, bool) or not isinstance(steps, Integral) or steps < 1:
            raise ValueError(f"steps must be an integer >= 1, got {steps!r}")
        x = x[: steps + 1]
    left, right = _interval(bounds, x)
    grid = np.linspace(left, right, 300)
    curve, y = _values(f, grid), _values(f, x)
    ax = _axes(ax)
    ax.axhline(0, color="black", linewidth=0.8, linestyle="-")
    ax.plot(grid, curve, color=COLOURS[0], linestyle="-")
    ax.vlines(x, 0, y, colors="grey", linestyles=":", linewidths=1)
    for a, b, fa in zip(x[:-1], x[1:], y[:-1], strict=True):
        ax.plot([a, b], [fa, 0], color=COLOURS[1], linestyle="--", marker="")
    ax.plot(x, y, "o", color=COLOURS[1], linestyle="none")
    below = y >= 0  # where the tangent comes from above, the label has room under the axis
    for k, u in enumerate(x[:4]):  # later ones would lie on top of each other
        taken = np.abs(u - x[:k]) < 0.04 * (right - left)
        if (taken & (below[k] == below[:k])).any():
            continue
        ax.annotate(
            f"$x_{k}$",
            (u, 0),
            xytext=(0, -6 if below[k] else 6),
            textcoords="offset points",
            ha="center",
            va="top" if below[k] else "bottom",
        )
    ax.set(xlim=(left, right), xlabel="$x$", ylabel="$f(x)$")
    return ax


def chord(
    f: Callable[[Any], Any],
    x: float,
    y: float,
    *,
    t: float = 0.5,
    bounds: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a function and one of its chords, with the gap between them at one point.

    Parameters
    ----------
    f : callable
        A function of one variable.
    x, y : float
        Ends of the chord.
    t : float
        Where the gap is shown: at ``t x + (1 - t) y``, with t in [0, 1].
    bounds : (float, float), optional
        Range drawn; if not given, a little more than the chord.
    ax : Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `x` and `y` are equal or not finite, or `t` lies outside [0, 1].

    Examples
    --------
    >>> ax = chord(lambda u: u**2, -1.0, 2.0)
    >>> len(ax.lines)
    3
    """
    function(f, "f")
    ends = np.array([number(x, "x"), number(y, "y")])
    if not 0 < abs(float(ends[1]) - float(ends[0])) < np.inf:
        raise ValueError("x and y must differ, by a finite width")
    if not 0 <= number(t, "t") <= 1:
        raise ValueError(f"t must lie in [0, 1], got {t!r}")
    left, right = _interval(bounds, ends)
    grid = np.linspace(left, right, 200)
    between = t * ends[0] + (1 - t) * ends[1]
    curve, heights, (low,) = _values(f, grid), _values(f, ends), _values(f, np.array([between]))
    if not np.isfinite(heights).all():
        raise ValueError("x and y must lie in the domain of f")
    high = t * heights[0] + (1 - t) * heights[1]
    ax = _axes(ax)
    ax.plot(grid, curve, color=COLOURS[0], linestyle="-", label="$f$")
    ax.plot(ends, heights, color=COLOURS[1], linestyle="--", marker="o", label="chord")
    ax.plot([between, between], [low, high], color="black", linestyle=":", marker="_", label="gap")
    ax.set(xlim=(left, right), xlabel="$x$", ylabel="$f(x)$")
    ax.legend()
    return ax


def basins(labels: ArrayLike, bounds: Bounds, *, ax: Axes | None = None) -> Axes:
    """Draw a map of starts, coloured by where each of them leads.

    Parameters
    ----------
    labels : array_like of int, shape (rows, columns)
        The number of the solution that each start reaches, from 0 up to 5; negative where it reaches none
        (black). The first row is the lowest y.
    bounds : (float, float, float, float)
        ``(x_min, x_max, y_min, y_max)``.
    ax : Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `labels` is no matrix of integers below 6, or `bounds` cannot be used.

    Examples
    --------
    >>> ax = basins([[0, 1], [1, -1]], (-1, 1, -1, 1))
    >>> len(ax.images)
    1
    """
    try:
        matrix = np.asarray(labels)
    except ValueError:
        raise ValueError("labels must be a matrix, with rows of one length") from None
    if matrix.ndim != 2 or matrix.size == 0 or matrix.dtype.kind not in "iu" or matrix.max() >= len(_REGIONS):
        raise ValueError(f"labels must be a matrix of integers below {len(_REGIONS)}")
    box = _box(bounds)
    ax = _axes(ax)
    ax.imshow(
        matrix,
        origin="lower",
        extent=box,
        cmap=ListedColormap(["black", *_REGIONS]),
        vmin=-1.5,
        vmax=len(_REGIONS) - 0.5,
        interpolation="nearest",
        aspect="equal",
        rasterized=True,
    )
    ax.grid(visible=False)
    return ax


def _axes(ax: Axes | None) -> Axes:
    if isinstance(ax, Axes):
        return ax
    if ax is not None:
        raise ValueError(f"ax must be Axes of matplotlib, got {type(ax).__name__}")
    _, new = plt.subplots()
    return new


def _values(f: Callable[[Any], Any], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate a function of one variable point by point, as it need not take arrays."""
    with np.errstate(all="ignore"):
        return np.array(list(map(extended(f, "f"), points)))


def _look(k: int, points: int) -> dict[str, Any]:
    """Return colour, line style and marker of the k-th curve; a long path gets some twenty markers."""
    return {
        "color": COLOURS[k % len(COLOURS)],
        "linestyle": _LINES[k % len(_LINES)],
        "marker": _MARKERS[k % len(_MARKERS)],
        "markersize": 5,
        "markevery": max(1, points // 20),
    }


def _labels(labels: Sequence[str] | None, count: int) -> Sequence[str | None]:
    if labels is None:
        return [None] * count
    if (
        isinstance(labels, str)
        or not isinstance(labels, Sequence)
        or len(labels) != count
        or not all(isinstance(label, str) for label in labels)
    ):
        raise ValueError(f"labels must hold one string for each of the {count} results")
    return labels


def _path(result: Result, n: int, name: str = "results") -> NDArray[np.float64]:
    if not isinstance(result, Result):
        raise ValueError(f"{name} must be Results of gradlib, got {type(result).__name__}")
    if len(result.trace) == 0:
        raise ValueError(f"{name} must have a trace: run with keep_trace=True")
    if result.trace.x.shape[1] != n:
        raise ValueError(f"{name} must be in {n} dimension{'s' * (n > 1)}, got {result.trace.x.shape[1]}")
    return result.trace.x


@np.errstate(over="ignore")
def _curve(result: Result, quantity: str, reference: ArrayLike | None) -> NDArray[np.float64]:
    if not isinstance(quantity, str) or quantity not in ("grad_norm", "fun", "error"):
        raise ValueError(f"quantity must be 'grad_norm', 'fun' or 'error', got {quantity!r}")
    path = _path(result, result.trace.x.shape[1] if isinstance(result, Result) else 0)
    if quantity == "grad_norm":
        return result.trace.grad_norm
    if quantity == "fun":
        return result.trace.fun - (0.0 if reference is None else number(reference, "reference"))
    if reference is None:
        raise ValueError("reference must be given for quantity='error'")
    solutions = finite(reference, "reference")
    if solutions.size == 0 or solutions.size % path.shape[1]:
        raise ValueError(f"reference must have {path.shape[1]} entries a row, got shape {solutions.shape}")
    solutions = solutions.reshape(-1, path.shape[1])
    nearest = solutions[np.argmin(np.linalg.norm(solutions - path[-1], axis=1))]
    return np.asarray(np.linalg.norm(path - nearest, axis=1))


def _box(bounds: Bounds) -> Bounds:
    box = finite(bounds, "bounds")
    if box.shape != (4,) or not (_increasing(*box[:2]) and _increasing(*box[2:])):
        raise ValueError(f"bounds must be (x_min, x_max, y_min, y_max), got {bounds!r}")
    return (float(box[0]), float(box[1]), float(box[2]), float(box[3]))


def _increasing(low: np.float64, high: np.float64) -> bool:
    return 0 < float(high) - float(low) < np.inf


def _interval(bounds: tuple[float, float] | None, points: NDArray[np.float64]) -> tuple[float, float]:
    if bounds is None:
        low, high = float(points.min()), float(points.max())
        margin = 0.2 * (high - low) or 1.0
        return low - margin, high + margin
    interval = finite(bounds, "bounds")
    if interval.shape != (2,) or not _increasing(*interval):
        raise ValueError(f"bounds must be (x_min, x_max), got {bounds!r}")
    return float(interval[0]), float(interval[1])


def _surrounding(paths: Sequence[NDArray[np.float64]]) -> Bounds:
    """Return a box with a margin around all points."""
    points = np.concatenate(paths) if paths else np.empty((0, 2))
    if len(points) == 0:
        raise ValueError("bounds must be given where there is neither a path nor a known minimum")
    (x_min, y_min), (x_max, y_max) = points.min(axis=0), points.max(axis=0)
    dx, dy = 0.15 * (x_max - x_min) or 1.0, 0.15 * (y_max - y_min) or 1.0
    return x_min - dx, x_max + dx, y_min - dy, y_max + dy
