"""Learning rates that change: each schedule is a function from the step number, counted from 0, to the rate.

The arguments bear the names they have in optax, where optax has the schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradlib._arrays import is_traced, namespace, positive
from gradlib._objective import finite

__all__ = ["Schedule", "constant", "cosine_decay", "exponential_decay", "time_decay"]

Schedule = Callable[[Any], Any]
"""From a step number, or an array of them, to the learning rate."""


def constant(value: float) -> Schedule:
    r"""Return the schedule that stays as it is: :math:`\eta_t = \eta_0`.

    Parameters
    ----------
    value : float
        The rate, positive.

    Returns
    -------
    callable
        From the step t to the rate.

    Raises
    ------
    ValueError
        If `value` is not positive.

    See Also
    --------
    optax.constant_schedule

    Examples
    --------
    >>> constant(0.1)(1000)
    0.1
    """
    value = positive(value, "value")

    def schedule(t: Any) -> Any:
        return value + 0.0 * _steps(t)  # as many rates as there are steps

    return schedule


def time_decay(t0: float, t1: float) -> Schedule:
    r"""Return the schedule that decays like 1/t.

    .. math:: \eta_t = \frac{t_0}{t + t_1}

    The rates sum to infinity and their squares do not, which is what lets stochastic gradient descent
    converge.

    Parameters
    ----------
    t0, t1 : float
        Both positive; the first rate is :math:`\eta_0 = t_0 / t_1`, and it has halved after
        :math:`t_1` steps.

    Returns
    -------
    callable
        From the step t to the rate.

    Raises
    ------
    ValueError
        If `t0` or `t1` is not positive.

    References
    ----------
    Robbins & Monro, *A stochastic approximation method*, Annals of Mathematical Statistics 22 (1951) 400.

    Examples
    --------
    >>> schedule = time_decay(5.0, 50.0)
    >>> schedule(0), schedule(50)
    (0.1, 0.05)
    """
    t0, t1 = positive(t0, "t0"), positive(t1, "t1")

    def schedule(t: Any) -> Any:
        return t0 / (_steps(t) + t1)

    return schedule


def exponential_decay(init_value: float, transition_steps: float, decay_rate: float) -> Schedule:
    r"""Return the schedule that falls by the same factor in the same time.

    .. math:: \eta_t = \eta_0\, r^{t/T}

    Parameters
    ----------
    init_value : float
        The first rate :math:`\eta_0`, positive.
    transition_steps : float
        The time T in which the rate falls by the factor r, positive.
    decay_rate : float
        The factor r, 0 < r ≤ 1.

    Returns
    -------
    callable
        From the step t to the rate.

    Raises
    ------
    ValueError
        If an argument is outside its range.

    See Also
    --------
    optax.exponential_decay

    Examples
    --------
    >>> exponential_decay(0.1, 10, 0.5)(20)
    0.025
    """
    init_value = positive(init_value, "init_value")
    transition_steps = positive(transition_steps, "transition_steps")
    decay_rate = positive(decay_rate, "decay_rate")
    if not is_traced(decay_rate) and decay_rate > 1:
        raise ValueError(f"decay_rate must be at most 1, got {decay_rate}")

    def schedule(t: Any) -> Any:
        with np.errstate(over="ignore", under="ignore"):
            return init_value * decay_rate ** (_steps(t) / transition_steps)

    return schedule


def cosine_decay(init_value: float, decay_steps: float) -> Schedule:
    r"""Return the schedule that falls to zero along half a cosine wave.

    .. math:: \eta_t = \frac{\eta_0}{2}\left(1 + \cos\frac{\pi \min(t, T)}{T}\right)

    Parameters
    ----------
    init_value : float
        The first rate :math:`\eta_0`, positive.
    decay_steps : float
        The time T after which the rate is 0, positive.

    Returns
    -------
    callable
        From the step t to the rate.

    Raises
    ------
    ValueError
        If an argument is not positive.

    See Also
    --------
    optax.cosine_decay_schedule

    References
    ----------
    Loshchilov & Hutter, *SGDR: stochastic gradient descent with warm restarts*, ICLR 2017.

    Examples
    --------
    >>> schedule = cosine_decay(0.1, 100)
    >>> schedule(0), schedule(100), schedule(1000)
    (0.1, 0.0, 0.0)
    """
    init_value, decay_steps = positive(init_value, "init_value"), positive(decay_steps, "decay_steps")

    def schedule(t: Any) -> Any:
        t = _steps(t)
        if isinstance(t, float | int):
            return init_value / 2 * (1 + math.cos(math.pi * min(t, decay_steps) / decay_steps))
        xp = namespace(t)
        return init_value / 2 * (1 + xp.cos(math.pi * xp.minimum(t, decay_steps) / decay_steps))

    return schedule


def _steps(t: Any) -> Any:
    """Return step numbers as they are if JAX's, else checked: a number stays a number."""
    if type(t) is int and t >= 0:
        return t  # the usual case first: it is taken at every step
    if namespace(t).__name__.startswith("jax"):
        return t
    steps = finite(t, "t")
    if (steps < 0).any():
        raise ValueError(f"t must be a step number >= 0, got {t}")
    return steps if steps.ndim else float(steps)
