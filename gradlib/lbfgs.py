r"""L-BFGS: BFGS that remembers the last m steps in place of an n × n matrix."""

from __future__ import annotations

import math
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from gradlib._objective import Function, Jacobian, Matrix, Objective, Vector, check_options, finite
from gradlib._quasinewton import descend
from gradlib._scipy import scipy_method
from gradlib.result import Callback, Result

__all__ = ["minimize", "two_loop"]


def two_loop(g: ArrayLike, S: ArrayLike, Y: ArrayLike) -> Vector:
    r"""Return H g, where H is what m BFGS updates make of a multiple of the identity, without forming H.

    .. math::

        q_m = g, \quad
        \alpha_i = \rho_i s_i^T q_{i+1},\ q_i = q_{i+1} - \alpha_i y_i \ (i = m-1, \dots, 0), \quad
        r_0 = \gamma q_0, \quad
        r_{i+1} = r_i + (\alpha_i - \rho_i y_i^T r_i)\,s_i, \quad
        H g = r_m

    with :math:`\rho_i = 1/y_i^T s_i` and :math:`\gamma = s_{m-1}^T y_{m-1} / y_{m-1}^T y_{m-1}`.

    Parameters
    ----------
    g : array_like, shape (n,)
        Gradient.
    S, Y : array_like, shape (m, n)
        Steps and changes of the gradient, a row each, the newest last. Without rows H is the identity.

    Returns
    -------
    ndarray, shape (n,)
        The product, at a cost of 4mn multiplications.

    Raises
    ------
    ValueError
        If the shapes do not fit, or some :math:`s_i^T y_i` is not positive.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithm 7.4, with γ from eq. (7.20).

    Examples
    --------
    >>> two_loop([2.0, 1.0], S=[[1.0, 0.0]], Y=[[2.0, 1.0]])  # the secant equation: H y = s
    array([1., 0.])
    """
    q, S, Y, rho, gamma = _history(g, S, Y)
    alpha = np.zeros(len(S))
    for i in reversed(range(len(S))):
        alpha[i] = rho[i] * (S[i] @ q)
        q = q - alpha[i] * Y[i]
    r = gamma * q
    for i in range(len(S)):
        r = r + (alpha[i] - rho[i] * (Y[i] @ r)) * S[i]
    return r


@scipy_method
@np.errstate(all="ignore")
def minimize(
    fun: Function,
    x0: ArrayLike,
    jac: Jacobian = None,
    *,
    memory: int = 10,
    tol: float = 1e-8,
    max_iter: int = 15_000,
    callback: Callback | None = None,
    keep_trace: bool = True,
) -> Result:
    r"""Minimise f by L-BFGS, with memory and work of O(mn) for m remembered steps.

    .. math:: x_{k+1} = x_k - \alpha_k H_k \nabla f(x_k)

    where :math:`H_k g` is what `two_loop` returns for the last m pairs of :math:`s_k = x_{k+1} - x_k` and
    :math:`y_k = \nabla f(x_{k+1}) - \nabla f(x_k)`, and :math:`\alpha_k` fulfils the strong Wolfe conditions,
    which make :math:`s_k^T y_k` positive.

    Parameters
    ----------
    fun : callable
        The function: a vector of shape (n,), or a number, to a number.
    x0 : float or array_like, shape (n,)
        Start; a number makes the result a number.
    jac : callable, True or None
        Gradient, shape (n,); True if `fun` returns the pair (f, g). None lets autograd differentiate `fun`,
        which is then written with ``autograd.numpy``.
    memory : int
        The m: how many steps are remembered.
    tol : float
        The run has converged when :math:`\lVert\nabla f\rVert_\infty` ≤ `tol`.
    max_iter : int
        Largest number of iterations.
    callback : callable, optional
        Called with a copy of x after each iteration; returning True or raising StopIteration ends the run.
    keep_trace : bool
        Whether to keep all iterates. Each takes as much room as x: leave them out where n is large.

    Returns
    -------
    Result
        With the gradient as ``jac``.

    Raises
    ------
    ValueError
        If an argument is unusable; the message names it.

    Notes
    -----
    A step is left out of the memory where round-off makes :math:`s^Ty` too small, and the memory is emptied
    where no step is found along :math:`-H\nabla f`. A memory of more than n steps is allowed and wastes room:
    n steps determine a quadratic.

    The loops of `two_loop` are short operations one after another. The driver computes the same product from
    the compact form (Byrd, Nocedal & Schnabel, eq. (3.1)), which gathers them into two products of a matrix
    with a vector.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., algorithm 7.5. Byrd, Nocedal & Schnabel, Math.
    Program. 63 (1994) 129.

    Examples
    --------
    >>> from gradlib.problems import extended_rosenbrock
    >>> p = extended_rosenbrock(1000)
    >>> result = minimize(p.fun, p.x0, p.jac, memory=5)
    >>> result.success, float(abs(result.x - 1).max()) < 1e-6
    (True, True)
    """
    check_options(tol, max_iter, callback, keep_trace=keep_trace)
    if isinstance(memory, bool) or not isinstance(memory, Integral) or memory < 1:
        raise ValueError(f"memory must be an integer >= 1, got {memory!r}")
    objective = Objective(fun, x0, jac)
    H = _Compact(int(memory), objective.x0.size)
    return descend(objective, H, tol=tol, max_iter=max_iter, callback=callback, keep_trace=keep_trace)


class _Compact:
    r"""The inverse Hessian as two tall matrices, the remembered steps, and small ones.

    With the rows of S and Y, the upper triangle R of :math:`S Y^T` and its diagonal D,

    .. math:: H = \gamma I + S^T R^{-T} (D + \gamma Y Y^T) R^{-1} S
        - \gamma\,S^T R^{-T} Y - \gamma\,Y^T R^{-1} S

    The newest pair takes the place of the oldest. That needs no sorting: an inverse triangle loses its oldest
    row and column by zeros there, and the newest column is the only one that is computed. Places still empty
    are zero and take no part.
    """

    def __init__(self, memory: int, n: int) -> None:
        self._m = memory
        self._SY = np.zeros((2 * memory, n))
        self._R_inv = np.zeros((memory, memory))
        self._D = np.zeros(memory)
        self._YY = np.zeros((memory, memory))
        self._weights = np.empty(2 * memory)
        self.s = np.empty(n)
        self._place = 0
        self._gamma = 1.0
        self.fresh = True

    def direction(self, g: Vector) -> Vector:
        if self.fresh:
            return -g
        m, gamma, SY, weights = self._m, self._gamma, self._SY, self._weights
        products = SY.dot(g)
        u = self._R_inv.dot(products[:m])
        v = self._D * u + gamma * (self._YY.dot(u) - products[m:])
        weights[:m] = v.dot(self._R_inv)
        weights[m:] = -gamma * u
        p: Vector = weights.dot(SY)
        p += gamma * g
        np.negative(p, p)
        return p

    def update(self, y: Vector, sy: float) -> None:
        i, m = self._place, self._m
        SY, R_inv, YY = self._SY, self._R_inv, self._YY
        SY[i], SY[m + i] = self.s, y
        products = SY.dot(y)
        R_inv[i] = R_inv[:, i] = 0.0
        R_inv[:, i] = R_inv.dot(products[:m]) / -sy
        R_inv[i, i] = 1 / sy
        YY[i] = YY[:, i] = products[m:]
        self._D[i] = sy
        yy = float(products[m + i])
        self._gamma = sy / yy if yy else math.inf  # out of range: no direction comes of it, H is forgotten
        self._place = (i + 1) % m
        self.fresh = False

    def forget(self) -> bool:
        """Empty the memory."""
        if self.fresh:
            return False
        for array in (self._SY, self._R_inv, self._D, self._YY):
            array[...] = 0.0
        self.fresh = True
        return True


def _history(g: ArrayLike, S: ArrayLike, Y: ArrayLike) -> tuple[Vector, Matrix, Matrix, Vector, float]:
    """Return g, S, Y, the ρ and γ, or say which argument is unusable."""
    g, S, Y = finite(g, "g"), finite(S, "S"), finite(Y, "Y")
    if g.ndim != 1:
        raise ValueError(f"g must be a vector, got shape {g.shape}")
    if S.size == Y.size == 0:
        return g, S, Y, S, 1.0
    if S.ndim != 2 or S.shape != Y.shape or S.shape[1] != g.size:
        raise ValueError(f"S and Y must have shape (m, {g.size}) to fit g, got {S.shape} and {Y.shape}")
    products = (S * Y).sum(axis=1)
    if not (products > 0).all():
        raise ValueError(f"Y must fulfil sᵀy > 0 in every row, got {products}")
    return g, S, Y, 1 / products, float(products[-1] / (Y[-1] @ Y[-1]))
