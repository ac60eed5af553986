import inspect
import math
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlib import Status, bfgs, cg, lbfgs, linesearch, problems
from gradlib.bfgs import _Dense, _weights
from gradlib.result import Result

seeds = st.integers(0, 10_000)
UPDATES = {"bfgs": bfgs.update_inverse, "dfp": bfgs.update_inverse_dfp}
both_updates = pytest.mark.parametrize("update", UPDATES)
R = problems.rosenbrock


def secant_pair(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a random positive definite H, and s and y with sᵀy > 0."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    M, N = rng.standard_normal((2, n, n))
    s = rng.standard_normal(n) * 10 ** rng.uniform(-3, 3)
    return M @ M.T + 0.1 * np.eye(n), s, (N @ N.T + 0.1 * np.eye(n)) @ s


# The formulas


@both_updates
@given(seeds)
def test_secant_equation(update: str, seed: int) -> None:
    H, s, y = secant_pair(seed)
    H_new = UPDATES[update](H, s, y)
    scale = np.abs(H_new).max() * np.abs(y).max() + np.abs(s).max()
    np.testing.assert_allclose(H_new @ y, s, atol=1e-12 * scale)


@both_updates
@given(seeds)
def test_positive_definite_while_s_y_is_positive(update: str, seed: int) -> None:
    H, s, y = secant_pair(seed)
    H_new = UPDATES[update](H, s, y)
    np.testing.assert_allclose(H_new, H_new.T, atol=1e-13 * np.abs(H_new).max())
    eigenvalues = np.linalg.eigvalsh(H_new)
    assert eigenvalues[0] > -1e-13 * eigenvalues[-1]


def test_indefinite_once_s_y_is_negative() -> None:
    # by the definition, for `update_inverse` refuses it
    H, s, y = np.eye(2), np.array([1.0, 0.0]), np.array([-1.0, 1.0])
    rho, one = 1 / (s @ y), np.eye(2)
    H_new = (one - rho * np.outer(s, y)) @ H @ (one - rho * np.outer(y, s)) + rho * np.outer(s, s)
    assert np.linalg.eigvalsh(H_new)[0] < 0
    for formula in UPDATES.values():
        with pytest.raises(ValueError, match="y must fulfil sᵀy > 0"):
            formula(H, s, y)


@given(seeds)
def test_update_equals_the_product_of_its_definition(seed: int) -> None:
    H, s, y = secant_pair(seed)
    rho, one = 1 / (s @ y), np.eye(s.size)
    expected = (one - rho * np.outer(s, y)) @ H @ (one - rho * np.outer(y, s)) + rho * np.outer(s, s)
    np.testing.assert_allclose(bfgs.update_inverse(H, s, y), expected, atol=1e-11 * np.abs(expected).max())


@given(seeds)
def test_dfp_of_the_inverse_is_bfgs_with_s_and_y_exchanged(seed: int) -> None:
    H, s, y = secant_pair(seed)
    B_new = bfgs.update_inverse(np.linalg.inv(H), y, s)
    product = bfgs.update_inverse_dfp(H, s, y) @ B_new
    scale = np.abs(bfgs.update_inverse_dfp(H, s, y)).max() * np.abs(B_new).max()
    np.testing.assert_allclose(product, np.eye(s.size), atol=1e-12 * scale)


@both_updates
@pytest.mark.parametrize("n", [1, 2, 7, 64, 257, 300])
def test_update_in_place_equals_the_formula_to_round_off(update: str, n: int) -> None:
    rng = np.random.default_rng(n)
    M = rng.standard_normal((n, n)) / np.sqrt(n)
    A = M @ M.T + np.eye(n)
    model, H = _Dense(n, None, _weights(update)), np.eye(n)
    for _ in range(5):
        s = rng.standard_normal(n)
        y = A @ s
        model.s[:] = s
        model.update(y, float(s @ y))
        H = UPDATES[update](H, s, y)
    g = rng.standard_normal(n)
    np.testing.assert_allclose(-model.direction(g), H @ g, rtol=0, atol=1e-13 * np.abs(H @ g).max() * n)


class CountedFloat(float):
    """A number that counts the multiplications and additions it takes part in."""

    operations = 0

    def _counted(self, value: float) -> "CountedFloat":
        CountedFloat.operations += 1
        return CountedFloat(value)

    def __mul__(self, other: float) -> "CountedFloat":
        return self._counted(float(self) * float(other))

    def __add__(self, other: float) -> "CountedFloat":
        return self._counted(float(self) + float(other))

    def __sub__(self, other: float) -> "CountedFloat":
        return self._counted(float(self) - float(other))

    def __truediv__(self, other: float) -> "CountedFloat":
        return self._counted(float(self) / float(other))

    def __neg__(self) -> "CountedFloat":
        return CountedFloat(-float(self))

    __rmul__, __radd__ = __mul__, __add__


@both_updates
def test_the_update_costs_n_squared(update: str) -> None:
    # scipy #7165, #7960, #21787
    def operations(n: int) -> int:
        model, rng = _Dense(n, None, _weights(update)), np.random.default_rng(0)
        numbers = np.vectorize(CountedFloat, otypes=[object])
        model._N, model._W = numbers(-np.eye(n)), numbers(np.zeros((2, n)))
        model._Ny, model._W_T = model._W[1], model._W.T
        model._K, model._KW = numbers(np.zeros((2, 2))), numbers(np.zeros((2, n)))
        model._change = numbers(np.zeros((n, n)))
        s = rng.standard_normal(n)
        y = s + 0.1 * rng.standard_normal(n)
        CountedFloat.operations = 0
        model._W[0] = numbers(s)
        model.update(numbers(y), float(s @ y))
        return CountedFloat.operations

    assert operations(40) <= 8 * 40**2
    np.testing.assert_allclose(operations(80) / operations(40), 4, rtol=0.1)


# BFGS and DFP on a quadratic, with exact steps


def exact_run(update: str, n: int, seed: int) -> tuple[problems.Quadratic, np.ndarray, np.ndarray]:
    """Return a quadratic, the n + 1 iterates with exact line searches from H₀ = I, and H at the end."""
    p = problems.quadratic(20.0, n, rng=np.random.default_rng(seed))
    x, H = p.x0, np.eye(n)
    g, iterates = p.jac(x), [x]
    for _ in range(n):
        direction = -H @ g
        s = linesearch.exact_quadratic(g, direction, p.A @ direction) * direction
        x = x + s
        y, g = p.jac(x) - g, p.jac(x)
        H = UPDATES[update](H, s, y)
        iterates.append(x)
    return p, np.array(iterates), H


@both_updates
@given(n=st.integers(2, 7), seed=seeds)
def test_a_quadratic_takes_n_exact_steps_and_leaves_the_inverse_hessian(
    update: str, n: int, seed: int
) -> None:
    p, iterates, H = exact_run(update, n, seed)
    np.testing.assert_allclose(iterates[-1], p.minimum, rtol=0, atol=8e-11 * np.abs(p.x0).max())
    inverse = np.linalg.inv(p.A)
    np.testing.assert_allclose(H, inverse, rtol=0, atol=2e-13 * np.abs(inverse).max())


@both_updates
@given(n=st.integers(2, 7), seed=seeds)
def test_with_exact_steps_the_iterates_are_those_of_conjugate_gradients(
    update: str, n: int, seed: int
) -> None:
    p, iterates, _ = exact_run(update, n, seed)
    conjugate = cg.solve(p.A, p.b, p.x0, tol=1e-12).trace.x[: n + 1]
    np.testing.assert_allclose(iterates[: len(conjugate)], conjugate, rtol=0, atol=8e-11 * np.abs(p.x0).max())


# The driver


def test_34_iterations_on_rosenbrock_as_in_nocedal_and_wright() -> None:
    """Section 6.1; reproduced by the formula with backtracking, and by the driver with Wolfe steps."""
    x, f, g, H = R.x0, R.fun(R.x0), R.jac(R.x0), np.eye(2)
    iterations = 0
    while np.linalg.norm(g) > 1e-5:
        step = linesearch.backtracking(R.fun, x, -H @ g, f, g)
        s, y = step.x - x, R.jac(step.x) - g
        x, f, g = step.x, step.fun, R.jac(step.x)
        if s @ y > 0:
            H = bfgs.update_inverse(H, s, y)
        iterations += 1
    assert iterations == 34

    trace = bfgs.minimize(R.fun, R.x0, R.jac).trace
    norms = np.linalg.norm([R.jac(x) for x in trace.x], axis=1)
    assert int(np.argmax(norms <= 1e-5)) == 34


def test_dfp_does_not_recover_where_bfgs_does() -> None:
    p = problems.chained_rosenbrock(10)
    fast = bfgs.minimize(p.fun, p.x0, p.jac, tol=1e-6)
    slow = bfgs.minimize(p.fun, p.x0, p.jac, update="dfp", tol=1e-6, max_iter=500)
    assert fast.success
    assert fast.nit < 100
    assert slow.status is Status.ITERATION_LIMIT


def test_every_step_fulfils_the_strong_wolfe_conditions() -> None:
    trace = bfgs.minimize(R.fun, R.x0, R.jac).trace
    for k, alpha in enumerate(trace.step):
        p = (trace.x[k + 1] - trace.x[k]) / alpha
        slope = R.jac(trace.x[k]) @ p
        assert trace.fun[k + 1] <= trace.fun[k] + 1e-4 * alpha * slope * (1 - 1e-9)
        assert abs(R.jac(trace.x[k + 1]) @ p) <= 0.9 * abs(slope) * (1 + 1e-9)


def test_superlinear_convergence() -> None:
    errors = np.linalg.norm(bfgs.minimize(R.fun, R.x0, R.jac).trace.x - 1, axis=1)
    ratios = errors[1:] / errors[:-1]
    assert ratios[-1] < 1e-2
    assert ratios[-1] < ratios[-3] < 1


def test_the_inverse_hessian_as_a_start_makes_it_newtons_method() -> None:
    p = problems.quadratic(1e3, 5, rng=np.random.default_rng(0))
    result = bfgs.minimize(p.fun, p.x0, p.jac, H0=np.linalg.inv(p.A), tol=1e-9)
    assert result.success
    assert result.nit == 1


def test_a_start_of_the_users_is_not_changed() -> None:
    H0 = np.diag([1e-3, 2e-3])
    bfgs.minimize(R.fun, R.x0, R.jac, H0=H0)
    np.testing.assert_array_equal(H0, np.diag([1e-3, 2e-3]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"update": "sr1"}, 'update must be "bfgs" or "dfp"'),
        ({"update": None}, "update must be"),
        ({"update": ["bfgs"]}, "update must be"),
        ({"H0": np.eye(3)}, r"H0 must have shape \(2, 2\)"),
        ({"H0": np.array([[1.0, 2.0], [0.0, 1.0]])}, "H0 must be symmetric"),
        ({"H0": np.diag([1.0, -1.0])}, "H0 must be positive definite"),
        ({"H0": np.diag([1.0, np.nan])}, "H0 must be finite"),
        ({"H0": "identity"}, "H0 must be"),
        ({"c2": 0.0}, "c2 must lie between"),
        ({"c2": 1.0}, "c2 must lie between"),
        ({"c2": np.nan}, "c2 must be finite"),
        ({"c2": "0.9"}, "c2 must be"),
        ({"x0": [np.nan, 1.0]}, "x0 must be finite"),
        ({"tol": -1.0}, "tol"),
        ({"max_iter": 1.5}, "max_iter"),
        ({"callback": 3}, "callback must be callable"),
        ({"jac": 3.0}, "jac must be callable"),
        ({"fun": None}, "fun must be callable"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"fun": R.fun, "x0": R.x0, "jac": R.jac, **change}
    with pytest.raises(ValueError, match=message):
        bfgs.minimize(**arguments)


@pytest.mark.parametrize(
    ("H", "s", "y", "message"),
    [
        (np.eye(2), [1.0, 0.0], [1.0], "s and y must be vectors of one length"),
        (np.eye(2), 1.0, 1.0, "s and y must be vectors"),
        (np.eye(3), [1.0, 0.0], [1.0, 0.0], r"H must have shape \(2, 2\)"),
        (np.eye(2), [0.0, 0.0], [1.0, 0.0], "y must fulfil sᵀy > 0"),
        (np.eye(2), [np.nan, 0.0], [1.0, 0.0], "s must be finite"),
        (np.eye(2), [1.0, 0.0], None, "y must be"),
        ("H", [1.0, 0.0], [1.0, 0.0], "H must be"),
    ],
)
@both_updates
def test_updates_name_bad_input(update: str, H: Any, s: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UPDATES[update](H, s, y)


def test_dfp_names_an_indefinite_h() -> None:
    with pytest.raises(ValueError, match="H must be positive definite"):
        bfgs.update_inverse_dfp(-np.eye(2), [1.0, 0.0], [1.0, 0.0])


# What both quasi-Newton drivers do, and users of the existing libraries miss

DRIVERS = {"bfgs": bfgs.minimize, "lbfgs": lbfgs.minimize}


@pytest.fixture(params=DRIVERS)
def minimize(request: pytest.FixtureRequest) -> Any:
    return DRIVERS[request.param]


def test_the_trajectory_is_kept(minimize: Any) -> None:
    # scipy #8176, #12890; jaxopt #433; Optim.jl #1109
    result: Result = minimize(R.fun, R.x0, R.jac)
    t = result.trace
    assert result.success
    assert t.x.shape == (result.nit + 1, 2)
    np.testing.assert_array_equal(t.x[0], R.x0)
    np.testing.assert_array_equal(t.x[-1], result.x)
    np.testing.assert_array_equal(t.fun, [R.fun(x) for x in t.x])
    np.testing.assert_array_equal(t.grad_norm, [np.abs(R.jac(x)).max() for x in t.x])
    assert (np.diff(t.fun) < 0).all()
    lean = minimize(R.fun, R.x0, R.jac, keep_trace=False)
    assert len(lean.trace) == 0
    np.testing.assert_array_equal(lean.x, result.x)


def test_no_stale_arrays_in_callbacks(minimize: Any) -> None:
    # scipy #8419, #17486: what a callback stores must not change afterwards, nor may it disturb the run
    seen: list[np.ndarray] = []
    copies: list[np.ndarray] = []

    def callback(x: np.ndarray) -> None:
        seen.append(x)
        copies.append(x.copy())

    result = minimize(R.fun, R.x0, R.jac, callback=callback)
    np.testing.assert_array_equal(seen, copies)
    np.testing.assert_array_equal(seen, result.trace.x[1:])

    def vandal(x: np.ndarray) -> None:
        x[:] = np.nan

    np.testing.assert_array_equal(minimize(R.fun, R.x0, R.jac, callback=vandal).trace.x, result.trace.x)


def test_a_callback_can_stop(minimize: Any) -> None:
    result = minimize(R.fun, R.x0, R.jac, callback=lambda x: True)
    assert result.status is Status.CALLBACK
    assert result.nit == 1


def test_the_best_point_is_kept(minimize: Any) -> None:
    # scipy #15643, #17673
    p = problems.chained_rosenbrock(10)
    result = minimize(p.fun, p.x0, p.jac, max_iter=7)
    assert result.status is Status.ITERATION_LIMIT
    assert result.fun == result.trace.fun.min() == p.fun(result.x)
    np.testing.assert_array_equal(result.jac, p.jac(result.x))


def test_rosenbrock_in_double_precision(minimize: Any) -> None:
    # jax #4594
    result = minimize(R.fun, R.x0, R.jac)
    assert result.success
    np.testing.assert_allclose(result.x, 1, atol=1e-7)


def test_rosenbrock_in_single_precision(minimize: Any) -> None:
    # jax #4594: it fails there too
    def fun(x: np.ndarray) -> Any:
        return R.fun(x.astype(np.float32))

    def jac(x: np.ndarray) -> Any:
        return R.jac(x.astype(np.float32))

    assert fun(R.x0).dtype == jac(R.x0).dtype == np.float32
    result = minimize(fun, R.x0, jac, tol=1e-4)
    assert result.success
    np.testing.assert_allclose(result.x, 1, atol=1e-5)


def test_leaving_the_domain_backs_off(minimize: Any) -> None:
    # scipy #5161, #6264: 5x − ln x from x = 3
    for fun, jac in (
        (lambda x: 5 * x - anp.log(x), None),
        (lambda x: 5 * x - math.log(x), lambda x: 5 - 1 / x),  # outside it raises
    ):
        result = minimize(fun, 3.0, jac)
        assert result.success
        assert result.nit <= 7
        assert (result.trace.x > 0).all()
        np.testing.assert_allclose(result.x, 0.2, rtol=1e-8)


def test_a_kink_is_called_one(minimize: Any) -> None:
    # scipy #7536, #17792, #19024: not "precision loss"
    result = minimize(lambda x: abs(x) + 0.5 * x**2 + 1, 0.3)
    assert result.status is Status.KINK
    assert abs(result.x) < 1e-9
    assert minimize(lambda x: anp.abs(x[0]) + x[1] ** 2, [0.3, 1.0]).status is Status.KINK


def test_a_gradient_of_the_wrong_sign_is_named(minimize: Any) -> None:
    result = minimize(R.fun, R.x0, lambda x: -R.jac(x))
    assert result.status is Status.GRADIENT_MISMATCH
    assert "check jac" in result.message
    half_wrong = minimize(lambda x: x @ x, [1.0, 1.0], lambda x: np.array([2 * x[0], -2 * x[1]]))
    assert half_wrong.status is Status.GRADIENT_MISMATCH


def test_no_false_success(minimize: Any) -> None:
    # scipy #20213
    for result in (
        minimize(lambda x: -(x**2), 3.0),
        minimize(lambda x: -x, 3.0),
        minimize(lambda x: x[0] ** 2 - x[1] ** 2, [1.0, 1e-3]),
    ):
        assert result.status is Status.DIVERGED
        assert np.isfinite(result.trace.x).all()
    for p in (
        problems.beale,
        problems.himmelblau,
        problems.boyd_vandenberghe,
        problems.chained_rosenbrock(20),
    ):
        result = minimize(p.fun, p.x0, p.jac)
        assert result.success
        assert np.abs(p.jac(result.x)).max() <= 1e-8
        assert np.linalg.eigvalsh(p.hess(result.x))[0] > 0


def test_the_approximate_wolfe_condition_goes_on_where_armijo_drowns(minimize: Any) -> None:
    # Hager & Zhang: values near −5e5 resolve the gradient to 1e-4, and there every other method stops
    rng = np.random.default_rng(0)
    p = problems.quadratic(1e4, 1000, rng=rng)
    b = p.A @ rng.standard_normal(1000)
    hard = problems.quadratic_form(p.A, b * np.sqrt(1e6 / (b @ np.linalg.solve(p.A, b))))
    np.testing.assert_allclose(hard.fun_min, -5e5, rtol=1e-6)
    result = minimize(hard.fun, hard.x0, hard.jac, tol=1e-5, max_iter=5000, keep_trace=False)
    assert result.success
    assert np.abs(hard.jac(result.x)).max() <= 1e-5


def test_round_off_is_called_so_and_soon(minimize: Any) -> None:
    result = minimize(lambda x: anp.exp(x) - 5 * x, 3.0, tol=0.0)
    assert result.status is Status.ROUND_OFF
    assert result.nfev < 1000
    np.testing.assert_allclose(result.x, np.log(5), rtol=1e-14)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nothing_finite_but_the_start(minimize: Any, bad: float) -> None:
    result = minimize(lambda x: x**2 if x == 1 else bad, 1.0, lambda x: 2 * x)
    assert result.status is Status.NOT_FINITE
    assert result.x == 1


def test_a_gradient_that_is_nan_everywhere_else_keeps_the_trace(minimize: Any) -> None:
    result = minimize(lambda x: x**2, 1.0, lambda x: 2 * x if x == 1 else np.nan)
    assert not result.success
    assert len(result.trace) == 1


def test_squares_out_of_range_are_no_success(minimize: Any) -> None:
    assert minimize(lambda x: 1e200 * x**2, 1.0).status is Status.LINE_SEARCH
    assert minimize(lambda x: 1e-200 * x**2, 1.0, tol=0.0).status is Status.ROUND_OFF


@pytest.mark.parametrize("power", [4, 6])
def test_squares_of_changes_out_of_range_are_round_off(minimize: Any, power: int) -> None:
    # the minimum is so flat that the gradients' squares underflow before the gradients vanish
    result = minimize(
        lambda x: (x**power).sum(), [1.0, 2.0], lambda x: power * x ** (power - 1), tol=0.0, max_iter=2000
    )
    assert result.status in (Status.ROUND_OFF, Status.ITERATION_LIMIT)
    assert len(result.trace) == result.nit + 1


def test_dfp_survives_a_square_out_of_range() -> None:
    result = bfgs.minimize(lambda x: 0.15 * x**2, 1e-161, lambda x: 0.3 * x, update="dfp", tol=0.0)
    assert result.status is Status.ROUND_OFF


def test_three_ways_to_the_same_minimum(minimize: Any) -> None:
    given_jac = minimize(R.fun, R.x0, R.jac)
    pair = minimize(lambda x: (R.fun(x), R.jac(x)), R.x0, True)
    by_autograd = minimize(R.fun, R.x0)
    np.testing.assert_array_equal(pair.trace.x, given_jac.trace.x)
    np.testing.assert_allclose(by_autograd.trace.x, given_jac.trace.x, atol=1e-5)
    assert by_autograd.success


def test_evaluations_are_counted(minimize: Any) -> None:
    calls = {"fun": 0, "jac": 0}

    def counting(name: str) -> Any:
        def call(x: np.ndarray) -> Any:
            calls[name] += 1
            return getattr(R, name)(x)

        return call

    result = minimize(counting("fun"), R.x0, counting("jac"))
    assert (result.nfev, result.njev, result.nhev) == (calls["fun"], calls["jac"], 0)


def test_a_scalar_start_gives_scalars(minimize: Any) -> None:
    result = minimize(lambda x: (x - 2) ** 2, 1)
    assert np.ndim(result.x) == np.ndim(result.fun) == np.ndim(result.jac) == 0
    assert result.success
    assert minimize(lambda x: (x[0] - 2) ** 2, [1.0]).x.shape == (1,)


def test_a_function_that_changes_its_argument_or_reuses_its_gradient_does_no_harm(minimize: Any) -> None:
    buffer = np.empty(2)

    def careless(x: np.ndarray) -> float:
        value = float(R.fun(x))
        x[:] = np.nan
        return value

    def frugal(x: np.ndarray) -> np.ndarray:
        buffer[:] = R.jac(x)
        x[:] = np.nan
        return buffer

    np.testing.assert_array_equal(
        minimize(careless, R.x0, frugal).trace.x, minimize(R.fun, R.x0, R.jac).trace.x
    )


def test_warnings_of_trial_points_do_not_leak(minimize: Any) -> None:
    before = np.geterr()
    assert minimize(lambda x: 5 * x - np.log(x), 3.0, lambda x: 5 - 1 / x).success
    assert np.geterr() == before


def test_the_table_of_bad_input_covers_every_keyword_of_bfgs() -> None:
    mark = next(m for m in test_bad_input_is_named.pytestmark if m.name == "parametrize")  # type: ignore[attr-defined]
    tested = {name for change, _ in mark.args[1] for name in change}
    assert set(inspect.signature(bfgs.minimize).parameters) == tested | {"keep_trace"}
