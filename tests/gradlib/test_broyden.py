import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gradlib import Status, broyden, problems

nan, inf = np.nan, np.inf
seeds = st.integers(0, 10_000)
methods = pytest.mark.parametrize("method", ["good", "bad"])


def matrix_and_pair(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a well-conditioned matrix and vectors s, y."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    return rng.standard_normal((n, n)) + 4 * np.eye(n), rng.standard_normal(n), rng.standard_normal(n)


# The formulas


@given(seeds)
def test_secant_equations(seed: int) -> None:
    M, s, y = matrix_and_pair(seed)
    np.testing.assert_allclose(broyden.update_good(M, s, y) @ s, y, atol=1e-12)
    assume(abs(s @ M @ y) > 1e-3)
    np.testing.assert_allclose(broyden.update_good_inverse(M, s, y) @ y, s, atol=1e-9)
    np.testing.assert_allclose(broyden.update_bad(M, s, y) @ y, s, atol=1e-11)


@given(seeds)
def test_the_good_inverse_is_the_inverse_of_the_good_update(seed: int) -> None:
    B, s, y = matrix_and_pair(seed)
    H = np.linalg.inv(B)
    assume(abs(s @ H @ y) > 1e-2 * (s @ s))
    np.testing.assert_allclose(
        broyden.update_good_inverse(H, s, y) @ broyden.update_good(B, s, y), np.eye(len(s)), atol=1e-9
    )


@given(seeds)
def test_the_bad_update_is_not_the_good_one_in_disguise(seed: int) -> None:
    H, s, y = matrix_and_pair(seed)
    assume(len(s) > 1 and abs(s @ H @ y) > 1e-3)
    bad, good = broyden.update_bad(H, s, y), broyden.update_good_inverse(H, s, y)
    assert np.abs(bad - good).max() > 1e-6


@given(seeds)
def test_bad_is_good_with_the_roles_of_s_and_y_exchanged(seed: int) -> None:
    H, s, y = matrix_and_pair(seed)
    np.testing.assert_array_equal(broyden.update_bad(H, s, y), broyden.update_good(H, y, s))


@given(seeds)
def test_nothing_changes_at_right_angles_to_the_step(seed: int) -> None:
    B, s, y = matrix_and_pair(seed)
    t = np.random.default_rng(seed + 1).standard_normal(len(s))
    t -= s * (s @ t) / (s @ s)
    np.testing.assert_allclose(broyden.update_good(B, s, y) @ t, B @ t, atol=1e-10)


@given(seeds)
def test_no_matrix_that_fulfils_the_secant_equation_is_nearer(seed: int) -> None:
    B, s, y = matrix_and_pair(seed)
    rng = np.random.default_rng(seed + 1)
    for update, a, c in ((broyden.update_good, s, y), (broyden.update_bad, y, s)):
        # both map a to c, `update` with (s, y) in the order of its own arguments
        best = update(B, s, y)
        for size in (1e-3, 1.0):
            N = size * rng.standard_normal(B.shape)
            other = best + N - np.outer(N @ a, a) / (a @ a)
            np.testing.assert_allclose(other @ a, c, atol=1e-9)
            assert np.linalg.norm(best - B) <= np.linalg.norm(other - B) * (1 + 1e-12)


FORMULAS: list[tuple[Any, dict[str, Any], str]] = [
    (update, change, message.format(name))
    for update, name in (
        (broyden.update_good, "B"),
        (broyden.update_good_inverse, "H"),
        (broyden.update_bad, "H"),
    )
    for change, message in (
        ({"M": np.eye(3)}, "{} must have shape"),
        ({"M": "M"}, "{} must be"),
        ({"M": 1.0}, "{} must have shape"),
        ({"s": [1.0]}, "s and y must be vectors of one length"),
        ({"y": 1.0}, "s and y must be vectors of one length"),
        ({"y": None}, "y must be"),
    )
] + [
    (broyden.update_good, {"s": [0.0, 0.0]}, "s must not be zero"),
    (broyden.update_good_inverse, {"y": [0.0, 1.0]}, "sᵀHy must not be zero"),
    (broyden.update_bad, {"y": [0.0, 0.0]}, "y must not be zero"),
]


@pytest.mark.parametrize(("update", "change", "message"), FORMULAS)
def test_updates_name_what_they_cannot_use(update: Any, change: dict[str, Any], message: str) -> None:
    arguments = {"M": np.eye(2), "s": [1.0, 0.0], "y": [1.0, 1.0], **change}
    with pytest.raises(ValueError, match=message):
        update(*arguments.values())


# Published numbers


def test_broyden_on_dennis_and_schnabel() -> None:
    s = problems.dennis_schnabel
    result = broyden.root(s.F, s.x0, B0=s.jac(s.x0))
    expected = [1, -0.625, -0.0757575757575, -0.0127942681679, -0.0003138243387, -1.3325618e-6, -1.394e-10]
    np.testing.assert_allclose(result.trace.x[:5, 0], expected[:5], atol=1e-12)
    np.testing.assert_allclose(result.trace.x[5:7, 0], expected[5:], atol=1e-13)
    np.testing.assert_array_equal(result.trace.step, 1)
    assert result.success
    assert (result.nit, result.nfev, result.njev) == (7, 8, 0)


def test_the_approximation_converges_but_not_to_the_jacobian() -> None:
    s = problems.dennis_schnabel
    result = broyden.root(s.F, s.x0, B0=s.jac(s.x0))
    np.testing.assert_allclose(result.jac, [[1, 1], [1.5, 7.5]], atol=1e-5)
    assert np.abs(result.jac - s.jac(s.root)).max() > 1


@methods
@given(seeds)
def test_a_linear_system_takes_at_most_2n_steps(method: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    A, b, x0 = rng.standard_normal((n, n)), rng.standard_normal(n), rng.standard_normal(n)
    assume(np.linalg.cond(A) < 20)
    result = broyden.root(lambda x: A @ x - b, x0, method=method, B0=np.eye(n), tol=1e-7)
    assert result.success
    assert result.nit <= 2 * n
    assert result.nfev == result.nit + 1  # no restart has helped


@methods
def test_it_is_the_textbook_iteration(method: str) -> None:
    s = problems.dennis_schnabel
    x, B = s.x0.copy(), s.jac(s.x0)
    for iterate in broyden.root(s.F, s.x0, method=method, B0=B, max_iter=5).trace.x:
        np.testing.assert_allclose(iterate, x, atol=1e-10)
        step = -np.linalg.solve(B, s.F(x))
        y = s.F(x + step) - s.F(x)
        if method == "good":
            B = B + np.outer(y - B @ step, step) / (step @ step)
        else:
            H = np.linalg.inv(B)
            B = np.linalg.inv(H + np.outer(step - H @ y, y) / (y @ y))
        x = x + step


@methods
def test_one_variable_is_the_secant_method(method: str) -> None:
    result = broyden.root(lambda x: x**3 - 2, 1.0, method=method, B0=3.0)
    x = result.trace.x[:, 0]
    assert result.success
    assert isinstance(result.x, float)
    f = x**3 - 2
    np.testing.assert_allclose(x[2:6], x[1:5] - f[1:5] * (x[1:5] - x[:4]) / (f[1:5] - f[:4]), rtol=1e-9)
    errors = np.abs(x - 2 ** (1 / 3))
    order = np.log(errors[5] / errors[4]) / np.log(errors[4] / errors[3])
    assert 1.4 < order < 1.8  # the golden ratio


# The driver


@methods
def test_without_b0_the_jacobian_comes_from_n_differences(method: str) -> None:
    s = problems.dennis_schnabel
    result = broyden.root(s.F, s.x0, method=method)
    assert result.success
    assert result.nfev == result.nit + 1 + 2
    first = broyden.root(s.F, s.x0, method=method, max_iter=0)
    np.testing.assert_allclose(first.jac, s.jac(s.x0), rtol=1e-6)


def boundary_value_problem(n: int) -> tuple[Any, np.ndarray]:
    """Return Moré and Cosnard's discretised equation u'' = (u + t + 1)³ / 2, and its start."""
    t = np.arange(1, n + 1) / (n + 1)

    def F(x: np.ndarray) -> np.ndarray:
        u = np.concatenate([[0.0], x, [0.0]])
        return 2 * x - u[:-2] - u[2:] + (x + t + 1) ** 3 / (2 * (n + 1) ** 2)

    return F, t * (t - 1)


@methods
@pytest.mark.parametrize("start", ["differences", "identity"])
def test_a_larger_system(method: str, start: str) -> None:
    F, x0 = boundary_value_problem(30)
    result = broyden.root(F, x0, method=method, B0=None if start == "differences" else np.eye(30))
    assert result.success
    assert np.abs(F(result.x)).max() <= 1e-10


def test_trace_and_counts() -> None:
    s, calls = problems.dennis_schnabel, []

    def F(x: np.ndarray) -> np.ndarray:
        calls.append(x)
        return np.asarray(s.F(x))

    result = broyden.root(F, s.x0)
    t = result.trace
    assert len(calls) == result.nfev
    assert result.nhev == 0
    values = np.array([s.F(x) for x in t.x])
    np.testing.assert_array_equal(t.grad_norm, np.abs(values).max(axis=1))
    np.testing.assert_allclose(t.fun, 0.5 * (values**2).sum(axis=1), rtol=1e-14)
    np.testing.assert_array_equal(result.fun, s.F(result.x))
    assert len(broyden.root(s.F, s.x0, keep_trace=False).trace) == 0
    assert broyden.root(lambda x: [x[0] + x[1] - 3, x[0] ** 2 + x[1] ** 2 - 9], s.x0).success


def test_the_approximation_belongs_to_the_point_that_comes_back() -> None:
    s = problems.dennis_schnabel
    result = broyden.root(s.F, s.x0, B0=s.jac(s.x0), max_iter=3)
    last, before = result.trace.x[-1], result.trace.x[-2]
    np.testing.assert_allclose(result.jac @ (last - before), s.F(last) - s.F(before), rtol=1e-9)


def test_callback_can_stop() -> None:
    seen: list[np.ndarray] = []

    def callback(x: np.ndarray) -> bool:
        seen.append(x.copy())
        x[:] = nan
        return len(seen) == 3

    s = problems.dennis_schnabel
    result = broyden.root(s.F, s.x0, callback=callback)
    assert result.status is Status.CALLBACK
    np.testing.assert_array_equal(seen, result.trace.x[1:])


@methods
@pytest.mark.parametrize("B0", [None, 1.0])
def test_what_has_a_root_is_solved_and_what_has_none_is_no_success(method: str, B0: float | None) -> None:
    def run(F: Any, x0: float) -> Any:
        return broyden.root(F, x0, method=method, B0=B0, max_iter=300)

    assert run(np.arctan, 3.0).success  # Newton's method runs away from there
    assert run(lambda x: np.log(x) + 10, 3.0).success  # full steps leave the domain
    assert run(lambda x: x**2 - 1, 0.0).success  # a horizontal tangent at the start
    for x0 in (3.0, -0.7, 1e-3):
        nowhere = run(lambda x: x**2 + 1, x0)
        assert nowhere.status in (Status.LOCAL_MINIMUM_OF_NORM, Status.SINGULAR)
        assert abs(nowhere.x) < 1e-4
    edge = run(lambda x: np.sqrt(x) + 1, 1.0)
    assert not edge.success
    assert edge.fun >= 1
    assert np.isfinite(edge.trace.x).all()


def test_a_step_out_of_the_domain_is_shortened_without_a_restart() -> None:
    result = broyden.root(lambda x: np.log(x) + 1, 3.0, B0=0.5)
    assert result.success
    halvings = np.log2(1 / result.trace.step)
    assert halvings[0] >= 1
    assert result.nfev == 1 + (halvings + 1).sum()


def test_differences_at_the_edge_of_the_domain_are_taken_on_its_inner_side() -> None:
    result = broyden.root(lambda x: x - 1 + 0 * np.sqrt(3 - x), 3.0)
    assert result.success
    assert result.jac == pytest.approx(1)


def test_differences_suit_large_arguments() -> None:
    result = broyden.root(lambda x: (x * 1e-9) ** 2 - 1, 2e9)  # beside 2e9 a step of 1e-8 is lost
    assert result.success
    assert result.x == pytest.approx(1e9, rel=1e-10)


def test_the_start_is_judged_by_the_same_tolerance() -> None:
    assert broyden.root(lambda x: x, 0.9e-10).nit == 0
    assert broyden.root(lambda x: x, 1.1e-10).nit > 0


@methods
def test_dependent_equations_are_singular(method: str) -> None:
    def F(x: np.ndarray) -> np.ndarray:
        return np.array([x[0] + x[1] - 1, 2 * x[0] + 2 * x[1] - 3])

    at_once = broyden.root(F, [0.0, 0.0], method=method)
    assert at_once.status is Status.SINGULAR
    np.testing.assert_allclose(at_once.jac, [[1, 1], [2, 2]], rtol=1e-6)
    assert broyden.root(F, [0.0, 0.0], method=method, B0=np.eye(2)).status is Status.SINGULAR


def test_an_update_that_breaks_down_restarts() -> None:
    # F does not feel the first step, which identity sends along x₂: y = 0
    def F(x: np.ndarray) -> np.ndarray:
        return np.array([x[0] - 1.0, np.maximum(x[1], 1.0) ** 2 - 4.0])

    result = broyden.root(F, [1.0, 1.5], B0=[[1.0, 0.0], [0.0, 3.5]])
    assert result.success
    stuck = broyden.root(F, [1.0, -7.0], B0=np.eye(2))
    assert stuck.success or stuck.status is Status.SINGULAR
    flat = broyden.root(lambda x: np.array([x[0], np.round(x[1]) + 0.4]), [1.0, 0.2], B0=np.eye(2))
    assert flat.status is Status.SINGULAR
    assert len(flat.trace) > 1


@methods
def test_stalling_restarts_from_the_best_point(method: str) -> None:
    # with a Jacobian of the wrong sign the first steps go the wrong way
    s = problems.dennis_schnabel
    result = broyden.root(s.F, s.x0, method=method, B0=-np.eye(2))
    assert result.success
    x, size, alpha = result.trace.x, result.trace.fun, result.trace.step
    best = int(np.argmin(size[:6]))
    again = best + 5  # after 2n + 1 steps without a better point
    assert (size[best + 1 : again + 1] >= size[best]).all()
    newton = -np.linalg.solve(s.jac(x[best]), s.F(x[best]))
    np.testing.assert_allclose(x[again + 1] - x[best], alpha[again] * newton, rtol=1e-6)
    assert size[again + 1] < size[best]


def test_round_off_and_running_away_are_named() -> None:
    close = broyden.root(lambda x: x * x - 2, 1.0, tol=0.0)  # no double has the square 2
    assert close.status is Status.ROUND_OFF
    assert close.x == pytest.approx(np.sqrt(2), rel=1e-15)
    away = broyden.root(lambda x: 1 + 1 / (1 + np.abs(x)) ** 0.1, 1.0)
    assert away.status is Status.DIVERGED
    assert np.isfinite(away.trace.x).all()


@methods
@given(seeds)
def test_success_means_that_the_tolerance_holds(method: str, seed: int) -> None:
    a = np.random.default_rng(seed).uniform(-2, 2, 6)

    def F(x: np.ndarray) -> np.ndarray:
        return np.array(
            [a[0] + a[1] * x[0] ** 2 + np.sin(a[2] * x[1]), a[3] * x[0] * x[1] + np.log(x[1] + 2) + a[4]]
        )

    result = broyden.root(F, [a[5], 0.5], method=method, B0=None if seed % 2 else np.eye(2), max_iter=60)
    assert result.success == (np.abs(F(result.x)).max() <= 1e-10)
    assert np.isfinite(result.trace.x).all()
    assert np.isfinite(result.trace.fun).all()
    if not result.success:
        assert 0.5 * F(result.x) @ F(result.x) == result.trace.fun.min()


# Bad input

BAD: list[tuple[dict[str, Any], str]] = [
    ({"F": None}, "F must be callable"),
    ({"F": lambda x: nan}, "x0 must lie in the domain of F"),
    ({"F": lambda x: [x, x]}, "F returned shape"),
    ({"F": lambda x: "F"}, "what F returns must be"),
    ({"F": lambda x: 1e200}, "F must be scaled"),
    ({"F": lambda x: 1.0 if x == 1 else nan, "B0": None}, "x0 must lie inside the domain of F"),
    ({"x0": nan}, "x0 must be finite"),
    ({"x0": []}, "x0 must be a number or a vector"),
    ({"x0": "here"}, "x0 must be"),
    ({"method": "ugly"}, "method must be"),
    ({"method": None}, "method must be"),
    ({"B0": 0.0}, "B0 must not be singular"),
    ({"B0": nan}, "B0 must be finite"),
    ({"B0": np.eye(2)}, "B0 must have shape"),
    ({"B0": "identity"}, "B0 must be"),
    ({"x0": [1.0, 2.0], "B0": np.ones((2, 2))}, "B0 must not be singular"),
    ({"x0": [1.0, 2.0], "B0": 1.0}, "B0 must have shape"),
    ({"tol": -1.0}, "tol"),
    ({"max_iter": 1.5}, "max_iter"),
    ({"callback": 1}, "callback must be callable"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[f"{'+'.join(c)}: {m}" for c, m in BAD])
def test_root_names_what_it_cannot_use(change: dict[str, Any], message: str) -> None:
    arguments = {"F": lambda x: 2 * x - 1, "x0": 1.0, "B0": 2.0 if "x0" not in change else None, **change}
    with pytest.raises(ValueError, match=message):
        broyden.root(**arguments)


def test_the_table_covers_every_keyword() -> None:
    tested = {name for change, _ in BAD for name in change}
    assert set(inspect.signature(broyden.root).parameters) == tested | {"keep_trace"}
