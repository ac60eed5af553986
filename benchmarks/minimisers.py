"""BFGS and L-BFGS beside SciPy's

`scipy.optimize.minimize`, methods "BFGS" and "L-BFGS-B", against `bfgs.minimize` and `lbfgs.minimize`, all
with the analytic gradient, to ‖∇f‖∞ ≤ 1e-5 and with no other test that can be switched off. SciPy keeps its
path by a callback that stores each point, gradlib in its trace; in the rows of the extended (pairwise)
Rosenbrock function both do without.

- Time per iteration: Rosenbrock's function, chained for n > 2; at n = 1000 the first 15 iterations of BFGS.
- Time to the same gradient: the problems of Moré, Garbow & Hillstrom in `gradlib.mgh`, and the course's own.
  Sum and median are over the problems that both solve.
- L-BFGS remembers ten steps, as SciPy's does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize

from benchmarks.common import Part, Run, race, verdict
from gradlib import bfgs, lbfgs, mgh, problems, show
from gradlib.problems import Problem

TOL = 1e-5
COURSE = (
    problems.rosenbrock,
    problems.beale,
    problems.himmelblau,
    problems.boyd_vandenberghe,
    problems.course_quadratic,
    problems.quadratic(100.0, 10, rng=np.random.default_rng(0)),
    problems.chained_rosenbrock(10),
    problems.chained_rosenbrock(100),
)
PROBLEMS = (*mgh.ALL.values(), *COURSE)
UNLIMITED = 20_000
# n, rounds, largest number of iterations, bar
PER_ITERATION = (
    (2, 15, UNLIMITED, 5.0),
    (10, 15, UNLIMITED, 3.5),
    (100, 15, UNLIMITED, 7.0),
    (1000, 5, 15, 40.0),
)
LIMITED = ((2, 15, UNLIMITED), (10, 15, UNLIMITED), (100, 15, UNLIMITED), (1000, 9, 300))
PAIRWISE = ((10_000, 9), (100_000, 5), (1_000_000, 3))


class Contest(NamedTuple):
    """A run of each, SciPy first."""

    theirs: Run
    ours: Run


def dense(problem: Problem, max_iter: int = UNLIMITED) -> Contest:
    """Return BFGS of both."""
    options = {"gtol": TOL, "maxiter": max_iter}
    return Contest(
        lambda: optimize.minimize(
            problem.fun, problem.x0, jac=problem.jac, method="BFGS", callback=[].append, options=options
        ),
        lambda: bfgs.minimize(problem.fun, problem.x0, problem.jac, tol=TOL, max_iter=max_iter),
    )


def limited(problem: Problem, max_iter: int = UNLIMITED, *, trace: bool = True) -> Contest:
    """Return L-BFGS of both."""
    options = {"gtol": TOL, "ftol": 0.0, "maxcor": 10, "maxiter": max_iter, "maxfun": 10**6}
    return Contest(
        lambda: optimize.minimize(
            problem.fun,
            problem.x0,
            jac=problem.jac,
            method="L-BFGS-B",
            callback=[].append if trace else None,
            options=options,
        ),
        lambda: lbfgs.minimize(
            problem.fun, problem.x0, problem.jac, tol=TOL, max_iter=max_iter, keep_trace=trace
        ),
    )


def rosenbrock(n: int) -> Problem:
    """Return Rosenbrock's function, chained for n > 2."""
    return problems.rosenbrock if n == 2 else problems.chained_rosenbrock(n)


def compare(name: str, contest: Contest, rounds: int, bar: float) -> tuple[Any, ...]:
    """Return name, iterations, µs an iteration, their ratio, the ratio of the whole runs, and the verdict."""
    a, b = contest.theirs().nit, contest.ours().nit
    slow, fast, whole = race(*contest, rounds)
    each = whole * b / a
    return name, f"{a}, {b}", 1e6 * slow / a, 1e6 * fast / b, each, verdict(each, bar), whole


def ratios(rows: Iterable[tuple[Any, ...]]) -> show.Markdown:
    """Return the rows of `compare` as a table."""
    name, iterations, slow, fast, each, bars, whole = zip(*rows, strict=True)
    return show.table(
        {
            "function": (name, ""),
            "iterations: SciPy, gradlib": (iterations, ""),
            "µs an iteration: SciPy": (slow, ".1f"),
            "gradlib": (fast, ".1f"),
            "SciPy / gradlib: an iteration": (each, ".2f"),
            "bar": (bars, ""),
            "the whole run": (whole, ".2f"),
        }
    )


def per_iteration(cases: Sequence[tuple[int, int, int, float]] = PER_ITERATION) -> show.Markdown:
    """Measure BFGS."""
    problem = {n: rosenbrock(n) for n, *_ in cases}
    return ratios(
        compare(f"Rosenbrock, n = {n}", dense(problem[n], limit), rounds, bar)
        for n, rounds, limit, bar in cases
    )


def to_solution(
    cases: Sequence[Problem] = PROBLEMS,
    rounds: int = 7,
    enter: Callable[[Problem], Contest] = dense,
    bar: float = 1.0,
) -> show.Markdown:
    """Count evaluations and measure the time to the same gradient over the whole problem set."""
    rows = []
    total = np.zeros(2, dtype=int)
    ratios = []
    for problem in cases:
        contest = enter(problem)
        runs = contest.theirs(), contest.ours()
        _, fast, ratio = race(*contest, rounds)
        if all(run.success for run in runs):
            total += [run.nfev for run in runs]
            ratios.append(ratio)
        ends = [f"{run.nfev}" if run.success else "fails" for run in runs]
        rows.append((problem.name, *ends, f"{1e3 * fast:.2f}", f"{ratio:.2f}", verdict(ratio, 1.0)))
    middle, share = median(ratios), total[1] / total[0]
    rows.append(("the median of them", "", "", "", f"{middle:.2f}", verdict(middle, bar)))
    fewer = f"{verdict(share, 1.1, at_least=False)} ({share:.3f})"
    rows.append(("evaluations, gradlib / SciPy", *map(str, total), "", "", fewer))
    name, a, b, fast, ratio, bars = zip(*rows, strict=True)
    return show.table(
        {
            "problem": (name, ""),
            "evaluations: SciPy": (a, ""),
            "gradlib": (b, ""),
            "ms, gradlib": (fast, ""),
            "time: SciPy / gradlib": (ratio, ""),
            "bar": (bars, ""),
        }
    )


def limited_memory(
    cases: Sequence[tuple[int, int, int]] = LIMITED, pairwise: Sequence[tuple[int, int]] = PAIRWISE
) -> show.Markdown:
    """Measure L-BFGS."""
    rows = [
        compare(f"Rosenbrock, n = {n}", limited(rosenbrock(n), limit), rounds, 1.0)
        for n, rounds, limit in cases
    ]
    for n, rounds in pairwise:
        contest = limited(problems.extended_rosenbrock(n), trace=False)
        rows.append(compare(f"in pairs, n = {n}", contest, rounds, 1.0))
    return ratios(rows)


def table() -> dict[str, Part]:
    """Return all tables by their headings."""
    return {
        "BFGS: time per iteration": per_iteration(),
        "L-BFGS: time per iteration": limited_memory(),
        "BFGS: evaluations and time to the same gradient": to_solution(),
    }
