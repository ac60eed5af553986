"""Every driver says which argument it cannot use."""

import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest

import gradlib
from gradlib import Status, bfgs, broyden, cg, descent, lbfgs, newton, rules, sgd
from gradlib._objective import Equations, Objective

nan, inf = np.nan, np.inf


def square(x: Any) -> Any:
    return anp.sum(x**2)


def twice(x: Any) -> Any:
    return 2 * x


def eye(x: Any) -> Any:
    return 2 * np.eye(np.size(x))


BOTH: list[tuple[dict[str, Any], str]] = [
    ({"x0": nan}, "x0 must be finite"),
    ({"x0": [1.0, inf]}, "x0 must be finite"),
    ({"x0": []}, "x0 must be a number or a vector"),
    ({"x0": [[1.0, 2.0]]}, "x0 must be a number or a vector"),
    ({"x0": [[1.0], [1.0, 2.0]]}, "x0 must be"),
    ({"x0": "here"}, "x0 must be"),
    ({"x0": None}, "x0 must be"),
    ({"x0": [1.0, 1j]}, "x0 must be real"),
    ({"x0": {"a": 1}}, "x0 must be"),
    ({"jac": 3.0}, "jac must be callable"),
    ({"jac": False}, "jac must be callable"),
    ({"tol": nan}, "tol"),
    ({"tol": -1.0}, "tol"),
    ({"tol": inf}, "tol"),
    ({"tol": "1e-8"}, "tol"),
    ({"tol": None}, "tol"),
    ({"tol": 1j}, "tol"),
    ({"max_iter": -1}, "max_iter"),
    ({"max_iter": 2.5}, "max_iter"),
    ({"max_iter": True}, "max_iter"),
    ({"max_iter": None}, "max_iter"),
    ({"callback": 1}, "callback must be callable"),
    ({"x0": [1.0, 2.0], "jac": lambda x: np.ones(3)}, r"jac returned shape \(3,\).* x0 has shape \(2,\)"),
    ({"x0": [1.0, 2.0], "jac": lambda x: 1.0}, r"jac returned shape \(\).* x0 has shape \(2,\)"),
    ({"jac": lambda x: [1.0, 2.0]}, r"jac returned shape \(2,\), a scalar is needed"),
    ({"jac": lambda x: nan}, "x0 must lie in the domain of jac"),
    ({"jac": lambda x: "steep"}, "what jac returns must be"),
    ({"jac": lambda x: None}, "what jac returns must be"),
    ({"jac": True}, "must return the pair"),
]

MINIMIZE: list[tuple[dict[str, Any], str]] = [
    ({"fun": None}, "fun must be callable"),
    ({"fun": 3.0}, "fun must be callable"),
    ({"fun": lambda x: np.array([1.0, 2.0])}, r"fun returned shape \(2,\), a scalar is needed"),
    ({"fun": lambda x: nan}, "x0 must lie in the domain of fun"),
    ({"fun": lambda x: -inf}, "x0 must lie in the domain of fun"),
    ({"fun": lambda x: "deep"}, "what fun returns must be"),
    ({"fun": lambda x: None}, "what fun returns must be"),
    ({"fun": lambda x: 1j * x}, "what fun returns must be real"),
    ({"fun": math.cosh, "jac": None}, "fun could not be differentiated by autograd.* pass jac"),
    ({"fun": math.cosh, "jac": math.sinh, "hess": None}, "fun could not be differentiated.* pass hess"),
    ({"jac": True, "fun": lambda x: (x**2, 2 * x, 2.0)}, r"fun must return the pair \(f, g\)"),
    ({"jac": True, "fun": lambda x: (x**2, [x, x])}, "jac returned shape"),
    ({"hess": 2.0}, "hess must be callable"),
    ({"hess": lambda x: nan}, "x0 must lie in the domain of hess"),
    (
        {"x0": [1.0, 2.0], "hess": lambda x: np.ones(2)},
        r"hess returned shape \(2,\), shape \(2, 2\)",
    ),
    ({"x0": [1.0, 2.0], "hess": lambda x: [[2.0, 1.0], [0.0, 2.0]]}, "hess must return a symmetric matrix"),
]

ROOT: list[tuple[dict[str, Any], str]] = [
    ({"F": None}, "F must be callable"),
    ({"F": lambda x: [x, x]}, r"F returned shape \(2,\), a scalar is needed"),
    ({"F": lambda x: x[:1], "x0": [1.0, 2.0]}, r"F returned shape \(1,\), shape \(2,\) is needed"),
    ({"F": lambda x: nan}, "x0 must lie in the domain of F"),
    ({"F": lambda x: 1e200}, "F must be scaled"),
    ({"F": math.sinh, "jac": None}, "F could not be differentiated by autograd.* pass jac"),
    ({"F": lambda x: [math.sin(x[0]), x[1]], "jac": None, "x0": [1.0, 2.0]}, "F could not be differentiated"),
    ({"jac": lambda x: np.ones(2), "x0": [1.0, 2.0]}, r"jac returned shape \(2,\), shape \(2, 2\) is needed"),
    ({"jac": True, "F": lambda x: (x, 1.0, 2.0)}, r"F must return the pair \(F, J\)"),
]


def names(cases: list[tuple[dict[str, Any], str]]) -> list[str]:
    return [f"{'+'.join(change)}: {message}" for change, message in cases]


@pytest.mark.parametrize(("change", "message"), BOTH + MINIMIZE, ids=names(BOTH + MINIMIZE))
def test_minimize_names_what_it_cannot_use(change: dict[str, Any], message: str) -> None:
    arguments = {"fun": square, "x0": 1.0, "jac": twice, "hess": eye, **change}
    with pytest.raises(ValueError, match=message):
        newton.minimize(**arguments)


@pytest.mark.parametrize(("change", "message"), BOTH + ROOT, ids=names(BOTH + ROOT))
def test_root_names_what_it_cannot_use(change: dict[str, Any], message: str) -> None:
    arguments = {"F": twice, "x0": 1.0, "jac": eye, **change}
    with pytest.raises(ValueError, match=message):
        newton.root(**arguments)


@pytest.mark.parametrize("H", [None, 1.0, [1.0, 2.0], [[1.0, 2.0]], [[nan]], [["a"]], [[1, 2], [3, 4]], []])
def test_regularise_names_what_it_cannot_use(H: object) -> None:
    with pytest.raises(ValueError, match="H must be"):
        newton.regularise(H)  # type: ignore[arg-type]


def test_the_tables_cover_every_keyword() -> None:
    tested = {name for change, _ in BOTH for name in change}
    switches = {"damped", "keep_trace"}
    for driver, cases in ((newton.minimize, MINIMIZE), (newton.root, ROOT)):
        covered = tested | {name for change, _ in cases for name in change}
        assert set(inspect.signature(driver).parameters) <= covered | switches


def test_an_error_in_the_users_function_is_shown_as_it_is() -> None:
    def broken(x: float) -> float:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        newton.minimize(broken, 1.0, twice, eye)


DOMAIN_ERRORS = (ValueError("math domain error"), OverflowError(), ZeroDivisionError())


def late(value: Callable[[Any], Any], bad: Any) -> Callable[[Any], Any]:
    """Return a function that gives `bad`, or raises it, at every point but the start 1."""

    def function(x: Any) -> Any:
        if np.all(x == 1):
            return value(x)
        if isinstance(bad, Exception):
            raise bad
        return bad

    return function


@pytest.mark.parametrize("damped", [True, False])
@pytest.mark.parametrize("bad", [nan, inf, -inf, *DOMAIN_ERRORS])
@pytest.mark.parametrize("which", ["fun", "jac", "hess"])
def test_what_goes_wrong_in_a_minimisation_keeps_the_trace(which: str, bad: Any, damped: bool) -> None:
    arguments: dict[str, Any] = {
        "fun": lambda x: x**4,
        "jac": lambda x: 4 * x**3,
        "hess": lambda x: 12 * x**2,
    }
    arguments[which] = late(arguments[which], bad)
    result = newton.minimize(**arguments, x0=1.0, damped=damped)
    assert result.status is Status.NOT_FINITE
    assert len(result.trace) == result.nit + 1 == (2 if which == "hess" else 1)
    for values in (result.trace.x, result.trace.fun, result.trace.grad_norm, result.trace.step):
        assert np.isfinite(values).all()


@pytest.mark.parametrize("damped", [True, False])
@pytest.mark.parametrize("bad", [nan, inf, -inf, *DOMAIN_ERRORS])
@pytest.mark.parametrize("which", ["F", "jac"])
def test_what_goes_wrong_in_a_root_search_keeps_the_trace(which: str, bad: Any, damped: bool) -> None:
    arguments: dict[str, Any] = {"F": lambda x: x**4, "jac": lambda x: 4 * x**3}
    arguments[which] = late(arguments[which], bad)
    result = newton.root(**arguments, x0=1.0, damped=damped)
    assert result.status is Status.NOT_FINITE
    assert len(result.trace) == result.nit + 1 == (2 if which == "jac" else 1)
    assert np.isfinite(result.trace.fun).all()


def test_a_shape_that_changes_during_the_run_is_named() -> None:
    with pytest.raises(ValueError, match="fun returned shape"):
        newton.minimize(late(square, np.ones(2)), 1.0, twice, eye)


def test_a_function_that_autograd_loses_during_the_run_is_named() -> None:
    def fun(x: Any) -> Any:
        return x**2 if x > 0.5 else math.sinh(x) + x**2

    with pytest.raises(ValueError, match="fun could not be differentiated by autograd"):
        newton.minimize(fun, 1.0)


def test_warnings_of_trial_points_do_not_leak_but_the_users_own_state_is_restored() -> None:
    before = np.geterr()
    assert newton.minimize(lambda x: 5 * x - anp.log(x), 3.0).success
    assert np.geterr() == before


def test_size_one_values_count_as_numbers() -> None:
    result = newton.minimize(lambda x: np.array([[x**2]]), 1.0, lambda x: [2 * x], lambda x: [[2.0]])
    assert result.success
    assert Objective(lambda x: x @ x, [3.0], twice).f0 == 9
    np.testing.assert_array_equal(Equations(lambda x: x, 3.0, lambda x: 1.0).F0, [3])


def test_gradient_of_a_pair_is_not_evaluated_twice() -> None:
    calls = []

    def pair(x: np.ndarray) -> tuple[float, np.ndarray]:
        calls.append(x)
        return float(x @ x), 2 * x

    objective = Objective(pair, [1.0, 2.0], True)
    assert (objective.f0, objective.nfev, objective.njev, len(calls)) == (5, 1, 1, 1)
    x = np.array([3.0, 4.0])
    np.testing.assert_array_equal(objective.grad(x), [6, 8])
    assert objective.fun(x) == 25
    np.testing.assert_array_equal(objective.grad(x), [6, 8])
    assert len(calls) == objective.nfev == 3


def test_a_pair_outside_the_domain_is_nan_not_the_gradient_before() -> None:
    objective = Objective(lambda x: (math.log(x[0]), 1 / x), [1.0], True)
    outside = np.array([-1.0])
    assert np.isnan(objective.fun(outside))
    assert np.isnan(objective.grad(outside)).all()
    result = newton.minimize(lambda x: (5 * x - math.log(x), 5 - 1 / x), 3.0, True, lambda x: x**-2)
    assert result.success


AT = np.ones(2)
SYMMETRIC = np.array([[2.0, 1.0], [1.0, 2.0]])
SMOOTH: dict[str, Any] = {"fun": square, "x0": AT, "jac": twice}
SYSTEM: dict[str, Any] = {"A": SYMMETRIC, "b": AT, "x0": AT}
DATA: dict[str, Any] = {
    "cost": lambda theta, x: np.mean((theta - x) ** 2),
    "theta0": AT,
    "data": np.ones((3, 2)),
    "rule": rules.sgd(0.1),
    "grad": lambda theta, x: 2 * (theta - x.mean(axis=0)),
    "batch_size": 1,
    "epochs": 1,
    "rng": np.random.default_rng(0),
}
DRIVERS: list[tuple[Callable[..., Any], dict[str, Any], tuple[str, ...]]] = [
    (newton.minimize, {**SMOOTH, "hess": eye}, ("x0",)),
    (newton.root, {"F": twice, "x0": AT, "jac": eye}, ("x0",)),
    (descent.minimize, SMOOTH, ("x0",)),
    (bfgs.minimize, {**SMOOTH, "H0": SYMMETRIC}, ("x0", "H0")),
    (lbfgs.minimize, SMOOTH, ("x0",)),
    (cg.minimize, SMOOTH, ("x0",)),
    (cg.solve, {**SYSTEM, "preconditioner": SYMMETRIC}, ("A", "b", "x0", "preconditioner")),
    (cg.steepest_descent, SYSTEM, ("A", "b", "x0")),
    (broyden.root, {"F": twice, "x0": AT, "B0": SYMMETRIC}, ("x0", "B0")),
    (sgd.minimize, DATA, ("theta0",)),
]
STARTS = [
    pytest.param(driver, sound, name, id=f"{driver.__module__}.{driver.__name__}-{name}")
    for driver, sound, names in DRIVERS
    for name in names
]


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize(("driver", "sound", "name"), STARTS)
def test_every_driver_asks_for_a_finite_start(
    driver: Callable[..., Any], sound: dict[str, Any], name: str, bad: float
) -> None:
    # said of the argument itself, not of what a function makes of it
    driver(**sound)
    spoiled = np.array(sound[name])
    spoiled.flat[-1] = bad
    with pytest.raises(ValueError, match=f"^{name} must be finite"):
        driver(**{**sound, name: spoiled})


def test_every_driver_is_asked() -> None:
    modules = {driver.__module__ for driver, *_ in DRIVERS}
    public = {
        f"gradlib.{module.name}"
        for module in pkgutil.iter_modules(gradlib.__path__)
        if not module.name.startswith("_")
        and {"minimize", "root", "solve"} & set(vars(importlib.import_module(f"gradlib.{module.name}")))
    }
    assert public == modules
