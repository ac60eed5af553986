"""Timing on a machine that does other things too, and what a page of the book shows of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from statistics import median
from time import perf_counter, thread_time
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from matplotlib.figure import Figure

from gradlib import show

TURN = 0.02  # seconds that a turn lasts at least: short runs are repeated

Run: TypeAlias = Callable[[], Any]
Clock: TypeAlias = Callable[[], float]


class Picture(NamedTuple):
    """A figure for the page, with what it shows in words."""

    figure: Figure
    alt: str
    caption: str


Part: TypeAlias = show.Markdown | Picture


def seconds(run: Run, repeats: int = 1, clock: Clock = thread_time) -> float:
    """Return the time of one run, as a mean over so many."""
    begin = clock()
    for _ in range(repeats):
        run()
    return (clock() - begin) / repeats


def repeats(run: Run) -> int:
    """Return how many runs fill a turn; the first, which warms up, is not looked at."""
    run()
    return max(1, ceil(TURN / max(seconds(run, clock=perf_counter), 1e-9)))


def race(theirs: Run, ours: Run, rounds: int, clock: Clock = thread_time) -> tuple[float, float, float]:
    """Return the median seconds of a run of each, and the median of each round's ratio, theirs / ours.

    They take turns, so that noise meets both; the one that begins changes from round to round. The time is
    that which the processor spends on this thread; for those who compute in other threads, too, say
    `perf_counter`.
    """
    contestants = (theirs, ours)
    counts = [repeats(run) for run in contestants]
    times = []
    for turn in range(rounds):
        pair = [0.0, 0.0]
        for which in (0, 1) if turn % 2 else (1, 0):
            pair[which] = seconds(contestants[which], counts[which], clock)
        times.append(pair)
    slow, fast = zip(*times, strict=True)
    return median(slow), median(fast), median(a / b for a, b in times)


def alone(run: Run, rounds: int) -> float:
    """Return the median seconds of a run."""
    count = repeats(run)
    return median(seconds(run, count) for _ in range(rounds))


def exponent(sizes: Sequence[int], times: Sequence[float]) -> float:
    """Return q of the power law c nᵠ that fits best, in logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def verdict(value: float, bar: float, *, at_least: bool = True) -> str:
    """Return the bar and whether it is met."""
    met = value >= bar if at_least else value <= bar
    return f"{'≥' if at_least else '≤'} {bar:.4g}: {'met' if met else 'NOT met'}"
