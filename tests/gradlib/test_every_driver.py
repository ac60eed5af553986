"""What users of the existing libraries miss, asked of every driver."""

from collections.abc import Callable
from functools import partial
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest

from gradlib import Status, bfgs, broyden, cg, descent, lbfgs, newton, problems, rules, sgd

R, S, Q = problems.rosenbrock, problems.dennis_schnabel, problems.course_quadratic
BETAS = ("fletcher-reeves", "polak-ribiere", "hestenes-stiefel", "dai-yuan")

MINIMISERS: dict[str, Callable[..., Any]] = {
    "newton": newton.minimize,
    "descent": descent.minimize,
    "bfgs": bfgs.minimize,
    "dfp": partial(bfgs.minimize, update="dfp"),
    "lbfgs": lbfgs.minimize,
    **{f"cg, {beta}": partial(cg.minimize, beta=beta) for beta in BETAS},
}
ROOTS: dict[str, Callable[..., Any]] = {
    "newton.root": newton.root,
    "broyden, good": broyden.root,
    "broyden, bad": partial(broyden.root, method="bad"),
}
DATA = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, -1.0], [0.0, 2.0]])


def by_batches(*, max_iter: int, **options: Any) -> Any:
    """Run the stochastic driver, which counts epochs."""
    rule, rng = rules.sgd(0.4), np.random.default_rng(0)
    options |= {"grad": its_gradient, "batch_size": 2, "epochs": max_iter, "rng": rng}
    return sgd.minimize(mean_square, [9.0, 9.0], DATA, rule, **options)


def mean_square(theta: Any, points: Any) -> Any:
    return np.mean(np.sum((theta - points) ** 2, axis=1))


def its_gradient(theta: Any, points: Any) -> Any:
    return 2 * np.mean(theta - points, axis=0)


def half_square(x: Any) -> Any:
    return 0.5 * S.F(x) @ S.F(x)


# each with its value and what `tol` bounds
RUNS: dict[str, tuple[Callable[..., Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    **{name: (partial(run, R.fun, R.x0, R.jac), R.fun, R.jac) for name, run in MINIMISERS.items()},
    "heavy ball": (
        partial(descent.minimize, R.fun, R.x0, R.jac, step_size=2e-3, momentum=0.9),
        R.fun,
        R.jac,
    ),
    **{name: (partial(run, S.F, S.x0), half_square, S.F) for name, run in ROOTS.items()},
    "cg.solve": (
        partial(cg.solve, Q.A, Q.b, Q.x0, tol=0.0),
        Q.fun,
        lambda x: np.linalg.norm(Q.jac(x)) / np.linalg.norm(Q.b),
    ),
    "cg.steepest_descent": (
        partial(cg.steepest_descent, Q.A, Q.b, Q.x0),
        Q.fun,
        lambda x: np.linalg.norm(Q.jac(x)) / np.linalg.norm(Q.b),
    ),
    "sgd.minimize": (by_batches, partial(mean_square, points=DATA), partial(its_gradient, points=DATA)),
}
every_run = pytest.mark.parametrize("name", RUNS)


@every_run
def test_the_trajectory_is_kept(name: str) -> None:
    run, value, bounded = RUNS[name]
    result, lean = run(max_iter=9), run(max_iter=9, keep_trace=False)
    t = result.trace
    assert result.nit > 1
    assert t.x.shape == (result.nit + 1, 2)
    assert t.step.shape == (result.nit,)
    np.testing.assert_allclose(t.fun, [value(x) for x in t.x], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(t.grad_norm, [np.abs(bounded(x)).max() for x in t.x], rtol=1e-9, atol=1e-12)
    assert len(lean.trace) == 0
    assert lean.nit == result.nit
    np.testing.assert_array_equal(lean.x, result.x)


@every_run
def test_no_stale_arrays_in_callbacks(name: str) -> None:
    # what a callback stores must not change afterwards, nor may what it writes disturb the run
    run, *_ = RUNS[name]
    seen: list[np.ndarray] = []
    trace = run(max_iter=9, callback=seen.append).trace
    np.testing.assert_array_equal(seen, trace.x[1:])

    def vandal(x: np.ndarray) -> None:
        x[:] = np.nan

    np.testing.assert_array_equal(run(max_iter=9, callback=vandal).trace.x, trace.x)


@every_run
def test_the_best_point_is_kept(name: str) -> None:
    run, value, _ = RUNS[name]
    for limit in range(1, 9):
        result = run(max_iter=limit)
        assert result.nit <= limit
        if result.status is Status.ITERATION_LIMIT:
            assert result.nit == limit
            assert value(result.x) == pytest.approx(result.trace.fun.min(), rel=1e-12)


@pytest.mark.parametrize("name", MINIMISERS)
def test_the_start_is_judged_by_the_same_tolerance(name: str) -> None:
    for tol in (1e-3, 1e-6):
        assert MINIMISERS[name](lambda x: x**2, 0.49 * tol, tol=tol).nit == 0
        assert MINIMISERS[name](lambda x: x**2, 0.51 * tol, tol=tol).nit > 0


@pytest.mark.parametrize("name", MINIMISERS)
def test_leaving_the_domain_backs_off(name: str) -> None:
    result = MINIMISERS[name](lambda x: 5 * x - anp.log(x), 3.0)
    assert result.success
    assert (result.trace.x > 0).all()
    assert result.x == pytest.approx(0.2, rel=1e-6)


@pytest.mark.parametrize("name", ROOTS)
def test_roots_too_stay_in_the_domain(name: str) -> None:
    result = ROOTS[name](lambda x: 5 - 1 / anp.sqrt(x), 3.0)
    assert result.success
    assert (result.trace.x > 0).all()
    assert result.x == pytest.approx(0.04, rel=1e-6)


@pytest.mark.parametrize("name", MINIMISERS)
def test_no_false_success(name: str) -> None:
    minimize = MINIMISERS[name]
    for fun in (lambda x: -(x**2), lambda x: -x):
        assert not minimize(fun, 3.0).success
    wrong = minimize(R.fun, R.x0, lambda x: -R.jac(x))
    assert wrong.status is Status.GRADIENT_MISMATCH
    assert "check jac" in wrong.message


@pytest.mark.parametrize("name", MINIMISERS)
def test_round_off_ends_the_run(name: str) -> None:
    p = problems.quadratic(100.0, 10, rng=np.random.default_rng(0))
    b = p.A @ p.x0  # values near -1e4, so that their noise hides the last decreases
    quadratic = problems.quadratic_form(p.A, b)
    options = {"hess": quadratic.hess} if name == "newton" else {}
    result = MINIMISERS[name](quadratic.fun, quadratic.x0, quadratic.jac, tol=0.0, max_iter=5000, **options)
    assert result.status is Status.ROUND_OFF
    assert result.nit < 3000
    np.testing.assert_allclose(result.x, p.x0, rtol=1e-6)
