import dataclasses

import numpy as np
import pytest
from scipy.optimize import OptimizeResult, minimize

from gradlib import Status, newton, problems
from gradlib.result import Recorder


def test_only_converged_is_success() -> None:
    assert Status.CONVERGED == 0
    result = newton.root(lambda x: x**2 - 2, 1.0)
    assert result.success
    for status in Status:
        changed = dataclasses.replace(result, status=status)
        assert changed.success == (status == 0)
        assert changed.message == status.message


def test_every_status_has_its_own_number_and_message() -> None:
    assert sorted(Status) == list(range(len(Status)))
    assert len({status.message for status in Status}) == len(Status)


def test_a_result_cannot_be_changed() -> None:
    result = newton.root(lambda x: x**2 - 2, 1.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.x = 0.0  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.trace.x = np.zeros((1, 1))  # type: ignore[misc]


def test_repr_is_short_and_stable() -> None:
    p = problems.chained_rosenbrock(20)
    lines = repr(newton.minimize(p.fun, p.x0, p.jac, p.hess)).splitlines()
    assert lines[0].startswith("Result: CONVERGED after")
    assert max(map(len, lines)) <= 100
    result = newton.root(lambda x: x - 1, 0.0, max_iter=0)
    assert repr(result) == (
        "Result: ITERATION_LIMIT after 0 iterations\n"
        "      x: 0.\n"
        "    fun: -1.\n"
        "    jac: 1.\n"
        "  evals: nfev=1, njev=1, nhev=0\n"
        f"message: {Status.ITERATION_LIMIT.message}"
    )
    assert repr(result.trace) == "<Trace of 1 points in 1 dimensions>"


def test_scipy_takes_a_result_for_its_own() -> None:
    p = problems.rosenbrock

    def method(fun, x0, args, jac, hess, callback, **_):  # type: ignore[no-untyped-def]
        return newton.minimize(fun, x0, jac, hess, callback=callback)

    result = minimize(p.fun, p.x0, jac=p.jac, hess=p.hess, method=method)
    ours = newton.minimize(p.fun, p.x0, p.jac, p.hess)
    np.testing.assert_array_equal(result.x, ours.x)
    scipys = minimize(p.fun, p.x0, jac=p.jac, hess=p.hess, method="trust-exact")
    fields = {"x", "fun", "jac", "nit", "nfev", "njev", "nhev", "success", "status", "message"}
    assert isinstance(scipys, OptimizeResult)
    assert fields <= set(scipys)
    assert all(hasattr(result, name) for name in fields)


def recorder(**options: bool) -> Recorder:
    run = Recorder(np.array([0.0, 0.0]), 3.0, 0.3, "start", keep_trace=options.get("keep_trace", True))
    run.add(np.array([1.0, 1.0]), 1.0, 0.1, "best", 0.5)
    run.add(np.array([2.0, 2.0]), 2.0, 0.2, "last", 0.25)
    return run


def test_recorder_hands_back_the_best_point() -> None:
    x, state, trace = recorder().finish(Status.ITERATION_LIMIT)
    np.testing.assert_array_equal(x, [1, 1])
    assert state == "best"
    np.testing.assert_array_equal(trace.x, [[0, 0], [1, 1], [2, 2]])
    np.testing.assert_array_equal(trace.fun, [3, 1, 2])
    np.testing.assert_array_equal(trace.grad_norm, [0.3, 0.1, 0.2])
    np.testing.assert_array_equal(trace.step, [0.5, 0.25])


@pytest.mark.parametrize("status", [Status.CONVERGED, Status.STATIONARY])
def test_recorder_hands_back_the_last_point_where_the_status_speaks_of_it(status: Status) -> None:
    x, state, _ = recorder().finish(status)
    np.testing.assert_array_equal(x, [2, 2])
    assert state == "last"


def test_recorder_without_a_trace() -> None:
    run = recorder(keep_trace=False)
    x, state, trace = run.finish(Status.CALLBACK)
    assert (run.nit, state, len(trace)) == (2, "best", 0)
    np.testing.assert_array_equal(x, [1, 1])
    assert trace.x.shape == (0, 2)
    assert trace.step.shape == (0,)
