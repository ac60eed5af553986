from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import autograd
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlib import autodiff, models, newton

nan, inf = np.nan, np.inf
seeds = st.integers(0, 10_000)
penalties = st.sampled_from([0.0, 0.3])

LEAST_SQUARES = (models.least_squares_cost, models.least_squares_gradient, models.least_squares_hessian)
LOGISTIC = (models.logistic_cost, models.logistic_gradient, models.logistic_hessian)
every_model = pytest.mark.parametrize("model", [LEAST_SQUARES, LOGISTIC], ids=["least squares", "logistic"])
every_function = pytest.mark.parametrize("function", [*LEAST_SQUARES, *LOGISTIC])


@pytest.fixture(autouse=True, scope="module")
def _double_precision() -> Iterator[None]:
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def sample(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return parameters, inputs and labels, which least squares takes as well."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(5, 30)), int(rng.integers(1, 5))
    return rng.standard_normal(p), rng.standard_normal((n, p)), rng.integers(0, 2, n).astype(float)


# Derivatives


@every_model
def test_derivatives_agree_with_autograd_jax_and_our_own(model: tuple[Any, Any, Any]) -> None:
    cost, gradient, hessian = model
    for seed in range(5):
        theta, X, y = sample(seed)
        for l2 in (0.0, 0.3):
            g, H = gradient(theta, X, y, l2), hessian(theta, X, y, l2)
            for g_of_others in (
                autograd.grad(cost)(theta, X, y, l2),
                jax.grad(cost)(theta, X, y, l2),
                autodiff.grad(partial(cost, X=X, y=y, l2=l2))(theta),
            ):
                np.testing.assert_allclose(g_of_others, g, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(autograd.hessian(cost)(theta, X, y, l2), H, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(jax.hessian(cost)(theta, X, y, l2), H, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(H, H.T, rtol=1e-12)


@every_function
def test_functions_run_under_jit_with_everything_traced(function: Callable[..., Any]) -> None:
    theta, X, y = sample(1)
    arguments = (theta, X, y, 0.3)
    np.testing.assert_allclose(jax.jit(function)(*arguments), function(*arguments), rtol=1e-12, atol=1e-14)


@every_function
def test_labels_may_be_integers_or_booleans(function: Callable[..., Any]) -> None:
    theta, X, y = sample(2)
    for labels in (y.astype(int), y.astype(bool)):
        if labels.dtype == bool and function in LEAST_SQUARES:
            continue
        np.testing.assert_array_equal(function(theta, X, labels), function(theta, X, y))


# Least squares


@given(seeds)
def test_least_squares_cost_is_the_mean_squared_error(seed: int) -> None:
    theta, X, y = sample(seed)
    expected = np.mean((X @ theta - y) ** 2)
    np.testing.assert_allclose(models.least_squares_cost(theta, X, y), expected, rtol=1e-12)
    np.testing.assert_allclose(
        models.least_squares_cost(theta, X, y, 0.3), expected + 0.3 * np.sum(theta**2), rtol=1e-12
    )


@given(seeds, penalties)
def test_the_solution_has_no_gradient_and_solves_the_normal_equations(seed: int, l2: float) -> None:
    _, X, y = sample(seed)
    solution = models.least_squares_solution(X, y, l2)
    scale = np.abs(X).sum() * np.abs(solution).max() + 1
    np.testing.assert_allclose(models.least_squares_gradient(solution, X, y, l2), 0, atol=1e-14 * scale)
    A = X.T @ X + len(y) * l2 * np.eye(X.shape[1])
    np.testing.assert_allclose(A @ solution, X.T @ y, atol=1e-12 * scale)


def test_one_newton_step_is_the_solution() -> None:
    theta, X, y = sample(3)
    for l2 in (0.0, 0.5):
        step = newton.step(
            models.least_squares_gradient(theta, X, y, l2), models.least_squares_hessian(theta, X, y, l2)
        )
        np.testing.assert_allclose(theta + step, models.least_squares_solution(X, y, l2), rtol=1e-10)


def test_of_many_solutions_the_shortest_is_found() -> None:
    X, y = np.array([[1.0, 1.0]]), np.array([2.0])
    np.testing.assert_allclose(models.least_squares_solution(X, y), [1, 1], rtol=1e-14)
    np.testing.assert_allclose(models.least_squares_solution(X, y, 1e-12), [1, 1], rtol=1e-6)


def test_the_solution_keeps_digits_that_the_normal_equations_lose() -> None:
    t = np.linspace(0, 1, 50)
    X = np.vander(t, 10, increasing=True)
    exact = np.ones(10)
    error = np.abs(models.least_squares_solution(X, X @ exact) - exact).max()
    normal = np.abs(np.linalg.solve(X.T @ X, X.T @ (X @ exact)) - exact).max()
    assert error < 1e-8 < 1e-5 < normal


def test_a_large_penalty_shrinks_everything() -> None:
    _, X, y = sample(4)
    sizes = [np.linalg.norm(models.least_squares_solution(X, y, l2)) for l2 in (0.0, 0.1, 1.0, 10.0, 1e9)]
    assert (np.diff(sizes) < 0).all()
    assert sizes[-1] < 1e-8


def test_the_hessian_of_standardised_inputs_is_twice_their_correlation_matrix() -> None:
    rng = np.random.default_rng(5)
    raw = rng.standard_normal((200, 4)) @ rng.standard_normal((4, 4)) * [1, 10, 100, 0.1] + 5
    (X,) = models.standardise(raw)
    H = models.least_squares_hessian(np.zeros(4), X, np.zeros(200))
    np.testing.assert_allclose(H, 2 * np.corrcoef(raw, rowvar=False), rtol=1e-10)
    before = np.linalg.cond(models.least_squares_hessian(np.zeros(4), raw, np.zeros(200)))
    assert np.linalg.cond(H) < before / 100


# Logistic regression


@given(st.floats(-700, 700))
def test_sigmoid_is_stable_and_symmetric(z: float) -> None:
    value = models.sigmoid(np.array(z))
    expected = 1 / (1 + np.exp(-z)) if z > 0 else np.exp(z) / (1 + np.exp(z))
    np.testing.assert_allclose(value, expected, rtol=1e-12 * max(1, abs(z)))
    np.testing.assert_allclose(value + models.sigmoid(np.array(-z)), 1, rtol=1e-14)


def test_sigmoid_and_cost_do_not_overflow() -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        np.testing.assert_array_equal(models.sigmoid(np.array([-1e308, -inf, 1e308, inf])), [0, 0, 1, 1])
        X = np.array([[1e4], [-1e4]])
        for theta, cost in ((1.0, 0.0), (-1.0, 1e4)):
            np.testing.assert_allclose(models.logistic_cost(np.array([theta]), X, np.array([1, 0])), cost)
        assert models.logistic_cost(np.array([1e200]), X / 1e4, np.array([1, 0])) == 0
    for differentiate in (autograd.grad, jax.grad):
        g = differentiate(models.logistic_cost)(np.array([-1.0]), X, np.array([1.0, 0.0]))
        np.testing.assert_allclose(g, [-1e4])


@given(seeds)
def test_logistic_cost_is_the_negative_log_likelihood(seed: int) -> None:
    theta, X, y = sample(seed)
    p = models.logistic_probability(theta, X)
    expected = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    np.testing.assert_allclose(models.logistic_cost(theta, X, y), expected, rtol=1e-10)
    signs = 2 * y - 1
    np.testing.assert_allclose(expected, np.mean(np.log1p(np.exp(-signs * (X @ theta)))), rtol=1e-10)


@given(seeds, penalties)
def test_logistic_hessian_is_positive_semidefinite(seed: int, l2: float) -> None:
    theta, X, y = sample(seed)
    assert np.linalg.eigvalsh(models.logistic_hessian(theta, X, y, l2))[0] >= 2 * l2 - 1e-12


def test_newton_fits_logistic_regression() -> None:
    rng = np.random.default_rng(6)
    X = np.column_stack([np.ones(5000), rng.standard_normal((5000, 2))])
    theta = np.array([-0.5, 1.0, 2.0])
    y = (rng.random(5000) < models.logistic_probability(theta, X)).astype(float)
    result = newton.minimize(
        lambda t: models.logistic_cost(t, X, y),
        np.zeros(3),
        lambda t: models.logistic_gradient(t, X, y),
        lambda t: models.logistic_hessian(t, X, y),
    )
    assert result.success
    spread = np.sqrt(np.diag(np.linalg.inv(models.logistic_hessian(result.x, X, y))) / 5000)
    assert (np.abs(result.x - theta) < 4 * spread).all()


def test_separable_data_have_a_minimiser_only_with_a_penalty() -> None:
    X, y = np.array([[1.0], [-1.0]]), np.array([1, 0])
    costs = [models.logistic_cost(np.array([t]), X, y) for t in (1.0, 10.0, 100.0)]
    assert (np.diff(costs) < 0).all()
    result = newton.minimize(
        lambda t: models.logistic_cost(t, X, y, 0.1),
        np.zeros(1),
        lambda t: models.logistic_gradient(t, X, y, 0.1),
        lambda t: models.logistic_hessian(t, X, y, 0.1),
    )
    assert result.success


# Preparation


def test_standardise_uses_the_training_data_alone() -> None:
    rng = np.random.default_rng(7)
    train, test = rng.standard_normal((50, 3)) * [1, 20, 0.1] + 4, rng.standard_normal((20, 3))
    scaled, scaled_test = models.standardise(train, test)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-13)
    np.testing.assert_allclose(scaled_test, (test - train.mean(axis=0)) / train.std(axis=0), rtol=1e-13)


@given(st.integers(2, 60), st.floats(0.01, 0.99), seeds)
def test_split_keeps_every_point_once_and_rows_together(n: int, test_size: float, seed: int) -> None:
    tested = int(np.ceil(test_size * n))
    X, y = np.arange(2 * n).reshape(n, 2), np.arange(n)
    if tested == n:
        with pytest.raises(ValueError, match=r"^arrays must hold enough"):
            models.split(X, y, test_size=test_size, rng=np.random.default_rng(seed))
        return
    X_train, X_test, y_train, y_test = models.split(
        X, y, test_size=test_size, rng=np.random.default_rng(seed)
    )
    assert len(y_test) == tested
    np.testing.assert_array_equal(np.sort(np.concatenate([y_train, y_test])), y)
    np.testing.assert_array_equal(X_train[:, 0], 2 * y_train)
    np.testing.assert_array_equal(X_test[:, 1], 2 * y_test + 1)
    again = models.split(y, test_size=test_size, rng=np.random.default_rng(seed))
    np.testing.assert_array_equal(again[0], y_train)


# Bad input

theta, X, y = np.ones(2), np.ones((4, 2)), np.array([0.0, 1.0, 1.0, 0.0])


@every_function
@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(
            ({"theta": value}, "theta must have shape")
            for value in (np.ones(3), np.ones((2, 1)), 1.0, None, "a")
        ),
        *(({"X": value}, "X must be a matrix") for value in (np.ones(4), np.ones((4, 2, 1)), [[1.0]], None)),
        *(({"X": value}, "X must be a matrix") for value in (np.ones((0, 2)), np.ones((4, 0)))),
        *(
            ({"y": value}, "y must have shape")
            for value in (np.ones(3), np.ones((4, 1)), 1.0, None, [0, 1, 1, 0])
        ),
        *(({"l2": value}, "l2 must be") for value in (-1.0, nan, inf, "1", None, [0.1, 0.1], 1j)),
    ],
)
def test_arguments_that_do_not_fit_are_named(
    function: Callable[..., Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        function(**{"theta": theta, "X": X, "y": y, "l2": 0.0, **change})


@every_function
def test_shapes_are_checked_also_while_tracing(function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"^y must have shape"):
        jax.jit(function)(theta, X, jnp.ones((4, 1)))


@every_function
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64])
def test_inputs_of_whole_numbers_are_taken_for_what_they_are(
    function: Callable[..., Any], dtype: type
) -> None:
    X, y = np.array([[100, 1], [120, 1], [0, 1]]).astype(dtype), np.array([1, 0, 1]).astype(dtype)
    theta = np.array([0.5, -0.25])
    np.testing.assert_allclose(function(theta, X, y), function(theta, X.astype(float), y.astype(float)))


@pytest.mark.parametrize("z", [np.array([0, 1, 255], np.uint8), np.array([-128, 0, 127], np.int8)])
def test_sigmoid_of_small_integers(z: np.ndarray) -> None:
    np.testing.assert_array_equal(models.sigmoid(z), models.sigmoid(z.astype(float)))


@pytest.mark.parametrize("function", LOGISTIC)
@pytest.mark.parametrize("labels", [[1.0, -1.0, 1.0, -1.0], [0.0, 1.0, 2.0, 0.0], [0.5] * 4, [nan] * 4])
def test_labels_other_than_0_and_1_are_refused(function: Callable[..., Any], labels: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^y must hold labels 0 and 1"):
        function(theta, X, np.array(labels))


@every_function
def test_values_that_are_not_finite_pass_through(function: Callable[..., Any]) -> None:
    with np.errstate(invalid="ignore"):
        value = function(np.array([nan, 1.0]), X, y)
    is_constant = function is models.least_squares_hessian
    assert np.isfinite(value).all() if is_constant else np.isnan(value).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: models.logistic_probability(np.ones(3), X), "theta must have shape"),
        (lambda: models.logistic_probability(theta, np.ones(2)), "X must be a matrix"),
        (lambda: models.least_squares_solution(X * nan, y), "X must be finite"),
        (lambda: models.least_squares_solution(X, np.full(4, inf)), "y must be finite"),
        (lambda: models.least_squares_solution(X, y[:2]), "y must have shape"),
        (lambda: models.least_squares_solution(y, y), "X must be a matrix"),
        (lambda: models.least_squares_solution(np.ones((0, 2)), []), "X must be a matrix"),
        (lambda: models.least_squares_solution("X", y), "X must be"),
        (lambda: models.least_squares_solution(X, None), "y must be"),
        (lambda: models.least_squares_solution(X, y, -1.0), "l2 must be"),
        (lambda: models.standardise(X), "train must vary in every column, but column 0 is constant"),
        (lambda: models.standardise(y), "train must be a matrix"),
        (lambda: models.standardise(X * nan), "train must be finite"),
        (lambda: models.standardise([["a"]]), "train must be"),
        (lambda: models.standardise(np.eye(2), np.ones((3, 3))), "others must have the 2 columns"),
        (lambda: models.standardise(np.eye(2), np.full((3, 2), inf)), "others must be finite"),
        (lambda: models.standardise(1e200 * np.eye(2)), "train must be scaled"),
        (lambda: models.standardise(1e-200 * np.eye(2)), "train must be scaled"),
        (lambda: models.split(rng=np.random.default_rng(0)), "arrays must hold"),
        (lambda: models.split(1.0, rng=np.random.default_rng(0)), "arrays must hold"),
        (lambda: models.split(X, y[:3], rng=np.random.default_rng(0)), "arrays must hold the same"),
        (lambda: models.split(y[:1], rng=np.random.default_rng(0)), "arrays must hold enough"),
        (lambda: models.split(y, rng=0), "rng must be"),
        *(
            (
                lambda size=size: models.split(y, test_size=size, rng=np.random.default_rng(0)),
                "test_size must be",
            )
            for size in (0, 1, -0.1, nan, "half", None)
        ),
    ],
)
def test_bad_input_is_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
