import math
import warnings
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlib import problems
from gradlib.autodiff import grad, hessian
from gradlib.convexity import (
    Witness,
    envelope,
    find_counterexample,
    jensen_gap,
    smallest_curvature,
    tangent_gap,
)

nan, inf = np.nan, np.inf
numbers = st.floats(-100, 100)
shares = st.floats(0, 1)
seeds = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# The three characterisations.


@given(x=numbers, y=numbers, t=shares)
def test_gaps_of_the_square(x: float, y: float, t: float) -> None:
    tolerance = 1e-14 * (x * x + y * y + 1)
    gap = jensen_gap(lambda x: x**2, x, y, t)
    np.testing.assert_allclose(gap, t * (1 - t) * (x - y) ** 2, rtol=0, atol=tolerance)
    np.testing.assert_allclose(tangent_gap(lambda x: x**2, x, y), (y - x) ** 2, rtol=0, atol=tolerance)
    assert smallest_curvature(lambda x: x**2, x) == 2


def random_quadratic(eigenvalues: list[float], seed: int) -> tuple[np.ndarray, Callable[[Any], Any]]:
    n = len(eigenvalues)
    axes, _ = np.linalg.qr(rng(seed).standard_normal((n, n)))
    A = axes @ np.diag(eigenvalues) @ axes.T
    A, b = (A + A.T) / 2, rng(seed + 1).standard_normal(n)
    return A, lambda x: 0.5 * anp.dot(x, anp.dot(A, x)) - anp.dot(b, x)


@settings(max_examples=40)
@given(eigenvalues=st.lists(st.floats(-5, 5).map(lambda v: round(v, 1)), min_size=1, max_size=4), seed=seeds)
def test_the_three_characterisations_agree_on_quadratics(eigenvalues: list[float], seed: int) -> None:
    A, f = random_quadratic(eigenvalues, seed)
    n, lowest = len(eigenvalues), min(eigenvalues)
    x = rng(seed + 2).standard_normal(n)
    _, axes = np.linalg.eigh(A)
    y = x + axes[:, 0]  # along the direction of smallest curvature each gap is λ/2 times a known factor
    np.testing.assert_allclose(smallest_curvature(f, x), lowest, rtol=0, atol=1e-12)
    np.testing.assert_allclose(tangent_gap(f, x, y), lowest / 2, rtol=0, atol=1e-12)
    np.testing.assert_allclose(jensen_gap(f, x, y, 0.3), 0.3 * 0.7 * lowest / 2, rtol=0, atol=1e-12)
    convex = lowest >= 0
    assert bool(find_counterexample(f, [(-1, 1)] * n, rng=rng(seed), tries=400)) is not convex


@pytest.mark.parametrize("problem", [problems.rosenbrock, problems.himmelblau, problems.course_quadratic])
def test_derivatives_may_be_given_or_left_to_autograd(problem: problems.Problem) -> None:
    x, y = problem.x0, problem.x0 + 0.5
    expected = problem.fun(y) - problem.fun(x) - problem.jac(x) @ (y - x)
    lowest = np.linalg.eigvalsh(problem.hess(x))[0]
    for gradient in (None, problem.jac, grad(problem.fun)):
        np.testing.assert_allclose(tangent_gap(problem.fun, x, y, gradient), expected, rtol=1e-13)
    for hess in (None, problem.hess, hessian(problem.fun)):
        np.testing.assert_allclose(smallest_curvature(problem.fun, x, hess), lowest, rtol=1e-12)


def test_functions_of_the_notes() -> None:
    # e^x and −ln x by the second-order condition, and x² by the definition
    for x in (0.1, 1.0, 3.0):
        np.testing.assert_allclose(smallest_curvature(anp.exp, x), math.exp(x), rtol=1e-14)
        np.testing.assert_allclose(smallest_curvature(lambda x: -anp.log(x), x), 1 / x**2, rtol=1e-14)
        np.testing.assert_allclose(
            smallest_curvature(lambda x: x**3, -x, lambda x: 6 * x), -6 * x, rtol=1e-14
        )
    assert jensen_gap(np.exp, 0.0, 1.0, 0.0) == jensen_gap(np.exp, 0.0, 1.0, 1.0) == 0


def test_values_that_are_not_finite_are_shown() -> None:
    assert jensen_gap(lambda x: 1 / x if x else inf, 0.0, 1.0, 0.5) == inf
    assert np.isnan(jensen_gap(lambda x: nan, 0.0, 1.0, 0.5))
    for H in (nan, inf):
        assert np.isnan(smallest_curvature(lambda x: x @ x, [0.0, 0.0], lambda x, H=H: [[H, 0], [0, 1]]))


# The search.

CONVEX: dict[str, Callable[[np.ndarray, np.ndarray], Callable[[Any], Any]]] = {
    "sum of squares": lambda A, b: lambda x: np.sum((A @ x - b) ** 2),
    "norm": lambda A, b: lambda x: np.linalg.norm(A @ x - b),
    "norm 1": lambda A, b: lambda x: np.abs(A @ x - b).sum(),
    "log-sum-exp": lambda A, b: lambda x: np.logaddexp.reduce(A @ x - b),
    "max of affine": lambda A, b: lambda x: np.max(A @ x - b),
    "affine": lambda A, b: lambda x: A[0] @ x - b[0],
    "e to a convex one": lambda A, b: lambda x: np.exp(np.sum((A @ x / 100) ** 2)),
}


@pytest.mark.parametrize("name", CONVEX)
@settings(max_examples=15)
@given(seed=seeds, exponent=st.floats(-3, 3), n=st.integers(1, 4))
def test_no_convex_function_has_a_counterexample(name: str, seed: int, exponent: float, n: int) -> None:
    A, b = rng(seed).standard_normal((3, n)), 10**exponent * rng(seed + 1).standard_normal(3)
    f = CONVEX[name](A * 10 ** (exponent / 2), b)
    witness = find_counterexample(f, [(-10, 10)] * n, rng=rng(seed), tries=200)
    assert not witness, witness
    assert (witness.tried, witness.skipped) == (200, 0)
    assert (witness.x, witness.y) == (None, None)


HARD: dict[str, tuple[Callable[[Any], Any], tuple[float, float]]] = {
    "square of large numbers": (lambda x: x**2, (-1e8, 1e8)),
    "affine, far from zero": (lambda x: 3 * x - 3e8, (1e8, 1e8 + 1)),
    "constant": (lambda x: 3, (0, 1)),
    "round-off in steps": (lambda x: (x + 1e10) - 1e10, (0, 1)),
    "cancelling logarithm": (lambda x: np.log(np.exp(x + 100)) - 100, (0, 1)),
    "expanded power": (lambda x: np.polyval([1, -8, 28, -56, 70, -56, 28, -8, 1], x), (0, 2)),
    "overflow and underflow": (np.exp, (-800, 800)),
    "gradual underflow": (np.exp, (-750, -730)),
    "kink": (lambda x: max(x, 0.0), (-1, 1)),
    "flat": (lambda x: x**8, (-1e-3, 1e-3)),
    "huge": (lambda x: 1e300 * x**2, (-1, 1)),
    "negative logarithm from the edge": (lambda x: -np.log(x), (0, 4)),
}


@pytest.mark.parametrize("name", HARD)
def test_round_off_is_no_counterexample(name: str) -> None:
    f, bounds = HARD[name]
    for seed in range(12):
        witness = find_counterexample(f, bounds, rng=rng(seed))
        assert not witness, witness


def test_round_off_in_step_with_one_window_is_no_counterexample() -> None:
    for seed in (21, 61, 82):  # each of them draws a chord on which it is
        assert not find_counterexample(lambda x: (x + 1e10) - 1e10, (-1, 1), rng=rng(seed))


NOT_CONVEX: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "sin": (np.sin, (-10, 10)),
    "fast sin": (lambda x: np.sin(1000 * x), (-10, 10)),
    "cube": (lambda x: x**3, (-1, 1)),
    "root": (np.sqrt, (0, 1)),
    "roof": (lambda x: -abs(x), (-1, 1)),
    "step": (np.floor, (-3, 3)),
    "large values": (lambda x: 1e12 + x**3, (-1, 1)),
    "small values": (lambda x: 1e-200 * x**3, (-1, 1)),
    "Rosenbrock": (problems.rosenbrock.fun, [(-2, 2), (-1, 3)]),
    "Himmelblau": (problems.himmelblau.fun, [(-5, 5), (-5, 5)]),
    "Beale": (problems.beale.fun, [(-4, 4), (-4, 4)]),
    "saddle": (lambda x: x[0] * x[1], [(-1, 1), (-1, 1)]),
}


@pytest.mark.parametrize("name", NOT_CONVEX)
def test_a_counterexample_is_found_and_is_one(name: str) -> None:
    f, bounds = NOT_CONVEX[name]
    low, high = np.array(bounds, dtype=float).T
    for seed in range(20):
        witness = find_counterexample(f, bounds, rng=rng(seed))
        assert witness
        assert witness.gap == jensen_gap(f, witness.x, witness.y, witness.t) < 0
        assert 0 < witness.t < 1
        for end in (witness.x, witness.y):
            assert np.shape(end) == low.shape
            assert ((low <= end) & (end <= high)).all()


def test_a_domain_that_ends_is_skipped_and_counted() -> None:
    for f in (lambda x: -np.log(x), lambda x: -math.log(x), lambda x: 1 / x if x > 0 else inf):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            witness = find_counterexample(f, (-1, 3), rng=rng())
        assert not witness
        assert witness.tried == 1000
        # both ends positive has probability (3/4)² for long chords
        assert 200 < witness.skipped < 500
    assert find_counterexample(math.log, (-1, 3), rng=rng())


def test_an_indicator_is_convex_if_its_set_is() -> None:
    box = [(-2, 2), (-2, 2)]
    disc, ring = (lambda x: 0 if x @ x <= 1 else inf), (lambda x: 0 if 1 <= x @ x <= 4 else inf)
    assert not find_counterexample(disc, box, rng=rng())
    witness = find_counterexample(ring, box, rng=rng())
    assert witness.gap == -inf
    assert ring(witness.x) == ring(witness.y) == 0
    assert not find_counterexample(lambda x: -1e308 * x, (-10, 10), rng=rng())  # -inf where it overflows


def test_what_is_shown() -> None:
    found = find_counterexample(lambda x: -(x**2), (0, 1), rng=rng())
    assert found.tried == 1
    assert f"gap {found.gap:.4g} (1 chord tried, 0 outside the domain)" in repr(found)
    assert repr(find_counterexample(np.exp, (0, 1), rng=rng(), tries=7)) == (
        "no counterexample (7 chords tried, 0 outside the domain)"
    )
    assert "(7 chords tried" in repr(find_counterexample(np.exp, (0, 1), rng=rng(), tries=np.int64(7)))
    assert bool(Witness(0.0, 1.0, 0.5, -1e-300, 1, 0))


def test_the_same_seed_finds_the_same_witness() -> None:
    first, second = (find_counterexample(np.sin, (0, 3), rng=rng(5)) for _ in range(2))
    assert first == second
    assert isinstance(first.x, float)


def test_a_function_may_change_its_argument() -> None:
    def f(x: Any) -> Any:
        x *= 2
        return x @ x

    x, y = np.ones(2), np.zeros(2)
    assert jensen_gap(f, x, y, 0.5) == 0.5 * 8 - 2
    np.testing.assert_array_equal([x, y], [[1, 1], [0, 0]])


# The envelope.

samples = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12)


def chords_below(x: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Return the lowest chord over each sample, of all pairs: the definition."""
    lowest = f.copy()
    for i in range(len(x)):
        for k in range(i + 1, len(x)):
            t = (x[k] - x[i : k + 1]) / (x[k] - x[i])
            lowest[i : k + 1] = np.minimum(lowest[i : k + 1], t * f[i] + (1 - t) * f[k])
    return lowest


@given(values=samples, seed=seeds)
def test_the_envelope_is_the_lowest_chord(values: list[float], seed: int) -> None:
    f = np.array(values)
    x = np.cumsum(rng(seed).uniform(0.1, 2, len(f)))
    below = envelope(x, f)
    np.testing.assert_allclose(below, chords_below(x, f), rtol=0, atol=1e-9 * (1 + np.abs(f).max()))
    np.testing.assert_array_equal(below[[0, -1]], f[[0, -1]])
    np.testing.assert_allclose(envelope(x, below), below, rtol=0, atol=1e-9 * (1 + np.abs(f).max()))


def test_the_envelope_of_a_convex_function_is_itself() -> None:
    x = np.linspace(-2, 2, 41)
    np.testing.assert_array_equal(envelope(x, x**2), x**2)
    np.testing.assert_allclose(envelope(x, -(x**2)), -4, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(envelope([3.0], [5.0]), [5.0])


def test_the_envelope_of_a_double_well_is_its_common_tangent() -> None:
    x = np.linspace(-2, 2, 401)
    f = (x**2 - 1) ** 2 + 0.3 * x
    np.testing.assert_allclose(envelope(x, f), np.where(abs(x) < 1, 0.3 * x, f), rtol=0, atol=1e-12)


@pytest.mark.parametrize("f", [[1e308, -1e308, 1e308], [0.0, 5e-324, 0.0], [-1e308, 1e308, -1e308]])
def test_the_envelope_of_huge_and_tiny_values(f: list[float]) -> None:
    for x in ([0.0, 1.0, 2.0], [0.0, 1e-300, 3e-300], [-8e307, 0.0, 8e307]):
        below = envelope(x, f)
        assert np.isfinite(below).all()
        assert (below <= f).all()


def square(x: Any) -> Any:
    return anp.sum(x**2)


POINTS: list[tuple[dict[str, Any], str]] = [
    ({"f": 3.0}, "f must be callable"),
    ({"f": lambda x: np.ones(2)}, r"f returned shape \(2,\), a scalar is needed"),
    ({"f": lambda x: "deep"}, "what f returns must be"),
    ({"x": nan}, "x must be finite"),
    ({"x": []}, "x must be a number or a vector"),
    ({"x": [[1.0]]}, "x must be a number or a vector"),
    ({"x": "here"}, "x must be"),
    ({"y": [1.0, inf]}, "y must be finite"),
    ({"y": [1.0, 2.0, 3.0]}, r"y must have the shape \(2,\) of x"),
    ({"y": 1j}, "y must be real"),
]
JENSEN: list[tuple[dict[str, Any], str]] = [
    ({"t": -0.1}, r"t must lie in \[0, 1\]"),
    ({"t": 1.1}, r"t must lie in \[0, 1\]"),
    ({"t": nan}, "t must be finite"),
    ({"t": [0.5, 0.5]}, "t must be a number"),
]
TANGENT: list[tuple[dict[str, Any], str]] = [
    ({"grad": 3.0}, "grad must be callable"),
    ({"grad": lambda x: 1.0}, r"grad returned shape \(\), x has shape \(2,\)"),
    ({"grad": lambda x: "steep"}, "what grad returns must be"),
    ({"f": lambda x: math.sin(x[0])}, "f could not be differentiated by autograd.* pass grad"),
]
CURVATURE: list[tuple[dict[str, Any], str]] = [
    ({"f": 3.0}, "f must be callable"),
    ({"x": nan}, "x must be finite"),
    ({"x": [[1.0]]}, "x must be a number or a vector"),
    ({"hess": 3.0}, "hess must be callable"),
    ({"hess": lambda x: np.ones(2)}, r"hess returned shape \(2,\), x has shape \(2,\)"),
    ({"hess": lambda x: [[0.0, 1.0], [0.0, 0.0]]}, "hess must return a symmetric matrix"),
    ({"hess": lambda x: "bent"}, "what hess returns must be"),
    ({"f": lambda x: math.sin(x[0])}, "f could not be differentiated by autograd.* pass hess"),
]
SEARCH: list[tuple[dict[str, Any], str]] = [
    ({"f": 3.0}, "f must be callable"),
    ({"f": lambda x: np.ones(2)}, r"f returned shape \(2,\), a scalar is needed"),
    ({"f": lambda x: nan}, "bounds must reach into the domain of f: all 5 chords left it"),
    ({"bounds": (1.0, 0.0)}, "bounds must be increasing"),
    ({"bounds": [(0.0, 1.0), (1.0, 1.0)]}, "bounds must be increasing"),
    ({"bounds": (-1e308, 1e308)}, "bounds must be increasing, low < high, by a finite width"),
    ({"bounds": (0.0, inf)}, "bounds must be finite"),
    ({"bounds": (0.0, 1.0, 2.0)}, "bounds must be .*low, high"),
    ({"bounds": 1.0}, "bounds must be .*low, high"),
    ({"bounds": []}, "bounds must be .*low, high"),
    ({"rng": 3}, "rng must be a numpy.random.Generator"),
    ({"rng": np.random.RandomState(1)}, "rng must be a numpy.random.Generator"),
    ({"tries": 0}, "tries must be an integer >= 1"),
    ({"tries": 2.5}, "tries must be an integer >= 1"),
    ({"tries": True}, "tries must be an integer >= 1"),
]
ENVELOPE: list[tuple[dict[str, Any], str]] = [
    ({"x": []}, "x must be a vector of places"),
    ({"x": 1.0}, "x must be a vector of places"),
    ({"x": [0.0, 0.0, 1.0]}, "x must be increasing"),
    ({"x": [0.0, 2.0, 1.0]}, "x must be increasing"),
    ({"x": [-1e308, 0.0, 1e308]}, "x must be increasing, over a finite width"),
    ({"x": [0.0, 1.0, nan]}, "x must be finite"),
    ({"values": [0.0, 1.0]}, r"values must have the shape \(3,\) of x, got \(2,\)"),
    ({"values": [0.0, inf, 1.0]}, "values must be finite"),
    ({"values": "low"}, "values must be"),
]
BAD = [
    *((jensen_gap, {"x": [1.0, 2.0], "y": [0.0, 1.0], "t": 0.5}, *case) for case in POINTS + JENSEN),
    *((tangent_gap, {"x": [1.0, 2.0], "y": [0.0, 1.0]}, *case) for case in POINTS + TANGENT),
    *((smallest_curvature, {"x": [1.0, 2.0]}, *case) for case in CURVATURE),
    *((find_counterexample, {"bounds": [(0, 1)] * 2, "rng": rng(), "tries": 5}, *case) for case in SEARCH),
]


@pytest.mark.parametrize(
    ("function", "arguments", "change", "message"), BAD, ids=[f"{b[0].__name__}: {b[3]}" for b in BAD]
)
def test_bad_input_is_named(
    function: Callable[..., Any], arguments: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        function(**{"f": square, **arguments, **change})


@pytest.mark.parametrize(("change", "message"), ENVELOPE, ids=[message for _, message in ENVELOPE])
def test_bad_samples_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        envelope(**{"x": [0.0, 1.0, 2.0], "values": [0.0, 1.0, 0.0], **change})
