import numpy as np
import pytest

from gradlib import bfgs, lbfgs, mgh, newton
from gradlib.mgh import LeastSquares

EVERY = pytest.mark.parametrize("problem", mgh.ALL.values(), ids=lambda p: f"{p.number} {p.name}")

# f at the paper's starts: by hand where the terms are simple, else as other collections of these problems
# print them (MINPACK-2, TEST_OPT)
STARTS = {
    2: 400.5,
    3: 1.13526171734838,
    4: 999998000003.0,
    5: 14.203125,
    6: 4171.306161974,
    7: 2500.0,
    8: 41.681696,
    9: 3.888106991e-6,
    11: 12.1107058,
    12: 1031.153810609,
    14: 19192.0,
    15: 5.3131723e-3,
    16: 7926693.33699743,
    17: 0.87902629,
    18: 0.77907007565597,
    20: 30.0,
    21: 5 * 24.2,
    22: 2 * 215.0,
    23: 885.0626402,
    24: 2.34000880546302,
    25: 2198551.1625,
    26: 0.00707575946622261,
    27: 273.24804782,
    30: 21.0,
    35: 0.0386176982859,
}

UNCONSTRAINED = {7, 18, 9, 3, 12, 25, 20, 23, 24, 4, 16, 11, 26, 21, 22, 5, 14, 35}


def test_the_papers_problems_for_unconstrained_minimisation_are_all_there() -> None:
    assert len(UNCONSTRAINED) == 18
    assert set(mgh.ALL) >= UNCONSTRAINED
    assert mgh.ALL.keys() == STARTS.keys()
    assert all(number == problem.number for number, problem in mgh.ALL.items())


@EVERY
def test_value_at_the_start(problem: LeastSquares) -> None:
    np.testing.assert_allclose(problem.fun(problem.x0), STARTS[problem.number], rtol=2e-8)


@EVERY
def test_value_at_the_minimum_is_the_published_one(problem: LeastSquares) -> None:
    for x in np.atleast_2d(problem.minimum):
        np.testing.assert_allclose(problem.fun(x), problem.minima[0], rtol=5e-6, atol=1e-20)
    if problem.minima[0] > 0:
        assert np.linalg.eigvalsh(problem.hess(problem.minimum))[0] > 0
        newton_step = np.linalg.solve(problem.hess(problem.minimum), problem.jac(problem.minimum))
        np.testing.assert_allclose(newton_step, 0, atol=1e-9)


@EVERY
def test_jacobian_and_gradient_agree_with_the_complex_step(problem: LeastSquares) -> None:
    rng = np.random.default_rng(problem.number)
    for x in (problem.x0 + 0.01, problem.x0 * (1 + 0.05 * rng.standard_normal(problem.x0.size)) + 0.02):
        step = [problem.residuals(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.size)]
        J = problem.jacobian(x)
        np.testing.assert_allclose(J, np.transpose(step), rtol=1e-12, atol=1e-14 * np.abs(J).max())
        g = 2 * J.T @ problem.residuals(x)
        np.testing.assert_allclose(problem.jac(x), g, rtol=1e-12, atol=1e-14 * np.abs(g).max())


@EVERY
def test_hessian_agrees_with_central_differences(problem: LeastSquares) -> None:
    x = problem.x0 + 0.01
    H = problem.hess(x)
    h = 1e-6 * np.maximum(1, np.abs(x))
    difference = [
        (problem.jac(x + d * e) - problem.jac(x - d * e)) / (2 * d)
        for d, e in zip(h, np.eye(x.size), strict=True)
    ]
    noise = 1e-15 * np.abs(problem.jac(x)).max() / h.min()
    np.testing.assert_allclose(H, difference, atol=1e-6 * np.abs(H).max() + noise)


@EVERY
def test_newton_reaches_a_published_minimum(problem: LeastSquares) -> None:
    result = newton.minimize(problem.fun, problem.x0, problem.jac, problem.hess, tol=1e-7, max_iter=300)
    assert result.success or problem.number in {6, 16}  # values of 1e2 and 1e5: round-off ends the descent
    assert_published(problem, result.fun)


METHODS = {
    "BFGS": (bfgs.minimize, {}),
    "DFP": (bfgs.minimize, {"update": "dfp", "c2": 0.1}),
    "L-BFGS": (lbfgs.minimize, {}),
}


@EVERY
@pytest.mark.parametrize("method", METHODS)
def test_quasi_newton_reaches_a_published_minimum(method: str, problem: LeastSquares) -> None:
    minimize, options = METHODS[method]
    result = minimize(problem.fun, problem.x0, problem.jac, max_iter=5000, keep_trace=False, **options)  # type: ignore[operator]
    assert result.success
    assert np.abs(problem.jac(result.x)).max() <= 1e-8
    assert_published(problem, result.fun)


# With the coarse line search that suits BFGS, DFP has not arrived after 1000 iterations on these: steps far
# from the minimum along their direction leave eigenvalues of H much too large, which DFP corrects slowly
# (Nocedal & Wright, section 6.1).
SLOW_DFP = {3, 11, 14, 15, 17, 18, 21, 22, 23, 24}


@EVERY
def test_coarse_line_searches_are_for_bfgs_not_for_dfp(problem: LeastSquares) -> None:
    result = bfgs.minimize(
        problem.fun, problem.x0, problem.jac, update="dfp", max_iter=1000, keep_trace=False
    )
    assert result.success == (problem.number not in SLOW_DFP)
    if result.success:
        assert_published(problem, result.fun)


def assert_published(problem: LeastSquares, fun: float) -> None:
    """Fail unless `fun` is one of the published minima, to the digits printed."""
    assert any(abs(fun - value) <= 5e-6 * value + 1e-10 for value in problem.minima)
