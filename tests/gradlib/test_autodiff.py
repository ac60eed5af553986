import gc
import math
import operator
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from gradlib import newton, problems
from gradlib.autodiff import (
    Dual,
    Var,
    backward,
    complex_step,
    derivative,
    finite_difference,
    grad,
    hessian,
    jacobian,
    trace,
)
from gradlib.autodiff.rules import PARTIALS


@pytest.fixture(autouse=True, scope="module")
def _double_precision() -> Iterator[None]:
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


# Random expressions. Each is a tree of tuples, evaluated with NumPy, autograd.numpy or jax.numpy; sin keeps
# the arguments of a function inside its domain.

ANALYTIC: dict[str, Callable[[ModuleType, Any], Any]] = {
    "neg": lambda xp, a: -a,
    "sin": lambda xp, a: xp.sin(a),
    "cos": lambda xp, a: xp.cos(a),
    "tan": lambda xp, a: xp.tan(xp.sin(a)),
    "exp": lambda xp, a: xp.exp(xp.sin(a)),
    "expm1": lambda xp, a: xp.expm1(xp.sin(a)),
    "log": lambda xp, a: xp.log(2 + xp.sin(a)),
    "log2": lambda xp, a: xp.log2(2 + xp.sin(a)),
    "log10": lambda xp, a: xp.log10(2 + xp.sin(a)),
    "log1p": lambda xp, a: xp.log1p(0.8 * xp.sin(a)),
    "sqrt": lambda xp, a: xp.sqrt(2 + xp.sin(a)),
    "square": lambda xp, a: xp.square(xp.sin(a)),
    "reciprocal": lambda xp, a: xp.reciprocal(2 + xp.sin(a)),
    "arcsin": lambda xp, a: xp.arcsin(0.8 * xp.sin(a)),
    "arccos": lambda xp, a: xp.arccos(0.8 * xp.sin(a)),
    "arctan": lambda xp, a: xp.arctan(a),
    "sinh": lambda xp, a: xp.sinh(xp.sin(a)),
    "cosh": lambda xp, a: xp.cosh(xp.sin(a)),
    "tanh": lambda xp, a: xp.tanh(a),
    "arcsinh": lambda xp, a: xp.arcsinh(xp.sin(a)),
    "arccosh": lambda xp, a: xp.arccosh(3 + xp.sin(a)),
    "arctanh": lambda xp, a: xp.arctanh(0.8 * xp.sin(a)),
    "square_root_of_square": lambda xp, a: (1 + xp.sin(a) ** 2) ** 0.5,
    "cube": lambda xp, a: xp.sin(a) ** 3,
    "to_the_a": lambda xp, a: 2.0 ** xp.sin(a),
    "sum": lambda xp, a: xp.sum(a),
    "sum_of_rows": lambda xp, a: xp.sum(full(xp, a), axis=0),
    "mean": lambda xp, a: xp.mean(full(xp, a), axis=1, keepdims=True),
    "row": lambda xp, a: full(xp, a)[1],
    "reversed": lambda xp, a: full(xp, a)[:, ::-1],
    "repeated": lambda xp, a: full(xp, a)[:, np.array([0, 0, 2])],
    "transposed": lambda xp, a: xp.reshape(xp.transpose(full(xp, a)), (2, 3)),
    "matrix": lambda xp, a: full(xp, a) @ MATRIX,
    "matrix_vector": lambda xp, a: MATRIX @ full(xp, a)[0],
}
KINKED: dict[str, Callable[[ModuleType, Any], Any]] = {
    "abs": lambda xp, a: xp.abs(a),
    "max": lambda xp, a: xp.max(full(xp, a), axis=0),
    "min": lambda xp, a: xp.min(full(xp, a)),
    "where": lambda xp, a: xp.where(a > 0.3, a, 2 * a),
    "clip": lambda xp, a: xp.clip(a, -0.5, 0.5),
    "norm": lambda xp, a: xp.linalg.norm(1 + full(xp, a) ** 2),
}
ANALYTIC_PAIRS: dict[str, Callable[[ModuleType, Any, Any], Any]] = {
    "add": lambda xp, a, b: a + b,
    "subtract": lambda xp, a, b: a - b,
    "multiply": lambda xp, a, b: a * b,
    "divide": lambda xp, a, b: a / (2 + xp.sin(b)),
    "power": lambda xp, a, b: (2 + xp.sin(a)) ** xp.sin(b),
    "dot": lambda xp, a, b: xp.dot(full(xp, a)[0], full(xp, b)[1]),
    "vector_matrix": lambda xp, a, b: full(xp, a)[0] @ (MATRIX * full(xp, b)[1]),
    "outer": lambda xp, a, b: xp.outer(full(xp, a)[0], full(xp, b)[1])[:2],
    "product": lambda xp, a, b: full(xp, a) @ xp.transpose(full(xp, b)) @ full(xp, a),
    "stack": lambda xp, a, b: xp.stack([full(xp, a), full(xp, b)], axis=1)[:, 1],
    "concatenate": lambda xp, a, b: xp.concatenate([full(xp, a), full(xp, b)], axis=1)[:, 2:5],
}
KINKED_PAIRS: dict[str, Callable[[ModuleType, Any, Any], Any]] = {
    "maximum": lambda xp, a, b: xp.maximum(a, b),
    "minimum": lambda xp, a, b: xp.minimum(a, b),
    "logaddexp": lambda xp, a, b: xp.logaddexp(a, b),
}
CONSTANTS = {
    "number": 0.7,
    "vector": np.array([0.3, -1.2, 2.1]),
    "column": np.array([[0.4], [-0.9]]),
    "full": np.array([[0.1, -0.7, 1.3], [0.8, 0.2, -0.4]]),
}
MATRIX = np.array([[1.0, 0.5, -0.2], [0.3, -1.0, 0.7], [0.9, 0.1, 0.4]])
VARIABLES: dict[str, Callable[[Any], Any]] = {
    "x": lambda x: x,
    "x[1]": lambda x: x[1],
    "x[:2, None]": lambda x: x[:2, None],
}


def full(xp: ModuleType, a: Any) -> Any:
    """Broadcast to shape (2, 3), which every expression's shape fits."""
    return a + np.zeros((2, 3))


def expressions(*, kinks: bool) -> st.SearchStrategy[Any]:
    one = ANALYTIC | (KINKED if kinks else {})
    two = ANALYTIC_PAIRS | (KINKED_PAIRS if kinks else {})
    leaves = st.sampled_from([*VARIABLES, *CONSTANTS])
    return st.recursive(
        leaves,
        lambda inner: (
            st.tuples(st.sampled_from([*one]), inner) | st.tuples(st.sampled_from([*two]), inner, inner)
        ),
        max_leaves=6,
    )


def evaluate(expression: Any, xp: ModuleType, x: Any) -> Any:
    if isinstance(expression, str):
        return VARIABLES[expression](x) if expression in VARIABLES else CONSTANTS[expression]
    name, *inner = expression
    functions: dict[str, Any] = ANALYTIC | KINKED | ANALYTIC_PAIRS | KINKED_PAIRS
    return functions[name](xp, *(evaluate(part, xp, x) for part in inner))


def scalar_function(expression: Any, xp: ModuleType) -> Callable[[Any], Any]:
    # the first term keeps every element of x in play
    return lambda x: 0.1 * xp.sum(x * x) + xp.sum(evaluate(expression, xp, x))


points = st.lists(st.floats(-1.5, 1.5).map(lambda x: round(x, 3)), min_size=3, max_size=3).map(np.array)


def assert_close(got: Any, wanted: Any, tolerance: float = 1e-10) -> None:
    wanted = np.asarray(wanted)
    assert np.shape(got) == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * max(1.0, np.abs(wanted).max()))


@settings(max_examples=150)
@given(expression=expressions(kinks=False), x=points)
def test_both_modes_agree_with_the_complex_step(expression: Any, x: np.ndarray) -> None:
    f = scalar_function(expression, np)
    wanted = complex_step(f, x)
    assert_close(grad(f)(x), wanted)
    assert_close(jacobian(f)(x), wanted)


@settings(max_examples=150)
@given(expression=expressions(kinks=True), x=points)
def test_both_modes_agree_with_autograd(expression: Any, x: np.ndarray) -> None:
    x = x + np.array([1e-4, 2e-4, 3e-4])  # off the kinks of the expressions, where conventions differ
    f = scalar_function(expression, np)
    wanted = autograd.grad(scalar_function(expression, anp))(x)
    assert_close(grad(f)(x), wanted)
    assert_close(jacobian(f)(x), wanted)


@settings(max_examples=20)
@given(expression=expressions(kinks=True), x=points)
def test_both_modes_agree_with_jax(expression: Any, x: np.ndarray) -> None:
    x = x + np.array([1e-4, 2e-4, 3e-4])
    f = scalar_function(expression, np)
    wanted = jax.grad(scalar_function(expression, jnp))(jnp.asarray(x))
    assert_close(grad(f)(x), wanted)
    assert_close(jacobian(f)(x), wanted)


@settings(max_examples=80)
@given(expression=expressions(kinks=False), x=points)
def test_second_derivatives_agree_with_autograd_in_every_nesting(expression: Any, x: np.ndarray) -> None:
    f = scalar_function(expression, np)
    wanted = autograd.hessian(scalar_function(expression, anp))(x)
    assert_close(hessian(f)(x), wanted)
    assert_close(jacobian(jacobian(f))(x), wanted)
    for i in range(x.size):
        assert_close(grad(lambda x, i=i: grad(f)(x)[i])(x), wanted[i])
        assert_close(grad(lambda x, i=i: jacobian(f)(x)[i])(x), wanted[i])


# Each rule by itself, in the middle of its domain.

DOMAIN = {np.arccosh: (1.5, 2.0)}


@pytest.mark.parametrize("function", PARTIALS, ids=lambda function: function.__name__)
def test_each_rule_in_both_modes_and_twice(function: Callable[..., Any]) -> None:
    low, high = DOMAIN.get(function, (0.4, 0.7))
    x, y = np.linspace(low, high, 6).reshape(2, 3), np.linspace(high, low, 3)
    arguments = (x,) if len(PARTIALS[function]) == 1 else (x, y)
    for i, argument in enumerate(arguments):

        def f(a: Any, i: int = i) -> Any:
            return np.sum(function(*arguments[:i], a, *arguments[i + 1 :]))

        wanted = finite_difference(f, argument)
        assert_close(grad(f)(argument), wanted, 1e-9)
        assert_close(jacobian(f)(argument), wanted, 1e-9)
        assert_close(hessian(f)(argument), finite_difference(grad(f), argument), 1e-9)
        assert_close(jacobian(jacobian(f))(argument), hessian(f)(argument))


ARRAYS: dict[str, Callable[[ModuleType, Any], Any]] = {
    "sum, two axes": lambda xp, x: xp.sum(x, axis=(0, 2)),
    "sum, last axis": lambda xp, x: xp.sum(x, axis=-1),
    "mean": lambda xp, x: xp.mean(x),
    "mean, axis": lambda xp, x: xp.mean(x, axis=1),
    "max": lambda xp, x: xp.max(x),
    "max, axis": lambda xp, x: xp.max(x, axis=-1, keepdims=True),
    "min, axis": lambda xp, x: xp.min(x, axis=1),
    "norm": lambda xp, x: xp.linalg.norm(x),
    "norm, axis": lambda xp, x: xp.linalg.norm(x, axis=1),
    "reshape": lambda xp, x: xp.reshape(x, (4, -1)),
    "ravel": lambda xp, x: xp.ravel(x),
    "transpose": lambda xp, x: xp.transpose(x),
    "transpose, axes": lambda xp, x: xp.transpose(x, (1, -1, 0)),
    "expand_dims": lambda xp, x: xp.expand_dims(x, 1),
    "broadcast_to": lambda xp, x: xp.broadcast_to(x, (5, 2, 3, 4)),
    "concatenate": lambda xp, x: xp.concatenate([x, 2 * x, np.ones((2, 1, 4))], axis=-2),
    "stack": lambda xp, x: xp.stack([x[0], x[1] ** 2, np.ones((3, 4))], axis=-1),
    "where": lambda xp, x: xp.where(np.arange(4) > 1, x, x[:, :1] ** 2),
    "matmul, batch": lambda xp, x: xp.matmul(x, xp.transpose(x, (0, 2, 1))),
    "matmul, batch on the left": lambda xp, x: x @ x[0, 0],
    "matmul, batch on the right": lambda xp, x: x[0, :, 0] @ x,
    "matmul, broadcast": lambda xp, x: x @ xp.transpose(x[0]),
    "dot, matrices": lambda xp, x: xp.dot(x[0], xp.transpose(x[1])),
    "dot, number": lambda xp, x: xp.dot(x, x[0, 0, 0]),
    "inner": lambda xp, x: xp.inner(x[0], x[1]),
    "inner, vectors": lambda xp, x: xp.inner(x[0, 0], x[1, 0]),
    "outer": lambda xp, x: xp.outer(x[0], x[1]),
    "clip": lambda xp, x: xp.clip(x, 0.2, 0.6),
    "index": lambda xp, x: x[1, ..., 2],
    "index, new axis": lambda xp, x: x[:, None, 1:],
    "index, boolean": lambda xp, x: x[np.arange(24).reshape(2, 3, 4) % 5 == 0],
    "index, repeated": lambda xp, x: x[np.array([0, 0, 1]), np.array([1, 1, 2])],
}


@pytest.mark.parametrize("name", ARRAYS)
def test_array_functions_agree_with_numpy_and_jax(name: str) -> None:
    x = np.random.default_rng(3).uniform(0.1, 0.9, (2, 3, 4))

    def f(x: Any) -> Any:
        return ARRAYS[name](np, x)

    weights = np.random.default_rng(4).standard_normal(f(x).shape)
    np.testing.assert_allclose(f(Dual(x)).value, f(x), rtol=1e-15)
    J = np.asarray(jax.jacobian(lambda x: ARRAYS[name](jnp, x))(jnp.asarray(x)))
    wanted = np.tensordot(2 * weights * f(x), J, f(x).ndim)
    assert_close(grad(lambda x: np.sum(weights * f(x) ** 2))(x), wanted)
    assert_close(jacobian(lambda x: np.sum(weights * f(x) ** 2))(x), wanted)
    assert_close(jacobian(f)(x), J)
    v = np.linspace(-1, 1, x.size).reshape(x.shape)
    by_reverse = grad(lambda x: np.sum(v * grad(lambda x: np.sum(weights * f(x) ** 3))(x)))(x)
    by_forward = derivative(lambda s: grad(lambda x: np.sum(weights * f(x) ** 3))(x + s * v))(0.0)
    assert_close(by_reverse, by_forward)


# Published numbers.


def baydin(x: Any, y: Any) -> Any:
    return np.log(x) + x * y - np.sin(y)


def test_trace_of_baydin_pearlmutter_radul_and_siskind() -> None:
    rows = trace(baydin, 2, 5)
    assert [row.formula for row in rows] == [
        "",
        "",
        "log(v₋₁)",
        "v₋₁ * v₀",
        "v₁ + v₂",
        "sin(v₀)",
        "v₃ - v₄",
    ]
    # JMLR 18 (2018) 153, tables 2 and 3
    np.testing.assert_allclose(
        [row[2:] for row in rows],
        [
            [2, 1, 5.5],
            [5, 0, 1.716],
            [0.693, 0.5, 1],
            [10, 5, 1],
            [10.693, 5.5, 1],
            [-0.959, 0, -1],
            [11.652, 5.5, 1],
        ],
        atol=1e-3,
    )
    exact = (math.log(2) + 10 - math.sin(5), 1 / 2 + 5, 2 - math.cos(5))
    np.testing.assert_allclose(
        [rows[-1].value, rows[0].adjoint, rows[1].adjoint, rows[-1].tangent], [*exact, exact[1]], rtol=1e-15
    )
    assert [grad(baydin)(2, 5), grad(baydin, 1)(2, 5)] == [rows[0].adjoint, rows[1].adjoint]


def test_trace_shows_constants_and_variables_that_do_not_matter() -> None:
    rows = trace(lambda x, y, z: (2.5 - z) ** 2, 1.0, 2.0, 3.0)
    assert [row.name for row in rows] == ["v₋₂", "v₋₁", "v₀", "v₁", "v₂"]
    assert [row.formula for row in rows[3:]] == ["2.5 - v₀", "v₁ ** 2"]
    assert [row.adjoint for row in rows] == [0, 0, 1, -1, 1]


def test_finite_differences_err_as_published() -> None:
    # reference: best h near 1e-8 (error 2e-8) and 1e-5 (3e-11); here for sin at 1
    steps = 10.0 ** -np.arange(1, 16)

    def errors(scheme: Any) -> np.ndarray:
        return np.array(
            [abs(finite_difference(np.sin, 1.0, h, scheme) - math.cos(1)) / math.cos(1) for h in steps]
        )

    forward, central = errors("forward"), errors("central")
    assert 1e-9 <= steps[forward.argmin()] <= 1e-7
    assert 1e-6 <= steps[central.argmin()] <= 1e-4
    assert 1e-10 < forward.min() < 3e-8
    assert 1e-13 < central.min() < 1e-10
    # first and second order before round-off sets in
    np.testing.assert_allclose(forward[:5] / forward[1:6], 10, rtol=0.05)
    np.testing.assert_allclose(central[:3] / central[1:4], 100, rtol=0.05)
    assert abs(finite_difference(np.sin, 1.0, scheme="forward") - math.cos(1)) < 3e-8
    assert abs(finite_difference(np.sin, 1.0) - math.cos(1)) < 1e-10
    assert abs(complex_step(np.sin, 1.0) - math.cos(1)) <= 4e-16


def test_default_steps_suit_large_arguments() -> None:
    for scheme, tolerance in (("forward", 1e-7), ("central", 1e-9)):
        got = finite_difference(lambda x: x**2, [1e6, 1.0, 1e-6], scheme=scheme)  # type: ignore[arg-type]
        np.testing.assert_allclose(np.diag(got), [2e6, 2, 2e-6], rtol=tolerance, atol=3e-8)
        np.testing.assert_array_equal(got - np.diag(np.diag(got)), 0)


@pytest.mark.parametrize(
    "differentiate",
    [jacobian, lambda f: lambda x: complex_step(f, x), lambda f: lambda x: finite_difference(f, x)],
)
def test_all_ways_return_the_same_shapes(differentiate: Callable[[Any], Callable[[Any], Any]]) -> None:
    J = differentiate(lambda x: np.stack([x[0, 0] * x[1, 2], x[0, 1] ** 2]))(np.arange(6.0).reshape(2, 3))
    assert J.shape == (2, 2, 3)
    np.testing.assert_allclose(J[0], [[5, 0, 0], [0, 0, 0]], atol=1e-9)
    assert isinstance(differentiate(lambda x: x**2)(3.0), np.float64)


# The problems of the library, and use with its solvers.

PROBLEMS = [
    problems.rosenbrock,
    problems.beale,
    problems.himmelblau,
    problems.boyd_vandenberghe,
    problems.course_quadratic,
    problems.chained_rosenbrock(5),
    problems.extended_rosenbrock(6),
]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_problems(problem: problems.Problem) -> None:
    for x in (problem.x0, problem.x0 + 0.3):
        assert_close(grad(problem.fun)(x), problem.jac(x), 1e-13)
        assert_close(hessian(problem.fun)(x), problem.hess(x), 1e-13)
    F = problems.dennis_schnabel
    np.testing.assert_array_equal(jacobian(F.F)(F.x0), F.jac(F.x0))


def test_derivatives_drive_newton() -> None:
    fun = problems.rosenbrock.fun
    result = newton.minimize(fun, problems.rosenbrock.x0, grad(fun), hessian(fun))
    assert result.success
    assert result.nit == 21


# Nesting.


@pytest.mark.parametrize("outer", [derivative, grad])
@pytest.mark.parametrize("inner", [derivative, grad])
def test_perturbations_are_not_confused(outer: Any, inner: Any) -> None:
    # d/dx (x · d/dy (x + y)) = 1; confused, it is 2 (Siskind & Pearlmutter 2005)
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1
    # d/dx (x · d/dy (x y)) = 2x
    assert outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0) == 6
    # an inner function that depends on the outer variable alone
    assert outer(lambda x: x * (1 + inner(lambda y: x**2)(1.0)))(3.0) == 1
    # the inner function at the outer variable: d/dx f'(x)
    assert outer(inner(lambda y: y**3))(2.0) == 12


def test_third_derivatives() -> None:
    d3 = derivative(derivative(derivative(np.exp)))(0.5)
    np.testing.assert_allclose(d3, math.exp(0.5), rtol=1e-15)
    np.testing.assert_allclose(grad(grad(grad(np.sin)))(0.5), -math.cos(0.5), rtol=1e-15)
    assert jacobian(hessian(lambda x: x[0] ** 2 * x[1]))(np.array([1.0, 2.0])).tolist() == [
        [[0, 2], [2, 0]],
        [[2, 0], [0, 0]],
    ]


# What users write: the autograd tour of the notes, with plain NumPy.


def test_a_branch_a_loop_and_a_recursion() -> None:
    def branch(x: Any) -> Any:
        return x**2 if x >= 0 else -3 * x + 1

    def loop(x: Any) -> Any:
        total = 0
        for i in range(10):
            total += x**i
        return total

    def factorial(n: Any) -> Any:
        return 1 if n in (0, 1) else n * factorial(n - 1)

    for d in (derivative, grad):
        assert [d(branch)(2.7), d(branch)(-1)] == [5.4, -3]
        for x in (0.5, 0.0, -1.0):  # 0: where the notes' formula divides by zero
            np.testing.assert_allclose(d(loop)(x), sum(i * x ** (i - 1) for i in range(1, 10)), rtol=1e-14)
        assert d(factorial)(2) == 1
        assert d(factorial)(4.0) == 3 * 2 + 4 * 2 + 4 * 3
        with pytest.raises(RecursionError):
            d(factorial)(2.5)


def test_several_arguments_and_methods() -> None:
    def f(x: Any, y: Any) -> Any:
        return 3 * x**3 + y * (x - 5) + 1

    assert grad(f)(1.0, 3.0) == derivative(f)(1.0, 3.0) == 12
    assert grad(f, 1)(1.0, 3.0) == derivative(f, argnum=1)(1.0, 3.0) == -4
    assert hessian(f, 0)(2, 3) == 36
    X, y = np.arange(6.0).reshape(3, 2), np.ones(3)
    cost = grad(lambda theta, X, y: ((X @ theta - y) ** 2).mean())
    np.testing.assert_allclose(cost([1, 2], X, y), 2 / 3 * X.T @ (X @ [1, 2] - y))
    v = np.array([1.0, 2.0])
    for g in (
        lambda a: a.dot(v),
        lambda a: (a.T @ v).sum(),
        lambda a: a.reshape(2, 1).ravel() @ v,
        lambda a: a.reshape((1, 2)).copy()[0] @ v,
        lambda a: sum(ai * vi for ai, vi in zip(a, v, strict=True)),
        lambda a: a @ [1.0, 2.0] + len(a) + a.size + a.ndim,
    ):
        np.testing.assert_array_equal(grad(g)(np.zeros(2)), v)


def test_functions_written_for_autograd_work_too() -> None:
    np.testing.assert_array_equal(grad(lambda x: anp.sum(anp.sin(x)))(np.zeros(2)), [1, 1])


def test_elementwise_derivative_of_the_notes() -> None:
    x = np.linspace(0, 1, 1000)
    got = derivative(lambda x: np.sin(2 * np.pi * x + x**2))(x)
    np.testing.assert_allclose(
        got, np.cos(2 * np.pi * x + x**2) * (2 * np.pi + 2 * x), rtol=1e-13, atol=1e-13
    )


def test_what_does_not_depend_on_x_has_derivative_zero() -> None:
    x = np.ones(2)
    for f in (
        lambda x: 3.0,
        lambda x: np.sign(x[0]),
        lambda x: np.floor(x[1]),
        lambda x: 1 if x[0] > 0 else 2,
    ):
        np.testing.assert_array_equal(grad(f)(x), [0, 0])
        np.testing.assert_array_equal(jacobian(f)(x), [0, 0])
    np.testing.assert_array_equal(jacobian(lambda x: [1.0, x[0]])(x), [[0, 0], [1, 0]])
    assert derivative(lambda x: [1, x, 2 * x])(0).tolist() == [0, 1, 2]


def test_subgradients_at_kinks() -> None:
    # autograd #151, #183: NaN where a norm is zero
    zero = np.zeros(2)
    for norm in (np.linalg.norm, lambda x: np.hypot(x[0], x[1]), lambda x: np.sum(np.abs(x))):
        np.testing.assert_array_equal(grad(norm)(zero), zero)
        np.testing.assert_array_equal(jacobian(norm)(zero), zero)
    with np.errstate(all="ignore"):
        assert np.isnan(autograd.grad(anp.linalg.norm)(zero)).all()  # which is why ours has a rule of its own
    assert np.isnan(grad(np.linalg.norm)(np.array([np.nan, 1.0]))).all()
    assert [grad(lambda x: np.maximum(x, 0))(x) for x in (-1, 0, 1)] == [0, 0.5, 1]
    assert [grad(lambda x: np.minimum(x, 0))(x) for x in (-1, 0, 1)] == [1, 0.5, 0]
    for axis in (None, 0):
        subgradient = grad(lambda x, axis=axis: np.max(x, axis=axis))(np.array([1.0, 1.0, 0.0]))
        assert subgradient.sum() == 1


@pytest.mark.parametrize(("ord", "wanted"), [(1, [1, -1]), (2, [0.6, -0.8]), (np.inf, [0, -1])])
def test_norms(ord: float, wanted: list[float]) -> None:
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, ord))(np.array([3.0, -4.0])), wanted)


def test_powers_at_zero_and_below() -> None:
    assert [grad(lambda x, n=n: x**n)(0.0) for n in (0, 1, 2, 3)] == [0, 1, 0, 0]
    assert [grad(grad(lambda x, n=n: x**n))(0.0) for n in (0, 1, 2, 3)] == [0, 0, 2, 0]
    assert grad(lambda x: x**3)(-2.0) == 12
    assert grad(lambda y: 0.0**y)(2.0) == 0
    np.testing.assert_array_equal(grad(lambda x: np.sum(x ** np.arange(3)))(np.zeros(3)), [0, 1, 0])
    # ∂²/∂x∂y of x^y at y = 0 is 1/x
    assert derivative(lambda y: derivative(lambda x: x**y)(2.0))(0.0) == 0.5
    assert grad(lambda y: grad(lambda x: x**y)(2.0))(0.0) == 0.5


def test_arguments_are_taken_as_floats_and_left_alone() -> None:
    # autograd #3: integers
    x = np.arange(3)
    g = grad(lambda x: np.sum(x**2))(x)
    np.testing.assert_array_equal(g, [0, 2, 4])
    assert g.dtype == np.float64
    np.testing.assert_array_equal(grad(lambda x: x @ x)([1, 2, 3]), [2, 4, 6])
    for differentiate in (grad, derivative):
        assert differentiate(lambda x: x**-1)(2) == -0.25  # integers have no such powers
    g = grad(np.sum)(np.ones(3))
    g[0] = 5  # the result belongs to the caller


def test_a_number_may_be_updated_in_place() -> None:
    def f(x: Any) -> Any:
        y = x
        y += 1
        return x * y  # a number is not changed: x (x + 1)

    assert grad(f)(2.0) == derivative(f)(2.0) == 5


@pytest.mark.parametrize(("low", "high", "slopes"), [(None, 1, [1, 1, 0]), (-1, None, [0, 1, 1])])
def test_clip_may_leave_an_end_open(low: Any, high: Any, slopes: list[float]) -> None:
    x = np.array([-2.0, 0.5, 3.0])
    for d in (grad(lambda x: np.sum(np.clip(x, low, high))), derivative(lambda x: np.clip(x, low, high))):
        np.testing.assert_array_equal(d(x), slopes)


def test_the_tape_keeps_nothing_alive() -> None:
    big = np.ones(1000)
    gc.disable()
    try:
        x = Var(big)
        y = np.sum(np.exp(x) * x)
        backward(y)
        tape = [weakref.ref(argument) for argument in (y.arguments[0].value, x.adjoint)]
        del x, y
        assert all(reference() is None for reference in tape)
    finally:
        gc.enable()


def test_a_long_tape() -> None:
    def f(x: Any) -> Any:
        for _ in range(20_000):
            x = x + 1.0
        return x * x

    assert grad(f)(0.0) == 40_000


def test_backward_can_be_repeated() -> None:
    x = Var(3.0)
    y = x * x
    for _ in range(2):
        backward(y)
        assert x.adjoint == 6
    assert (repr(x), repr(Dual(2, 1) ** 2)) == ("Var(3.0)", "Dual(4.0, 4.0)")


# What cannot be done says so.

ONE = np.ones(2)
REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda x: operator.setitem(x, 0, 3.0), "an element of a traced array cannot be assigned"),
    (lambda x: operator.iadd(x, 1.0), r"changed in place by np.add: write a = a \+ b"),
    (lambda x: operator.imul(x, x), "changed in place by np.multiply"),
    (lambda x: operator.iadd(np.ones(2), x), "changed in place by np.add"),
    (lambda x: ONE.dot(x), r"write .* np.dot\(a, x\) for a.dot\(x\)"),
    (lambda x: np.array([x[0], x[1]]), r"write .*np.stack\(\[...\]\) for np.array"),
    (lambda x: math.sin(x[0]), r"write np.sin\(x\) for math.sin"),
    (lambda x: int(x[0]), "cannot become a plain number"),
    (lambda x: np.linalg.det(np.outer(x, x)), "np.linalg.det has no derivative rule here"),
    (lambda x: np.sort(x), "np.sort has no derivative rule here.*gradlib.autodiff.rules"),
    (lambda x: expit(x), "expit has no derivative rule here"),
    (lambda x: np.sum(x, dtype=np.float32), "np.sum cannot be differentiated like this.*dtype"),
    (lambda x: np.add.reduce(x), "np.add cannot be differentiated with its method reduce"),
    (lambda x: np.sum(np.exp(x, where=x > 0)), "np.exp cannot be differentiated with where"),
    (lambda x: np.linalg.norm(np.outer(x, x), 2), "np.linalg.norm with ord=2"),
    (lambda x: np.linalg.norm(np.outer(x, x), 2, axis=(0, 1)), r"ord=2 and axis=\(0, 1\) has no rule"),
    (lambda x: np.linalg.norm(np.outer(x, x), 1, axis=(0, 1)), r"ord=1 and axis=\(0, 1\) has no rule"),
    (lambda x: np.linalg.norm(x, 3), "np.linalg.norm with ord=3"),
    (lambda x: np.max(np.outer(x, x), axis=(0, 1)), "cannot be differentiated like this: 'tuple' object"),
    (lambda x: np.concatenate([x, x], axis=None), "np.concatenate cannot be differentiated like this"),
    (lambda x: x + None, "np.add cannot be differentiated like this"),
    (lambda x: np.dot(x, np.ones((1, 2, 2))), "np.dot with a second argument of more than two axes"),
    (lambda x: x[0] * 1j, "must be real"),
    (lambda x: None, "what f returns must be"),
    (lambda x: "one", "what f returns must be"),
]


@pytest.mark.parametrize(("f", "message"), REFUSED, ids=[message for _, message in REFUSED])
@pytest.mark.parametrize("differentiate", [grad, jacobian])
def test_what_cannot_be_differentiated_is_named(differentiate: Any, f: Any, message: str) -> None:
    # autograd #559: an ArrayBox in a message says nothing
    with pytest.raises(ValueError, match=message):
        differentiate(f)(ONE)


BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: grad(3.0), "f must be callable"),  # type: ignore[arg-type]
    (lambda: derivative(None), "f must be callable"),  # type: ignore[arg-type]
    (lambda: jacobian("f"), "f must be callable"),  # type: ignore[arg-type]
    (lambda: hessian(1), "f must be callable"),  # type: ignore[arg-type]
    (lambda: grad(lambda x: x)(ONE), r"f returned shape \(2,\), a scalar is needed"),
    (lambda: hessian(lambda x: [x, x])(1.0), r"f returned shape \(2,\), a scalar is needed"),
    (lambda: grad(np.sum)("one"), "argument 0 of f must be real"),
    (lambda: grad(np.sum)(1j), "argument 0 of f must be real"),
    (lambda: grad(np.sum)([[1.0], [1.0, 2.0]]), "argument 0 of f must be"),
    (lambda: grad(lambda x: x)(), "argnum"),
    (lambda: grad(lambda x: x, 1)(1.0), "argnum"),
    (lambda: grad(lambda x: x, -1)(1.0), "argnum"),
    (lambda: grad(lambda x: x, True)(1.0, 1.0), "argnum"),
    (lambda: jacobian(lambda x: x)([]), "x must"),
    (lambda: Dual("a"), "value must be"),
    (lambda: Dual(1.0, "a"), "tangent must be"),
    (lambda: Dual(1.0, [1.0, 2.0]), "tangent must have the shape"),
    (lambda: Var(None), "value must be"),
    (lambda: backward(3.0), "y must be a Var"),  # type: ignore[arg-type]
    (lambda: trace(3.0, 1.0), "f must be callable"),  # type: ignore[arg-type]
    (lambda: trace(lambda x: x, [1.0, 2.0]), r"x\[0\] must be a number"),
    (lambda: trace(lambda x: 3.0, 1.0), "f must return a value that depends on x"),
    (lambda: trace(lambda x: np.sum(x * ONE), 1.0), "f must compute with numbers alone"),
    (lambda: finite_difference(None, 1.0), "f must be callable"),  # type: ignore[arg-type]
    (lambda: finite_difference(np.sin, np.nan), "x must be finite"),
    (lambda: finite_difference(np.sin, []), "x must"),
    (lambda: finite_difference(np.sin, 1.0, 0.0), "h must be positive"),
    (lambda: finite_difference(np.sin, 1.0, np.inf), "h must be finite"),
    (lambda: finite_difference(np.sin, 1.0, 1e-17), "h must change x"),
    (lambda: finite_difference(np.sin, 1.0, scheme="back"), "scheme must be"),  # type: ignore[arg-type]
    (lambda: finite_difference(lambda x: "one", 1.0), "what f returns must be"),
    (lambda: complex_step(None, 1.0), "f must be callable"),  # type: ignore[arg-type]
    (lambda: complex_step(np.sin, "x"), "x must be"),
    (lambda: complex_step(np.sin, 1.0, -1.0), "h must be positive"),
    (lambda: complex_step(np.abs, 1.0), "f must be analytic"),
    (lambda: complex_step(np.sin, []), "x must"),
]


@pytest.mark.parametrize(("call", "message"), BAD, ids=[f"{i}: {m}" for i, (_, m) in enumerate(BAD)])
def test_bad_input_is_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_an_error_in_the_users_function_is_shown_as_it_is() -> None:
    def broken(x: Any) -> Any:
        raise TypeError("mine")

    for d in (grad, derivative, jacobian):
        with pytest.raises(TypeError, match="mine"):
            d(broken)(1.0)
    with pytest.raises(AttributeError, match="no attribute 'sort'"):
        grad(lambda x: x.sort())(ONE)
    with pytest.raises(TypeError, match="no len"):
        grad(len)(1.0)
