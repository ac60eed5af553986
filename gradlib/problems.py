"""Problems with known solutions, on which every method of the course is tried.

Each `fun` works on NumPy arrays, real or complex, and under autograd and JAX alike, because it is written
with operators alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlib._objective import finite, number

__all__ = [
    "Problem",
    "Quadratic",
    "System",
    "beale",
    "boyd_vandenberghe",
    "chained_rosenbrock",
    "course_quadratic",
    "dennis_schnabel",
    "extended_rosenbrock",
    "himmelblau",
    "quadratic",
    "quadratic_form",
    "rosenbrock",
]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A function to minimise, with its derivatives, its usual start and its minimum.

    Attributes
    ----------
    name : str
        What it is called.
    fun, jac, hess : callable
        The function, its gradient, shape (n,), and its Hessian, shape (n, n).
    x0 : ndarray, shape (n,)
        The usual start; read-only.
    minimum : ndarray, shape (n,) or (m, n)
        The minimiser, or the m global minimisers one per row; read-only.

    Examples
    --------
    >>> rosenbrock
    Problem('Rosenbrock', x0=[-1.2, 1.0])
    >>> float(rosenbrock.fun(rosenbrock.x0)), rosenbrock.fun_min
    (24.199999999999996, 0.0)
    """

    name: str
    fun: Callable[[Any], Any]
    jac: Callable[[Any], Any]
    hess: Callable[[Any], Any]
    x0: Vector
    minimum: Vector

    def __post_init__(self) -> None:
        _freeze(self, "x0", "minimum")

    @property
    def fun_min(self) -> float:
        """The smallest value of the function."""
        return float(self.fun(np.atleast_2d(self.minimum)[0]))

    def __repr__(self) -> str:
        x0 = self.x0.tolist() if self.x0.size <= 4 else f"<{self.x0.size} numbers>"
        return f"{type(self).__name__}({self.name!r}, x0={x0})"


@dataclass(frozen=True, repr=False)
class Quadratic(Problem):
    r"""The `Problem` of minimising :math:`\tfrac12 x^T A x - b^T x`: its minimum solves Ax = b.

    Attributes
    ----------
    A : ndarray, shape (n, n)
        Symmetric positive definite matrix; read-only.
    b : ndarray, shape (n,)
        Right-hand side; read-only.

    Examples
    --------
    >>> course_quadratic.A
    array([[5., 2.],
           [2., 2.]])
    >>> course_quadratic.minimum, course_quadratic.fun_min
    (array([ 2., -1.]), -7.0)
    """

    A: Vector
    b: Vector

    def __post_init__(self) -> None:
        super().__post_init__()
        _freeze(self, "A", "b")


@dataclass(frozen=True)
class System:
    """Equations F(x) = 0 with their Jacobian, a start and a root.

    Attributes
    ----------
    name : str
        What it is called.
    F, jac : callable
        The equations, shape (n,), and their Jacobian, shape (n, n).
    x0, root : ndarray, shape (n,)
        The usual start, and the root that is looked for; read-only.

    Examples
    --------
    >>> dennis_schnabel.F(dennis_schnabel.x0)
    array([ 3., 17.])
    >>> dennis_schnabel.F(dennis_schnabel.root)
    array([0., 0.])
    """

    name: str
    F: Callable[[Any], Any]
    jac: Callable[[Any], Any]
    x0: Vector
    root: Vector

    def __post_init__(self) -> None:
        _freeze(self, "x0", "root")

    def __repr__(self) -> str:
        return f"System({self.name!r}, x0={self.x0.tolist()})"


def _freeze(problem: object, *names: str) -> None:
    """Make the named arrays float64 copies that nobody can change."""
    for name in names:
        array = finite(getattr(problem, name), name)
        array.setflags(write=False)
        object.__setattr__(problem, name, array)


def quadratic_form(
    A: ArrayLike, b: ArrayLike, x0: ArrayLike | None = None, *, name: str = "quadratic"
) -> Quadratic:
    r"""Return the problem of minimising :math:`\tfrac12 x^T A x - b^T x`.

    Parameters
    ----------
    A : array_like, shape (n, n)
        Symmetric positive definite matrix.
    b : array_like, shape (n,)
        Right-hand side.
    x0 : array_like, shape (n,), optional
        Start; the origin if not given.
    name : str
        What to call it.

    Returns
    -------
    Quadratic
        With ``minimum`` the solution of Ax = b.

    Raises
    ------
    ValueError
        If a shape does not fit, or `A` is not symmetric positive definite.

    References
    ----------
    Nocedal & Wright, *Numerical Optimization*, 2nd ed., eq. (5.2).

    Examples
    --------
    >>> quadratic_form([[2.0, 0.0], [0.0, 4.0]], [2.0, 4.0]).minimum
    array([1., 1.])
    """
    A, b = finite(A, "A"), finite(b, "b")
    if b.ndim != 1 or b.size == 0:
        raise ValueError(f"b must be a vector, got shape {b.shape}")
    if A.shape != (b.size, b.size):
        raise ValueError(f"A must have shape {(b.size, b.size)} to fit b, got {A.shape}")
    if not np.allclose(A, A.T, rtol=1e-12, atol=0):
        raise ValueError("A must be symmetric")
    try:
        np.linalg.cholesky(A)
        minimum = finite(np.linalg.solve(A, b), "A")
    except np.linalg.LinAlgError:
        raise ValueError("A must be positive definite: it has an eigenvalue <= 0") from None
    start = np.zeros(b.size) if x0 is None else finite(x0, "x0")
    if start.shape != b.shape:
        raise ValueError(f"x0 must have shape {b.shape} to fit b, got {start.shape}")
    return Quadratic(
        name,
        fun=lambda x: 0.5 * x @ (A @ x) - b @ x,
        jac=lambda x: A @ x - b,
        hess=lambda x: A.copy(),
        x0=start,
        minimum=minimum,
        A=A,
        b=b,
    )


def quadratic(kappa: float, n: int = 2, *, rng: np.random.Generator | None = None) -> Quadratic:
    r"""Return :math:`\tfrac12 x^T A x` with eigenvalues spread geometrically from 1 to κ.

    Parameters
    ----------
    kappa : float
        Condition number κ ≥ 1.
    n : int
        Dimension, at least 2.
    rng : numpy.random.Generator, optional
        Turns the axes at random; without it A is diagonal.

    Returns
    -------
    Quadratic
        With b = 0 and :math:`x_0 = \kappa\,A^{-1}(1, \dots, 1)^T`, which for n = 2 is the start (κ, 1) from
        which steepest descent is slowest.

    Raises
    ------
    ValueError
        If `kappa` < 1 or `n` < 2.

    References
    ----------
    Boyd & Vandenberghe, *Convex Optimization*, section 9.3.2.

    Examples
    --------
    >>> quadratic(10.0).x0
    array([10.,  1.])
    """
    kappa = number(kappa, "kappa")
    if kappa < 1:
        raise ValueError(f"kappa must be at least 1, got {kappa}")
    if isinstance(n, bool) or not isinstance(n, Integral) or n < 2:
        raise ValueError(f"n must be an integer >= 2, got {n!r}")
    eigenvalues = np.geomspace(1.0, kappa, n)
    if rng is None:
        axes = np.eye(n)
    elif isinstance(rng, np.random.Generator):
        axes, _ = np.linalg.qr(rng.standard_normal((n, n)))
    else:
        raise ValueError(f"rng must be a numpy.random.Generator, got {type(rng).__name__}")
    A = axes @ (eigenvalues[:, None] * axes.T)
    return quadratic_form(
        A / 2 + A.T / 2, np.zeros(n), axes @ (kappa / eigenvalues), name=f"quadratic, κ = {kappa:g}"
    )


course_quadratic = quadratic_form(
    [[5.0, 2.0], [2.0, 2.0]], [8.0, 2.0], [-2.0, 2.0], name="the course's quadratic"
)
"""The problem that follows the whole course: eigenvalues 1 and 6, minimum −7 at (2, −1), 18 at the start."""


def _rosenbrock(even: Any, odd: Any) -> Any:
    r, rest = odd - even**2, even - 1.0
    return 100.0 * (r @ r) + rest @ rest


def _rosenbrock_jac(even: Vector, odd: Vector) -> tuple[Vector, Vector]:
    right = 200.0 * (odd - even**2)
    return 2.0 * (even - 1.0 - even * right), right


def chained_rosenbrock(n: int) -> Problem:
    r"""Return Rosenbrock's function in n dimensions with every neighbour coupled.

    .. math:: f(x) = \sum_{i=1}^{n-1} 100\,(x_{i+1} - x_i^2)^2 + (1 - x_i)^2

    Parameters
    ----------
    n : int
        Dimension, at least 2. The start is (−1.2, 1, −1.2, 1, …).

    Returns
    -------
    Problem
        With the minimum 0 at (1, …, 1). For n ≥ 4 there is another local minimum near (−1, 1, …, 1).

    Raises
    ------
    ValueError
        If `n` < 2.

    References
    ----------
    ``scipy.optimize.rosen`` is this function. Its minima: Kok & Sandrock, Evolutionary Computation 17 (2009)
    437.

    Examples
    --------
    >>> float(chained_rosenbrock(3).fun(np.zeros(3)))
    2.0
    """
    if isinstance(n, bool) or not isinstance(n, Integral) or n < 2:
        raise ValueError(f"n must be an integer >= 2, got {n!r}")

    def jac(x: Vector) -> Vector:
        g = np.empty(n)
        g[:-1], right = _rosenbrock_jac(x[:-1], x[1:])
        g[-1] = 0
        g[1:] += right
        return g

    def hess(x: Vector) -> Vector:
        diagonal = np.zeros(n)
        diagonal[:-1] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
        diagonal[1:] += 200
        beside = -400 * x[:-1]
        return np.asarray(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))

    return Problem(
        f"chained Rosenbrock, n = {n}",
        fun=lambda x: _rosenbrock(x[:-1], x[1:]),
        jac=jac,
        hess=hess,
        x0=np.resize([-1.2, 1.0], n),
        minimum=np.ones(n),
    )


def extended_rosenbrock(n: int) -> Problem:
    r"""Return n/2 independent copies of Rosenbrock's function.

    .. math:: f(x) = \sum_{i=1}^{n/2} 100\,(x_{2i} - x_{2i-1}^2)^2 + (1 - x_{2i-1})^2

    Parameters
    ----------
    n : int
        Dimension, even. The start is (−1.2, 1, −1.2, 1, …).

    Returns
    -------
    Problem
        With the minimum 0 at (1, …, 1).

    Raises
    ------
    ValueError
        If `n` is not even and positive.

    References
    ----------
    Moré, Garbow & Hillstrom, ACM TOMS 7 (1981) 17, problem 21.

    Examples
    --------
    >>> problem = extended_rosenbrock(4)
    >>> float(problem.fun(problem.x0))
    48.39999999999999
    """
    if isinstance(n, bool) or not isinstance(n, Integral) or n < 2 or n % 2:
        raise ValueError(f"n must be an even integer >= 2, got {n!r}")

    def jac(x: Vector) -> Vector:
        g = np.empty(n)
        g[::2], g[1::2] = _rosenbrock_jac(x[::2], x[1::2])
        return g

    def hess(x: Vector) -> Vector:
        H = np.zeros((n, n))
        i = np.arange(0, n, 2)
        H[i, i] = 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        H[i, i + 1] = H[i + 1, i] = -400 * x[i]
        H[i + 1, i + 1] = 200
        return H

    return Problem(
        f"extended Rosenbrock, n = {n}",
        fun=lambda x: _rosenbrock(x[::2], x[1::2]),
        jac=jac,
        hess=hess,
        x0=np.resize([-1.2, 1.0], n),
        minimum=np.ones(n),
    )


rosenbrock = Problem(
    "Rosenbrock",
    fun=lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
    jac=lambda x: np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)]),
    hess=lambda x: np.array([[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200.0]]),
    x0=np.array([-1.2, 1.0]),
    minimum=np.array([1.0, 1.0]),
)
"""The banana-shaped valley (Moré, Garbow & Hillstrom 1981, problem 1): f = 24.2 at the start, 0 at (1, 1)."""


def _beale_terms(x: Any) -> list[tuple[Any, Any, int]]:
    """Return each residual r = c − x₁(1 − x₂ᵏ), its derivative by −x₁, and k."""
    return [(c - x[0] * (1 - x[1] ** k), 1 - x[1] ** k, k) for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))]


def _beale_jac(x: Vector) -> Vector:
    rows = [(-2 * r * d, 2 * r * k * x[0] * x[1] ** (k - 1)) for r, d, k in _beale_terms(x)]
    return np.asarray(np.sum(rows, axis=0))


def _beale_hess(x: Vector) -> Vector:
    H = np.zeros((2, 2))
    for r, d, k in _beale_terms(x):
        s = k * x[1] ** (k - 1)
        bend = k * (k - 1) * x[0] * x[1] ** (k - 2) if k > 1 else 0.0
        mixed = -x[0] * s * d + r * s
        H += 2 * np.array([[d * d, mixed], [mixed, (x[0] * s) ** 2 + r * bend]])
    return H


beale = Problem(
    "Beale",
    fun=lambda x: sum(r**2 for r, _, _ in _beale_terms(x)),
    jac=_beale_jac,
    hess=_beale_hess,
    x0=np.array([1.0, 1.0]),
    minimum=np.array([3.0, 0.5]),
)
"""Beale's function (Moré, Garbow & Hillstrom 1981, problem 5): 0 at (3, ½), flat valleys that lead away."""

himmelblau = Problem(
    "Himmelblau",
    fun=lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2,
    jac=lambda x: np.array(
        [
            4 * x[0] * (x[0] ** 2 + x[1] - 11) + 2 * (x[0] + x[1] ** 2 - 7),
            2 * (x[0] ** 2 + x[1] - 11) + 4 * x[1] * (x[0] + x[1] ** 2 - 7),
        ]
    ),
    hess=lambda x: np.array(
        [
            [12 * x[0] ** 2 + 4 * x[1] - 42, 4 * (x[0] + x[1])],
            [4 * (x[0] + x[1]), 12 * x[1] ** 2 + 4 * x[0] - 26],
        ]
    ),
    x0=np.array([0.0, 0.0]),
    minimum=np.array(
        [
            [3.0, 2.0],
            [-2.805118086952745, 3.131312518250573],
            [-3.779310253377747, -3.2831859912861696],
            [3.5844283403304917, -1.8481265269644036],
        ]
    ),
)
"""Himmelblau's function (*Applied Nonlinear Programming*, 1972): four minima, all with the value 0."""


def _boyd_terms(x: Any) -> tuple[Any, Any, Any]:
    # e as a base: an operator that NumPy, autograd and JAX each know for their own arrays
    return np.e ** (x[0] + 3 * x[1] - 0.1), np.e ** (x[0] - 3 * x[1] - 0.1), np.e ** (-x[0] - 0.1)


def _boyd_jac(x: Vector) -> Vector:
    up, down, left = _boyd_terms(x)
    return np.array([up + down - left, 3 * up - 3 * down])


def _boyd_hess(x: Vector) -> Vector:
    up, down, left = _boyd_terms(x)
    return np.array([[up + down + left, 3 * up - 3 * down], [3 * up - 3 * down, 9 * up + 9 * down]])


boyd_vandenberghe = Problem(
    "Boyd & Vandenberghe",
    fun=lambda x: sum(_boyd_terms(x)),
    jac=_boyd_jac,
    hess=_boyd_hess,
    x0=np.array([-1.0, 0.7]),
    minimum=np.array([-0.5 * np.log(2), 0.0]),
)
r"""A sum of three exponentials (*Convex Optimization*, section 9.3): minimum :math:`2\sqrt2\,e^{-0.1}` at (−½
ln 2, 0)."""

_POWERS = np.array([1.0, 2.0])

dennis_schnabel = System(
    "Dennis & Schnabel",
    F=lambda x: x[0] ** _POWERS + x[1] ** _POWERS - 3**_POWERS,
    jac=lambda x: np.array([[1.0, 1.0], [2 * x[0], 2 * x[1]]]),
    x0=np.array([1.0, 5.0]),
    root=np.array([0.0, 3.0]),
)
"""The equations x₁ + x₂ = 3 and x₁² + x₂² = 9, whose other root is (3, 0).

Dennis & Schnabel, *Numerical Methods for Unconstrained Optimization and Nonlinear Equations*, ch. 8.
"""
