"""Rules beside optax's

Least squares with 1000 points, 3 parameters and mini-batches of 5, in double precision; each contestant takes
the same batches in the same order. gradlib: `sgd.steps` with a rule on NumPy arrays. Optax: a loop around
one compiled step (`jax.jit`) that does everything: gradient, `update` and `apply_updates`. How a batch gets
to that step decides more than the rule does, so each way is a row:

- "X[batch] in JAX": the data are JAX arrays, and the loop indexes them, as a loop written for NumPy does;
- "jnp.asarray": the data are NumPy arrays, the loop indexes them and makes each batch a JAX array;
- "X[batch] in NumPy": the same, and the NumPy batch is handed to the compiled step as it is;
- "inside the step": the data are JAX arrays, and the compiled step gets the indices alone.

The last two are for those who know where JAX loses time. There a step of gradient descent costs about as much
as entering compiled code once, and NumPy, which enters it four times for the gradient alone, cannot be five
times as fast. The bars stand at every row.

"lax.scan": 50 000 steps compiled as a whole, with either rule; the bar says that ours takes at most 1.1 times
as long. "When compiling pays": a compiled loop of gradlib's rules beside the loop on NumPy arrays; after so
many steps the time of compiling has been saved.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.common import Part, Run, race, seconds, verdict
from gradlib import rules, sgd, show

POINTS, PARAMETERS, BATCH = 1000, 3, 5
RATE = 1e-3
STEPS, SCANNED, ROUNDS = 400, 50_000, 15
CONTESTANTS: dict[str, tuple[Any, Any]] = {
    "SGD": (rules.sgd(RATE), optax.sgd(RATE)),
    "momentum": (rules.momentum(RATE, 0.9), optax.sgd(RATE, 0.9)),
    "Nesterov": (rules.nesterov(RATE, 0.9), optax.sgd(RATE, 0.9, nesterov=True)),
    "AdaGrad": (rules.adagrad(RATE), optax.adagrad(RATE)),
    "AdaDelta": (rules.adadelta(1.0), optax.adadelta(1.0, 0.95)),
    "RMSprop": (rules.rmsprop(RATE), optax.rmsprop(RATE)),
    "Adam": (rules.adam(RATE), optax.adam(RATE)),
    "AMSGrad": (rules.amsgrad(RATE), optax.amsgrad(RATE)),
}
BARS = {"SGD": 5.0, "Adam": 2.0}
SCAN_BAR = 1 / 1.1
Loop: TypeAlias = Callable[[Any, int], Run]


def problem(steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return X, y, the start, and the batches of so many steps."""
    rng = np.random.default_rng(0)
    x = rng.random(POINTS)
    X = np.column_stack([np.ones(POINTS), x, x**2])
    y = X @ [2.0, 3.0, 4.0] + rng.standard_normal(POINTS)
    epochs = -(-steps * BATCH // POINTS)
    batches = np.array([b for _ in range(epochs) for b in sgd.minibatches(POINTS, BATCH, rng=rng)])
    return X, y, np.zeros(PARAMETERS), batches[:steps]


def gradient(theta: Any, X: Any, y: Any) -> Any:
    return 2 / len(y) * (X.T @ (X @ theta - y))


def numpys(rule: Any, steps: int) -> Run:
    """Return gradlib's loop."""
    X, y, start, batches = problem(steps)

    def run() -> np.ndarray:
        return deque(sgd.steps(gradient, start, (X, y), rule, batches), maxlen=1)[0]

    return run


def optaxs(rule: Any, steps: int, prepare: Callable[..., tuple[Any, Any]]) -> Run:
    """Return the loop around a compiled step; `prepare` says what gets there, and what is done with it."""
    X, y, start, batches = problem(steps)
    batched, inside = prepare(X, y)

    @jax.jit
    def step(theta: Any, state: Any, *batch: Any) -> tuple[Any, Any]:
        updates, state = rule.update(gradient(theta, *inside(*batch)), state, theta)
        return optax.apply_updates(theta, updates), state

    def run() -> Any:
        theta = jnp.asarray(start)
        state = rule.init(theta)
        for batch in batches:
            theta, state = step(theta, state, *batched(batch))
        return theta.block_until_ready()

    return run


def as_it_is(*batch: Any) -> tuple[Any, ...]:
    return batch


def in_jax(X: Any, y: Any) -> tuple[Any, Any]:
    X, y = jnp.asarray(X), jnp.asarray(y)
    return lambda batch: (X[batch], y[batch]), as_it_is


def converted(X: Any, y: Any) -> tuple[Any, Any]:
    return lambda batch: (jnp.asarray(X[batch]), jnp.asarray(y[batch])), as_it_is


def in_numpy(X: Any, y: Any) -> tuple[Any, Any]:
    return lambda batch: (X[batch], y[batch]), as_it_is


def inside(X: Any, y: Any) -> tuple[Any, Any]:
    X, y = jnp.asarray(X), jnp.asarray(y)
    return lambda batch: (batch,), lambda batch: (X[batch], y[batch])


WAYS: Mapping[str, Callable[..., tuple[Any, Any]]] = {
    "X[batch] in JAX": in_jax,
    "jnp.asarray": converted,
    "X[batch] in NumPy": in_numpy,
    "inside the step": inside,
}


def scanned(rule: Any, steps: int) -> Run:
    """Return the same run compiled as a whole."""
    X, y, start, batches = map(jnp.asarray, problem(steps))

    def step(carry: Any, batch: Any) -> Any:
        theta, state = carry
        updates, state = rule.update(gradient(theta, X[batch], y[batch]), state, theta)
        return (optax.apply_updates(theta, updates), state), None

    @jax.jit
    def run(theta: Any) -> Any:
        return jax.lax.scan(step, (theta, rule.init(theta)), batches)[0][0]

    return lambda: run(start).block_until_ready()


def rows(
    names: tuple[str, ...], ways: Mapping[str, Callable[..., tuple[Any, Any]]], steps: int, rounds: int
) -> Iterator[tuple[Any, ...]]:
    """Measure loops: rule, way, µs a step of both, their ratio, and the verdict."""
    for name in names:
        ours, theirs = CONTESTANTS[name]
        for way, prepare in ways.items():
            slow, fast, ratio = race(
                optaxs(theirs, steps, prepare), numpys(ours, steps), rounds, perf_counter
            )
            bar = verdict(ratio, BARS[name]) if name in BARS else ""
            yield name, way, 1e6 * slow / steps, 1e6 * fast / steps, ratio, bar


def scans(names: tuple[str, ...], steps: int, rounds: int) -> Iterator[tuple[Any, ...]]:
    """Measure compiled runs."""
    for name in names:
        ours, theirs = CONTESTANTS[name]
        slow, fast, ratio = race(scanned(theirs, steps), scanned(ours, steps), rounds, perf_counter)
        yield name, "lax.scan", 1e6 * slow / steps, 1e6 * fast / steps, ratio, verdict(ratio, SCAN_BAR)


def break_even(names: tuple[str, ...], steps: int) -> show.Markdown:
    """Return after how many steps a compiled loop has paid for its compiling."""
    measured = []
    for name in names:
        rule, _ = CONTESTANTS[name]
        compiled, plain = scanned(rule, steps), numpys(rule, steps)
        first, again = (seconds(compiled, clock=perf_counter) for _ in range(2))
        by_numpy = seconds(plain, clock=perf_counter)
        compiling, saved = first - again, (by_numpy - again) / steps
        measured.append((name, compiling, 1e6 * by_numpy / steps, 1e6 * again / steps, compiling / saved))
    rule, compiling, slow, fast, after = zip(*measured, strict=True)
    return show.table(
        {
            "rule": (rule, ""),
            "compiling, s": (compiling, ".2f"),
            "µs a step: NumPy": (slow, ".1f"),
            "compiled": (fast, ".2f"),
            "pays after, steps": (np.round(after, -3), ".0f"),
        }
    )


def shown(measured: Iterator[tuple[Any, ...]]) -> show.Markdown:
    """Return the rows as a table."""
    rule, way, slow, fast, ratio, bars = zip(*measured, strict=True)
    return show.table(
        {
            "rule": (rule, ""),
            "how optax gets its batch": (way, ""),
            "µs a step: optax": (slow, ".2f"),
            "gradlib": (fast, ".2f"),
            "optax / gradlib": (ratio, ".2f"),
            "bar": (bars, ""),
        }
    )


def table(steps: int = STEPS, scan: int = SCANNED, rounds: int = ROUNDS) -> dict[str, Part]:
    """Return the tables by their headings."""
    others = tuple(name for name in CONTESTANTS if name not in BARS)
    with jax.enable_x64(True):
        return {
            "A loop in Python": shown(rows(tuple(BARS), WAYS, steps, rounds)),
            "The other rules": shown(rows(others, {"X[batch] in NumPy": in_numpy}, steps, rounds)),
            "Under lax.scan": shown(scans(tuple(CONTESTANTS), scan, rounds)),
            "When compiling pays": break_even(tuple(BARS), scan),
        }
