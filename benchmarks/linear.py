"""Conjugate gradients, linear and nonlinear, beside SciPy's.

Both keep their path, gradlib in its trace, SciPy by a callback that stores each point, except where it says
otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from scipy import optimize, sparse
from scipy.sparse import linalg

from benchmarks.common import race, verdict
from gradlib import cg, problems, show
from gradlib.result import Result

TOL = 1e-8
DENSE = ((2, 300), (10, 200), (100, 100), (1000, 15), (2000, 9))
GRIDS = ((4, 200), (32, 40), (100, 15), (200, 9))
MILLION = 1023  # points along each side of the grid, so that it can be halved to a single one
ROSENBROCK = ((2, 100, None), (10, 30, None), (100, 9, 300), (1000, 7, 300))


def poisson(m: int) -> sparse.csr_array:
    """Return the five-point Laplacian on m × m inner points of a square."""
    T = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
    return sparse.csr_array(sparse.kron(T, sparse.eye_array(m)) + sparse.kron(sparse.eye_array(m), T))


def laplace(z: np.ndarray) -> np.ndarray:
    """Return what `poisson` makes of z, which is given on the grid."""
    Az = 4 * z
    Az[1:] -= z[:-1]
    Az[:-1] -= z[1:]
    Az[:, 1:] -= z[:, :-1]
    Az[:, :-1] -= z[:, 1:]
    return Az


def refine(z: np.ndarray) -> np.ndarray:
    """Interpolate linearly to the grid with half the spacing, in one direction after the other."""
    for _ in range(2):
        fine = np.zeros((2 * len(z) + 1, z.shape[1]))
        fine[1::2] = z
        fine[:-1:2] += z / 2
        fine[2::2] += z / 2
        z = fine.T
    return z


def coarsen(r: np.ndarray) -> np.ndarray:
    """Apply the transpose of `refine`."""
    for _ in range(2):
        r = (r[1::2] + (r[:-1:2] + r[2::2]) / 2).T
    return r


def multigrid(r: np.ndarray) -> np.ndarray:
    """Solve the Poisson equation roughly by a V-cycle, which as a matrix is symmetric positive definite."""
    if len(r) == 1:
        return r / 4
    z = 0.2 * r  # a step of Jacobi's method, damped by 0.8, from zero
    z += refine(multigrid(coarsen(r - laplace(z))))
    z += 0.2 * (r - laplace(z))
    return z


def scipys(A: Any, b: np.ndarray, *, trace: bool = True) -> Callable[[], int]:
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

    def ours() -> Result:
        return cg.solve(A, b, tol=TOL, keep_trace=trace)

    result, count = ours(), theirs()
    assert result.success
    slow, fast, ratio = race(theirs, ours, rounds)

    def products() -> None:
        for _ in range(result.nhev):
            A @ b

    _, _, share = race(products, ours, rounds)
    return len(b), count, result.nit, 1e6 * slow / count, 1e6 * fast / result.nit, ratio, 1 / share


def linear_table(names: tuple[str, ...], rows: list[tuple[Any, ...]], *, share_counts: bool) -> show.Markdown:
    """Return the rows of `against_scipy` as a table."""
    n, a, b, slow, fast, ratio, share = zip(*rows, strict=True)
    near = [
        f"{s:.2f}" + (f" ({verdict(s, 1.15, at_least=False)})" if share_counts and k >= 1000 else "")
        for k, s in zip(n, share, strict=True)
    ]
    return show.table(
        {
            "system": (names, ""),
            "n": (n, "d"),
            "iterations, SciPy": (a, "d"),
            "gradlib": (b, "d"),
            "µs an iteration, SciPy": (slow, ".1f"),
            "gradlib ": (fast, ".1f"),
            "SciPy / gradlib": (ratio, ".2f"),
            "bar": ([verdict(r, 1.0) for r in ratio], ""),
            "gradlib / its products with A alone": (near, ""),
        }
    )


def dense() -> show.Markdown:
    """Measure dense systems with condition number 100."""
    rows = []
    for n, rounds in DENSE:
        A = problems.quadratic(100.0, n, rng=np.random.default_rng(n)).A
        rows.append(against_scipy(np.array(A), rounds))
    return linear_table(("dense",) * len(rows), rows, share_counts=True)


def grids() -> show.Markdown:
    """Measure Poisson's equation on growing grids, with the path kept and not."""
    names, rows = [], []
    for m, rounds in GRIDS:
        for trace in (True, False):
            names.append("Poisson, " + ("path kept" if trace else "not kept"))
            rows.append(against_scipy(poisson(m), rounds, trace=trace))
    return linear_table(tuple(names), rows, share_counts=False)


def a_million() -> show.Markdown:
    """Solve a system of more than 10⁶ unknowns, with and without a preconditioner."""
    m = MILLION
    A, b = poisson(m), np.ones(m * m)
    rows = []
    for name, preconditioner in (
        ("none", None),
        ("a multigrid V-cycle", lambda r: multigrid(r.reshape(m, m)).ravel()),
    ):
        start = perf_counter()
        result = cg.solve(A, b, preconditioner=preconditioner, tol=1e-6, keep_trace=False)
        seconds = perf_counter() - start
        assert result.success
        residual = np.linalg.norm(b - A @ result.x) / np.linalg.norm(b)
        rows.append((name, m * m, result.nit, seconds, residual))
    name, n, nit, seconds, residual = zip(*rows, strict=True)
    return show.table(
        {
            "preconditioner": (name, ""),
            "n": (n, "d"),
            "iterations": (nit, "d"),
            "s": (seconds, ".1f"),
            "‖b − Ax‖ / ‖b‖": (residual, ".0e"),
        }
    )


def nonlinear() -> show.Markdown:
    """Measure the nonlinear method on Rosenbrock's function, to ‖∇f‖∞ ≤ 1e-5 or so many iterations."""
    rows = []
    for n, rounds, limit in ROSENBROCK:
        problem = problems.rosenbrock if n == 2 else problems.chained_rosenbrock(n)
        options = {"gtol": 1e-5, "maxiter": limit or 10_000}

        def theirs(problem: Any = problem, options: Any = options) -> Any:
            path: list[np.ndarray] = []
            return optimize.minimize(
                problem.fun, problem.x0, jac=problem.jac, method="CG", callback=path.append, options=options
            )

        def ours(problem: Any = problem, options: Any = options) -> Result:
            return cg.minimize(problem.fun, problem.x0, problem.jac, tol=1e-5, max_iter=options["maxiter"])

        a, b = theirs(), ours()
        slow, fast, whole = race(theirs, ours, rounds)
        each = whole * b.nit / a.nit
        rows.append((n, a.nit, b.nit, a.nfev, b.nfev, 1e6 * slow / a.nit, 1e6 * fast / b.nit, each, whole))
    n, a, b, nfev_a, nfev_b, slow, fast, each, whole = zip(*rows, strict=True)
    return show.table(
        {
            "n": (n, "d"),
            "iterations, SciPy": (a, "d"),
            "gradlib": (b, "d"),
            "evaluations, SciPy": (nfev_a, "d"),
            "gradlib ": (nfev_b, "d"),
            "µs an iteration, SciPy": (slow, ".1f"),
            "gradlib  ": (fast, ".1f"),
            "SciPy / gradlib": (each, ".2f"),
            "bar": ([verdict(r, 3.0) for r in each], ""),
            "of the whole run": (whole, ".2f"),
        }
    )


def table() -> dict[str, show.Markdown]:
    """Return all tables by their headings."""
    return {
        "Linear systems, dense": dense(),
        "Linear systems, sparse": grids(),
        "A system of a million unknowns": a_million(),
        "Nonlinear conjugate gradients on Rosenbrock's function": nonlinear(),
    }


if __name__ == "__main__":
    for title, part in table().items():
        print(f"{title}\n{part}\n")
