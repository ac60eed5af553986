"""Large problems

Each row is a process of its own, so that its peak memory, the interpreter and its libraries included, is that
of this problem alone. The path is not kept.

- L-BFGS: the extended (pairwise) Rosenbrock function from its usual start, to ‖∇f‖∞ ≤ 1e-5; bars: a minute,
  and 2 GiB.
- Conjugate gradients: Poisson's equation on a square with 1023 × 1023 inner points, five-point stencil,
  right-hand side 1, to ‖r‖ ≤ 1e-6 ‖b‖; without a preconditioner, and with a V-cycle of multigrid, which is
  written in twenty lines beside this benchmark.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.common import verdict
from benchmarks.multigrid import poisson, v_cycle
from gradlib import cg, lbfgs, problems, show

VARIABLES = 1_000_000
SIDE = 1023  # inner points along each side of the square, so that the grid can be halved down to one
SECONDS, MEBIBYTES = 60.0, 2048.0


def rosenbrock(n: int) -> dict[str, Any]:
    """Run L-BFGS on n/2 pairs."""
    p = problems.extended_rosenbrock(n)
    start = perf_counter()
    result = lbfgs.minimize(p.fun, p.x0, p.jac, tol=1e-5, keep_trace=False)
    seconds = perf_counter() - start
    assert result.success
    return {"n": n, "nit": result.nit, "seconds": seconds, "reached": np.abs(p.jac(result.x)).max()}


def laplace(m: int, preconditioned: bool) -> dict[str, Any]:
    """Run conjugate gradients on m × m points."""
    A, b = poisson(m), np.ones(m * m)
    preconditioner = (lambda r: v_cycle(r.reshape(m, m)).ravel()) if preconditioned else None
    start = perf_counter()
    result = cg.solve(A, b, preconditioner=preconditioner, tol=1e-6, keep_trace=False)
    seconds = perf_counter() - start
    assert result.success
    reached = np.linalg.norm(b - A @ result.x) / np.linalg.norm(b)
    return {"n": m * m, "nit": result.nit, "seconds": seconds, "reached": reached}


PROBLEMS: dict[str, Callable[[int], dict[str, Any]]] = {
    "L-BFGS, Rosenbrock in pairs": rosenbrock,
    "conjugate gradients, Poisson": lambda m: laplace(m, False),
    "the same, with a V-cycle": lambda m: laplace(m, True),
}


def alone(name: str, size: int) -> dict[str, Any]:
    """Solve the problem in a process of its own, and return also its peak memory in MiB."""
    command = [sys.executable, "-m", "benchmarks.large", name, str(size)]
    measured: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return measured


def peak() -> float:
    """Return the peak memory of this process in MiB; NaN where the system does not tell."""
    status = Path("/proc/self/status")
    if (
        status.exists()
    ):  # Linux, whose getrusage would count what the parent held before it started this process
        return int(status.read_text(encoding="utf-8").partition("VmHWM:")[2].split()[0]) / 2**10
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes


def table(n: int = VARIABLES, side: int = SIDE) -> show.Markdown:
    """Return one row for each problem."""
    runs = {name: alone(name, n if problem is rosenbrock else side) for name, problem in PROBLEMS.items()}
    limited = next(iter(runs.values()))
    bars = [
        f"{verdict(limited['seconds'], SECONDS, at_least=False)} (s), "
        f"{verdict(limited['peak'], MEBIBYTES, at_least=False)} (MiB)",
        *[""] * (len(runs) - 1),
    ]
    columns = {key: [run[key] for run in runs.values()] for key in limited}
    return show.table(
        {
            "problem": (runs, ""),
            "unknowns": (columns["n"], "d"),
            "iterations": (columns["nit"], "d"),
            "s": (columns["seconds"], ".1f"),
            "peak memory, MiB": (columns["peak"], ".0f"),
            "‖∇f‖∞, or ‖b − Ax‖ / ‖b‖": (columns["reached"], ".0e"),
            "bar": (bars, ""),
        }
    )


if __name__ == "__main__":
    print(json.dumps({**PROBLEMS[sys.argv[1]](int(sys.argv[2])), "peak": peak()}))
