import math
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gradlib import Status, problems
from gradlib._objective import Function
from gradlib.linesearch import Step, _diagnose, backtracking, exact_quadratic, strong_wolfe

C1, C2 = 1e-4, 0.9
coefficient = st.floats(-3, 3).map(lambda v: round(v, 3))


class Curve:
    """A random smooth function of one variable, bounded below: x⁴/10 + ax + b sin(cx + d)."""

    def __init__(self, a: float, b: float, c: float, d: float) -> None:
        self.a, self.b, self.c, self.d = a, b, c, d

    def fun(self, x: np.ndarray) -> float:
        return float(x[0] ** 4 / 10 + self.a * x[0] + self.b * np.sin(self.c * x[0] + self.d))

    def jac(self, x: np.ndarray) -> np.ndarray:
        return 0.4 * x**3 + self.a + self.b * self.c * np.cos(self.c * x + self.d)

    def __repr__(self) -> str:
        return f"Curve({self.a}, {self.b}, {self.c}, {self.d})"


curves = st.builds(Curve, coefficient, coefficient, coefficient, coefficient)


@given(
    curve=curves,
    x=coefficient,
    first=st.sampled_from([1e-6, 1e-3, 1.0, 1e3]),
    constants=st.sampled_from([(C1, 0.1), (C1, 0.9), (0.09, 0.1), (0.5, 0.9)]),
)
def test_strong_wolfe_fulfils_both_conditions(
    curve: Curve, x: float, first: float, constants: tuple[float, float]
) -> None:
    c1, c2 = constants
    at = np.array([x])
    f, g = curve.fun(at), curve.jac(at)
    assume(abs(g[0]) > 1e-3)
    step = strong_wolfe(curve.fun, curve.jac, at, -g, f, g, alpha=first, c1=c1, c2=c2)
    assert step.failure is None
    slope = -(g[0] ** 2)
    np.testing.assert_array_equal(step.x, at - step.alpha * g)
    assert step.fun == curve.fun(step.x)
    assert step.jac == curve.jac(step.x)
    assert step.fun <= f + c1 * step.alpha * slope
    assert abs(step.jac @ -g) <= c2 * abs(slope)


@given(
    curve=curves,
    x=coefficient,
    first=st.sampled_from([1e-3, 1.0, 1e3]),
    constants=st.sampled_from([(0.1, C1), (0.5, C1), (0.9, C1), (0.1, 0.5), (0.5, 0.9)]),
)
def test_backtracking_takes_the_first_step_that_fulfils_armijo(
    curve: Curve, x: float, first: float, constants: tuple[float, float]
) -> None:
    rho, c1 = constants
    at = np.array([x])
    f, g = curve.fun(at), curve.jac(at)
    assume(abs(g[0]) > 1e-3)
    step = backtracking(curve.fun, at, -g, f, g, alpha=first, rho=rho, c1=c1)
    assert step.failure is None
    slope = -(g[0] ** 2)
    assert step.fun == curve.fun(at - step.alpha * g) <= f + c1 * step.alpha * slope
    alpha = first
    for _ in range(step.nfev - 1):
        assert curve.fun(at - alpha * g) > f + c1 * alpha * slope
        alpha *= rho
    assert step.alpha == alpha


@pytest.mark.parametrize("first", [0.05, 0.2, 0.8, 1.5, 5.0])
def test_on_a_parabola_the_second_trial_is_the_minimum(first: float) -> None:
    # 0.05: at most ten times as far at once; 0.8: not past a minimum that lies a little farther
    x, p = np.array([1.0]), np.array([-1.0])
    step = strong_wolfe(lambda x: x @ x / 2, lambda x: x, x, p, 0.5, x, alpha=first, c2=0.1)
    assert step.failure is None
    assert step.nfev == (3 if first == 0.05 else 2)
    np.testing.assert_allclose(step.alpha, 1.0, rtol=1e-12)


@pytest.mark.parametrize("c2", [0.1, 0.4, 0.9])
@pytest.mark.parametrize("first", [1e-8, 1e-4, 1.0])
def test_where_the_slope_grows_steeper_the_step_doubles(first: float, c2: float) -> None:
    # near a maximum the cubic has its minimum behind, which says nothing of how far to go
    x = np.array([1e-6])
    f, g = np.cos(x[0]), -np.sin(x)
    step = strong_wolfe(lambda x: np.cos(x[0]), lambda x: -np.sin(x), x, -g, f, g, alpha=first, c2=c2)
    assert step.failure is None
    assert step.nfev <= math.log2(math.pi / (first * 1e-6)) + 5


@pytest.mark.parametrize("search", ["backtracking", "strong_wolfe"])
def test_evaluations_are_counted(search: str) -> None:
    p, calls = problems.rosenbrock, {"fun": 0, "jac": 0}

    def fun(x: np.ndarray) -> float:
        calls["fun"] += 1
        return float(p.fun(x))

    def jac(x: np.ndarray) -> np.ndarray:
        calls["jac"] += 1
        return np.asarray(p.jac(x))

    f, g = p.fun(p.x0), p.jac(p.x0)
    step = (
        backtracking(fun, p.x0, -g, f, g)
        if search == "backtracking"
        else strong_wolfe(fun, jac, p.x0, -g, f, g)
    )
    assert step.failure is None
    assert (step.nfev, step.njev) == (calls["fun"], calls["jac"])
    wrong = strong_wolfe(fun, jac, p.x0, g, f, -g)
    assert wrong.failure is not None
    assert step.nfev + wrong.nfev == calls["fun"]


@given(st.integers(0, 1000))
def test_exact_quadratic_zeroes_the_derivative(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    M = rng.standard_normal((n, n))
    A, b, x, p = M @ M.T + np.eye(n), rng.standard_normal(n), rng.standard_normal(n), rng.standard_normal(n)
    alpha = exact_quadratic(A @ x - b, p, A @ p)
    derivative = (A @ (x + alpha * p) - b) @ p
    assert abs(derivative) <= 1e-12 * (1 + np.linalg.norm(A) * np.linalg.norm(p) * (1 + np.linalg.norm(x)))


@pytest.mark.parametrize(
    ("g", "p", "Ap", "name"),
    [
        ([1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], "A must be positive definite"),
        ([1.0, 0.0], [0.0, 0.0], [0.0, 0.0], "p nonzero"),
        ([1.0, 0.0], [-1.0], [1.0, 0.0], "shapes"),
        (1.0, -1.0, -1.0, "shapes"),
        ([np.nan, 0.0], [-1.0, 0.0], [-1.0, 0.0], "g must be finite"),
        ([1.0, 0.0], [-1.0, np.inf], [-1.0, 0.0], "p must be finite"),
        ([1.0, 0.0], [-1.0, 0.0], "Ap", "Ap must be"),
        ([1.0, 0.0], [-1.0, 0.0], None, "Ap must be"),
    ],
)
def test_exact_quadratic_names_bad_input(g: object, p: object, Ap: object, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        exact_quadratic(g, p, Ap)  # type: ignore[arg-type]


def search_along(name: str, fun: Function, jac: Function, x: float, **options: float) -> Step:
    at = np.array([x])
    g = np.atleast_1d(jac(at))
    if name == "backtracking":
        return backtracking(fun, at, -g, fun(at), g, **options)
    return strong_wolfe(fun, jac, at, -g, fun(at), g, **options)


both = pytest.mark.parametrize("name", ["backtracking", "strong_wolfe"])


@both
def test_a_point_outside_the_domain_is_rejected(name: str) -> None:
    step = search_along(name, lambda x: float(5 * x[0] - np.log(x[0])), lambda x: 5 - 1 / x, 3.0)
    assert step.failure is None
    assert 0 < step.x[0] < 3


@both
def test_minus_infinity_is_no_success(name: str) -> None:
    step = search_along(
        name, lambda x: math.log(x[0]) if x[0] > 0 else -math.inf, lambda x: 1 / x, 0.5, alpha=2.0
    )
    assert step.failure is (
        None if name == "backtracking" else Status.LINE_SEARCH
    )  # the slope never flattens
    assert step.alpha > 0
    assert step.x > 0
    assert math.isfinite(step.fun)


@both
def test_nowhere_finite_says_not_finite(name: str) -> None:
    at, g = np.array([1.0]), np.array([1.0])

    def fun(x: np.ndarray) -> float:
        return math.nan

    step = (
        backtracking(fun, at, -g, 1.0, g)
        if name == "backtracking"
        else strong_wolfe(fun, np.copy, at, -g, 1.0, g)
    )
    assert step.failure is Status.NOT_FINITE
    assert step.alpha == 0
    np.testing.assert_array_equal(step.x, at)


@both
@given(scale=st.floats(1e-6, 1e6), offset=st.floats(-1e3, 1e3), x=st.floats(0.1, 10))
@example(scale=1.0, offset=0.0, x=1.0)
def test_a_gradient_of_the_wrong_sign_is_a_mismatch(name: str, scale: float, offset: float, x: float) -> None:
    assume(scale * x**2 > 1e-4 * abs(offset))
    step = search_along(name, lambda x: scale * float(x[0]) ** 2 + offset, lambda x: -2 * scale * x, x)
    assert step.failure is Status.GRADIENT_MISMATCH
    assert step.alpha == 0


@pytest.mark.parametrize("length", [1e-3, 1.0, 1e3])
def test_a_right_gradient_is_no_mismatch_where_the_function_changes_soon(length: float) -> None:
    # the slope 1 in x₁ is seen only on a scale of 1e-8, far below what fits the size of x
    x, p = np.array([1e4, 0.0]), np.array([0.0, -length])
    failure, nfev = _diagnose(lambda x: 1 + float(x[1] + 1e14 * x[1] ** 3), x, p, 1.0, -length)
    assert failure in (Status.LINE_SEARCH, Status.ROUND_OFF)
    assert 4 < nfev <= 40


@both
def test_a_kink_is_called_one(name: str) -> None:
    # nearer to the kink of |x| than any step that the search resolves, with a steep and a flat side
    step = search_along(
        name,
        lambda x: 1 + float(3 * x[0] if x[0] > 0 else -x[0]),
        lambda x: np.where(x > 0, 3.0, -1.0),
        1e-17,
    )
    assert step.failure is Status.KINK


@both
def test_round_off_is_called_so(name: str) -> None:
    # the gradient is right, but the most that f can fall by, 9e-12, is lost in values near 1e6
    step = search_along(name, lambda x: 1e6 + 1e4 * float(x[0]) ** 2, lambda x: 2e4 * x, 3e-8)
    assert step.failure is Status.ROUND_OFF


def test_round_off_also_where_the_slope_is_resolved_but_not_the_fall() -> None:
    x, p, g = np.array([1e-10]), np.array([-1e-4]), np.array([1e-7])
    step = backtracking(lambda x: 1 + 500 * float(x[0]) ** 2, x, p, 1.0, g)
    assert step.failure is Status.ROUND_OFF


def test_round_off_where_not_even_the_slope_is_resolved() -> None:
    def fun(x: np.ndarray) -> float:
        return 1e6 + 1e-9 * float(x[0]) if abs(x[0]) < 1e-3 else math.nan

    step = backtracking(fun, np.array([0.0]), np.array([-1e3]), 1e6, np.array([1e-9]))
    assert step.failure is Status.ROUND_OFF


def test_a_point_on_the_edge_of_the_domain() -> None:
    step = search_along("backtracking", lambda x: float(np.sqrt(x[0])), lambda x: np.array([-1.0]), 0.0)
    assert step.failure is Status.NOT_FINITE


def test_strong_wolfe_goes_on_where_armijo_drowns() -> None:
    # values near -1e12 resolve 1e-4 at best; Newton's direction still halves the gradient and more
    A, b = np.diag([1.0, 4.0]), np.array([1e6, 2e6])
    x = np.array([1e6 - 1e-3, 5e5 + 1e-3])

    def fun(x: np.ndarray) -> float:
        return float(0.5 * x @ A @ x - b @ x)

    def jac(x: np.ndarray) -> np.ndarray:
        return A @ x - b

    f, g = fun(x), jac(x)
    p = -0.9 * np.linalg.solve(A, g)
    alphas = 2.0 ** -np.arange(10)
    assert any(fun(x + a * p) > f + C1 * a * (g @ p) for a in alphas)  # Armijo's test is noise here
    step = strong_wolfe(fun, jac, x, p, f, g)
    assert step.failure is None
    assert np.abs(step.jac).max() < 0.2 * np.abs(g).max()


x1, p1, g1 = np.array([1.0]), np.array([-2.0]), np.array([2.0])


def square(x: np.ndarray) -> float:
    return float(x[0] ** 2)


def slope_of_square(x: np.ndarray) -> np.ndarray:
    return 2 * x


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fun": None}, "fun must be callable"),
        ({"fun": lambda x: x.repeat(2)}, "fun returned shape"),
        ({"fun": lambda x: "high"}, "fun"),
        ({"x": np.ones(2)}, "p and g must have x's shape"),
        ({"x": np.ones((1, 1))}, "x must be a vector"),
        ({"x": "here"}, "x must be"),
        ({"x": [np.nan]}, "x must be finite"),
        ({"p": np.array([2.0])}, "p must be a direction of descent"),
        ({"p": np.array([0.0])}, "p must be a direction of descent"),
        ({"p": np.array([np.nan])}, "p must be a direction of descent"),
        ({"p": np.array([-np.inf])}, "p must be a direction of descent"),
        ({"p": None}, "p must be"),
        ({"f": np.nan}, "f must be a finite number"),
        ({"f": None}, "f must be a finite number"),
        ({"f": np.ones(1)}, "f must be a finite number"),
        ({"g": np.ones(3)}, "p and g must have x's shape"),
        ({"g": np.array([np.inf])}, "p must be a direction of descent"),
        ({"alpha": 0.0}, "alpha"),
        ({"alpha": np.inf}, "alpha"),
        ({"alpha": "1"}, "alpha"),
        ({"c1": 0.0}, "c1"),
        ({"c1": 1.0}, "c1"),
    ],
)
@both
def test_bad_input_is_named(name: str, change: dict[str, object], message: str) -> None:
    arguments = {"fun": square, "x": x1, "p": p1, "f": 1.0, "g": g1, **change}
    search = backtracking if name == "backtracking" else partial(strong_wolfe, jac=slope_of_square)
    with pytest.raises(ValueError, match=message):
        search(**arguments)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jac": None}, "jac must be callable"),
        ({"jac": lambda x: np.ones(2)}, "jac must return"),
        ({"c1": 0.9, "c2": 0.1}, "c1 and c2"),
        ({"c2": 1.0}, "c1 and c2"),
    ],
)
def test_strong_wolfe_names_bad_input(change: dict[str, object], message: str) -> None:
    arguments = {"jac": slope_of_square, **change}
    with pytest.raises(ValueError, match=message):
        strong_wolfe(square, x=x1, p=p1, f=1.0, g=g1, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("rho", [0.0, 1.0, np.nan])
def test_backtracking_names_a_bad_rho(rho: float) -> None:
    with pytest.raises(ValueError, match="rho"):
        backtracking(square, x1, p1, 1.0, g1, rho=rho)
