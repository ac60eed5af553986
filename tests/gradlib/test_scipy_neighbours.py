"""Each minimiser of gradlib is a method for ``scipy.optimize.minimize``."""

from typing import Any

import numpy as np
import pytest
from scipy import optimize

from gradlib import Status, bfgs, cg, lbfgs, newton, problems
from gradlib.result import Result

R = problems.rosenbrock
METHODS: dict[str, Any] = {
    "bfgs": bfgs.minimize,
    "lbfgs": lbfgs.minimize,
    "newton": newton.minimize,
    "cg": cg.minimize,
}


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> Any:
    return METHODS[request.param]


def test_scipy_runs_it(method: Any) -> None:
    through_scipy = optimize.minimize(R.fun, R.x0, jac=R.jac, method=method)
    ours: Result = method(R.fun, R.x0, R.jac)
    assert through_scipy.success
    np.testing.assert_allclose(through_scipy.x, 1, atol=1e-5)
    np.testing.assert_array_equal(through_scipy.x, ours.x)
    assert (through_scipy.nit, through_scipy.nfev) == (ours.nit, ours.nfev)
    assert len(through_scipy.trace) == ours.nit + 1


def test_value_and_gradient_in_one_function(method: Any) -> None:
    result = optimize.minimize(lambda x: (R.fun(x), R.jac(x)), R.x0, jac=True, method=method)
    np.testing.assert_array_equal(result.x, method(R.fun, R.x0, R.jac).x)


def test_without_a_gradient(method: Any) -> None:
    assert optimize.minimize(R.fun, R.x0, method=method).success


def test_arguments_of_the_function(method: Any) -> None:
    result = optimize.minimize(
        lambda x, a, b: a * (x @ x) - b * x[0],
        [1.0, 1.0],
        (2.0, 4.0),
        method,
        lambda x, a, b: 2 * a * x - b * np.eye(2)[0],
    )
    assert result.success
    np.testing.assert_allclose(result.x, [1, 0], atol=1e-8)


def test_tolerance_and_options(method: Any) -> None:
    loose = optimize.minimize(R.fun, R.x0, jac=R.jac, method=method, tol=1e-2)
    assert 1e-8 < np.abs(loose.jac).max() <= 1e-2
    short = optimize.minimize(
        R.fun, R.x0, jac=R.jac, method=method, options={"max_iter": 3, "keep_trace": False}
    )
    assert short.status is Status.ITERATION_LIMIT
    assert (short.nit, len(short.trace)) == (3, 0)


def test_callback(method: Any) -> None:
    seen: list[np.ndarray] = []
    result = optimize.minimize(R.fun, R.x0, jac=R.jac, method=method, callback=seen.append)
    np.testing.assert_array_equal(seen, result.trace.x[1:])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bounds": [(0, 1), (0, 1)]}, "bounds must not be given"),
        ({"bounds": optimize.Bounds(0, 1)}, "bounds must not be given"),
        ({"constraints": {"type": "eq", "fun": sum}}, "constraints must not be given"),
        ({"constraints": optimize.LinearConstraint([[1, 1]], 0, 1)}, "constraints must not be given"),
        ({"hessp": lambda x, p: p}, "hessp must not be given"),
        ({"options": {"maxiter": 3}}, "maxiter .* max_iter"),
    ],
)
def test_what_does_not_apply_is_refused(method: Any, change: dict[str, Any], message: str) -> None:
    arguments = {"jac": R.jac, **change}
    with pytest.raises(ValueError, match=message):
        optimize.minimize(R.fun, R.x0, method=method, **arguments)


def test_a_hessian_is_used_or_refused() -> None:
    result = optimize.minimize(R.fun, R.x0, jac=R.jac, hess=R.hess, method=METHODS["newton"])
    assert result.success
    assert result.nhev == result.nit + 1
    for name in ("bfgs", "lbfgs", "cg"):
        with pytest.raises(ValueError, match="hess is nothing that this method knows"):
            optimize.minimize(R.fun, R.x0, jac=R.jac, hess=R.hess, method=METHODS[name])
