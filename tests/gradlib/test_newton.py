import autograd
import autograd.numpy as anp
import jax
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gradlib import Status, newton, problems
from gradlib.convergence import observed_order

seeds = st.integers(0, 10_000)


# The formula and the regularisation


def test_step_solves_the_linear_model() -> None:
    s = problems.dennis_schnabel
    p = newton.step(s.F(s.x0), s.jac(s.x0))
    np.testing.assert_allclose(s.jac(s.x0) @ p, -s.F(s.x0), rtol=1e-14)


@given(re=st.floats(-2, 2), im=st.floats(-2, 2))
def test_step_of_independent_equations_is_elementwise_and_complex(re: float, im: float) -> None:
    z = np.array([complex(re, im), 1j, 2.0])
    assume(abs(z[0]) > 1e-3)
    np.testing.assert_allclose(newton.step(z**3 - 1, 3 * z**2), (1 - z**3) / (3 * z**2), rtol=1e-12)


def test_step_from_a_horizontal_tangent_is_infinite() -> None:
    np.testing.assert_array_equal(newton.step([1.0, 0.0, 2.0], [0.0, 0.0, 1.0]), [-np.inf, np.nan, -2.0])


@pytest.mark.parametrize(
    ("F", "J"),
    [
        ([1.0, 2.0], np.ones((3, 3))),
        ([1.0, 2.0], [1.0, 2.0, 3.0]),
        (1.0, np.ones((1, 1))),
        ([1.0, 2.0], [[1.0, 2.0], [2.0, 4.0]]),
    ],
)
def test_step_names_a_jacobian_that_does_not_fit_or_is_singular(F: object, J: object) -> None:
    with pytest.raises(ValueError, match="J"):
        newton.step(F, J)  # type: ignore[arg-type]


def symmetric(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    M = rng.standard_normal((n, n)) * 10 ** rng.uniform(-6, 6)
    return (M + M.T) / 2


@given(seeds)
def test_regularised_hessian_is_positive_definite_and_as_near_as_it_can_be(
    seed: int,
) -> None:
    H = symmetric(seed)
    R = newton.regularise(H)
    shift = R - H
    np.testing.assert_allclose(shift, shift[0, 0] * np.eye(len(H)), atol=1e-9 * np.abs(R).max())
    assert np.linalg.eigvalsh(R)[0] > 0
    lowest = np.linalg.eigvalsh(H)[0]
    assert 0 <= shift[0, 0] <= 2 * max(0.0, -lowest) + 2e-3 * np.abs(H).max()


def test_a_hessian_that_no_multiple_of_the_identity_lifts_is_named() -> None:
    with pytest.raises(ValueError, match="H must be scaled"):
        newton.regularise(np.full((30, 30), -1e308))


def test_the_first_shift_leaves_the_smallest_diagonal_entry_at_beta() -> None:
    H = np.diag([2.0, -1.0])
    np.testing.assert_allclose(newton.regularise(H), H + (1 + 2e-3) * np.eye(2), rtol=1e-12)


@given(seeds)
def test_positive_definite_hessian_is_left_alone(seed: int) -> None:
    S = symmetric(seed)
    H = S @ S + 1e-3 * np.abs(S @ S).max() * np.eye(len(S))
    np.testing.assert_array_equal(newton.regularise(H), H)


@given(seeds, st.floats(1e-6, 1e6))
def test_regularisation_scales_with_the_function(seed: int, c: float) -> None:
    H = symmetric(seed)
    expected = c * newton.regularise(H)
    np.testing.assert_allclose(newton.regularise(c * H), expected, atol=1e-9 * np.abs(expected).max())


def test_regularisation_of_zero_is_positive_definite() -> None:
    assert newton.regularise([[0.0]])[0, 0] > 0


# Published numbers


def test_pure_newton_on_rosenbrock() -> None:
    p = problems.rosenbrock
    result = newton.minimize(p.fun, p.x0, p.jac, p.hess, damped=False, max_iter=6)
    expected = [24.2, 4.7318843, 1411.84518, 0.0559655, 0.3131891]
    np.testing.assert_allclose(result.trace.fun[:5], expected, rtol=1e-6)
    np.testing.assert_allclose(result.trace.fun[5], 1.8527e-11, rtol=1e-4)
    np.testing.assert_allclose(result.trace.fun[6], 3.43e-20, rtol=1e-2)
    np.testing.assert_array_equal(result.trace.step, np.ones(6))


def test_newton_on_dennis_and_schnabel() -> None:
    s = problems.dennis_schnabel
    result = newton.root(s.F, s.x0, s.jac)
    expected = [1, -0.625, -0.0919117647059, -0.0026533419372, -2.3425973e-6, -1.8e-12]
    np.testing.assert_allclose(result.trace.x[:4, 0], expected[:4], atol=1e-12)
    np.testing.assert_allclose(result.trace.x[4:, 0], expected[4:], atol=1e-13)
    assert result.success
    np.testing.assert_array_equal(result.trace.step, 1)


def test_damped_newton_takes_21_iterations_on_rosenbrock() -> None:
    p = problems.rosenbrock
    result = newton.minimize(p.fun, p.x0, p.jac, p.hess, tol=1e-5)
    assert result.success
    norms = np.linalg.norm([p.jac(x) for x in result.trace.x], axis=1)
    assert int(np.argmax(norms <= 1e-5)) == result.nit == 21


# Identities


@given(seeds)
def test_a_linear_system_is_solved_in_one_step(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    A = rng.standard_normal((n, n)) + 3 * np.eye(n)
    b, x0 = rng.standard_normal(n), 10 * rng.standard_normal(n)
    assume(np.linalg.cond(A) < 1e3)
    result = newton.root(lambda x: A @ x - b, x0, lambda x: A, tol=1e-9)
    assert result.success
    assert result.nit == 1
    np.testing.assert_allclose(result.x, np.linalg.solve(A, b), atol=1e-9)


@given(seeds)
def test_a_quadratic_is_minimised_in_one_step(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = problems.quadratic(float(rng.uniform(1, 100)), int(rng.integers(2, 6)), rng=rng)
    result = newton.minimize(p.fun, p.x0, p.jac, p.hess)
    assert result.success
    assert result.nit == 1
    np.testing.assert_allclose(result.x, p.minimum, atol=1e-9)


@given(seeds)
def test_undamped_iterates_are_invariant_under_affine_changes_of_equations_and_variables(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    A, B = (rng.standard_normal((2, 2)) + 3 * np.eye(2) for _ in range(2))
    assume(max(np.linalg.cond(A), np.linalg.cond(B)) < 50)
    c, s = rng.standard_normal(2), problems.dennis_schnabel
    options = {"damped": False, "tol": 0.0, "max_iter": 3}
    plain = newton.root(s.F, s.x0, s.jac, **options).trace.x  # type: ignore[arg-type]
    mixed = newton.root(lambda x: A @ s.F(x), s.x0, lambda x: A @ s.jac(x), **options).trace.x  # type: ignore[arg-type]
    moved = newton.root(
        lambda y: s.F(B @ y + c),
        np.linalg.solve(B, s.x0 - c),
        lambda y: s.jac(B @ y + c) @ B,
        **options,  # type: ignore[arg-type]
    ).trace.x
    np.testing.assert_allclose(mixed, plain, atol=1e-9)
    np.testing.assert_allclose(moved @ B.T + c, plain, atol=1e-9)


def test_convergence_is_quadratic() -> None:
    s = problems.dennis_schnabel
    errors = np.linalg.norm(newton.root(s.F, s.x0, s.jac).trace.x - s.root, axis=1)
    np.testing.assert_allclose(observed_order(errors)[-2:], 2, atol=0.05)


def test_minimize_is_root_of_the_gradient() -> None:
    p = problems.beale
    a = newton.minimize(p.fun, [2.9, 0.4], p.jac, p.hess, damped=False).trace.x
    b = newton.root(p.jac, [2.9, 0.4], p.hess, damped=False, tol=1e-8).trace.x
    np.testing.assert_allclose(a, b, atol=1e-12)


# Derivatives: given, returned with the value, or by autograd


def test_four_ways_to_the_same_root() -> None:
    s = problems.dennis_schnabel
    given_jac = newton.root(s.F, s.x0, s.jac)
    pair = newton.root(lambda x: (s.F(x), s.jac(x)), s.x0, True)
    by_autograd = newton.root(s.F, s.x0)
    as_list = newton.root(lambda x: [x[0] + x[1] - 3, x[0] ** 2 + x[1] ** 2 - 9], s.x0)
    for other in (pair, by_autograd, as_list):
        np.testing.assert_allclose(other.trace.x, given_jac.trace.x, atol=1e-13)
        assert (other.nit, other.nfev, other.njev) == (given_jac.nit, given_jac.nfev, given_jac.njev)


def test_four_ways_to_the_same_minimum() -> None:
    p = problems.rosenbrock
    all_given = newton.minimize(p.fun, p.x0, p.jac, p.hess)
    for other in (
        newton.minimize(lambda x: (p.fun(x), p.jac(x)), p.x0, True, p.hess),
        newton.minimize(lambda x: (p.fun(x), p.jac(x)), p.x0, True),
        newton.minimize(p.fun, p.x0, p.jac),
        newton.minimize(p.fun, p.x0),
    ):
        np.testing.assert_allclose(other.trace.x, all_given.trace.x, atol=1e-6)
        assert (other.nit, other.nfev, other.njev, other.nhev) == (
            all_given.nit,
            all_given.nfev,
            all_given.njev,
            all_given.nhev,
        )


def test_evaluations_are_counted() -> None:
    p, calls = problems.rosenbrock, {"fun": 0, "jac": 0, "hess": 0}

    def counting(name: str):  # type: ignore[no-untyped-def]
        def call(x: np.ndarray) -> object:
            calls[name] += 1
            return getattr(p, name)(x)

        return call

    result = newton.minimize(counting("fun"), p.x0, counting("jac"), counting("hess"))
    assert (result.nfev, result.njev, result.nhev) == (calls["fun"], calls["jac"], calls["hess"])
    assert result.njev == result.nhev == result.nit + 1


def test_a_function_written_with_jax() -> None:
    def fun(x: jax.Array) -> jax.Array:
        return jax.numpy.sum(jax.numpy.cosh(x - 1))

    result = newton.minimize(fun, [0.0, 3.0], jax.grad(fun), jax.hessian(fun), tol=1e-5)
    assert result.success
    assert result.x.dtype == np.float64
    np.testing.assert_allclose(result.x, 1, atol=1e-4)


def test_a_function_written_with_autograd_numpy() -> None:
    result = newton.minimize(lambda x: anp.sum(anp.cosh(x - 1)), [0, 3])  # an integer start is one too
    assert result.success
    np.testing.assert_allclose(result.x, 1, atol=1e-8)


def test_a_zero_derivative_leaks_no_warning() -> None:
    # autograd warns that the output does not depend on the input
    assert newton.minimize(lambda x: 3.0, 1.0).success


# What comes back


def test_a_scalar_start_gives_scalars() -> None:
    for result in (newton.root(lambda x: x**2 - 2, 1), newton.minimize(lambda x: (x - 2) ** 2, 1.0)):
        assert np.ndim(result.x) == np.ndim(result.fun) == np.ndim(result.jac) == 0
        assert isinstance(result.x, float)
        assert result.trace.x.shape == (result.nit + 1, 1)
    assert newton.root(lambda x: x**2 - 2, [1.0]).x.shape == (1,)


def test_trace_of_a_root() -> None:
    s = problems.dennis_schnabel
    result = newton.root(s.F, s.x0, s.jac)
    t = result.trace
    assert t.x.shape == (result.nit + 1, 2)
    assert t.step.shape == (result.nit,)
    values = np.array([s.F(x) for x in t.x])
    np.testing.assert_array_equal(t.grad_norm, np.abs(values).max(axis=1))
    np.testing.assert_allclose(t.fun, 0.5 * (values**2).sum(axis=1), rtol=1e-14)
    np.testing.assert_array_equal(result.x, t.x[-1])
    np.testing.assert_array_equal(result.fun, s.F(result.x))
    np.testing.assert_array_equal(result.jac, s.jac(result.x))


def test_trace_of_a_minimum() -> None:
    p = problems.himmelblau
    result = newton.minimize(p.fun, p.x0, p.jac, p.hess)
    t = result.trace
    assert len(t) == result.nit + 1
    np.testing.assert_array_equal(t.fun, [p.fun(x) for x in t.x])
    np.testing.assert_array_equal(t.grad_norm, [np.abs(p.jac(x)).max() for x in t.x])
    assert (np.diff(t.fun) < 0).all()
    np.testing.assert_array_equal(result.jac, p.jac(result.x))


def test_trace_can_be_left_out() -> None:
    p = problems.rosenbrock
    lean = newton.minimize(p.fun, p.x0, p.jac, p.hess, keep_trace=False)
    full = newton.minimize(p.fun, p.x0, p.jac, p.hess)
    assert len(lean.trace) == 0
    np.testing.assert_array_equal(lean.x, full.x)
    assert lean.nit == full.nit


def test_the_best_point_comes_back() -> None:
    p = problems.rosenbrock
    result = newton.minimize(p.fun, p.x0, p.jac, p.hess, damped=False, max_iter=2)  # f: 24.2, 4.7, 1411.8
    assert result.status is Status.ITERATION_LIMIT
    np.testing.assert_array_equal(result.x, result.trace.x[1])
    assert result.fun == result.trace.fun[1]
    np.testing.assert_array_equal(result.jac, p.jac(result.x))


def test_a_function_that_changes_its_argument_does_no_harm() -> None:
    p = problems.rosenbrock

    def careless(x: np.ndarray) -> float:
        value = float(p.fun(x))
        x[:] = np.nan
        return value

    result = newton.minimize(careless, p.x0, p.jac, p.hess)
    np.testing.assert_array_equal(result.trace.x, newton.minimize(p.fun, p.x0, p.jac, p.hess).trace.x)


def test_a_derivative_that_reuses_its_array_does_no_harm() -> None:
    p, buffer = problems.rosenbrock, np.empty(2)

    def frugal(x: np.ndarray) -> np.ndarray:
        buffer[:] = p.jac(x)
        return buffer

    result = newton.minimize(p.fun, p.x0, frugal, p.hess)
    np.testing.assert_array_equal(result.trace.x, newton.minimize(p.fun, p.x0, p.jac, p.hess).trace.x)
    best_is_not_last = newton.minimize(p.fun, p.x0, frugal, p.hess, damped=False, max_iter=2)
    np.testing.assert_array_equal(best_is_not_last.jac, p.jac(best_is_not_last.x))


def test_the_start_is_not_changed() -> None:
    x0 = np.array([1.0, 5.0])
    result = newton.root(problems.dennis_schnabel.F, x0)
    result.x[:] = 7
    np.testing.assert_array_equal(x0, [1, 5])
    assert not (result.trace.x[-1] == 7).any()


# Callback


def test_callback_gets_every_iterate_as_a_copy() -> None:
    p, seen = problems.rosenbrock, []

    def callback(x: np.ndarray) -> None:
        seen.append(x.copy())
        x[:] = np.nan

    result = newton.minimize(p.fun, p.x0, p.jac, p.hess, callback=callback)
    assert result.success
    np.testing.assert_array_equal(seen, result.trace.x[1:])


def stop_by_exception(x: object) -> None:
    raise StopIteration


@pytest.mark.parametrize("callback", [lambda x: True, lambda x: np.True_, stop_by_exception])
def test_callback_can_stop(callback: object) -> None:
    root = newton.root(lambda x: x**2 - 2, 1.0, callback=callback)  # type: ignore[arg-type]
    minimum = newton.minimize(problems.rosenbrock.fun, [0.0, 0.0], callback=callback)  # type: ignore[arg-type]
    for result in (root, minimum):
        assert result.status is Status.CALLBACK
        assert not result.success
        assert result.nit == 1


def test_a_callback_that_returns_something_else_does_not_stop() -> None:
    assert newton.root(lambda x: x**2 - 2, 1.0, callback=lambda x: x).success


# Failures, each with its name


def test_a_cycle_ends_at_the_iteration_limit() -> None:
    result = newton.root(lambda x: x**3 - 2 * x + 2, 0.0, damped=False, max_iter=7)
    assert result.status is Status.ITERATION_LIMIT
    np.testing.assert_allclose(result.trace.x[:, 0], [0, 1] * 4, atol=1e-12)


def test_arctan_from_3_runs_away_unless_damped() -> None:
    wild = newton.root(np.arctan, 3.0, lambda x: 1 / (1 + x**2), damped=False)
    assert wild.status is Status.DIVERGED
    assert len(wild.trace) > 3
    assert np.isfinite(wild.trace.x).all()
    assert wild.x == 3.0  # the best point
    tame = newton.root(np.arctan, 3.0, lambda x: 1 / (1 + x**2))
    assert tame.success
    assert abs(tame.x) < 1e-10


@pytest.mark.parametrize("x0", [3.0, -0.7, 1e-3])
@pytest.mark.parametrize("damped", [True, False])
def test_no_root_is_no_success(x0: float, damped: bool) -> None:
    result = newton.root(lambda x: x**2 + 1, x0, damped=damped)
    assert not result.success
    assert result.status is (Status.LOCAL_MINIMUM_OF_NORM if damped else Status.ITERATION_LIMIT)


def test_a_minimum_of_the_norm_is_named() -> None:
    result = newton.root(lambda x: [x[0] ** 2 + x[1] ** 2 + 1, x[0] - x[1]], [1.0, 0.5])
    assert result.status is Status.LOCAL_MINIMUM_OF_NORM
    np.testing.assert_allclose(result.x, 0, atol=1e-4)


@pytest.mark.parametrize("damped", [True, False])
def test_a_singular_jacobian_is_named_and_keeps_the_trace(damped: bool) -> None:
    flat = newton.root(lambda x: x**2 - 1, 0.0, damped=damped)
    assert flat.status is Status.SINGULAR
    assert len(flat.trace) == 1
    dependent = newton.root(lambda x: [x[0] + x[1] - 1, 2 * x[0] + 2 * x[1] - 3], [0.0, 0.0], damped=damped)
    assert dependent.status is Status.SINGULAR
    # singular after one step: J = diag(2 x, 1) with x = 0 there
    later = newton.root(lambda x: [x[0] ** 2 + 1, x[1]], [1.0, 1.0], damped=damped)
    assert later.status is Status.SINGULAR
    assert len(later.trace) == 2


def test_badly_scaled_is_not_singular() -> None:
    # energies in joules beside lengths in metres: the condition number is 1e19 but the equations are fine
    result = newton.root(lambda x: [1e-19 * (x[0] ** 2 - 2), x[1] - 1], [1.0, 0.0], tol=1e-30)
    assert result.success
    np.testing.assert_allclose(result.x, [np.sqrt(2), 1], rtol=4e-12)  # tol / (2√2 · 1e-19)


def test_leaving_the_domain() -> None:
    def fun(x: float) -> float:
        return 5 * x - anp.log(x)

    wild = newton.minimize(fun, 3.0, damped=False)
    assert wild.status is Status.NOT_FINITE
    assert wild.x == 3.0
    tame = newton.minimize(fun, 3.0)
    assert tame.success
    np.testing.assert_allclose(tame.x, 0.2, rtol=1e-8)
    assert (tame.trace.x > 0).all()


def test_an_exception_from_mathematics_is_the_end_of_the_domain() -> None:
    import math

    result = newton.minimize(lambda x: 5 * x - math.log(x), 3.0, lambda x: 5 - 1 / x, lambda x: x**-2)
    assert result.success
    np.testing.assert_allclose(result.x, 0.2, rtol=1e-8)


@pytest.mark.parametrize("damped", [True, False])
def test_a_saddle_point_is_no_minimum(damped: bool) -> None:
    result = newton.minimize(lambda x: x[0] ** 2 - x[1] ** 2, [1.0, 0.0], damped=damped)
    assert result.status is Status.STATIONARY
    np.testing.assert_allclose(result.x, 0, atol=1e-8)


def test_a_maximum_is_no_minimum() -> None:
    result = newton.minimize(lambda x: -(x**2), 3.0, damped=False)
    assert result.status is Status.STATIONARY
    assert result.x == 0


def test_no_minimum_runs_away() -> None:
    result = newton.minimize(lambda x: -(x**2), 3.0)
    assert result.status is Status.DIVERGED


def test_a_degenerate_minimum_is_a_success() -> None:
    result = newton.minimize(lambda x: x**4, 1.0)
    assert result.success
    assert abs(result.x) < 1e-2


def test_a_gradient_of_the_wrong_sign_is_named() -> None:
    p = problems.rosenbrock
    result = newton.minimize(p.fun, p.x0, lambda x: -p.jac(x), p.hess)
    assert result.status is Status.GRADIENT_MISMATCH
    assert "check jac" in result.message


def test_a_jacobian_of_the_wrong_sign_is_named() -> None:
    s = problems.dennis_schnabel
    assert newton.root(s.F, s.x0, lambda x: -s.jac(x)).status is Status.GRADIENT_MISMATCH


def test_a_kink_is_named() -> None:
    result = newton.minimize(lambda x: abs(x) + 0.5 * x**2 + 1, 0.3)
    assert result.status is Status.KINK


def test_round_off_is_named_and_the_point_is_good() -> None:
    result = newton.minimize(lambda x: anp.exp(x) - 5 * x, 3.0, tol=0.0)  # the gradient cannot become 0 there
    assert result.status is Status.ROUND_OFF
    np.testing.assert_allclose(result.x, np.log(5), rtol=1e-14)


def test_large_values_near_the_minimum_do_not_stop_newton() -> None:
    p = problems.quadratic_form(np.diag([1.0, 1e4]), [1e3, 1e4], [5e5, 3.0])
    result = newton.minimize(lambda x: p.fun(x) - 1e6 + anp.cosh(x[0] - 1e3), [1005.0, 3.0])
    assert result.success


def test_failures_keep_their_trace_without_nan() -> None:
    for result in (
        newton.minimize(lambda x: 5 * x - anp.log(x), 3.0, damped=False),
        newton.root(lambda x: anp.sqrt(x) + 1, 1.0, damped=False),
        newton.root(lambda x: anp.log(x) + 10, 3.0, damped=False),
    ):
        assert not result.success
        assert len(result.trace) >= 1
        assert np.isfinite(result.trace.x).all()
        assert np.isfinite(result.trace.fun).all()


@given(seed=seeds, damped=st.booleans())
def test_success_means_that_the_tolerance_holds(seed: int, damped: bool) -> None:
    a = np.random.default_rng(seed).uniform(-2, 2, 6)

    def F(x: np.ndarray) -> object:
        return anp.array(
            [a[0] + a[1] * x[0] ** 2 + anp.sin(a[2] * x[1]), a[3] * x[0] * x[1] + anp.log(x[1] + 2) + a[4]]
        )

    result = newton.root(F, [a[5], 0.5], damped=damped, max_iter=30)
    assert result.success == (np.abs(F(result.x)).max() <= 1e-10)
    assert np.isfinite(result.trace.x).all()


@given(seed=seeds, damped=st.booleans())
def test_success_means_a_small_gradient_and_no_negative_curvature(seed: int, damped: bool) -> None:
    a = np.random.default_rng(seed).uniform(-2, 2, 6)

    def fun(x: np.ndarray) -> object:
        return (
            a[0] * x[0] ** 2
            + a[1] * x[0] * x[1]
            + x[1] ** 4
            + anp.sin(a[2] * x[0])
            + a[3] * anp.log(x[1] + 3)
        )

    result = newton.minimize(fun, [a[4], a[5]], damped=damped, max_iter=30)
    is_stationary = np.abs(autograd.grad(fun)(result.x)).max() <= 1e-8
    if is_stationary and np.linalg.eigvalsh(autograd.hessian(fun)(result.x))[0] < -1e-6:
        assert result.status is Status.STATIONARY
    else:
        assert result.success == is_stationary
    assert np.isfinite(result.trace.fun).all()
