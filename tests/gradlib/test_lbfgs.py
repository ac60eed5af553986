import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlib import bfgs, lbfgs, problems
from gradlib.lbfgs import _Compact

R = problems.rosenbrock
# What both quasi-Newton drivers do is tested with BFGS.


def history(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return g, and pairs S, Y with sᵀy > 0 of up to ten steps on a quadratic."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 12)), int(rng.integers(1, 11))
    M = rng.standard_normal((n, n))
    S = rng.standard_normal((m, n))
    return rng.standard_normal(n), S, S @ (M @ M.T + 0.1 * np.eye(n))


def dense(S: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Return the H of BFGS after these updates of γI."""
    H = np.eye(S.shape[1]) * (S[-1] @ Y[-1]) / (Y[-1] @ Y[-1])
    for s, y in zip(S, Y, strict=True):
        H = bfgs.update_inverse(H, s, y)
    return H


@given(st.integers(0, 10_000))
def test_two_loops_equal_the_dense_product(seed: int) -> None:
    g, S, Y = history(seed)
    H = dense(S, Y)
    np.testing.assert_allclose(
        lbfgs.two_loop(g, S, Y), H @ g, rtol=0, atol=1e-9 * np.abs(H).max() * np.abs(g).max()
    )


def learn(model: _Compact, s: np.ndarray, y: np.ndarray, sy: float) -> None:
    model.s[:] = s
    model.update(y, sy)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_the_compact_form_equals_the_two_loops(seed: int, memory: int) -> None:
    g, S, Y = history(seed)
    model = _Compact(memory, g.size)
    for s, y in zip(S, Y, strict=True):
        learn(model, s, y, float(s @ y))
    expected = lbfgs.two_loop(g, S[-memory:], Y[-memory:])
    scale = np.abs(dense(S[-memory:], Y[-memory:])).max() * np.abs(g).max()
    np.testing.assert_allclose(-model.direction(g), expected, rtol=0, atol=1e-8 * scale)


def test_a_memory_that_was_emptied_is_as_new() -> None:
    g, S, Y = history(1)
    model, new = _Compact(4, g.size), _Compact(4, g.size)
    assert not model.forget()
    for s, y in zip(S, Y, strict=True):
        learn(model, s, y, float(s @ y))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        learn(model, 1e200 * S[0], 1e200 * Y[0], 1e-320)  # spoiled: 1 / sᵀy and yᵀy are infinite
        assert not np.isfinite(model.direction(g)).all()
    assert model.forget()
    np.testing.assert_array_equal(model.direction(g), -g)
    for H in (model, new):
        learn(H, S[0], Y[0], float(S[0] @ Y[0]))
    np.testing.assert_array_equal(model.direction(g), new.direction(g))


def test_without_history_it_is_the_identity() -> None:
    g = np.array([1.0, 2.0])
    np.testing.assert_array_equal(lbfgs.two_loop(g, [], []), g)
    np.testing.assert_array_equal(lbfgs.two_loop(g, np.empty((0, 2)), np.empty((0, 2))), g)


def test_iterates_are_those_that_two_loops_give() -> None:
    p = problems.chained_rosenbrock(10)
    trace = lbfgs.minimize(p.fun, p.x0, p.jac, memory=4).trace
    g = np.array([p.jac(x) for x in trace.x])
    S, Y = np.diff(trace.x, axis=0), np.diff(g, axis=0)
    for k in range(1, len(S)):
        p_k = -lbfgs.two_loop(g[k], S[max(0, k - 4) : k], Y[max(0, k - 4) : k])
        rounding = np.spacing(np.abs(trace.x[k]).max()) / trace.step[k]  # of x, which the step changes
        atol = 1e-6 * np.abs(p_k).max() + rounding
        np.testing.assert_allclose(S[k] / trace.step[k], p_k, rtol=0, atol=atol)


def test_memory_of_all_steps_is_bfgs_from_a_scaled_identity() -> None:
    p = problems.quadratic(10.0, 4, rng=np.random.default_rng(0))
    few = lbfgs.minimize(p.fun, p.x0, p.jac, memory=2)
    many = lbfgs.minimize(p.fun, p.x0, p.jac, memory=100)  # more than n: allowed
    assert few.success
    assert many.success
    assert many.nit <= few.nit


def test_memory_is_of_order_m_n() -> None:
    n, m = 20_000, 5
    p = problems.extended_rosenbrock(n)
    lbfgs.minimize(p.fun, p.x0, p.jac, memory=m, keep_trace=False, max_iter=2)
    tracemalloc.start()
    result = lbfgs.minimize(p.fun, p.x0, p.jac, memory=m, keep_trace=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.success
    assert peak <= (2 * m + 25) * 8 * n


def test_a_million_variables() -> None:
    p = problems.extended_rosenbrock(1_000_000)
    result = lbfgs.minimize(p.fun, p.x0, p.jac, tol=1e-5, keep_trace=False)
    assert result.success
    np.testing.assert_allclose(result.x, 1, atol=1e-4)


@pytest.mark.parametrize("memory", [0, -1, 2.5, True, None, "10"])
def test_a_bad_memory_is_named(memory: Any) -> None:
    with pytest.raises(ValueError, match="memory must be an integer >= 1"):
        lbfgs.minimize(R.fun, R.x0, R.jac, memory=memory)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fun": None}, "fun must be callable"),
        ({"x0": []}, "x0 must be"),
        ({"jac": 1.0}, "jac must be callable"),
        ({"tol": np.nan}, "tol"),
        ({"max_iter": -1}, "max_iter"),
        ({"callback": 1}, "callback must be callable"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"fun": R.fun, "x0": R.x0, "jac": R.jac, **change}
    with pytest.raises(ValueError, match=message):
        lbfgs.minimize(**arguments)


@pytest.mark.parametrize(
    ("g", "S", "Y", "message"),
    [
        (1.0, [[1.0]], [[1.0]], "g must be a vector"),
        ([1.0, np.nan], [[1.0, 0.0]], [[1.0, 0.0]], "g must be finite"),
        ([1.0], [[1.0, 0.0]], [[1.0, 0.0]], r"S and Y must have shape \(m, 1\)"),
        ([1.0, 2.0], [1.0, 0.0], [1.0, 0.0], r"S and Y must have shape \(m, 2\)"),
        ([1.0, 2.0], [[1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]], "S and Y must have shape"),
        ([1.0, 2.0], [[1.0, 0.0]], [[-1.0, 0.0]], "Y must fulfil sᵀy > 0"),
        ([1.0, 2.0], None, [[1.0, 0.0]], "S must be"),
    ],
)
def test_two_loop_names_bad_input(g: Any, S: Any, Y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lbfgs.two_loop(g, S, Y)
