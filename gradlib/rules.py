r"""Rules that turn a gradient into a step: the part of stochastic methods that is apart from the loop.

A rule is a pair of pure functions: ``init(params)`` returns the rule's memory, and ``update(grads, state)``
the step and the next memory, so that ``params + step`` is the new point. It has the shape of optax's
``GradientTransformation`` and can be used in its place; on NumPy arrays it needs no JAX. A memory is a
``NamedTuple`` that holds the number of steps taken, t, and arrays. It lives as long as the run: a rule that
starts afresh in each epoch is another method.

Each formula is a function of its own, ``adam_step`` for `adam`, which returns the step and what to remember.
It checks nothing; the rule does.

Examples
--------
>>> import numpy as np
>>> rule = adam(learning_rate=0.1)
>>> x = np.array([1.0, -2.0])
>>> state = rule.init(x)
>>> for _ in range(300):
...     step, state = rule.update(2 * x, state)
...     x = x + step
>>> x.round(4) + 0.0
array([0., 0.])
>>> state.t
300
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradlib._arrays import is_traced, maximum, namespace, positive, sqrt, static_number
from gradlib._objective import number
from gradlib.schedules import Schedule

__all__ = [
    "Rule",
    "adadelta",
    "adadelta_step",
    "adagrad",
    "adagrad_step",
    "adam",
    "adam_step",
    "amsgrad",
    "amsgrad_step",
    "momentum",
    "momentum_step",
    "nesterov",
    "nesterov_step",
    "rmsprop",
    "rmsprop_step",
    "sgd",
    "sgd_step",
]

Array: TypeAlias = Any  # of NumPy or JAX, or a number
Rate: TypeAlias = float | Schedule


class Rule(NamedTuple):
    """A pair of pure functions, of the shape of optax's ``GradientTransformation``.

    Attributes
    ----------
    init : callable
        ``init(params) -> state``. Of `params` only structure, shapes and dtypes count.
    update : callable
        ``update(grads, state, params=None) -> (step, state)``; ``params + step`` is the new point.

    Examples
    --------
    >>> rule = sgd(0.1)
    >>> rule.update(2.0, rule.init(1.0))
    (-0.2, SGDState(t=1))
    """

    init: Callable[[Any], Any]
    update: Callable[..., tuple[Any, Any]]


class SGDState(NamedTuple):
    """Memory of `sgd`: the number of steps taken."""

    t: Any


class MomentumState(NamedTuple):
    """Memory of `momentum` and `nesterov`: steps taken, and the velocity."""

    t: Any
    v: Any


class AdaGradState(NamedTuple):
    """Memory of `adagrad`: steps taken, and the sum of the squared gradients."""

    t: Any
    G: Any


class AdaDeltaState(NamedTuple):
    """Memory of `adadelta`: steps taken, and the means of the squared gradients and of the squared steps."""

    t: Any
    G: Any
    D: Any


class RMSpropState(NamedTuple):
    """Memory of `rmsprop`: steps taken, and the mean of the squared gradients."""

    t: Any
    G: Any


class AdamState(NamedTuple):
    """Memory of `adam`: steps taken, and the means of the gradients and of their squares, uncorrected."""

    t: Any
    m: Any
    G: Any


class AMSGradState(NamedTuple):
    """Memory of `amsgrad`: that of `adam`, and the largest corrected mean of the squares so far."""

    t: Any
    m: Any
    G: Any
    G_max: Any


# The formulas


def sgd_step(g: Array, *, rate: float) -> Array:
    r"""Return the step of gradient descent, :math:`-\eta g`.

    Parameters
    ----------
    g : array
        Gradient.
    rate : float
        Learning rate η.

    Returns
    -------
    array
        The step.

    References
    ----------
    Robbins & Monro, *A stochastic approximation method*, Annals of Mathematical Statistics 22 (1951) 400.

    Examples
    --------
    >>> sgd_step(2.0, rate=0.1)
    -0.2
    """
    return -rate * g


def momentum_step(g: Array, v: Array, *, rate: float, momentum: float) -> tuple[Array, Array]:
    r"""Return the heavy ball's step: the velocity remembers a part γ of itself.

    .. math:: v_t = \gamma v_{t-1} + \eta_t g_t, \qquad \Delta\theta_t = -v_t

    Parameters
    ----------
    g : array
        Gradient.
    v : array
        Velocity before the step; it points uphill.
    rate : float
        Learning rate η.
    momentum : float
        γ.

    Returns
    -------
    step, v : array
        The step, and the new velocity.

    References
    ----------
    Polyak, *USSR Computational Mathematics and Mathematical Physics* 4 (1964) 1.

    Examples
    --------
    >>> momentum_step(2.0, 1.0, rate=0.5, momentum=0.5)
    (-1.5, 1.5)
    """
    v = momentum * v + rate * g
    return -v, v


def nesterov_step(g: Array, v: Array, *, rate: float, momentum: float) -> tuple[Array, Array]:
    r"""Return Nesterov's step, with the gradient taken at the current parameters.

    .. math:: v_t = \gamma v_{t-1} + \eta_t g_t, \qquad \Delta\vartheta_t = -(\gamma v_t + \eta_t g_t)

    Here :math:`\vartheta_t = \theta_t - \gamma v_t` is the point at which the textbook form
    :math:`v_t = \gamma v_{t-1} + \eta_t \nabla C(\theta_{t-1} - \gamma v_{t-1})`,
    :math:`\theta_t = \theta_{t-1} - v_t`
    looks ahead: the parameters are the look-ahead points themselves.

    Parameters
    ----------
    g : array
        Gradient at :math:`\vartheta`.
    v : array
        Velocity before the step; it points uphill.
    rate : float
        Learning rate η.
    momentum : float
        γ.

    Returns
    -------
    step, v : array
        The step of :math:`\vartheta`, and the new velocity.

    References
    ----------
    Nesterov, *Soviet Mathematics Doklady* 27 (1983) 372; Sutskever et al., ICML 2013.

    Examples
    --------
    >>> nesterov_step(2.0, 1.0, rate=0.5, momentum=0.5)
    (-1.75, 1.5)
    """
    v = momentum * v + rate * g
    return -(momentum * v + rate * g), v


def adagrad_step(g: Array, G: Array, *, rate: float, eps: float) -> tuple[Array, Array]:
    r"""Return AdaGrad's step: the rate of each parameter falls with its squared gradients, summed.

    .. math:: G_t = G_{t-1} + g_t^2, \qquad \Delta\theta_t = -\frac{\eta_t\, g_t}{\sqrt{G_t} + \epsilon}

    Parameters
    ----------
    g : array
        Gradient.
    G : array
        Sum of the squared gradients before it.
    rate, eps : float
        Learning rate η and guard ε against division by zero.

    Returns
    -------
    step, G : array
        The step, and the new sum.

    References
    ----------
    Duchi, Hazan & Singer, JMLR 12 (2011) 2121.

    Examples
    --------
    >>> adagrad_step(np.array([4.0]), np.array([9.0]), rate=0.5, eps=0.0)
    (array([-0.4]), array([25.]))
    """
    G = G + g**2
    return -rate * g / (sqrt(G) + eps), G


def adadelta_step(
    g: Array, G: Array, D: Array, *, rate: float, rho: float, eps: float
) -> tuple[Array, Array, Array]:
    r"""Return AdaDelta's step: as large as the steps before it were, so that it has the unit of θ.

    .. math::
        G_t &= \rho G_{t-1} + (1 - \rho) g_t^2, \qquad
        u_t = -\sqrt{\frac{D_{t-1} + \epsilon}{G_t + \epsilon}}\; g_t \\
        D_t &= \rho D_{t-1} + (1 - \rho) u_t^2, \qquad \Delta\theta_t = \eta_t u_t

    Parameters
    ----------
    g : array
        Gradient.
    G, D : array
        Means of the squared gradients and of the squared :math:`u_t` before it.
    rate, rho, eps : float
        Learning rate η (1 in the paper), memory ρ, and ε, which also sets the size of the first step.

    Returns
    -------
    step, G, D : array
        The step, and the new means.

    References
    ----------
    Zeiler, arXiv:1212.5701 (2012), algorithm 1.

    Examples
    --------
    >>> step, G, D = adadelta_step(np.array([2.0]), np.zeros(1), np.zeros(1), rate=1.0, rho=0.95, eps=1e-6)
    >>> step.round(5), G
    (array([-0.00447]), array([0.2]))
    """
    G = rho * G + (1 - rho) * g**2
    u = -sqrt(D + eps) / sqrt(G + eps) * g
    D = rho * D + (1 - rho) * u**2
    return rate * u, G, D


def rmsprop_step(g: Array, G: Array, *, rate: float, decay: float, eps: float) -> tuple[Array, Array]:
    r"""Return RMSprop's step: AdaGrad's with a running mean in place of the sum.

    .. math::
        G_t = \rho G_{t-1} + (1 - \rho) g_t^2, \qquad
        \Delta\theta_t = -\frac{\eta_t\, g_t}{\sqrt{G_t + \epsilon}}

    Parameters
    ----------
    g : array
        Gradient.
    G : array
        Mean of the squared gradients before it.
    rate, decay, eps : float
        Learning rate η, memory ρ, and guard ε, inside the root.

    Returns
    -------
    step, G : array
        The step, and the new mean.

    References
    ----------
    Hinton, *Neural Networks for Machine Learning*, lecture 6e (2012).

    Examples
    --------
    >>> rmsprop_step(np.array([4.0]), np.array([0.0]), rate=0.5, decay=0.75, eps=0.0)
    (array([-1.]), array([4.]))
    """
    G = decay * G + (1 - decay) * g**2
    return -rate * g / sqrt(G + eps), G


def adam_step(
    g: Array, m: Array, G: Array, *, t: int, rate: float, b1: float, b2: float, eps: float
) -> tuple[Array, Array, Array]:
    r"""Return Adam's step: momentum and RMSprop, both corrected for having started at zero.

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t, \qquad \hat m_t = m_t / (1 - \beta_1^t) \\
        G_t &= \beta_2 G_{t-1} + (1 - \beta_2) g_t^2, \qquad \hat G_t = G_t / (1 - \beta_2^t) \\
        \Delta\theta_t &= -\frac{\eta_t\, \hat m_t}{\sqrt{\hat G_t} + \epsilon}

    Parameters
    ----------
    g : array
        Gradient.
    m, G : array
        Means of the gradients and of their squares before it, uncorrected.
    t : int
        Which step this is, counted from 1 over the whole run.
    rate, b1, b2, eps : float
        Learning rate η, memories β₁ and β₂, and guard ε, outside the root.

    Returns
    -------
    step, m, G : array
        The step, and the new means, uncorrected.

    References
    ----------
    Kingma & Ba, *Adam: a method for stochastic optimization*, ICLR 2015, algorithm 1.

    Examples
    --------
    >>> step, m, G = adam_step(np.array([5.0, -0.2]), 0.0, 0.0, t=1, rate=0.1, b1=0.9, b2=0.999, eps=1e-8)
    >>> step.round(6)
    array([-0.1,  0.1])
    """
    m = b1 * m + (1 - b1) * g
    G = b2 * G + (1 - b2) * g**2
    m_hat = m / (1 - b1**t)
    G_hat = G / (1 - b2**t)
    return -rate * m_hat / (sqrt(G_hat) + eps), m, G


def amsgrad_step(
    g: Array, m: Array, G: Array, G_max: Array, *, t: int, rate: float, b1: float, b2: float, eps: float
) -> tuple[Array, Array, Array, Array]:
    r"""Return AMSGrad's step: Adam's, with a mean square that never falls.

    .. math::
        \hat G^{\max}_t = \max(\hat G^{\max}_{t-1}, \hat G_t), \qquad
        \Delta\theta_t = -\frac{\eta_t\, \hat m_t}{\sqrt{\hat G^{\max}_t} + \epsilon}

    Parameters
    ----------
    g : array
        Gradient.
    m, G : array
        Means of the gradients and of their squares before it, uncorrected.
    G_max : array
        The largest corrected mean of the squares before it.
    t : int
        Which step this is, counted from 1 over the whole run.
    rate, b1, b2, eps : float
        Learning rate η, memories β₁ and β₂, and guard ε, outside the root.

    Returns
    -------
    step, m, G, G_max : array
        The step, and what to remember.

    References
    ----------
    Reddi, Kale & Kumar, *On the convergence of Adam and beyond*, ICLR 2018, algorithm 2.

    Examples
    --------
    >>> big, m, G, top = amsgrad_step(np.array([9.0]), 0.0, 0.0, 0.0, t=1, rate=1.0, b1=0.0, b2=0.5, eps=0.0)
    >>> small, m, G, top = amsgrad_step(np.array([3.0]), m, G, top, t=2, rate=1.0, b1=0.0, b2=0.5, eps=0.0)
    >>> big, small.round(4), top
    (array([-1.]), array([-0.3333]), array([81.]))
    """
    m = b1 * m + (1 - b1) * g
    G = b2 * G + (1 - b2) * g**2
    m_hat = m / (1 - b1**t)
    G_max = maximum(G_max, G / (1 - b2**t))
    return -rate * m_hat / (sqrt(G_max) + eps), m, G, G_max


# The rules


def sgd(learning_rate: Rate) -> Rule:
    r"""Return the rule of gradient descent (`sgd_step`): stochastic if the gradient is.

    Parameters
    ----------
    learning_rate : float or callable
        η, positive; or a schedule, from the step number (0 for the first step) to η.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If the argument is no positive number and no function.

    Notes
    -----
    The same as ``optax.sgd(learning_rate)``.

    References
    ----------
    Robbins & Monro, *A stochastic approximation method*, Annals of Mathematical Statistics 22 (1951) 400.

    Examples
    --------
    >>> rule = sgd(0.5)
    >>> step, state = rule.update(np.array([2.0]), rule.init(np.array([1.0])))
    >>> step
    array([-1.])
    """

    def step(t: int, rate: float, g: Array) -> tuple[Array]:
        return (sgd_step(g, rate=rate),)

    return _rule(step, SGDState, learning_rate)


def momentum(learning_rate: Rate, momentum: float = 0.9) -> Rule:
    r"""Return the rule of gradient descent with momentum, Polyak's heavy ball (`momentum_step`).

    Parameters
    ----------
    learning_rate : float or callable
        η, positive; or a schedule, from the step number (0 for the first step) to η.
    momentum : float
        γ, 0 ≤ γ < 1.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    There are three conventions, for a constant rate the same up to the scale of the memory:

    - here :math:`v \leftarrow \gamma v + \eta g` and the step −v: the rate at which a gradient came in stays
      with it;
    - ``optax.sgd(eta, momentum=gamma)`` has :math:`m \leftarrow \gamma m + g` and the step −ηm: a rate that
      changes also rescales what is remembered. With a schedule, ``optax.chain(scale_by_learning_rate(eta),
      trace(gamma))`` is the rule here;
    - autograd's ``sgd`` has :math:`v \leftarrow \gamma v - (1 - \gamma) g` and the step ηv: its η must be
      larger by the factor 1/(1 − γ).

    References
    ----------
    Polyak, *USSR Computational Mathematics and Mathematical Physics* 4 (1964) 1.

    Examples
    --------
    >>> rule = momentum(0.1, momentum=0.9)
    >>> state = rule.init(np.zeros(1))
    >>> for _ in range(200):
    ...     step, state = rule.update(np.ones(1), state)
    >>> step.round(6)  # the limit is -rate / (1 - momentum)
    array([-1.])
    """
    gamma = _fraction(momentum, "momentum")

    def step(t: int, rate: float, g: Array, v: Array) -> tuple[Array, Array]:
        return momentum_step(g, v, rate=rate, momentum=gamma)

    return _rule(step, MomentumState, learning_rate)


def nesterov(learning_rate: Rate, momentum: float = 0.9) -> Rule:
    r"""Return the rule of Nesterov's accelerated gradient (`nesterov_step`).

    The parameters that it moves are the points at which the textbook form evaluates its look-ahead gradient,
    :math:`\vartheta = \theta - \gamma v`; the textbook's θ is ``params + momentum * state.v``.

    Parameters
    ----------
    learning_rate : float or callable
        η, positive; or a schedule, from the step number (0 for the first step) to η.
    momentum : float
        γ, 0 ≤ γ < 1.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    For a constant rate the same as ``optax.sgd(learning_rate, momentum, nesterov=True)``; with a schedule the
    rate is inside the memory here, as in `momentum`.

    References
    ----------
    Nesterov, *Soviet Mathematics Doklady* 27 (1983) 372; Sutskever et al., ICML 2013.

    Examples
    --------
    >>> rule = nesterov(0.1, momentum=0.5)
    >>> step, state = rule.update(np.array([2.0]), rule.init(np.zeros(1)))
    >>> step.round(6), state.v
    (array([-0.3]), array([0.2]))
    """
    gamma = _fraction(momentum, "momentum")

    def step(t: int, rate: float, g: Array, v: Array) -> tuple[Array, Array]:
        return nesterov_step(g, v, rate=rate, momentum=gamma)

    return _rule(step, MomentumState, learning_rate)


def adagrad(learning_rate: Rate, eps: float = 1e-8) -> Rule:
    r"""Return the rule AdaGrad (`adagrad_step`).

    Parameters
    ----------
    learning_rate : float or callable
        η, positive; or a schedule, from the step number (0 for the first step) to η.
    eps : float
        ε, positive.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    As in the paper, the sum starts at 0 and ε is outside the root. ``optax.adagrad`` starts it at 0.1, which
    makes early steps shorter, and has ε inside. With ``initial_accumulator_value=0.0`` and both ε
    negligible the two agree.

    References
    ----------
    Duchi, Hazan & Singer, JMLR 12 (2011) 2121.

    Examples
    --------
    >>> rule = adagrad(0.1)
    >>> state = rule.init(np.zeros(1))
    >>> for _ in range(4):
    ...     step, state = rule.update(np.array([3.0]), state)
    >>> step.round(6)  # rate / sqrt(t)
    array([-0.05])
    """
    eps = positive(eps, "eps")

    def step(t: int, rate: float, g: Array, G: Array) -> tuple[Array, Array]:
        return adagrad_step(g, G, rate=rate, eps=eps)

    return _rule(step, AdaGradState, learning_rate)


def adadelta(learning_rate: Rate = 1.0, rho: float = 0.95, eps: float = 1e-6) -> Rule:
    r"""Return the rule AdaDelta (`adadelta_step`).

    Parameters
    ----------
    learning_rate : float or callable
        η, positive; or a schedule, from the step number (0 for the first step) to η. The paper has none: 1.
    rho : float
        ρ, 0 ≤ ρ < 1.
    eps : float
        ε, positive. Steps start at some :math:`\sqrt\epsilon` and have to grow from there.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    The same as ``optax.adadelta(learning_rate, rho, eps)``, whose default for ρ is 0.9, and which without a
    learning rate returns steps uphill.

    References
    ----------
    Zeiler, arXiv:1212.5701 (2012).

    Examples
    --------
    >>> rule = adadelta()
    >>> step, state = rule.update(np.array([100.0]), rule.init(np.zeros(1)))
    >>> step.round(5)
    array([-0.00447])
    """
    rho, eps = _fraction(rho, "rho"), positive(eps, "eps")

    def step(t: int, rate: float, g: Array, G: Array, D: Array) -> tuple[Array, Array, Array]:
        return adadelta_step(g, G, D, rate=rate, rho=rho, eps=eps)

    return _rule(step, AdaDeltaState, learning_rate)


def rmsprop(learning_rate: Rate = 1e-3, decay: float = 0.9, eps: float = 1e-8) -> Rule:
    r"""Return the rule RMSprop (`rmsprop_step`).

    Parameters
    ----------
    learning_rate : float or callable
        η, positive; or a schedule, from the step number (0 for the first step) to η.
    decay : float
        ρ, 0 ≤ ρ < 1.
    eps : float
        ε, positive.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    The same as ``optax.rmsprop(learning_rate, decay, eps)``: ε is inside the root. Many programs have it
    outside, :math:`\sqrt{G} + \epsilon'`, which is optax's ``eps_in_sqrt=False``; the two agree at G = 0 for
    :math:`\epsilon' = \sqrt\epsilon`. The mean starts at 0 and is not corrected for it, so the
    first step is about :math:`\eta / \sqrt{1 - \rho}` long.

    References
    ----------
    Hinton, *Neural Networks for Machine Learning*, lecture 6e (2012).

    Examples
    --------
    >>> rule = rmsprop(0.1, decay=0.75)
    >>> step, state = rule.update(np.array([7.0]), rule.init(np.zeros(1)))
    >>> step.round(6)
    array([-0.2])
    """
    decay, eps = _fraction(decay, "decay"), positive(eps, "eps")

    def step(t: int, rate: float, g: Array, G: Array) -> tuple[Array, Array]:
        return rmsprop_step(g, G, rate=rate, decay=decay, eps=eps)

    return _rule(step, RMSpropState, learning_rate)


def adam(learning_rate: Rate = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Rule:
    r"""Return the rule Adam (`adam_step`).

    Parameters
    ----------
    learning_rate : float or callable
        η, positive; or a schedule, from the step number (0 for the first step) to η.
    b1, b2 : float
        β₁ and β₂, the memories of the first and the second moment, 0 ≤ β < 1.
    eps : float
        ε, positive.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    The same as ``optax.adam(learning_rate, b1, b2, eps)``. The paper writes v for G, optax ``mu`` and ``nu``
    for m and G. The first step is :math:`\eta\lvert g\rvert/(\lvert g\rvert + \epsilon)` long, whatever the
    size of the gradient.

    References
    ----------
    Kingma & Ba, *Adam: a method for stochastic optimization*, ICLR 2015.

    Examples
    --------
    >>> rule = adam(0.1)
    >>> step, state = rule.update(np.array([1e6, -1e-3]), rule.init(np.zeros(2)))
    >>> step.round(4)
    array([-0.1,  0.1])
    """
    b1, b2, eps = _fraction(b1, "b1"), _fraction(b2, "b2"), positive(eps, "eps")

    def step(t: int, rate: float, g: Array, m: Array, G: Array) -> tuple[Array, Array, Array]:
        return adam_step(g, m, G, t=t, rate=rate, b1=b1, b2=b2, eps=eps)

    return _rule(step, AdamState, learning_rate)


def amsgrad(learning_rate: Rate = 1e-3, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Rule:
    r"""Return the rule AMSGrad (`amsgrad_step`): Adam whose rates never rise again.

    Parameters
    ----------
    learning_rate : float or callable
        η, positive; or a schedule, from the step number (0 for the first step) to η.
    b1, b2 : float
        β₁ and β₂, the memories of the first and the second moment, 0 ≤ β < 1.
    eps : float
        ε, positive.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError
        If an argument is outside its range.

    Notes
    -----
    The same as ``optax.amsgrad(learning_rate, b1, b2, eps)``: the moments are corrected as in Adam. The paper
    leaves the correction out, which is optax's ``bias_correction_mu=False, bias_correction_nu=False``.

    References
    ----------
    Reddi, Kale & Kumar, *On the convergence of Adam and beyond*, ICLR 2018.

    Examples
    --------
    >>> rule = amsgrad(0.1, b2=0.5)
    >>> _, state = rule.update(np.array([10.0]), rule.init(np.zeros(1)))
    >>> rule.update(np.array([0.0]), state)[1].G_max
    array([100.])
    """
    b1, b2, eps = _fraction(b1, "b1"), _fraction(b2, "b2"), positive(eps, "eps")

    def step(
        t: int, rate: float, g: Array, m: Array, G: Array, G_max: Array
    ) -> tuple[Array, Array, Array, Array]:
        return amsgrad_step(g, m, G, G_max, t=t, rate=rate, b1=b1, b2=b2, eps=eps)

    return _rule(step, AMSGradState, learning_rate)


# What they share


def _rule(step: Callable[..., tuple[Array, ...]], state_type: Any, learning_rate: Rate) -> Rule:
    """Return the rule that takes `step(t, rate, g, *memory) -> (step, *memory)` on each array."""
    schedule = learning_rate if callable(learning_rate) else None
    fixed = None if schedule else positive(learning_rate, "learning_rate")
    memories = len(state_type._fields) - 1
    remembered = state_type._make

    def init(params: Any) -> Any:
        if _is_array(params):
            return state_type(0, *_zeros(params, memories))
        return state_type(0, *_on_leaves(lambda x: _zeros(x, memories), memories, params))

    def update(grads: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        if type(state) is not state_type:
            raise ValueError(f"state must be the {state_type.__name__} of init, got {type(state).__name__}")
        t, *memory = state
        rate = fixed if schedule is None else _rate(schedule(t))
        if _is_array(grads):
            taken, *memory = step(t + 1, rate, _gradient(grads, memory), *memory)
        else:
            taken, *memory = _on_leaves(
                lambda g, *memory: step(t + 1, rate, _gradient(g, memory), *memory),
                1 + memories,
                grads,
                *memory,
            )
        return taken, remembered((t + 1, *memory))

    return Rule(init, update)


def _on_leaves(function: Callable[..., tuple[Array, ...]], outputs: int, *trees: Any) -> tuple[Any, ...]:
    """Return the outputs of `function` on the leaves of JAX's pytrees, each as a pytree."""
    import jax

    structure: Any
    leaves, structure = jax.tree.flatten(trees[0])
    try:
        rows = list(zip(leaves, *map(structure.flatten_up_to, trees[1:]), strict=True))
    except (TypeError, ValueError) as error:
        raise ValueError(f"grads must have the structure of the params given to init: {error}") from error
    columns = list(zip(*(function(*row) for row in rows), strict=True)) or [()] * outputs
    return tuple(structure.unflatten(column) for column in columns)


def _is_array(value: Any) -> bool:
    return type(value) is np.ndarray or hasattr(value, "dtype") or isinstance(value, float | int)


def _zeros(param: Array, count: int) -> tuple[Array, ...]:
    """Return new arrays of zeros like `param`, which must hold floats."""
    dtype = param.dtype if hasattr(param, "dtype") else np.dtype(type(param))
    if dtype.kind in "biucOSUmM":
        raise ValueError(f"params must hold floats, got {dtype}: write 1.0 in place of 1")
    return tuple(namespace(param).zeros_like(param) for _ in range(count))


def _gradient(g: Array, memory: Sequence[Array]) -> Array:
    """Return `g`, which must hold real numbers and have the shape of the memory, as floats."""
    try:
        kind, shape = g.dtype.kind, g.shape
    except AttributeError:
        kind, shape = "i" if isinstance(g, int) else "f" if isinstance(g, float) else "O", ()
    if kind in "cOSUmM" or (memory and shape != getattr(memory[0], "shape", None)):
        needed = "" if not memory else f", of shape {getattr(memory[0], 'shape', None)} as params"
        raise ValueError(f"grads must hold real numbers{needed}, got {g!r}")
    return 1.0 * g if kind in "biu" else g  # the square of an integer may overflow


def _rate(rate: Any) -> Any:
    """Return a schedule's rate as a float, which leaves single precision single, or as JAX traces it."""
    if type(rate) is float and 0 <= rate < inf:
        return rate  # the usual case first
    if is_traced(rate):
        return rate
    value = number(rate, "what learning_rate returns")
    if value < 0:
        raise ValueError(f"what learning_rate returns must be >= 0, got {rate!r}")
    return value


def _fraction(value: Any, name: str) -> Any:
    """Return `value`, 0 ≤ value < 1, or as it is where JAX traces it."""
    value = static_number(value, name)
    if not is_traced(value) and not 0 <= value < 1:
        raise ValueError(f"{name} must be at least 0 and less than 1, got {value}")
    return value
