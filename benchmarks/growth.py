"""Cost of an iteration as n grows

Ten iterations on the extended Rosenbrock function, without the path. An iteration of BFGS changes and
multiplies an n × n matrix, one of L-BFGS a few vectors: the expected exponents are 2 and 1. The fit is the
line through all points shown, in logarithms. Where the matrix no longer fits into the cache (32 MB here at
n = 2000) each of its numbers costs more, and at the lower end the fixed cost of an iteration shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.common import Part, Picture, alone, exponent
from gradlib import bfgs, lbfgs, plots, problems, show
from gradlib.result import Result

DENSE = (250, 500, 1000, 2000, 4000)
LIMITED = (1000, 10_000, 100_000, 1_000_000)
ITERATIONS = 10


class Curve(NamedTuple):
    """Seconds an iteration for each n, and the exponent that fits best."""

    method: str
    expected: int
    sizes: Sequence[int]
    times: Sequence[float]

    @property
    def exponent(self) -> float:
        return exponent(self.sizes, self.times)


def measure(dense: Sequence[int], limited: Sequence[int], rounds: int) -> list[Curve]:
    curves = []
    for name, expected, sizes, method in (("BFGS", 2, dense, bfgs), ("L-BFGS", 1, limited, lbfgs)):
        times = []
        for n in sizes:
            p = problems.extended_rosenbrock(n)

            def run(p: problems.Problem = p, method: Any = method) -> Result:
                return method.minimize(p.fun, p.x0, p.jac, max_iter=ITERATIONS, keep_trace=False)

            times.append(alone(run, rounds) / run().nit)
        curves.append(Curve(name, expected, sizes, times))
    return curves


def picture(curves: Sequence[Curve]) -> Picture:
    with mpl.rc_context(plots.STYLE):
        figure = Figure()
        ax = figure.subplots()
        for curve, marker in zip(curves, "os", strict=True):
            ms = [1e3 * t for t in curve.times]
            (line,) = ax.loglog(
                curve.sizes,
                ms,
                linestyle="",
                marker=marker,
                label=f"{curve.method}: exponent {curve.exponent:.2f}",
            )
            middle = np.exp(np.mean(np.log(ms)) - curve.exponent * np.mean(np.log(curve.sizes)))
            ax.plot(
                curve.sizes, [middle * n**curve.exponent for n in curve.sizes], "-", color=line.get_color()
            )
        ax.set(xlabel="number of variables n", ylabel="milliseconds an iteration")
        ax.legend()
    fits = " and ".join(f"{c.exponent:.1f} for {c.method}" for c in curves)
    return Picture(
        figure,
        "Time of an iteration against n, both axes logarithmic. The points lie near straight lines, that of "
        f"BFGS about twice as steep as that of L-BFGS: the fitted exponents are {fits}.",
        "Points: medians. Lines: the power laws that fit best.",
    )


def table(dense: Sequence[int] = DENSE, limited: Sequence[int] = LIMITED, rounds: int = 7) -> dict[str, Part]:
    """Return the measurements as a table, and as a picture with the fits."""
    curves = measure(dense, limited, rounds)
    rows = [
        (f"{c.method}, O(n{'²' * (c.expected == 2)})", n, 1e3 * t, c.exponent)
        for c in curves
        for n, t in zip(c.sizes, c.times, strict=True)
    ]
    method, n, ms, q = zip(*rows, strict=True)
    return {
        "Time of an iteration": show.table(
            {
                "method": (method, ""),
                "n": (n, "d"),
                "ms an iteration": (ms, ".3f"),
                "fitted exponent": (q, ".2f"),
            }
        ),
        "The fits": picture(curves),
    }
