"""What a gradient costs

The time of a gradient over that of the function itself, in reverse mode: gradlib's tape, autograd, and JAX
compiled. Where the function is a loop of cheap operations in Python, the tape's own overhead shows.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np

from gradlib import autodiff, problems, show


def elementwise(xp: ModuleType) -> Callable[[Any], Any]:
    return lambda x: xp.sum(xp.exp(-x) * xp.sin(x) + x**2 / (1 + x))


def rosenbrock(xp: ModuleType) -> Callable[[Any], Any]:
    return problems.chained_rosenbrock(1000).fun  # operators alone: the same for every library


CASES = (
    ("elementwise, n = 10⁶", elementwise, np.linspace(0.1, 1.0, 1_000_000), 15),
    ("chained Rosenbrock, n = 1000", rosenbrock, problems.chained_rosenbrock(1000).x0, 300),
)


def seconds(f: Callable[[Any], Any], x: Any, repeats: int) -> float:
    """Return the median time of f(x), after one call that is not counted."""
    jax.block_until_ready(f(x))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(f(x))
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def ratios(make: Callable[[ModuleType], Callable[[Any], Any]], x: Any, repeats: int) -> list[float]:
    """Return the cost of a gradient over the cost of the function: gradlib, autograd, jitted JAX."""
    # JAX with the value, which the others compute on the way; its compiler would leave it out
    plain, boxed, traced = make(np), make(anp), make(jnp)
    with jax.enable_x64(True):
        pairs = (
            (autodiff.grad(plain), plain, x),
            (autograd.grad(boxed), plain, x),
            (jax.jit(jax.value_and_grad(traced)), jax.jit(traced), jnp.asarray(x)),
        )
        return [seconds(gradient, at, repeats) / seconds(f, at, repeats) for gradient, f, at in pairs]


def table(cases: Sequence[tuple[str, Any, Any, int]] = CASES) -> show.Markdown:
    """Measure, and return one row for each function; the gradients agree or it fails."""
    for _, make, x, _ in cases:
        np.testing.assert_allclose(
            autodiff.grad(make(np))(x), autograd.grad(make(anp))(x), rtol=1e-9, atol=1e-9
        )
    rows = [ratios(make, x, repeats) for _, make, x, repeats in cases]
    ours, theirs, compiled = zip(*rows, strict=True)
    return show.table(
        {
            "cost of a gradient / cost of the function": ([name for name, *_ in cases], ""),
            "gradlib": (ours, ".1f"),
            "autograd": (theirs, ".1f"),
            "JAX, jitted": (compiled, ".1f"),
        }
    )
