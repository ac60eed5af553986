"""The rules of gradlib beside those of optax, on the same least-squares problem with the same mini-batches.

Run as ``python -m benchmarks.rules``. Both contestants take turns in one process, with one BLAS thread; a row
holds medians over the rounds, and the ratio is the median of each round's ratio.
"""

from collections import deque
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gradlib import rules, sgd

POINTS, PARAMETERS, BATCH = 1000, 3, 5
RATE = 1e-3
Contest: TypeAlias = tuple[Callable[[], None], Callable[[], None], int]
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


class Row(NamedTuple):
    """Microseconds a step, and how many times faster gradlib is."""

    rule: str
    loop: str
    optax: float
    gradlib: float
    ratio: float
    bar: float | None


BARS = {("SGD", "Python"): 5.0, ("Adam", "Python"): 2.0}
SCAN_BAR = 1 / 1.1


def table(rounds: int = 15) -> list[Row]:
    """Return the measurements: Python loops, NumPy against optax's jitted step, and both under lax.scan."""
    with jax.enable_x64(True):
        return [
            Row(name, loop, *_race(*contest(ours, theirs), rounds), bar)
            for name, (ours, theirs) in CONTESTANTS.items()
            for loop, contest, bar in (
                ("Python", _python_loops, BARS.get((name, "Python"))),
                ("lax.scan", _scans, SCAN_BAR),
            )
        ]


def _problem(steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random(POINTS)
    X = np.column_stack([np.ones(POINTS), x, x**2])
    y = X @ [2.0, 3.0, 4.0] + rng.standard_normal(POINTS)
    epochs = -(-steps * BATCH // POINTS)
    batches = np.array([b for _ in range(epochs) for b in sgd.minibatches(POINTS, BATCH, rng=rng)])
    return X, y, np.zeros(PARAMETERS), batches[:steps]


def _gradient(theta: Any, X: Any, y: Any) -> Any:
    return 2 / len(y) * (X.T @ (X @ theta - y))


def _python_loops(ours: Any, theirs: Any, steps: int = 400) -> Contest:
    """Return the loops that a student writes: `sgd.steps` on NumPy arrays; a jitted step with optax."""
    X, y, start, batches = _problem(steps)

    def numpy_loop() -> None:
        deque(sgd.steps(_gradient, start, (X, y), ours, batches), maxlen=0)

    @jax.jit
    def step(theta: Any, state: Any, X: Any, y: Any) -> tuple[Any, Any]:
        updates, state = theirs.update(_gradient(theta, X, y), state, theta)
        return optax.apply_updates(theta, updates), state

    def optax_loop() -> None:
        theta = jnp.asarray(start)
        state = theirs.init(theta)
        for batch in batches:
            theta, state = step(theta, state, X[batch], y[batch])
        theta.block_until_ready()

    return optax_loop, numpy_loop, steps


def _scans(ours: Any, theirs: Any, steps: int = 50_000) -> Contest:
    """Return the same run compiled as a whole, with either rule."""
    X, y, start, batches = _problem(steps)
    X, y, start, batches = map(jnp.asarray, (X, y, start, batches))

    def compiled(rule: Any) -> Callable[[], None]:
        def step(carry: Any, batch: Any) -> Any:
            theta, state = carry
            updates, state = rule.update(_gradient(theta, X[batch], y[batch]), state, theta)
            return (optax.apply_updates(theta, updates), state), None

        @jax.jit
        def run(theta: Any) -> Any:
            return jax.lax.scan(step, (theta, rule.init(theta)), batches)[0][0]

        return lambda: run(start).block_until_ready()

    return compiled(theirs), compiled(ours), steps


def _race(
    theirs: Callable[[], None], ours: Callable[[], None], steps: int, rounds: int
) -> tuple[float, float, float]:
    """Return microseconds a step of each, and the ratio, taking turns so that noise meets both."""
    times: list[tuple[float, float]] = []
    for turn in range(rounds + 1):
        pair = [0.0, 0.0]
        for which in (0, 1) if turn % 2 else (1, 0):
            begin = perf_counter()
            (theirs, ours)[which]()
            pair[which] = (perf_counter() - begin) / steps * 1e6
        times.append((pair[0], pair[1]))
    measured = times[1:]  # the first round compiles
    slow, fast = zip(*measured, strict=True)
    return median(slow), median(fast), median(a / b for a, b in measured)


def main() -> None:
    print(f"{'rule':<10}{'loop':<10}{'optax µs':>10}{'gradlib µs':>12}{'ratio':>8}{'bar':>7}")
    for row in table():
        bar = "" if row.bar is None else f"{row.bar:.2f}"
        print(f"{row.rule:<10}{row.loop:<10}{row.optax:>10.2f}{row.gradlib:>12.2f}{row.ratio:>8.2f}{bar:>7}")


if __name__ == "__main__":
    main()
