r"""The test problems of Moré, Garbow & Hillstrom, on which methods have been compared since 1981.

Each is a sum of squares :math:`f(x) = \sum_i r_i(x)^2`, given by its residuals r and their Jacobian J, so
that :math:`\nabla f = 2 J^T r`. Starts, dimensions and minima are those of the paper, whose numbers the
problems bear: the eighteen that it proposes for unconstrained minimisation, and seven more.

References
----------
Moré, Garbow & Hillstrom, *Testing unconstrained optimization software*, ACM TOMS 7 (1981) 17.

Examples
--------
>>> problem = ALL[7]
>>> problem
LeastSquares('helical valley', x0=[-1.0, 0.0, 0.0])
>>> float(problem.fun(problem.x0)), problem.minima
(2500.0, (0.0,))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlib.problems import Problem

__all__ = ["ALL", "LeastSquares"]

Vector = NDArray[Any]  # complex in the complex step
Map = Callable[[Vector], Vector]


@dataclass(frozen=True, repr=False)
class LeastSquares(Problem):
    """A `Problem` from the paper: a sum of squares.

    Attributes
    ----------
    number : int
        The paper's number.
    residuals, jacobian : callable
        The residuals, shape (m,), and their Jacobian, shape (m, n).
    minima : tuple of float
        The published values of the local minima, the smallest first; where the paper gives one at infinity,
        it is among them.

    Examples
    --------
    >>> problem = ALL[8]
    >>> problem.residuals(problem.x0).shape, problem.jacobian(problem.x0).shape, problem.minima
    ((15,), (15, 3), (0.00821487, 17.4286))
    """

    number: int
    residuals: Map
    jacobian: Map
    minima: tuple[float, ...]


ALL: dict[int, LeastSquares] = {}
"""The problems by their numbers in the paper."""


def _add(
    number: int,
    name: str,
    residuals: Map,
    jacobian: Map,
    x0: ArrayLike,
    minimum: ArrayLike,
    minima: tuple[float, ...] = (0.0,),
) -> None:
    def fun(x: Vector) -> Any:
        r = residuals(x)
        return r.dot(r)

    def jac(x: Vector) -> Vector:
        return np.asarray(2 * residuals(x).dot(jacobian(x)))

    def hess(x: Vector) -> Vector:
        columns = [jac(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.size)]
        return np.asarray(columns)

    start, solution = np.array(x0, dtype=float), np.array(minimum, dtype=float)
    ALL[number] = LeastSquares(
        name,
        fun,
        jac,
        hess,
        start,
        solution,
        number=number,
        residuals=residuals,
        jacobian=jacobian,
        minima=minima,
    )


def _count(n: int) -> Vector:
    return np.arange(1.0, n + 1)


# 2. Freudenstein and Roth

_add(
    2,
    "Freudenstein and Roth",
    lambda x: np.array(
        [-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]]
    ),
    lambda x: np.array([[1, (10 - 3 * x[1]) * x[1] - 2], [1, (3 * x[1] + 2) * x[1] - 14]]),
    x0=[0.5, -2.0],
    minimum=[5.0, 4.0],
    minima=(0.0, 48.9842),
)

# 3. Powell badly scaled

_add(
    3,
    "Powell badly scaled",
    lambda x: np.array([1e4 * x[0] * x[1] - 1, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001]),
    lambda x: np.array([[1e4 * x[1], 1e4 * x[0]], [-np.exp(-x[0]), -np.exp(-x[1])]]),
    x0=[0.0, 1.0],
    minimum=[1.0981593296997054e-05, 9.106146739867318],
)

# 4. Brown badly scaled

_add(
    4,
    "Brown badly scaled",
    lambda x: np.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2]),
    lambda x: np.array([[1, 0], [0, 1], [x[1], x[0]]]),
    x0=[1.0, 1.0],
    minimum=[1e6, 2e-6],
)

# 5. Beale

_POWERS = _count(3)

_add(
    5,
    "Beale",
    lambda x: np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** _POWERS),
    lambda x: np.stack([x[1] ** _POWERS - 1, x[0] * _POWERS * x[1] ** (_POWERS - 1)], axis=1),
    x0=[1.0, 1.0],
    minimum=[3.0, 0.5],
)

# 6. Jennrich and Sampson

_TEN = _count(10)

_add(
    6,
    "Jennrich and Sampson",
    lambda x: 2 + 2 * _TEN - np.exp(_TEN * x[0]) - np.exp(_TEN * x[1]),
    lambda x: np.stack([-_TEN * np.exp(_TEN * x[0]), -_TEN * np.exp(_TEN * x[1])], axis=1),
    x0=[0.3, 0.4],
    minimum=[0.2578252136705121, 0.2578252136705121],
    minima=(124.362,),
)

# 7. Helical valley


def _angle(x: Vector) -> Any:
    """Return the angle of (x₁, x₂) in turns, from -1/4 to 3/4."""
    return np.arctan(x[1] / x[0]) / (2 * np.pi) + (0.5 if x[0].real < 0 else 0.0)


def _helical_jacobian(x: Vector) -> Vector:
    square = x[0] ** 2 + x[1] ** 2
    turn, root = 100 / (2 * np.pi * square), 10 / np.sqrt(square)
    return np.array([[turn * x[1], -turn * x[0], 10], [root * x[0], root * x[1], 0], [0, 0, 1]])


_add(
    7,
    "helical valley",
    lambda x: np.array([10 * (x[2] - 10 * _angle(x)), 10 * (np.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]]),
    _helical_jacobian,
    x0=[-1.0, 0.0, 0.0],
    minimum=[1.0, 0.0, 0.0],
)

# 8. Bard

_BARD = np.array([14, 18, 22, 25, 29, 32, 35, 39, 37, 58, 73, 96, 134, 210, 439]) / 100
_U = _count(15)
_V = 16 - _U
_W = np.minimum(_U, _V)


def _bard_jacobian(x: Vector) -> Vector:
    slope = _U / (_V * x[1] + _W * x[2]) ** 2
    return np.stack([-np.ones(15), slope * _V, slope * _W], axis=1)


_add(
    8,
    "Bard",
    lambda x: _BARD - x[0] - _U / (_V * x[1] + _W * x[2]),
    _bard_jacobian,
    x0=[1.0, 1.0, 1.0],
    minimum=[0.0824105597497803, 1.1330360920293354, 2.3436951786429123],
    minima=(8.21487e-3, 17.4286),
)

# 9. Gaussian

_BELL = np.array([9, 44, 175, 540, 1295, 2420, 3521, 3989, 3521, 2420, 1295, 540, 175, 44, 9]) / 1e4
_BELL_T = (8 - _count(15)) / 2


def _gaussian_jacobian(x: Vector) -> Vector:
    d = _BELL_T - x[2]
    bell = np.exp(-x[1] * d**2 / 2)
    return np.stack([bell, -x[0] * bell * d**2 / 2, x[0] * x[1] * bell * d], axis=1)


_add(
    9,
    "Gaussian",
    lambda x: x[0] * np.exp(-x[1] * (_BELL_T - x[2]) ** 2 / 2) - _BELL,
    _gaussian_jacobian,
    x0=[0.4, 1.0, 0.0],
    minimum=[0.39895613783875655, 1.0000190844878036, 0.0],
    minima=(1.12793e-8,),
)

# 11. Gulf research and development, m = 99

_GULF = _count(99) / 100
_GULF_Y = 25 + (-50 * np.log(_GULF)) ** (2 / 3)


def _gulf_distance(x: Vector) -> Vector:
    d = _GULF_Y - x[1]
    return np.asarray(np.where(d.real < 0, -d, d))


def _gulf_jacobian(x: Vector) -> Vector:
    d = _gulf_distance(x)
    power = d ** x[2] / x[0]
    decay = np.exp(-power) * power
    sign = np.sign((_GULF_Y - x[1]).real)
    return np.stack([decay / x[0], sign * decay * x[2] / d, -decay * np.log(d)], axis=1)


_add(
    11,
    "Gulf research and development",
    lambda x: np.exp(-(_gulf_distance(x) ** x[2]) / x[0]) - _GULF,
    _gulf_jacobian,
    x0=[5.0, 2.5, 0.15],
    minimum=[50.0, 25.0, 1.5],
)

# 12. Box three-dimensional, m = 10

_BOX_T = _TEN / 10
_BOX_Y = np.exp(-_BOX_T) - np.exp(-10 * _BOX_T)

_add(
    12,
    "Box three-dimensional",
    lambda x: np.exp(-_BOX_T * x[0]) - np.exp(-_BOX_T * x[1]) - x[2] * _BOX_Y,
    lambda x: np.stack([-_BOX_T * np.exp(-_BOX_T * x[0]), _BOX_T * np.exp(-_BOX_T * x[1]), -_BOX_Y], axis=1),
    x0=[0.0, 10.0, 20.0],
    minimum=[[1.0, 10.0, 1.0], [10.0, 1.0, -1.0]],
)

# 14. Wood

_WOOD = np.array([10, 1, 90**0.5, 1, 10**0.5, 10**-0.5])

_add(
    14,
    "Wood",
    lambda x: (
        _WOOD
        * np.array([x[1] - x[0] ** 2, 1 - x[0], x[3] - x[2] ** 2, 1 - x[2], x[1] + x[3] - 2, x[1] - x[3]])
    ),
    lambda x: (
        _WOOD[:, None]
        * np.array(
            [
                [-2 * x[0], 1, 0, 0],
                [-1, 0, 0, 0],
                [0, 0, -2 * x[2], 1],
                [0, 0, -1, 0],
                [0, 1, 0, 1],
                [0, 1, 0, -1],
            ]
        )
    ),
    x0=[-3.0, -1.0, -3.0, -1.0],
    minimum=[1.0, 1.0, 1.0, 1.0],
)

# 15. Kowalik and Osborne

_KOWALIK = np.array([1957, 1947, 1735, 1600, 844, 627, 456, 342, 323, 235, 246]) / 1e4
_KOWALIK_U = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])


def _kowalik_jacobian(x: Vector) -> Vector:
    u = _KOWALIK_U
    top, bottom = u**2 + u * x[1], u**2 + u * x[2] + x[3]
    slope = x[0] * top / bottom**2
    return np.stack([-top / bottom, -x[0] * u / bottom, u * slope, slope], axis=1)


_add(
    15,
    "Kowalik and Osborne",
    lambda x: (
        _KOWALIK - x[0] * (_KOWALIK_U**2 + _KOWALIK_U * x[1]) / (_KOWALIK_U**2 + _KOWALIK_U * x[2] + x[3])
    ),
    _kowalik_jacobian,
    x0=[0.25, 0.39, 0.415, 0.39],
    minimum=[0.1928069345790379, 0.19128232873436676, 0.12305650692632088, 0.13606233068379475],
    minima=(3.07505e-4, 1.02734e-3),
)

# 16. Brown and Dennis, m = 20

_BROWN_T = _count(20) / 5


def _brown_dennis_parts(x: Vector) -> tuple[Vector, Vector]:
    return x[0] + _BROWN_T * x[1] - np.exp(_BROWN_T), x[2] + x[3] * np.sin(_BROWN_T) - np.cos(_BROWN_T)


def _brown_dennis_residuals(x: Vector) -> Vector:
    a, b = _brown_dennis_parts(x)
    return np.asarray(a**2 + b**2)


def _brown_dennis_jacobian(x: Vector) -> Vector:
    a, b = _brown_dennis_parts(x)
    return 2 * np.stack([a, a * _BROWN_T, b, b * np.sin(_BROWN_T)], axis=1)


_add(
    16,
    "Brown and Dennis",
    _brown_dennis_residuals,
    _brown_dennis_jacobian,
    x0=[25.0, 5.0, -5.0, -1.0],
    minimum=[-11.594439904762162, 13.203630051207202, -0.4034394881768612, 0.2367787744557347],
    minima=(85822.2,),
)

# 17. Osborne 1

_OSBORNE = (
    np.array(
        [
            *(844, 908, 932, 936, 925, 908, 881, 850, 818, 784, 751, 718, 685, 658, 628, 603, 580),
            *(558, 538, 522, 506, 490, 478, 467, 457, 448, 438, 431, 424, 420, 414, 411, 406),
        ]
    )
    / 1000
)
_OSBORNE_T = 10 * (_count(33) - 1)


def _osborne_jacobian(x: Vector) -> Vector:
    first, second = np.exp(-_OSBORNE_T * x[3]), np.exp(-_OSBORNE_T * x[4])
    return np.stack(
        [-np.ones(33), -first, -second, _OSBORNE_T * x[1] * first, _OSBORNE_T * x[2] * second], axis=1
    )


_add(
    17,
    "Osborne 1",
    lambda x: _OSBORNE - x[0] - x[1] * np.exp(-_OSBORNE_T * x[3]) - x[2] * np.exp(-_OSBORNE_T * x[4]),
    _osborne_jacobian,
    x0=[0.5, 1.5, -1.0, 0.01, 0.02],
    minimum=[
        0.3754100521069519,
        1.9358469127123463,
        -1.464687136613402,
        0.012867534640057248,
        0.022122699661672705,
    ],
    minima=(5.46489e-5,),
)

# 18. Biggs EXP6, m = 13

_BIGGS_T = _count(13) / 10
_BIGGS_Y = np.exp(-_BIGGS_T) - 5 * np.exp(-10 * _BIGGS_T) + 3 * np.exp(-4 * _BIGGS_T)


def _biggs_jacobian(x: Vector) -> Vector:
    a, b, c = (np.exp(-_BIGGS_T * x[i]) for i in (0, 1, 4))
    return np.stack([-_BIGGS_T * x[2] * a, _BIGGS_T * x[3] * b, a, -b, -_BIGGS_T * x[5] * c, c], axis=1)


_add(
    18,
    "Biggs EXP6",
    lambda x: (
        x[2] * np.exp(-_BIGGS_T * x[0])
        - x[3] * np.exp(-_BIGGS_T * x[1])
        + x[5] * np.exp(-_BIGGS_T * x[4])
        - _BIGGS_Y
    ),
    _biggs_jacobian,
    x0=[1.0, 2.0, 1.0, 1.0, 1.0, 1.0],
    minimum=[[1.0, 10.0, 1.0, 5.0, 4.0, 3.0], [4.0, 10.0, 3.0, 5.0, 1.0, 1.0]],
    minima=(0.0, 5.65565e-3),
)

# 20. Watson, n = 6

_WATSON = (_count(29)[:, None] / 29) ** np.arange(6)
_WATSON_SLOPE = np.hstack([np.zeros((29, 1)), np.arange(1, 6) * _WATSON[:, :5]])

_add(
    20,
    "Watson, n = 6",
    lambda x: np.hstack([_WATSON_SLOPE @ x - (_WATSON @ x) ** 2 - 1, x[0], x[1] - x[0] ** 2 - 1]),
    lambda x: np.vstack(
        [
            _WATSON_SLOPE - 2 * (_WATSON @ x)[:, None] * _WATSON,
            np.eye(6)[0],
            np.eye(6)[1] - 2 * x[0] * np.eye(6)[0],
        ]
    ),
    x0=np.zeros(6),
    minimum=[
        -0.01572508640145856,
        1.0124348693691099,
        -0.2329916259567385,
        1.2604300877996109,
        -1.513728922722283,
        0.9929964324311361,
    ],
    minima=(2.28767e-3,),
)

# 21. Extended Rosenbrock, n = 10


def _pairs_jacobian(x: Vector) -> Vector:
    J, i = np.zeros((10, 10), x.dtype), np.arange(0, 10, 2)
    J[i, i], J[i, i + 1], J[i + 1, i] = -20 * x[::2], 10, -1
    return J


_add(
    21,
    "extended Rosenbrock, n = 10",
    lambda x: np.stack([10 * (x[1::2] - x[::2] ** 2), 1 - x[::2]], axis=1).ravel(),
    _pairs_jacobian,
    x0=np.resize([-1.2, 1.0], 10),
    minimum=np.ones(10),
)

# 22. Extended Powell singular, n = 8


def _singular_residuals(x: Vector) -> Vector:
    a, b, c, d = x.reshape(-1, 4).T
    return np.hstack([a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2])


def _singular_jacobian(x: Vector) -> Vector:
    a, b, c, d = x.reshape(-1, 4).T
    J, k, i = np.zeros((8, 8), x.dtype), np.arange(2), 4 * np.arange(2)
    J[k, i], J[k, i + 1] = 1, 10
    J[k + 2, i + 2], J[k + 2, i + 3] = 5**0.5, -(5**0.5)
    J[k + 4, i + 1], J[k + 4, i + 2] = 2 * (b - 2 * c), -4 * (b - 2 * c)
    J[k + 6, i], J[k + 6, i + 3] = 2 * 10**0.5 * (a - d), -2 * 10**0.5 * (a - d)
    return J


_add(
    22,
    "extended Powell singular, n = 8",
    _singular_residuals,
    _singular_jacobian,
    x0=np.resize([3.0, -1.0, 0.0, 1.0], 8),
    minimum=np.zeros(8),
)

# 23. Penalty I, n = 4

_A = 1e-5**0.5

_add(
    23,
    "penalty I, n = 4",
    lambda x: np.hstack([_A * (x - 1), x.dot(x) - 0.25]),
    lambda x: np.vstack([_A * np.eye(4), 2 * x]),
    x0=_count(4),
    minimum=[0.2500074995794986, 0.25000749958486224, 0.2500074995902259, 0.25000749959558954],
    minima=(2.24997e-5,),
)

# 24. Penalty II, n = 4

_PENALTY_Y = np.exp(_count(4)[1:] / 10) + np.exp(_count(4)[:-1] / 10)
_PENALTY_W = 5 - _count(4)


def _penalty_residuals(x: Vector) -> Vector:
    e = np.exp(x / 10)
    return np.hstack(
        [
            x[0] - 0.2,
            _A * (e[1:] + e[:-1] - _PENALTY_Y),
            _A * (e[1:] - np.exp(-0.1)),
            _PENALTY_W.dot(x**2) - 1,
        ]
    )


def _penalty_jacobian(x: Vector) -> Vector:
    slopes = _A * np.diag(np.exp(x / 10) / 10)
    return np.vstack([np.eye(4)[0], slopes[1:] + slopes[:-1], slopes[1:], 2 * _PENALTY_W * x])


_add(
    24,
    "penalty II, n = 4",
    _penalty_residuals,
    _penalty_jacobian,
    x0=np.full(4, 0.5),
    minimum=[0.1999993333503804, 0.19131670099277706, 0.48010148533262054, 0.5188454043902003],
    minima=(9.37629e-6,),
)

# 25. Variably dimensioned, n = 10


def _variable_residuals(x: Vector) -> Vector:
    total = _TEN.dot(x - 1)
    return np.hstack([x - 1, total, total**2])


_add(
    25,
    "variably dimensioned, n = 10",
    _variable_residuals,
    lambda x: np.vstack([np.eye(10), _TEN, 2 * _TEN.dot(x - 1) * _TEN]),
    x0=1 - _TEN / 10,
    minimum=np.ones(10),
)

# 26. Trigonometric, n = 10

_add(
    26,
    "trigonometric, n = 10",
    lambda x: 10 - np.cos(x).sum() + _TEN * (1 - np.cos(x)) - np.sin(x),
    lambda x: np.sin(x) + np.diag(_TEN * np.sin(x) - np.cos(x)),
    x0=np.full(10, 0.1),
    minimum=np.zeros(10),
    minima=(0.0, 2.79506e-5),
)

# 27. Brown almost-linear, n = 10


def _almost_linear_jacobian(x: Vector) -> Vector:
    others = [np.delete(x, j).prod() for j in range(10)]
    return np.vstack([np.ones((9, 10)) + np.eye(10)[:9], others])


_add(
    27,
    "Brown almost-linear, n = 10",
    lambda x: np.hstack([x[:-1] + x.sum() - 11, x.prod() - 1]),
    _almost_linear_jacobian,
    x0=np.full(10, 0.5),
    minimum=np.ones(10),
    minima=(0.0, 1.0),
)

# 30. Broyden tridiagonal, n = 10


def _tridiagonal_residuals(x: Vector) -> Vector:
    r = (3 - 2 * x) * x + 1
    r[1:] -= x[:-1]
    r[:-1] -= 2 * x[1:]
    return np.asarray(r)


_add(
    30,
    "Broyden tridiagonal, n = 10",
    _tridiagonal_residuals,
    lambda x: np.diag(3 - 4 * x) - np.eye(10, k=-1) - 2 * np.eye(10, k=1),
    x0=-np.ones(10),
    minimum=[
        -0.5707221320112248,
        -0.681806949984275,
        -0.7022100760176601,
        -0.7055106298950804,
        -0.7049061557287437,
        -0.7014966070298512,
        -0.6918893223547983,
        -0.6657965144058536,
        -0.5960351090263656,
        -0.4164122575286933,
    ],
)

# 35. Chebyquad, n = 8


def _chebyshev(x: Vector) -> tuple[Vector, Vector]:
    """Return T₁ … T₈ at 2x − 1, a row each, and their derivatives by x."""
    z = 2 * x - 1
    T, D = [np.ones_like(z), z], [np.zeros_like(z), np.full_like(z, 2)]
    for _ in range(7):
        T, D = [*T, 2 * z * T[-1] - T[-2]], [*D, 4 * T[-1] + 2 * z * D[-1] - D[-2]]
    return np.array(T[1:]), np.array(D[1:])


_INTEGRALS = np.array([0, -1 / 3, 0, -1 / 15, 0, -1 / 35, 0, -1 / 63])

_add(
    35,
    "Chebyquad, n = 8",
    lambda x: _chebyshev(x)[0].sum(axis=1) / 8 - _INTEGRALS,
    lambda x: _chebyshev(x)[1] / 8,
    x0=_count(8) / 9,
    minimum=[
        0.04315276015101666,
        0.19309084038418609,
        0.26632870689027294,
        0.5,
        0.5,
        0.7336712931097271,
        0.8069091596158139,
        0.9568472398489833,
    ],
    minima=(3.51687e-3,),
)
