"""Conjugate gradients beside SciPy's

Linear: `scipy.sparse.linalg.cg` against `cg.solve`, both to ‖r‖ ≤ 1e-8 ‖b‖; the dense matrices have condition
number 100, the sparse ones are the five-point stencil on a square. SciPy keeps its path by a callback that
copies each point, gradlib in its trace; rows "not kept", which have no bar, do without. The last column is
the time of the whole solve over that of its products A @ v alone; the bar of 1.15 is for n ≥ 1000, dense.
gradlib reads a symmetric matrix by its columns, which BLAS does faster, so that it can be below 1.

Nonlinear: `scipy.optimize.minimize(method="CG")` against `cg.minimize` on Rosenbrock's function (chained for
n > 2), to ‖∇f‖∞ ≤ 1e-5 or 300 iterations, with the path.

- The more exact the line search, the dearer an iteration, so both are given the same c₂: 0.1, gradlib's own,
  and 0.4, SciPy's.
- "an iteration": SciPy's time per iteration over gradlib's.
- "without f": the same after subtracting what the evaluations of f and ∇f take by themselves, as many as each
  needs: that is the price of the library. It is the larger the cheaper f is.
- "to the solution": the time of SciPy as it is (c₂ = 0.4) over that of gradlib as it is (c₂ = 0.1), to the
  same ‖∇f‖∞.

The last table is of the same over the whole problem set, with a bar for the median; sum and median are over
the problems that both solve in 5000 iterations.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy import optimize
from scipy.sparse import linalg

from benchmarks.common import Part, Run, alone, race, verdict
from benchmarks.minimisers import PROBLEMS, Contest, to_solution
from benchmarks.multigrid import poisson
from gradlib import cg, problems, show

TOL, GRADIENT_TOL = 1e-8, 1e-5
DENSE = (2, 10, 100, 1000, 2000)
GRIDS = (4, 32, 100, 200)
ROSENBROCK = (2, 10, 100, 1000)
ITERATIONS = 300
LIMIT = 5000
ROUNDS = 15


def scipys(A: Any, b: np.ndarray, *, trace: bool = True) -> Run:
    """Return a run of SciPy's method, which returns its iterations."""

    def run() -> int:
        path: list[np.ndarray] = []
        count = 0

        def keep(x: np.ndarray) -> None:
            nonlocal count
            count += 1
            if trace:
                path.append(x.copy())  # SciPy hands out the array that it goes on to change

        linalg.cg(A, b, rtol=TOL, callback=keep)
        return count

    return run


def against_scipy(A: Any, rounds: int, *, trace: bool = True) -> tuple[Any, ...]:
    """Return n, both iterations, µs an iteration, SciPy over ours, and ours over the products alone."""
    b = np.random.default_rng(0).standard_normal(A.shape[0])
    theirs = scipys(A, b, trace=trace)

    def ours() -> Any:
        return cg.solve(A, b, tol=TOL, keep_trace=trace)

    result, count = ours(), theirs()
    assert result.success
    slow, fast, ratio = race(theirs, ours, rounds)

    def products() -> None:
        for _ in range(result.nhev):
            A @ b

    _, _, share = race(products, ours, rounds)
    return len(b), f"{count}, {result.nit}", 1e6 * slow / count, 1e6 * fast / result.nit, ratio, 1 / share


def linear_table(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> show.Markdown:
    """Return the rows of `against_scipy` as a table."""
    n, iterations, slow, fast, ratio, share = zip(*rows, strict=True)
    near = [
        f"{s:.2f}" + (f" ({verdict(s, 1.15, at_least=False)})" if name == "dense" and k >= 1000 else "")
        for name, k, s in zip(names, n, share, strict=True)
    ]
    return show.table(
        {
            "system": (names, ""),
            "n": (n, "d"),
            "iterations: SciPy, gradlib": (iterations, ""),
            "µs an iteration: SciPy": (slow, ".1f"),
            "gradlib": (fast, ".1f"),
            "SciPy / gradlib": (ratio, ".2f"),
            "bar": (["" if "not" in k else verdict(r, 1.0) for k, r in zip(names, ratio, strict=True)], ""),
            "solve / products": (near, ""),
        }
    )


def dense(sizes: Sequence[int] = DENSE, rounds: int = ROUNDS) -> show.Markdown:
    """Measure dense systems with condition number 100."""
    matrices = [problems.quadratic(100.0, n, rng=np.random.default_rng(n)).A for n in sizes]
    return linear_table(["dense"] * len(sizes), [against_scipy(np.array(A), rounds) for A in matrices])


def grids(sides: Sequence[int] = GRIDS, rounds: int = ROUNDS) -> show.Markdown:
    """Measure Poisson's equation on growing grids, with the path kept and not."""
    names, rows = [], []
    for m in sides:
        for trace in (True, False):
            names.append("sparse, path " + ("kept" if trace else "not kept"))
            rows.append(against_scipy(poisson(m), rounds, trace=trace))
    return linear_table(names, rows)


def scipys_nonlinear(p: problems.Problem, c2: float, max_iter: int = 100_000) -> Any:
    """Run SciPy's method."""
    options = {"gtol": GRADIENT_TOL, "maxiter": max_iter, "c2": c2}
    return optimize.minimize(p.fun, p.x0, jac=p.jac, method="CG", callback=[].append, options=options)


def our_nonlinear(p: problems.Problem, c2: float, max_iter: int = 100_000) -> Any:
    """Run ours."""
    return cg.minimize(p.fun, p.x0, p.jac, tol=GRADIENT_TOL, c2=c2, max_iter=max_iter)


def nonlinear(
    sizes: Sequence[int] = ROSENBROCK, limit: int = ITERATIONS, rounds: int = ROUNDS
) -> show.Markdown:
    """Measure the nonlinear method on Rosenbrock's function."""
    rows = []
    for n in sizes:
        p = problems.rosenbrock if n == 2 else problems.chained_rosenbrock(n)
        x = p.x0.copy()
        cost_f, cost_g = (alone(partial(h, x), rounds) for h in (p.fun, p.jac))
        *_, whole = race(partial(scipys_nonlinear, p, 0.4), partial(our_nonlinear, p, 0.1), 3)
        for c2 in (0.1, 0.4):
            theirs, ours = partial(scipys_nonlinear, p, c2, limit), partial(our_nonlinear, p, c2, limit)
            runs = theirs(), ours()
            slow, fast, ratio = race(theirs, ours, rounds)
            own = [
                (t - r.nfev * cost_f - r.njev * cost_g) / r.nit
                for t, r in zip((slow, fast), runs, strict=True)
            ]
            each = ratio * runs[1].nit / runs[0].nit
            spent = ", ".join(f"{r.nfev / r.nit:.2f} + {r.njev / r.nit:.2f}" for r in runs)
            times = 1e6 * slow / runs[0].nit, 1e6 * fast / runs[1].nit
            rows.append((n, c2, spent, *times, each, verdict(each, 3.0), own[0] / own[1], whole))
    n, c2, spent, slow, fast, each, bars, own, whole = zip(*rows, strict=True)
    return show.table(
        {
            "n": (n, "d"),
            "c₂": (c2, ""),
            "f + ∇f an iteration: SciPy, gradlib": (spent, ""),
            "µs an iteration: SciPy": (slow, ".1f"),
            "gradlib": (fast, ".1f"),
            "SciPy / gradlib: an iteration": (each, ".2f"),
            "bar": (bars, ""),
            "without f": (own, ".1f"),
            "to the solution": (whole, ".1f"),
        }
    )


def as_they_are(p: problems.Problem) -> Contest:
    """Return the nonlinear method of both, each with its own c₂."""
    return Contest(partial(scipys_nonlinear, p, 0.4, LIMIT), partial(our_nonlinear, p, 0.1, LIMIT))


def table() -> dict[str, Part]:
    """Return all tables by their headings."""
    return {
        "Linear systems, dense": dense(),
        "Linear systems, sparse": grids(),
        "Nonlinear, Rosenbrock's function": nonlinear(),
        "Nonlinear: evaluations and time to the same gradient": to_solution(PROBLEMS, 5, as_they_are, 3.0),
    }
