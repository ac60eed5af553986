import inspect
import math
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from gradlib import Status, descent, problems, schedules

nan, inf = np.nan, np.inf
seeds = st.integers(0, 10_000)


def quadratic(kappa: float, n: int = 2, seed: int = 0) -> problems.Quadratic:
    return problems.quadratic(kappa, n, rng=np.random.default_rng(seed))


def run(p: problems.Problem, **options: Any) -> Any:
    return descent.minimize(p.fun, p.x0, p.jac, **options)


# The formulas


def test_look_ahead_goes_on_along_the_velocity_not_back() -> None:
    np.testing.assert_allclose(descent.look_ahead([1.0, 2.0], [10.0, -10.0], 0.5), [-4.0, 7.0])


def test_constant_steps_are_the_textbook_iteration() -> None:
    q, eta = problems.course_quadratic, 0.1
    x = q.x0.copy()
    for iterate in run(q, step_size=eta, max_iter=20).trace.x:
        np.testing.assert_allclose(iterate, x, atol=1e-12)
        x = x - eta * (q.A @ x - q.b)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_the_textbook_iteration(nesterov: bool) -> None:
    q, eta, gamma = problems.course_quadratic, 0.05, 0.7
    x, v = q.x0.copy(), np.zeros(2)
    result = run(q, step_size=eta, momentum=gamma, nesterov=nesterov, max_iter=20)
    for iterate in result.trace.x:
        np.testing.assert_allclose(iterate, x, atol=1e-12)
        v = gamma * v + eta * (q.A @ (x - gamma * v if nesterov else x) - q.b)
        x = x - v


def test_schedules_are_asked_for_each_step_from_zero() -> None:
    q = problems.course_quadratic
    result = run(q, step_size=lambda k: 0.1 / (k + 1), max_iter=5, tol=0.0)
    np.testing.assert_allclose(result.trace.step, [0.1, 0.05, 0.1 / 3, 0.025, 0.02], rtol=1e-15)
    decayed = run(q, step_size=schedules.time_decay(1.0, 10.0), max_iter=5, tol=0.0)
    np.testing.assert_allclose(decayed.trace.step, 1 / (np.arange(5) + 10), rtol=1e-15)
    asked: list[int] = []

    def momentum(k: int) -> float:
        asked.append(k)
        return 0.5

    run(q, step_size=0.1, momentum=momentum, max_iter=4, tol=0.0)
    assert asked == [0, 1, 2, 3]


# Published facts


@pytest.mark.parametrize("kappa", [10.0, 100.0])
def test_plain_descent_diverges_exactly_beyond_two_over_L(kappa: float) -> None:
    q = quadratic(kappa, 4)
    assert run(q, step_size=1.98 / kappa, max_iter=100_000).success
    wild = run(q, step_size=2.02 / kappa)
    assert wild.status is Status.DIVERGED
    assert wild.fun == wild.trace.fun.min()
    np.testing.assert_array_equal(wild.x, wild.trace.x[np.argmin(wild.trace.fun)])


@pytest.mark.parametrize("kappa", [5.0, 50.0])
def test_the_best_constant_step_contracts_by_kappa_minus_one_over_kappa_plus_one(kappa: float) -> None:
    q = quadratic(kappa, 5)
    x0 = q.minimum + np.linalg.eigh(q.A)[1] @ np.ones(5)
    errors = np.linalg.norm(
        descent.minimize(q.fun, x0, q.jac, step_size=2 / (1 + kappa), max_iter=300, tol=0.0).trace.x, axis=1
    )
    np.testing.assert_allclose(errors[60:80] / errors[59:79], (kappa - 1) / (kappa + 1), rtol=1e-3)


def test_polyaks_parameters_have_the_published_spectral_radius() -> None:
    kappa = 100.0
    alpha = 4 / (math.sqrt(kappa) + 1) ** 2
    beta = ((math.sqrt(kappa) - 1) / (math.sqrt(kappa) + 1)) ** 2
    q = problems.quadratic(kappa, 2)
    # one step is linear in (x, v): its columns are measured, not derived
    columns = []
    for x0 in np.eye(2):
        trace = descent.minimize(
            q.fun, x0, q.jac, step_size=alpha, momentum=beta, max_iter=400, tol=0.0
        ).trace
        columns.append(np.linalg.norm(trace.x, axis=1))
    # the eigenvalues at both ends are double, so ‖x_k‖ ~ k ρᵏ: the k-th root, with that factor taken out
    for size in columns:
        k = np.array([200, 400])
        rate = (size[400] / k[1] / (size[200] / k[0])) ** (1 / 200)
        assert rate == pytest.approx(0.8181818, abs=1e-4)


@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_stability_bounds_of_the_heavy_ball_and_of_nesterov(gamma: float) -> None:
    L = 10.0
    q = quadratic(L, 3)
    for nesterov, bound in ((False, 2 * (1 + gamma) / L), (True, 2 * (1 + gamma) / ((1 + 2 * gamma) * L))):
        options = {"momentum": gamma, "nesterov": nesterov, "max_iter": 20_000}
        assert run(q, step_size=0.99 * bound, **options).success
        assert run(q, step_size=1.01 * bound, **options).status is Status.DIVERGED


def worst_function(n: int) -> tuple[Any, Any, np.ndarray, float]:
    """Return Nesterov's worst function for L = 4, its gradient, minimiser and minimum."""
    A = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    b = np.eye(n)[0]
    minimum = np.linalg.solve(A, b)
    return (
        lambda x: 0.5 * x @ A @ x - b @ x,
        lambda x: A @ x - b,
        minimum,
        float(-0.5 * b @ minimum),
    )


def test_nesterovs_and_the_plain_bound_hold_on_the_worst_function() -> None:
    n, L = 101, 4.0
    fun, jac, minimum, lowest = worst_function(n)
    R2 = float(minimum @ minimum)
    k = np.arange(1, n)
    options: dict[str, Any] = {"step_size": 1 / L, "max_iter": n - 1, "tol": 0.0}
    plain = descent.minimize(fun, np.zeros(n), jac, **options).trace.fun[1:] - lowest
    assert (plain <= L * R2 / (4 * k + 2)).all()
    fast = descent.minimize(
        fun, np.zeros(n), jac, momentum=lambda k: max(0.0, (k - 1) / (k + 2)), nesterov=True, **options
    )
    gap = fast.trace.fun[1:] - lowest
    assert (gap <= 2 * L * R2 / (k + 1) ** 2).all()
    middle = (n - 1) // 2  # here no method that uses gradients alone can be better than this
    assert min(gap[middle - 1], plain[middle - 1]) >= 3 * L * R2 / (32 * (middle + 1) ** 2)
    assert gap[-1] < 0.2 * plain[-1]


def test_looking_the_wrong_way_diverges_where_nesterov_converges() -> None:
    q, eta, gamma = problems.quadratic(100.0), 0.005, 0.9
    x, v = q.x0.copy(), np.zeros(2)
    for _ in range(300):
        v = gamma * v + eta * q.jac(x + gamma * v)
        x = x - v
    assert np.abs(x).max() > 1e15
    right = run(q, step_size=eta, momentum=gamma, nesterov=True, max_iter=300, tol=0.0)
    assert np.abs(right.trace.x[-1]).max() < 1e-4


# Backtracking


@pytest.mark.parametrize(
    "p",
    [problems.rosenbrock, problems.beale, problems.himmelblau, problems.boyd_vandenberghe],
    ids=lambda p: p.name,
)
def test_backtracking_reaches_the_minimum(p: problems.Problem) -> None:
    result = run(p, max_iter=50_000)
    assert result.success
    assert np.abs(p.jac(result.x)).max() <= 1e-6
    assert np.linalg.norm(np.atleast_2d(p.minimum) - result.x, axis=1).min() < 1e-4
    assert (np.diff(result.trace.fun) < 0).all()


@given(seeds, st.floats(-12, 12))
def test_backtracking_needs_no_scaling_of_the_function(seed: int, exponent: float) -> None:
    q, scale = quadratic(10.0, 3, seed), 10.0**exponent
    result = descent.minimize(
        lambda x: scale * q.fun(x), q.x0, lambda x: scale * q.jac(x), tol=1e-6 * scale, max_iter=2000
    )
    assert result.success
    np.testing.assert_allclose(result.x, q.minimum, atol=2e-6)


def test_backtracking_stays_in_the_domain() -> None:
    result = descent.minimize(lambda x: 5 * x - anp.log(x), 3.0)
    assert result.success
    assert result.x == pytest.approx(0.2, abs=1e-6)
    constant = descent.minimize(lambda x: 5 * x - anp.log(x), 3.0, step_size=1.0)
    assert constant.status is Status.NOT_FINITE
    assert constant.x == 3.0
    assert len(constant.trace) == 1


# What comes back


def test_trace_and_counts() -> None:
    p, calls = problems.rosenbrock, {"fun": 0, "jac": 0}

    def fun(x: np.ndarray) -> float:
        calls["fun"] += 1
        return float(p.fun(x))

    def jac(x: np.ndarray) -> np.ndarray:
        calls["jac"] += 1
        return np.asarray(p.jac(x))

    for options in ({}, {"step_size": 1e-3}, {"step_size": 1e-4, "momentum": 0.9, "nesterov": True}):
        calls.update(fun=0, jac=0)
        result = descent.minimize(fun, p.x0, jac, max_iter=50, **options)  # type: ignore[arg-type]
        assert (result.nfev, result.njev) == (calls["fun"], calls["jac"])
        t = result.trace
        assert len(t) == result.nit + 1 == 51
        np.testing.assert_array_equal(t.fun, [p.fun(x) for x in t.x])
        np.testing.assert_array_equal(t.grad_norm, [np.abs(p.jac(x)).max() for x in t.x])
        assert result.status is Status.ITERATION_LIMIT
        best = int(np.argmin(t.fun))
        np.testing.assert_array_equal(result.x, t.x[best])
        assert result.fun == t.fun[best]
        np.testing.assert_array_equal(result.jac, p.jac(result.x))
        assert len(descent.minimize(fun, p.x0, jac, keep_trace=False, max_iter=9, **options).trace) == 0  # type: ignore[arg-type]


def test_scalar_pair_and_autograd_agree() -> None:
    by_hand = descent.minimize(lambda x: x**4 + x**2, 1.0, lambda x: 4 * x**3 + 2 * x, step_size=0.1)
    pair = descent.minimize(lambda x: (x**4 + x**2, 4 * x**3 + 2 * x), 1.0, True, step_size=0.1)
    auto = descent.minimize(lambda x: x**4 + x**2, 1.0, step_size=0.1)
    for result in (by_hand, pair, auto):
        assert result.success
        assert isinstance(result.x, float)
        np.testing.assert_allclose(result.trace.x, by_hand.trace.x, atol=1e-15)
    searched = descent.minimize(lambda x: (x**4 + x**2, 4 * x**3 + 2 * x), 1.0, True)
    assert searched.success
    assert searched.nfev == descent.minimize(lambda x: x**4 + x**2, 1.0).nfev


@pytest.mark.parametrize("options", [{}, {"step_size": 0.1}])
def test_callback_can_stop(options: dict[str, Any]) -> None:
    q, seen = problems.course_quadratic, []

    def callback(x: np.ndarray) -> bool:
        seen.append(x.copy())
        x[:] = nan
        return len(seen) == 3

    result = run(q, callback=callback, **options)
    assert result.status is Status.CALLBACK
    np.testing.assert_array_equal(seen, result.trace.x[1:])


def test_the_start_is_judged_by_the_same_tolerance() -> None:
    assert descent.minimize(lambda x: x**2, 0.45e-6).nit == 0
    assert descent.minimize(lambda x: x**2, 0.55e-6).nit > 0


def test_failures_have_their_name() -> None:
    assert descent.minimize(lambda x: -x, 0.0).status is Status.DIVERGED
    assert descent.minimize(lambda x: x**4, 3.0, step_size=1.0).status in (Status.DIVERGED, Status.NOT_FINITE)
    assert descent.minimize(lambda x: x**2, 1.0, lambda x: -2 * x).status is Status.GRADIENT_MISMATCH
    assert descent.minimize(lambda x: 1e200 * x**2, 1.0).status is Status.LINE_SEARCH
    assert descent.minimize(lambda x: 1e-300 * x**2, 1.0, tol=0.0).status is Status.ROUND_OFF
    flat = descent.minimize(lambda x: anp.exp(x) - 5 * x, 3.0, tol=0.0)
    assert flat.status is Status.ROUND_OFF
    assert flat.x == pytest.approx(np.log(5), abs=1e-7)


@given(
    seeds, st.sampled_from([{}, {"step_size": 0.05}, {"step_size": 0.5, "momentum": 0.5, "nesterov": True}])
)
def test_success_means_a_small_gradient(seed: int, options: dict[str, Any]) -> None:
    a = np.random.default_rng(seed).uniform(-2, 2, 6)

    def fun(x: np.ndarray) -> Any:
        return a[0] * x[0] ** 2 + a[1] * x[0] * x[1] + x[1] ** 4 + anp.sin(a[2] * x[0]) + anp.log(x[1] + 3)

    result = descent.minimize(fun, [a[4], a[5]], max_iter=60, tol=1e-4, **options)
    gradient = np.array(
        [
            2 * a[0] * result.x[0] + a[1] * result.x[1] + a[2] * np.cos(a[2] * result.x[0]),
            a[1] * result.x[0] + 4 * result.x[1] ** 3 + 1 / (result.x[1] + 3),
        ]
    )
    if result.success:
        assert np.abs(gradient).max() <= 1e-4 * (1 + 1e-6)
    assert result.fun == result.trace.fun[-1 if result.success else np.argmin(result.trace.fun)]
    assert np.isfinite(result.trace.x).all()
    assert np.isfinite(result.trace.fun).all()


def test_scipy_takes_it_as_a_method() -> None:
    p = problems.boyd_vandenberghe
    result = scipy.optimize.minimize(
        p.fun, p.x0, jac=p.jac, method=descent.minimize, options={"max_iter": 500}
    )
    assert result.success
    np.testing.assert_allclose(result.x, p.minimum, atol=1e-5)


# Bad input

BAD: list[tuple[dict[str, Any], str]] = [
    ({"fun": None}, "fun must be callable"),
    ({"fun": lambda x: nan}, "x0 must lie in the domain of fun"),
    ({"fun": lambda x: [x, x]}, "fun returned shape"),
    ({"x0": nan}, "x0 must be finite"),
    ({"x0": []}, "x0 must be a number or a vector"),
    ({"x0": "here"}, "x0 must be"),
    ({"jac": 3.0}, "jac must be callable"),
    ({"jac": lambda x: [1.0, 2.0]}, "jac returned shape"),
    ({"jac": lambda x: inf}, "x0 must lie in the domain of jac"),
    ({"step_size": 0.0}, "step_size must be positive"),
    ({"step_size": -1.0}, "step_size must be positive"),
    ({"step_size": nan}, "step_size must be finite"),
    ({"step_size": "small"}, "step_size must be"),
    ({"step_size": [0.1, 0.2]}, "step_size must be a number"),
    ({"step_size": lambda k: 0.1 - k}, "step_size must be positive"),
    ({"step_size": lambda k: None}, "step_size must be"),
    ({"step_size": 0.1, "momentum": 1.0}, r"momentum must be in \[0, 1\)"),
    ({"step_size": 0.1, "momentum": -0.1}, r"momentum must be in \[0, 1\)"),
    ({"step_size": 0.1, "momentum": None}, "momentum must be"),
    ({"step_size": 0.1, "momentum": lambda k: 2.0}, r"momentum must be in \[0, 1\)"),
    ({"momentum": 0.5}, "step_size must be given with momentum"),
    ({"momentum": lambda k: 0.5, "nesterov": True}, "step_size must be given with momentum"),
    ({"step_size": 0.1, "nesterov": True}, "momentum must be given with nesterov=True"),
    ({"nesterov": "yes"}, "nesterov must be True or False"),
    ({"tol": -1.0}, "tol"),
    ({"tol": None}, "tol"),
    ({"max_iter": 1.5}, "max_iter"),
    ({"callback": 1}, "callback must be callable"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[f"{'+'.join(c)}: {m}" for c, m in BAD])
def test_minimize_names_what_it_cannot_use(change: dict[str, Any], message: str) -> None:
    arguments = {"fun": lambda x: x**2, "x0": 1.0, "jac": lambda x: 2 * x, **change}
    with pytest.raises(ValueError, match=message):
        descent.minimize(**arguments)


def test_the_table_covers_every_keyword() -> None:
    tested = {name for change, _ in BAD for name in change}
    assert set(inspect.signature(descent.minimize).parameters) == tested | {"keep_trace"}


@pytest.mark.parametrize(
    ("x", "v", "message"),
    [
        ([1.0], [1.0, 2.0], "v must have x's shape"),
        ([nan], [1.0], "x must be finite"),
        ([1.0], "v", "v must be"),
    ],
)
def test_look_ahead_names_what_it_cannot_use(x: Any, v: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        descent.look_ahead(x, v, 0.5)
