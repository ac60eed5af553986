"""BFGS and L-BFGS beside SciPy's, in time per iteration, evaluations, and time to the same gradient.

Both keep their path, gradlib in its trace, SciPy by a callback that stores each point, except where it says
otherwise; ‖∇f‖∞ ≤ 1e-5 ends a run, and no other test that can be switched off. Where cost is fitted as n
grows, the operations are of order n² for BFGS and n for L-BFGS; what the exponent has beyond is the price of
leaving the caches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize

from benchmarks.common import exponent, race, verdict
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
# SciPy's BFGS against ours per iteration; beyond n = 100 a run is cut after so many iterations
PER_ITERATION = ((2, 100, None, 5.0), (10, 60, None, 3.5), (100, 9, None, 7.0), (1000, 5, 15, 40.0))
LIMITED = ((2, 60, None), (10, 40, None), (100, 9, None), (1000, 7, 300))
DENSE_SIZES = (500, 1000, 2000, 4000)
LIMITED_SIZES = (10_000, 100_000, 1_000_000)
PAIRWISE = ((10_000, 7), (100_000, 5), (1_000_000, 3))


class Contest(NamedTuple):
    """A run of each, SciPy first."""

    theirs: Callable[[], Any]
    ours: Callable[[], Any]


def dense(problem: Problem, max_iter: int | None = None) -> Contest:
    """Return BFGS of both."""
    options = {"gtol": TOL, "maxiter": max_iter or 20_000}
    return Contest(
        lambda: optimize.minimize(
            problem.fun, problem.x0, jac=problem.jac, method="BFGS", callback=[].append, options=options
        ),
        lambda: bfgs.minimize(problem.fun, problem.x0, problem.jac, tol=TOL, max_iter=max_iter or 20_000),
    )


def limited(problem: Problem, max_iter: int | None = None, *, trace: bool = True) -> Contest:
    """Return L-BFGS of both."""
    options = {"gtol": TOL, "ftol": 0.0, "maxcor": 10, "maxiter": max_iter or 20_000, "maxfun": 10**6}
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
            problem.fun, problem.x0, problem.jac, tol=TOL, max_iter=max_iter or 20_000, keep_trace=trace
        ),
    )


def lean(problem: Problem, max_iter: int) -> Contest:
    """Return L-BFGS of both without the path, which takes as much room as the memory."""
    return limited(problem, max_iter, trace=False)


def rosenbrock(n: int) -> Problem:
    """Return Rosenbrock's function, chained for n > 2."""
    return problems.rosenbrock if n == 2 else problems.chained_rosenbrock(n)


def per_iteration() -> show.Markdown:
    """Measure BFGS."""
    rows = []
    for n, rounds, limit, bar in PER_ITERATION:
        contest = dense(rosenbrock(n), limit)
        a, b = contest.theirs().nit, contest.ours().nit
        slow, fast, ratio = race(*contest, rounds)
        ratio *= b / a
        rows.append((n, a, b, 1e6 * slow / a, 1e6 * fast / b, ratio, verdict(ratio, bar)))
    n, a, b, slow, fast, ratio, bars = zip(*rows, strict=True)
    return show.table(
        {
            "n": (n, "d"),
            "iterations, SciPy": (a, "d"),
            "gradlib": (b, "d"),
            "µs an iteration, SciPy": (slow, ".1f"),
            "gradlib ": (fast, ".1f"),
            "ratio": (ratio, ".2f"),
            "bar": (bars, ""),
        }
    )


def to_solution(rounds: int = 9) -> show.Markdown:
    """Count evaluations and measure the time to the same gradient over the whole problem set."""
    rows = []
    total = [0, 0]
    for problem in (*mgh.ALL.values(), *COURSE):
        contest = dense(problem)
        theirs, ours = contest.theirs(), contest.ours()
        _, fast, ratio = race(*contest, rounds)
        reached = theirs.success and ours.success
        if reached:
            total[0] += theirs.nfev
            total[1] += ours.nfev
        ends = [f"{r.nfev}" if r.success else "fails" for r in (theirs, ours)]
        rows.append((problem.name, *ends, f"{1e3 * fast:.2f}", f"{ratio:.2f}", verdict(ratio, 1.0)))
    share = total[1] / total[0]
    rows.append(
        (
            "sum",
            f"{total[0]}",
            f"{total[1]}",
            np.nan,
            "",
            verdict(share, 1.1, at_least=False) + f" ({share:.3f})",
        )
    )
    name, a, b, fast, ratio, bars = zip(*rows, strict=True)
    return show.table(
        {
            "problem": (name, ""),
            "evaluations, SciPy": (a, ""),
            "gradlib": (b, ""),
            "ms, gradlib": (fast, ""),
            "time, SciPy / gradlib": (ratio, ""),
            "bar": (bars, ""),
        }
    )


def limited_memory() -> show.Markdown:
    """Measure L-BFGS."""
    cases = [(rosenbrock(n), limit, True, rounds) for n, rounds, limit in LIMITED]
    cases += [(problems.extended_rosenbrock(n), None, False, rounds) for n, rounds in PAIRWISE]
    rows = []
    for problem, limit, trace, rounds in cases:
        contest = limited(problem, limit, trace=trace)
        a, b = contest.theirs().nit, contest.ours().nit
        slow, fast, ratio = race(*contest, rounds)
        each = ratio * b / a
        rows.append((problem.name, a, b, 1e6 * slow / a, 1e6 * fast / b, each, ratio, verdict(each, 1.0)))
    name, a, b, slow, fast, each, whole, bars = zip(*rows, strict=True)
    return show.table(
        {
            "problem": (name, ""),
            "iterations, SciPy": (a, "d"),
            "gradlib": (b, "d"),
            "µs an iteration, SciPy": (slow, ".1f"),
            "gradlib ": (fast, ".1f"),
            "ratio": (each, ".2f"),
            "ratio of the whole run": (whole, ".2f"),
            "bar": (bars, ""),
        }
    )


def growth(rounds: int = 5) -> show.Markdown:
    """Measure the cost of an iteration as n grows, and fit its exponent."""
    rows = []
    for name, sizes, run in (("BFGS, O(n²)", DENSE_SIZES, dense), ("L-BFGS, O(n)", LIMITED_SIZES, lean)):
        seconds = []
        for n in sizes:
            ours = run(problems.extended_rosenbrock(n), 10).ours
            _, fast, _ = race(lambda: None, ours, rounds)
            seconds.append(fast / ours().nit)
        q = exponent(sizes, seconds)
        rows += [(name, n, 1e3 * t, f"{q:.2f}") for n, t in zip(sizes, seconds, strict=True)]
    name, n, ms, q = zip(*rows, strict=True)
    return show.table(
        {"method": (name, ""), "n": (n, "d"), "ms an iteration": (ms, ".2f"), "fitted exponent": (q, "")}
    )


def table() -> dict[str, show.Markdown]:
    """Return all tables by their headings."""
    return {
        "BFGS: time per iteration on Rosenbrock's function": per_iteration(),
        "BFGS: evaluations and time to the same gradient": to_solution(),
        "L-BFGS: beside L-BFGS-B": limited_memory(),
        "Cost as n grows": growth(),
    }
