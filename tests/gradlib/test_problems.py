from collections.abc import Iterator

import autograd
import jax
import numpy as np
import pytest

from gradlib import newton, problems
from gradlib.problems import Problem, Quadratic, System

ALL = [
    problems.rosenbrock,
    problems.beale,
    problems.himmelblau,
    problems.boyd_vandenberghe,
    problems.course_quadratic,
    problems.quadratic(100.0),
    problems.quadratic(50.0, 5, rng=np.random.default_rng(0)),
    problems.chained_rosenbrock(2),
    problems.chained_rosenbrock(5),
    problems.extended_rosenbrock(6),
]
every_problem = pytest.mark.parametrize("problem", ALL, ids=lambda p: p.name)


@pytest.fixture(autouse=True, scope="module")
def _double_precision() -> Iterator[None]:
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def points(problem: Problem) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.vstack([problem.x0, problem.x0 + 0.3 * rng.standard_normal((2, problem.x0.size))])


@every_problem
def test_gradient_agrees_with_autograd_jax_and_the_complex_step(problem: Problem) -> None:
    for x in points(problem):
        g = problem.jac(x)
        assert g.shape == x.shape
        scale = 1e-12 * max(1, np.abs(g).max())
        np.testing.assert_allclose(autograd.grad(problem.fun)(x), g, atol=scale)
        np.testing.assert_allclose(np.asarray(jax.grad(problem.fun)(jax.numpy.asarray(x))), g, atol=scale)
        h = 1e-30
        step = [problem.fun(x + 1j * h * e).imag / h for e in np.eye(x.size)]
        np.testing.assert_allclose(step, g, atol=scale)


@every_problem
def test_hessian_agrees_with_autograd_jax_and_central_differences(problem: Problem) -> None:
    for x in points(problem):
        H = problem.hess(x)
        scale = max(1, np.abs(H).max())
        np.testing.assert_array_equal(H, H.T)
        np.testing.assert_allclose(autograd.hessian(problem.fun)(x), H, atol=1e-12 * scale)
        np.testing.assert_allclose(
            np.asarray(jax.hessian(problem.fun)(jax.numpy.asarray(x))), H, atol=1e-12 * scale
        )
        h = 1e-5
        difference = [(problem.jac(x + h * e) - problem.jac(x - h * e)) / (2 * h) for e in np.eye(x.size)]
        np.testing.assert_allclose(difference, H, atol=1e-7 * scale)


@every_problem
def test_the_minimum_is_one(problem: Problem) -> None:
    for x in np.atleast_2d(problem.minimum):
        np.testing.assert_allclose(problem.jac(x), 0, atol=1e-12)
        assert np.linalg.eigvalsh(problem.hess(x))[0] > 0
        np.testing.assert_allclose(problem.fun(x), problem.fun_min, atol=1e-12)
        assert problem.fun(x) < problem.fun(problem.x0)


@every_problem
def test_arrays_cannot_be_changed(problem: Problem) -> None:
    with pytest.raises(ValueError, match="read-only"):
        problem.x0[0] = 0


def test_rosenbrock_at_its_start() -> None:
    p = problems.rosenbrock
    np.testing.assert_allclose(p.fun(p.x0), 24.2, rtol=1e-12)
    np.testing.assert_allclose(p.jac(p.x0), [-215.6, -88.0], rtol=1e-12)
    np.testing.assert_allclose(p.hess(p.x0), [[1330, 480], [480, 200]], rtol=1e-12)


def test_boyd_and_vandenberghe_minimum() -> None:
    p = problems.boyd_vandenberghe
    np.testing.assert_allclose(p.fun_min, 2.5592666967, atol=1e-10)
    np.testing.assert_allclose(p.fun_min, 2 * np.sqrt(2) * np.exp(-0.1), rtol=1e-14)


def test_himmelblau_has_four_minima() -> None:
    assert problems.himmelblau.minimum.shape == (4, 2)
    assert problems.himmelblau.fun_min == 0


def test_course_quadratic() -> None:
    p = problems.course_quadratic
    np.testing.assert_allclose(np.linalg.eigvalsh(p.A), [1, 6], rtol=1e-14)
    np.testing.assert_allclose(p.minimum, [2, -1], rtol=1e-14)
    assert p.fun(p.x0) == 18
    np.testing.assert_allclose(p.fun_min, -7, rtol=1e-14)
    np.testing.assert_array_equal(p.jac(p.x0), p.A @ p.x0 - p.b)


@pytest.mark.parametrize("rng", [None, np.random.default_rng(3)], ids=["diagonal", "turned"])
def test_quadratic_has_the_condition_number_asked_for(rng: np.random.Generator | None) -> None:
    p = problems.quadratic(1e3, 7, rng=rng)
    np.testing.assert_allclose(np.linalg.eigvalsh(p.A), np.geomspace(1, 1e3, 7), rtol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(p.A @ p.x0), 1e3 * np.sqrt(7), rtol=1e-10)


def test_hessian_handed_out_is_a_copy() -> None:
    p = problems.course_quadratic
    p.hess(p.x0)[0, 0] = 99
    assert p.A[0, 0] == 5


def test_extended_rosenbrock_is_a_sum_over_pairs() -> None:
    x = np.array([0.3, -0.2, 1.7, 0.4])
    pair = problems.rosenbrock.fun
    np.testing.assert_allclose(problems.extended_rosenbrock(4).fun(x), pair(x[:2]) + pair(x[2:]), rtol=1e-14)


def test_chained_rosenbrock_couples_neighbours() -> None:
    x = np.array([0.3, -0.2, 1.7])
    pair = problems.rosenbrock.fun
    np.testing.assert_allclose(problems.chained_rosenbrock(3).fun(x), pair(x[:2]) + pair(x[1:]), rtol=1e-14)


def test_dennis_and_schnabel() -> None:
    s: System = problems.dennis_schnabel
    np.testing.assert_array_equal(s.F(s.root), [0, 0])
    for x in (s.x0, np.array([0.3, -2.0])):
        np.testing.assert_array_equal(s.F(x), [x[0] + x[1] - 3, x[0] ** 2 + x[1] ** 2 - 9])
        np.testing.assert_allclose(autograd.jacobian(s.F)(x), s.jac(x), rtol=1e-14)
        np.testing.assert_allclose(np.asarray(jax.jacobian(s.F)(jax.numpy.asarray(x))), s.jac(x), rtol=1e-14)
        step = np.array([s.F(x + 1j * 1e-30 * e).imag / 1e-30 for e in np.eye(2)]).T
        np.testing.assert_allclose(step, s.jac(x), rtol=1e-14)


@every_problem
def test_newton_reaches_a_minimum_of_every_problem(problem: Problem) -> None:
    result = newton.minimize(problem.fun, problem.x0, problem.jac, problem.hess)
    assert result.success
    distance = np.linalg.norm(np.atleast_2d(problem.minimum) - result.x, axis=1).min()
    if problem.name.startswith("chained") and problem.x0.size > 3:  # from this start, the other local minimum
        assert distance > 1
    else:
        assert distance < 1e-6


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: problems.quadratic(0.5), "kappa"),
        (lambda: problems.quadratic(np.nan), "kappa"),
        (lambda: problems.quadratic("10"), "kappa"),
        (lambda: problems.quadratic([1.0, 2.0]), "kappa"),
        (lambda: problems.quadratic(10.0, 1), "n must"),
        (lambda: problems.quadratic(10.0, 2.5), "n must"),
        (lambda: problems.quadratic(10.0, rng=0), "rng"),
        (lambda: problems.chained_rosenbrock(1), "n must"),
        (lambda: problems.chained_rosenbrock(3.0), "n must"),
        (lambda: problems.extended_rosenbrock(3), "n must"),
        (lambda: problems.extended_rosenbrock(0), "n must"),
        (lambda: problems.quadratic_form([[1.0, 2.0], [0.0, 1.0]], [1.0, 1.0]), "A must be symmetric"),
        (
            lambda: problems.quadratic_form([[1.0, 2.0], [2.0, 1.0]], [1.0, 1.0]),
            "A must be positive definite",
        ),
        (lambda: problems.quadratic_form([[0.0]], [1.0]), "A must be positive definite"),
        (lambda: problems.quadratic_form([[1.0, np.inf], [np.inf, 1.0]], [1.0, 1.0]), "A must be finite"),
        (lambda: problems.quadratic_form([[1.0]], [1.0, 1.0]), "A must have shape"),
        (lambda: problems.quadratic_form([[1.0]], 1.0), "b must be a vector"),
        (lambda: problems.quadratic_form([[1.0]], [np.nan]), "b must be finite"),
        (lambda: problems.quadratic_form([[1.0]], [1.0], [1.0, 2.0]), "x0 must have shape"),
    ],
)
def test_bad_input_is_named(make: object, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        make()  # type: ignore[operator]


def test_a_condition_number_as_large_as_a_float_can_be() -> None:
    with np.errstate(all="raise"):
        assert problems.quadratic(1.7e308).A[1, 1] == 1.7e308


def test_quadratic_is_a_problem_that_knows_its_matrix() -> None:
    assert isinstance(problems.course_quadratic, Quadratic)
    assert repr(problems.course_quadratic) == 'Quadratic("the course\'s quadratic", x0=[-2.0, 2.0])'
