"""Timing on a machine that does other things too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np


def race(theirs: Callable[[], Any], ours: Callable[[], Any], rounds: int) -> tuple[float, float, float]:
    """Return the median seconds of each, and the median of each round's ratio, theirs / ours.

    They take turns, so that noise meets both; a first round is not counted.
    """
    times = []
    for turn in range(rounds + 1):
        pair = [0.0, 0.0]
        for which in (0, 1) if turn % 2 else (1, 0):
            begin = perf_counter()
            (theirs, ours)[which]()
            pair[which] = perf_counter() - begin
        times.append(pair)
    slow, fast = zip(*times[1:], strict=True)
    return median(slow), median(fast), median(a / b for a, b in times[1:])


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return q of the power law c nᵠ that fits best, in logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def verdict(value: float, bar: float, *, at_least: bool = True) -> str:
    """Return the bar and whether it is met."""
    met = value >= bar if at_least else value <= bar
    return f"{'≥' if at_least else '≤'} {bar:g}: {'met' if met else 'NOT met'}"
