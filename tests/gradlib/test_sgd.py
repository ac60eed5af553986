import inspect
import subprocess
import sys
from typing import Any

import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlib import Status, models, rules, schedules, sgd

nan, inf = np.nan, np.inf
sizes = st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))


def regression(n: int = 100, noise: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    X = np.column_stack([np.ones(n), x, x**2])
    return X, X @ [2.0, 3.0, 4.0] + noise * rng.standard_normal(n)


def run(**change: Any) -> Any:
    arguments: dict[str, Any] = {
        "cost": models.least_squares_cost,
        "theta0": np.zeros(3),
        "data": regression(),
        "rule": rules.sgd(0.1),
        "grad": models.least_squares_gradient,
        "batch_size": 8,
        "epochs": 5,
        "rng": np.random.default_rng(0),
        **change,
    }
    return sgd.minimize(**arguments)


# Mini-batches


@given(sizes, st.booleans())
def test_an_epoch_is_n_draws_in_batches_of_the_size_asked_for(
    size: tuple[int, int], replacement: bool
) -> None:
    n, M = size
    batches = list(sgd.minibatches(n, M, rng=np.random.default_rng(0), replacement=replacement))
    lengths = [len(batch) for batch in batches]
    assert lengths == [M] * (n // M) + [n % M] * (n % M > 0)
    drawn = np.concatenate(batches)
    assert drawn.min() >= 0
    assert drawn.max() < n
    if not replacement:
        np.testing.assert_array_equal(np.sort(drawn), np.arange(n))


def test_batches_differ_between_epochs_and_not_between_equal_seeds() -> None:
    rng = np.random.default_rng(1)
    one, two = (np.concatenate(list(sgd.minibatches(50, 8, rng=rng))) for _ in range(2))
    again = np.concatenate(list(sgd.minibatches(50, 8, rng=np.random.default_rng(1))))
    assert (one != two).any()
    np.testing.assert_array_equal(one, again)


def test_with_replacement_a_third_of_the_points_is_left_out() -> None:
    drawn = np.concatenate(list(sgd.minibatches(10_000, 10, rng=np.random.default_rng(2), replacement=True)))
    np.testing.assert_allclose(len(np.unique(drawn)) / 10_000, 1 - np.exp(-1), atol=0.01)


@given(sizes, st.integers(0, 1000))
def test_gradients_of_an_epoch_average_to_the_full_gradient(size: tuple[int, int], seed: int) -> None:
    n, M = size
    rng = np.random.default_rng(seed)
    X, y, theta = rng.standard_normal((n, 3)), rng.integers(0, 2, n), rng.standard_normal(3)
    for gradient in (models.least_squares_gradient, models.logistic_gradient):
        batches = list(sgd.minibatches(n, M, rng=rng))
        average = sum(len(b) / n * gradient(theta, X[b], y[b]) for b in batches)  # the last one may be short
        np.testing.assert_allclose(average, gradient(theta, X, y), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("replacement", [False, True])
def test_each_batch_is_an_unbiased_sample(replacement: bool) -> None:
    rng = np.random.default_rng(3)
    y = rng.standard_normal(10)
    means = [
        [y[b].mean() for b in sgd.minibatches(10, 4, rng=rng, replacement=replacement)] for _ in range(20_000)
    ]
    spread = np.std(means, axis=0) / np.sqrt(len(means))
    assert (np.abs(np.mean(means, axis=0) - y.mean()) < 4 * spread).all()


# The steps


def test_steps_are_the_rule_along_the_batches() -> None:
    X, y = regression(7)
    batches = [[0, 1], [2, 3, 4]]
    path = list(
        sgd.steps(models.least_squares_gradient, np.zeros(3), (X, y), rules.momentum(0.1, 0.5), batches)
    )
    theta, v = np.zeros(3), np.zeros(3)
    for b, point in zip(batches, path, strict=True):
        v = 0.5 * v + 0.1 * models.least_squares_gradient(theta, X[b], y[b])
        theta = theta - v
        np.testing.assert_allclose(point, theta, rtol=1e-14)


def test_minimize_walks_the_same_path() -> None:
    X, y = regression(30)
    result = run(data=(X, y), rule=rules.adam(0.1), batch_size=7, epochs=4, rng=np.random.default_rng(4))
    rng = np.random.default_rng(4)
    batches = [b for _ in range(4) for b in sgd.minibatches(30, 7, rng=rng)]
    path = list(sgd.steps(models.least_squares_gradient, np.zeros(3), (X, y), rules.adam(0.1), batches))
    np.testing.assert_allclose(result.trace.x[1:], path[4::5], rtol=1e-14)


def test_the_whole_data_as_one_batch_is_gradient_descent() -> None:
    X, y = regression(20)
    result = run(data=(X, y), batch_size=20, epochs=10)
    theta = np.zeros(3)
    for k in range(10):
        theta = theta - 0.1 * models.least_squares_gradient(theta, X, y)
        np.testing.assert_allclose(result.trace.x[k + 1], theta, rtol=1e-12)


def test_steps_also_run_on_jax_arrays() -> None:
    X, y = map(jnp.asarray, regression(10))
    path = list(
        sgd.steps(models.least_squares_gradient, jnp.zeros(3), (X, y), rules.sgd(0.1), [np.arange(5)])
    )
    expected = -0.1 * models.least_squares_gradient(np.zeros(3), *(np.asarray(a)[:5] for a in (X, y)))
    np.testing.assert_allclose(path[0], expected, rtol=1e-5)


def test_stationary_variance_at_a_constant_rate() -> None:
    rng, alpha, lam, sigma = np.random.default_rng(5), 0.5, 0.8, 1.5
    chains, rule = np.zeros(400_000), rules.sgd(alpha)
    state = rule.init(chains)
    for _ in range(30):
        step, state = rule.update(lam * chains + sigma * rng.standard_normal(chains.size), state)
        chains = chains + step
    np.testing.assert_allclose(chains.var(), alpha * sigma**2 / (lam * (2 - alpha * lam)), rtol=0.01)


def test_the_noise_of_small_batches_is_what_theory_says() -> None:
    rng, alpha, M = np.random.default_rng(6), 0.2, 4
    x = rng.standard_normal(500)
    batches = (b for _ in range(400) for b in sgd.minibatches(500, M, rng=rng, replacement=True))
    path = np.array(
        list(sgd.steps(lambda theta, x: theta - x.mean(), x.mean(), (x,), rules.sgd(alpha), batches))
    )
    np.testing.assert_allclose(path[100:].var(), alpha * x.var() / M / (2 - alpha), rtol=0.05)


# The driver


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize(
    "rule", [rules.sgd(0.3), rules.momentum(0.05), rules.nesterov(0.05), rules.adam(0.05)]
)
def test_without_noise_in_the_data_the_solution_is_reached(rule: rules.Rule, replacement: bool) -> None:
    X, y = regression()
    result = run(data=(X, y), rule=rule, replacement=replacement, epochs=2000, tol=1e-6)
    assert result.success
    assert result.nit < 2000
    g = models.least_squares_gradient(result.x, X, y)
    assert np.abs(g).max() <= 1e-6
    curvature = np.linalg.eigvalsh(models.least_squares_hessian(result.x, X, y))[0]
    assert np.linalg.norm(result.x - [2, 3, 4]) <= np.linalg.norm(g) / curvature * (1 + 1e-6)
    np.testing.assert_array_equal(result.x, result.trace.x[-1])


def test_with_noise_a_constant_rate_spends_its_epochs_and_says_so() -> None:
    X, y = regression(noise=1.0)
    result = run(data=(X, y), rule=rules.sgd(0.2), epochs=50)
    assert result.status is Status.ITERATION_LIMIT
    assert not result.success
    best = np.argmin(result.trace.fun)
    assert best < 50  # the best point is not the last
    np.testing.assert_array_equal(result.x, result.trace.x[best])
    assert result.fun == result.trace.fun.min()


def test_a_rate_that_decays_comes_closer_than_one_that_does_not() -> None:
    rng = np.random.default_rng(10)
    X = rng.standard_normal((1000, 3))
    y = X @ [2.0, 3.0, 4.0] + rng.standard_normal(1000)
    solution, distance = models.least_squares_solution(X, y), []
    for rate in (0.1, schedules.time_decay(50.0, 500.0)):
        last = run(data=(X, y), rule=rules.sgd(rate), epochs=60).trace.x[-10:]
        distance.append(np.linalg.norm(last - solution, axis=1).mean())
    assert distance[1] < distance[0] / 3


def test_the_trace_has_cost_and_gradient_on_all_data_for_each_epoch() -> None:
    X, y = regression(30, noise=0.5)
    result = run(data=(X, y), batch_size=7, epochs=6)
    trace = result.trace
    assert (result.nit, len(trace), result.nfev, result.nhev) == (6, 7, 7, 0)
    assert result.njev == 6 * 5 + 7
    np.testing.assert_array_equal(trace.step, np.ones(6))
    for x, f, norm in zip(trace.x, trace.fun, trace.grad_norm, strict=True):
        np.testing.assert_allclose(f, models.least_squares_cost(x, X, y), rtol=1e-14)
        np.testing.assert_allclose(norm, np.abs(models.least_squares_gradient(x, X, y)).max(), rtol=1e-14)
    np.testing.assert_array_equal(result.jac, models.least_squares_gradient(result.x, X, y))
    assert len(run(keep_trace=False).trace) == 0


def test_autograd_supplies_the_gradient() -> None:
    given_it, left_out = run(), run(grad=None)
    np.testing.assert_allclose(left_out.trace.x, given_it.trace.x, rtol=1e-12)

    def cost(theta: Any, X: Any, y: Any) -> Any:
        return anp.mean((anp.dot(X, theta) - y) ** 2)

    np.testing.assert_allclose(run(cost=cost, grad=None).trace.x, given_it.trace.x, rtol=1e-12)


def test_cost_and_gradient_may_change_what_they_are_given() -> None:
    X, y = regression()
    before = X.copy(), y.copy()

    def careless(sound: Any) -> Any:
        def spoil(theta: Any, X: Any, y: Any) -> Any:
            value = sound(theta, X, y)
            for array in (theta, X, y):
                array *= 7
            return value

        return spoil

    result = run(
        data=(X, y), cost=careless(models.least_squares_cost), grad=careless(models.least_squares_gradient)
    )
    np.testing.assert_array_equal(result.trace.x, run(data=before).trace.x)
    for array, copy in zip((X, y), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_nothing_heavy_is_loaded_where_the_gradient_is_given() -> None:
    code = (
        "import sys, numpy as np; from gradlib import models, rules, sgd\n"
        "X, y = np.ones((4, 1)), np.ones(4)\n"
        "sgd.minimize(models.least_squares_cost, [0.0], (X, y), rules.adam(), batch_size=2, epochs=2,\n"
        "    grad=models.least_squares_gradient, rng=np.random.default_rng(0))\n"
        "assert not {'jax', 'autograd', 'optax', 'sklearn', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_gradient_by_jax_and_a_rule_of_optax_fit_in() -> None:
    X, y = regression()
    reference = run(data=(X, y), rule=rules.adam(0.1))
    with jax.enable_x64(True):
        by_jax = run(data=(X, y), rule=rules.adam(0.1), grad=jax.jit(jax.grad(models.least_squares_cost)))
        by_optax = run(data=(X, y), rule=optax.adam(0.1))
    for result in (by_jax, by_optax):
        np.testing.assert_allclose(result.trace.x, reference.trace.x, rtol=1e-10)
        assert type(result.x) is type(result.trace.x) is np.ndarray
    seen: list[Any] = []

    def gradient(m: float, y: np.ndarray) -> float:
        seen.append(m)
        return m - y.mean()

    number = run(cost=lambda m, y: m**2, theta0=1.0, data=y, grad=gradient, rule=optax.sgd(0.1))
    assert {type(m) for m in [*seen, number.x]} == {np.float64}


def test_a_number_to_start_from_makes_the_result_a_number() -> None:
    y = np.array([1.0, 2.0, 6.0])
    result = run(
        cost=lambda m, y: ((y - m) ** 2).mean(),
        theta0=0.0,
        data=y,
        grad=None,
        rule=rules.sgd(0.1),
        batch_size=3,
        epochs=200,
    )
    assert result.success
    assert np.ndim(result.x) == np.ndim(result.jac) == 0
    np.testing.assert_allclose(result.x, 3.0, atol=1e-7)
    assert result.trace.x.shape == (result.nit + 1, 1)


def test_a_start_at_the_solution_has_converged() -> None:
    result = run(theta0=[2.0, 3.0, 4.0])
    assert (result.status, result.nit, len(result.trace)) == (Status.CONVERGED, 0, 1)
    assert run(epochs=0).status is Status.ITERATION_LIMIT


@pytest.mark.parametrize("rule", [rules.sgd(100.0), rules.momentum(50.0)])
def test_a_rate_that_is_too_large_diverges_and_the_start_is_the_best_point(rule: rules.Rule) -> None:
    result = run(rule=rule, epochs=100)
    assert result.status is Status.DIVERGED
    np.testing.assert_array_equal(result.x, np.zeros(3))
    assert np.isfinite(result.trace.fun).all()


@pytest.mark.parametrize("which", ["cost", "grad"])
@pytest.mark.parametrize("bad", [nan, inf, -inf, ZeroDivisionError(), OverflowError()])
def test_what_is_not_finite_ends_the_run_and_keeps_the_trace(which: str, bad: Any) -> None:
    arguments = {"cost": models.least_squares_cost, "grad": models.least_squares_gradient}
    sound, calls = arguments[which], []

    def broken(theta: Any, X: Any, y: Any) -> Any:
        calls.append(len(y))
        if calls.count(100) < 4:  # on all data: the start and two epochs
            return sound(theta, X, y)
        if isinstance(bad, Exception):
            raise bad
        return bad if which == "cost" else np.full(3, bad)

    result = run(**{which: broken}, epochs=10)
    assert result.status is (Status.NOT_FINITE)
    assert result.nit == len(result.trace) - 1 == 2
    assert np.isfinite(result.trace.fun).all()
    assert np.isfinite(result.x).all()


def test_a_gradient_that_is_nan_on_one_batch_ends_the_run_there() -> None:
    calls = []

    def gradient(theta: Any, X: Any, y: Any) -> Any:
        calls.append(len(y))
        return models.least_squares_gradient(theta, X, y) * (nan if len(calls) == 5 else 1)

    result = run(grad=gradient)
    assert result.status is Status.NOT_FINITE
    assert (result.nit, len(calls)) == (0, 5)


def test_an_error_on_the_short_last_batch_is_shown_as_it_is() -> None:
    def gradient(theta: Any, X: Any, y: Any) -> Any:
        if len(y) == 4:
            raise ValueError("operands could not be broadcast together")
        return models.least_squares_gradient(theta, X, y)

    with pytest.raises(ValueError, match="operands could not be broadcast"):
        run(grad=gradient)


def test_callback_sees_each_epoch_and_stops_early() -> None:
    seen: list[np.ndarray] = []
    result = run(callback=seen.append)
    np.testing.assert_array_equal(seen, result.trace.x[1:])

    def spoil(theta: np.ndarray) -> bool:
        theta[:] = nan
        return True

    stopped = run(callback=spoil)
    assert stopped.status is Status.CALLBACK
    np.testing.assert_array_equal(stopped.x, result.trace.x[1])


def test_users_functions_may_change_what_they_are_given() -> None:
    def gradient(theta: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        g = models.least_squares_gradient(theta, X, y)
        theta[:] = nan
        return g

    np.testing.assert_array_equal(run(grad=gradient).trace.x, run().trace.x)


def test_equal_seeds_give_equal_runs() -> None:
    np.testing.assert_array_equal(run().trace.x, run().trace.x)
    assert (run().x != run(rng=np.random.default_rng(9)).x).any()


def test_warnings_do_not_leak_and_the_users_own_state_is_restored() -> None:
    before = np.geterr()
    assert run(rule=rules.sgd(1e200), epochs=3).status in (Status.DIVERGED, Status.NOT_FINITE)
    assert np.geterr() == before


# What becomes of the mistakes of the notes


@pytest.mark.parametrize("seed", range(3))
def test_adagrad_at_this_rate_is_slow_and_a_memory_that_starts_afresh_hides_it(seed: int) -> None:
    X, y = regression(1000)
    rng = np.random.default_rng(seed)
    start, rule = rng.standard_normal(3), rules.adagrad(0.01)
    result = run(data=(X, y), theta0=start, rule=rule, batch_size=5, epochs=50, rng=rng)
    theta = start
    for _ in range(50):
        batches = sgd.minibatches(1000, 5, rng=rng)
        *_, theta = sgd.steps(models.least_squares_gradient, theta, (X, y), rule, batches)
    right, afresh = (np.abs(point - [2, 3, 4]).max() for point in (result.trace.x[-1], theta))
    assert 0.5 < right < 3.5
    assert afresh < 0.1


def test_adam_with_t_counting_epochs_takes_steps_of_another_length() -> None:
    """A gradient that does not change: every step should be as long as the rate."""
    grad, data, rule = (lambda theta, y: y.mean()), (np.full(4, 3.0),), rules.adam(0.01)
    batches = [b for _ in range(50) for b in sgd.minibatches(4, 1, rng=np.random.default_rng(0))]
    path = np.array(list(sgd.steps(grad, 0.0, data, rule, batches)))
    np.testing.assert_allclose(np.diff(path), -0.01, rtol=1e-6)
    for epoch in (2, 10, 50):
        step, *_ = rules.adam_step(3.0, 0.0, 0.0, t=epoch, rate=0.01, b1=0.9, b2=0.999, eps=1e-8)
        assert abs(step + 0.01) > 0.002


def test_a_bare_sum_over_the_batch_makes_the_step_depend_on_its_size() -> None:
    def total(theta: Any, X: Any, y: Any) -> Any:
        return len(y) * models.least_squares_gradient(theta, X, y)

    X, y = regression(100)
    theta = np.zeros(3)
    full = total(theta, X, y)
    batches = list(sgd.minibatches(100, 10, rng=np.random.default_rng(8)))
    mean = np.mean([total(theta, X[b], y[b]) for b in batches], axis=0)
    np.testing.assert_allclose(mean, full / 10, rtol=1e-12)  # off by M/n
    np.testing.assert_allclose(np.mean([100 / 10 * total(theta, X[b], y[b]) for b in batches], axis=0), full)


# Bad input

BAD: list[tuple[dict[str, Any], str]] = [
    ({"cost": 3.0}, "cost must be callable"),
    ({"cost": lambda theta, X, y: (X @ theta - y) ** 2}, "cost returned shape"),
    ({"cost": lambda theta, X, y: nan}, "theta0 must lie in the domain of cost"),
    ({"cost": lambda theta, X, y: "low"}, "what cost returns must be"),
    ({"cost": lambda theta, X, y: None}, "what cost returns must be"),
    (
        {"cost": lambda theta, X, y: float(theta[0]), "grad": None},
        "cost could not be differentiated.* pass grad",
    ),
    ({"theta0": [nan, 0.0, 0.0]}, "theta0 must be finite"),
    ({"theta0": inf}, "theta0 must be finite"),
    ({"theta0": np.zeros((3, 1))}, "theta0 must be a number or a vector"),
    ({"theta0": []}, "theta0 must be a number or a vector"),
    ({"theta0": "here"}, "theta0 must be"),
    ({"theta0": None}, "theta0 must be"),
    ({"theta0": np.zeros(2)}, "theta must have shape"),
    ({"data": ()}, "data must be an array"),
    ({"data": 3.0}, "data must be an array"),
    ({"data": None}, "data must be an array"),
    ({"data": (np.ones((4, 3)), np.ones(5))}, "data must hold the same number"),
    ({"data": (np.ones((0, 3)), np.ones(0))}, "data must hold the same number"),
    ({"data": (np.full((9, 3), nan), np.ones(9))}, "data must hold finite"),
    ({"data": (np.ones((9, 3)), np.full(9, inf))}, "data must hold finite"),
    ({"data": (np.ones((9, 3)), np.array(["a"] * 9))}, "data must hold finite real"),
    ({"rule": None}, "rule must be a pair"),
    ({"rule": rules.sgd}, "rule must be a pair"),
    ({"rule": 0.1}, "rule must be a pair"),
    ({"grad": 3.0}, "grad must be callable"),
    ({"grad": True}, "grad must be callable"),
    ({"grad": lambda theta, X, y: np.ones(2)}, r"grad returned shape \(2,\), shape \(3,\) is needed"),
    ({"grad": lambda theta, X, y: 1.0}, r"grad returned shape \(\), shape \(3,\) is needed"),
    ({"grad": lambda theta, X, y: np.full(3, nan)}, "theta0 must lie in the domain of grad"),
    ({"grad": lambda theta, X, y: "steep"}, "what grad returns must be"),
    *(({"batch_size": value}, "batch_size must be") for value in (0, -1, 2.5, True, "8", None, nan, 101)),
    *(({"epochs": value}, "epochs must be an integer >= 0") for value in (-1, 2.5, True, "8", None, nan)),
    *(({"rng": value}, "rng must be a numpy.random.Generator") for value in (0, None, np.random)),
    *(({"tol": value}, "tol must be") for value in (-1.0, nan, inf, "0", None, 1j)),
    ({"callback": 1}, "callback must be callable"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[f"{'+'.join(c)}: {m}" for c, m in BAD])
def test_minimize_names_what_it_cannot_use(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(**change)


def test_the_table_covers_every_keyword() -> None:
    covered = {name for change, _ in BAD for name in change}
    assert set(inspect.signature(sgd.minimize).parameters) == covered | {"replacement", "keep_trace"}


def test_a_gradient_of_a_number_must_be_a_number() -> None:
    with pytest.raises(ValueError, match=r"grad returned shape \(2,\), a scalar is needed"):
        run(cost=lambda m, X, y: m**2, theta0=1.0, grad=lambda m, X, y: np.ones(2))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        *(({"n": value}, "n") for value in (0, -3, 2.5, True, "9", None)),
        *(({"batch_size": value}, "batch_size") for value in (0, -1, 2.5, True, "8", None, 11)),
        *(({"rng": value}, "rng") for value in (0, None, np.random)),
    ],
)
def test_minibatches_names_what_it_cannot_use_at_once(change: dict[str, Any], name: str) -> None:
    arguments: dict[str, Any] = {"n": 10, "batch_size": 3, "rng": np.random.default_rng(0), **change}
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        sgd.minibatches(**arguments)
