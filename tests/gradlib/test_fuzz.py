"""Whatever the public functions are called with, they keep four promises.

Nothing but a ValueError that names an argument is raised; no warning leaks; success means that the norm which
`tol` bounds is within it, recomputed from the user's own functions; and no argument is changed.
"""

import importlib
import inspect
import math
import pkgutil
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import autograd
import autograd.numpy as anp
import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import aslinearoperator

import gradlib
from gradlib import Result, autodiff, newton, problems, rules, schedules

nan, inf = np.nan, np.inf
Draw = Callable[[Any], Any]

# Values, sound and unsound. All are made anew for each case, because some can be changed.

NUMBERS: list[Any] = [0.0, 1.0, -1.0, 0.5, 2, 0, -3, nan, inf, -inf, 1e308, -1e200, 1e-300, 5e-324, 1j]
NUMBERS += [True, False, np.float32(0.1), np.int64(1), np.True_, np.float64(nan), np.complex128(1)]
NUMBERS += [Decimal("0.5"), Fraction(1, 2)]
ARRAYS: list[Callable[[], Any]] = [
    list,
    lambda: [[]],
    lambda: [1.0, 2.0],
    lambda: (1, 2),
    lambda: [1.0, -2.0, 3.0],
    lambda: [nan, 1.0],
    lambda: [inf, 1.0],
    lambda: [1e308, -1e308],
    lambda: [1e-320, 1e-310],
    lambda: [[1.0], [1.0, 2.0]],
    lambda: [[1.0, 2.0], [3.0, 4.0]],
    lambda: [[0.0, 0.0], [0.0, 0.0]],
    lambda: [[1e308, 1e308], [1e308, 1e308]],
    lambda: ["a", "b"],
    lambda: [None, None],
    lambda: np.zeros(0),
    lambda: np.zeros((0, 2)),
    lambda: np.zeros((2, 0)),
    lambda: np.ones((1, 1)),
    lambda: np.ones((2, 2, 2)),
    lambda: np.array([1, 2]),
    lambda: np.array([True, False]),
    lambda: np.array([1j, 2.0]),
    lambda: np.array([1.0, 2.0], dtype=object),
    lambda: np.array([None, "a"], dtype=object),
    lambda: np.array(["1.0", "2.0"]),
    lambda: np.array([1.0, 2.0], dtype=np.float32),
    lambda: np.array(1.0),
    lambda: np.array("2020-01-01", dtype="M8[D]"),
]
OTHERS: list[Callable[[], Any]] = [
    lambda: None,
    lambda: "",
    lambda: "text",
    lambda: "1.0",
    lambda: b"1",
    dict,
    lambda: {"a": 1.0},
    lambda: {1.0},
    object,
    lambda: range(2),
    lambda: slice(1),
    lambda: Spy(lambda *x: 1.0, "one"),
    lambda: np.random.default_rng(0),
]


def made(makers: list[Callable[[], Any]]) -> st.SearchStrategy[Any]:
    return st.sampled_from(makers).map(lambda maker: maker())


COUNTS = {"n", "max_iter", "tries", "epochs", "memory", "batch_size"}
SMALL = st.one_of(st.sampled_from(NUMBERS), made(ARRAYS), made(OTHERS))
HUGE = st.sampled_from([10**400, -(10**400)])
JUNK = st.one_of(SMALL, SMALL, SMALL, SMALL, SMALL, HUGE)  # as a count the huge would be sound, and endless


class Spy:
    """A user's function; it remembers the errors that left it, and where."""

    def __init__(self, function: Callable[..., Any], label: str) -> None:
        self.function, self.label = function, label
        self.raised: list[tuple[BaseException, Any]] = []

    def __call__(self, *arguments: Any) -> Any:
        try:
            return self.function(*arguments)
        except Exception as error:
            self.raised.append((error, arguments[0] if arguments else None))
            raise

    def __repr__(self) -> str:
        return self.label


@dataclass
class Case:
    """The arguments of one call, and what is asked of it beyond the promises that all share."""

    arguments: dict[str, Any]
    check: Callable[[dict[str, Any], Any], None] = lambda arguments, result: None
    names: set[str] = field(default_factory=set)  # that messages may use beside those of the signature
    start: str | None = None  # the argument at which alone an error of the user's function is shown as it is


@st.composite
def case(draw: Draw, sound: dict[str, Any], **options: Any) -> Case:
    """Draw a call with none, one or two arguments replaced by whatever."""
    arguments = {name: draw(value) for name, value in sound.items()}
    replaced = st.lists(st.sampled_from(sorted(sound)), min_size=1, max_size=2, unique=True)
    for name in draw(st.just([]) | replaced):
        arguments[name] = draw(SMALL if name in COUNTS else JUNK)
    return Case(arguments, **options)


# Users' functions

COEFFICIENTS = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, 3.0, 10.0, 1e-8, 1e8, 1e150])
PLAIN = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, -3.0])
SIZES = st.integers(1, 3)


def vectors(n: int) -> st.SearchStrategy[Any]:
    return st.lists(PLAIN, min_size=n, max_size=n).map(np.array)


MATRICES = ["definite", "indefinite", "asymmetric", "singular", "tiny", "nan"]


@st.composite
def matrices(draw: Draw, n: int, kind: str | None = None) -> Any:
    kind = kind or draw(st.sampled_from(["definite", *MATRICES]))
    M = np.array([draw(vectors(n)) for _ in range(n)])
    if kind == "asymmetric":
        return M
    if kind == "indefinite":
        return M + M.T
    if kind == "singular":
        return np.outer(M[0], M[0])
    if kind == "nan":
        return np.where(np.eye(n) > 0, nan, M + M.T)
    return (M @ M.T + np.eye(n)) * (1e-200 if kind == "tiny" else 1.0)


@st.composite
def smooth(draw: Draw, n: int) -> tuple[str, list[Callable[[Any], Any]]]:
    """Draw f, its gradient and its Hessian, for vectors of length n or a number."""
    kind = draw(st.sampled_from(["polynomial", "polynomial", "barrier", "exponential", "kink", "wave"]))
    c = draw(vectors(n))
    A = draw(matrices(n, draw(st.sampled_from(["definite", "definite", "indefinite", "singular"]))))
    scale, quartic = draw(COEFFICIENTS), draw(st.sampled_from([0.0, 1.0]))
    parts: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
        "polynomial": (
            lambda z: scale * (anp.dot(z, anp.dot(A, z)) / 2 + quartic * anp.sum(z**4)),
            lambda z: scale * (anp.dot(A, z) + 4 * quartic * z**3),
            lambda z: scale * (A + np.diag(12 * quartic * z**2)),
        ),
        "barrier": (
            lambda z: anp.sum(2 * z - anp.log(z)),
            lambda z: 2 - 1 / z,
            lambda z: np.diag(z**-2),
        ),
        "exponential": (
            lambda z: anp.sum(anp.exp(z) - scale * z),
            lambda z: anp.exp(z) - scale,
            lambda z: np.diag(np.exp(z)),
        ),
        "kink": (lambda z: anp.sum(anp.abs(z)), lambda z: anp.sign(z), lambda z: np.zeros((n, n))),
        "wave": (
            lambda z: anp.sum(anp.cos(z)) * scale,
            lambda z: -scale * anp.sin(z),
            lambda z: np.diag(-scale * np.cos(z)),
        ),
    }
    f, g, H = parts[kind]

    def flat(x: Any) -> Any:
        return anp.reshape(x, (-1,)) - c

    def gradient(x: Any) -> Any:
        return anp.reshape(g(flat(x)), np.shape(x))

    return f"{kind}({scale:g}, {quartic:g}, c={c}, A={A.tolist()})", [
        lambda x: f(flat(x)),
        gradient,
        lambda x: H(flat(x)),
    ]


def fail(error: type[Exception]) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        raise error("the domain ends here")

    return function


ERRORS = (ValueError, ZeroDivisionError, FloatingPointError, OverflowError)
FAULTS: dict[str, Callable[[Any], Any]] = {
    "nan": lambda value: nan * np.ones(np.shape(value)),
    "inf": lambda value: inf * np.ones(np.shape(value)),
    "one nan": lambda value: nan,
    "one -inf": lambda value: -inf,
    "text": lambda value: "deep",
    "None": lambda value: None,
    "complex": lambda value: 1j,
    "wrong shape": lambda value: np.ones(4),
    "empty": lambda value: np.zeros(0),
    "ragged": lambda value: [[1.0], [1.0, 2.0]],
    "huge int": lambda value: 10**400,
    **{error.__name__: fail(error) for error in ERRORS},
}
OUTSIDE = ["nan", "inf", *(error.__name__ for error in ERRORS)]  # what a function may do outside its domain
WHERE: dict[str, Callable[[Any, Any], bool]] = {
    "at x0": lambda x, x0: bool(np.all(x == x0)),
    "but at x0": lambda x, x0: not np.all(x == x0),
    "everywhere": lambda x, x0: True,
    "to the right": lambda x, x0: bool(anp.sum(x) > np.sum(x0)),
}


@st.composite
def broken(draw: Draw, function: Callable[..., Any], label: str, x0: Any, *, vandal: bool = True) -> Spy:
    """Draw the function, sound, or with a fault somewhere, or one that writes on its argument."""
    how = draw(
        st.sampled_from(["sound", "sound", "sound", "outside", "fault", "vandal" if vandal else "sound"])
    )
    if how in ("outside", "fault"):
        fault = draw(st.sampled_from(OUTSIDE if how == "outside" else sorted(FAULTS)))
        where = draw(st.sampled_from(["but at x0", "to the right"] if how == "outside" else sorted(WHERE)))

        def faulty(x: Any, *rest: Any) -> Any:
            value = function(x, *rest)
            return FAULTS[fault](value) if WHERE[where](x, x0) else value

        return Spy(faulty, f"{label}, but {fault} {where}")
    if how == "vandal":

        def writing(x: Any, *rest: Any) -> Any:
            value = function(x, *rest)
            if type(x) is np.ndarray:
                x[...] = 1e3
            return value

        return Spy(writing, f"{label}, which writes on x")
    return Spy(function, label)


@st.composite
def derivative(draw: Draw, right: Callable[..., Any], label: str, x0: Any, **options: Any) -> Spy:
    """Draw a derivative that is right, or not."""
    wrong: dict[str, Callable[[Any], Any]] = {
        "": lambda v: v,
        "2 × ": lambda v: 2 * v,
        "− ": lambda v: -v,
        "0 × ": lambda v: 0 * v,
        "1e-9 × ": lambda v: 1e-9 * v,
    }
    how = draw(st.sampled_from(["", "", "", *wrong]))
    return draw(broken(lambda *x: wrong[how](right(*x)), how + label, x0, **options))


@st.composite
def starts(draw: Draw) -> Any:
    if draw(st.booleans()) and draw(st.booleans()):
        return draw(PLAIN)
    x0 = draw(vectors(draw(SIZES))) + draw(st.sampled_from([0.0, 0.25, 1e3, 1e10]))
    return x0.tolist() if draw(st.booleans()) else x0


def called(answer: Any) -> Spy:
    def callback(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            x[...] = 1e3
        if answer is StopIteration:
            raise StopIteration
        return answer

    return Spy(callback, f"x → {answer}")


OPTIONS: dict[str, Any] = {
    "tol": st.sampled_from([1e-8, 1e-3, 0.0, 1.0, 1, np.float32(1e-3)]),
    "max_iter": st.integers(0, 25),
    "callback": st.one_of(
        st.none(),
        st.sampled_from([None, True, False, "stop", StopIteration]).map(called),
    ),
    "keep_trace": st.sampled_from([True, True, True, False]),
}


# What a Result promises


def sup(value: Any) -> float:
    return float(np.abs(np.asarray(value, dtype=np.float64)).max())


def check_run(arguments: dict[str, Any], result: Result) -> None:
    """Check what every Result promises, success or not."""
    assert np.isfinite(result.x).all(), f"x is {result.x}"
    trace = result.trace
    for name in ("x", "fun", "grad_norm", "step"):
        assert not np.isnan(getattr(trace, name)).any(), f"trace.{name} is {getattr(trace, name)}"
    assert len(trace) == (result.nit + 1 if arguments["keep_trace"] else 0)
    start = arguments.get("theta0", arguments.get("x0"))
    if len(trace) and start is not None:
        np.testing.assert_array_equal(trace.x[0], np.ravel(np.asarray(start, dtype=np.float64)))


def check_minimum(arguments: dict[str, Any], result: Result) -> None:
    check_run(arguments, result)
    assert np.shape(result.x) == np.shape(arguments["x0"])
    if result.success:
        fun, jac = arguments["fun"], arguments.get("jac")
        x = result.x.copy()
        g = autograd.grad(fun)(x) if jac is None else fun(x)[1] if jac is True else jac(x)
        assert sup(g) <= arguments["tol"], f"success, but the gradient is {g}"


def check_root(arguments: dict[str, Any], result: Result) -> None:
    check_run(arguments, result)
    assert np.shape(result.x) == np.shape(arguments["x0"])
    if result.success:
        value = arguments["F"](result.x.copy())
        value = value[0] if arguments.get("jac") is True else value
        assert sup(value) <= arguments["tol"], f"success, but F is {value}"


def check_solution(arguments: dict[str, Any], result: Result) -> None:
    check_run(arguments, result)
    if result.success:
        A, b = arguments["A"], np.asarray(arguments["b"], dtype=np.float64)

        def residual(x: Any) -> float:
            r = b - (A(x.copy()) if callable(A) else A @ x)
            return math.sqrt(r.dot(r))

        x0 = np.zeros_like(b) if arguments["x0"] is None else np.asarray(arguments["x0"], dtype=np.float64)
        scale = math.sqrt(b.dot(b)) or residual(x0) or 1.0
        r = residual(result.x) / scale
        assert r <= arguments["tol"], f"success, but the relative residual is {r}"


def check_fit(arguments: dict[str, Any], result: Result) -> None:
    check_run(arguments, result)
    if result.success:
        data = arguments["data"] if isinstance(arguments["data"], tuple | list) else (arguments["data"],)
        data = tuple(map(np.asarray, data))
        grad = arguments["grad"]
        x = result.x.copy()
        g = autograd.grad(arguments["cost"])(x, *data) if grad is None else grad(x, *data)
        assert sup(g) <= arguments["tol"], f"success, but the gradient is {g}"


# The drivers


def both(value: Callable[[Any], Any], derivative: Callable[[Any], Any], x: Any) -> Any:
    slope = derivative(np.array(x)[()])
    return value(x), slope  # in this order the value may write on x


@st.composite
def minimisation(draw: Draw, hess: bool = False, **more: Any) -> Case:
    x0 = draw(starts())
    label, (f, g, H) = draw(smooth(np.size(x0)))
    how = draw(st.sampled_from(["jac", "jac", "jac", "autograd", "pair"]))
    fun = draw(broken(f, f"f {label}", x0))
    jac: Any = draw(derivative(g, f"∇ {label}", x0))
    if how == "autograd":
        fun, jac = Spy(fun.function, fun.label), None
    if how == "pair":
        value, gradient = fun.function, jac.function
        fun, jac = Spy(lambda x: both(value, gradient, x), f"({fun}, {jac})"), True
    sound = {"fun": st.just(fun), "x0": st.just(x0), "jac": st.just(jac)}
    if "H0" in more:
        sound["H0"] = st.one_of(st.none(), matrices(np.size(x0)))
        del more["H0"]
    if hess:
        second = derivative(H, f"∇² {label}", x0)
        sound["hess"] = second if how == "pair" else st.one_of(st.none(), second, second)
    return draw(case({**sound, **more, **OPTIONS}, check=check_minimum, start="x0"))


@st.composite
def equations(draw: Draw, jac: bool = False, **more: Any) -> Case:
    x0 = draw(starts())
    label, (_, g, H) = draw(smooth(np.size(x0)))
    F = draw(broken(g, f"F = ∇ {label}", x0))
    sound: dict[str, Any] = {"F": st.just(F), "x0": st.just(x0)}
    if jac:
        how = draw(st.sampled_from(["jac", "jac", "autograd", "pair"]))
        J: Any = draw(derivative(H, f"J = ∇² {label}", x0))
        if how == "pair":
            value, slope = F.function, J.function
            sound["F"] = st.just(Spy(lambda x: both(value, slope, x), f"({F}, {J})"))
        sound["jac"] = st.just({"jac": J, "autograd": None, "pair": True}[how])
    else:
        n = np.size(x0)
        sound["B0"] = st.one_of(st.none(), st.just(np.eye(n)), matrices(n))
    return draw(case({**sound, **more, **OPTIONS}, check=check_root, start="x0", names={"F", "J"}))


@st.composite
def linear_system(draw: Draw, preconditioner: bool = False) -> Case:
    n = draw(SIZES)

    def operators() -> st.SearchStrategy[Any]:
        forms = [
            lambda M: M,
            lambda M: M.tolist(),
            scipy.sparse.csr_array,
            scipy.sparse.coo_matrix,
            aslinearoperator,
        ]
        forms.append(lambda M: Spy(lambda v: M @ v, f"v → {M.tolist()} v"))
        return st.tuples(st.sampled_from(forms), matrices(n)).map(lambda pair: pair[0](pair[1]))

    scale = draw(st.sampled_from([1.0, 1.0, 1e150, 1e-150, 1e-320]))
    sound: dict[str, Any] = {"A": operators(), "b": vectors(n).map(lambda b: scale * b)}
    sound["x0"] = st.one_of(st.none(), vectors(n))
    if preconditioner:
        sound["preconditioner"] = st.one_of(st.none(), st.just(np.eye(n)), operators())
    options = {**OPTIONS, "max_iter": st.one_of(st.none(), st.integers(0, 25))}
    return draw(case({**sound, **options}, check=check_solution))


def some_rule() -> st.SearchStrategy[Any]:
    decaying = schedules.time_decay(1.0, 5.0)
    return st.sampled_from([rules.sgd(0.3), rules.sgd(1e30), rules.momentum(0.1), rules.adagrad(decaying)])


@st.composite
def stochastic(draw: Draw) -> Case:
    n = draw(st.integers(1, 5))
    theta0 = draw(st.one_of(PLAIN, vectors(1)))
    y = np.array(draw(st.lists(PLAIN, min_size=n, max_size=n)))

    def mean_square(theta: Any, y: Any) -> Any:
        return anp.sum((anp.reshape(theta, (-1,)) - y) ** 2) / len(y)

    def gradient(theta: Any, y: Any) -> Any:
        return np.reshape(2 * np.mean(theta - y), np.shape(theta))

    cost = draw(broken(mean_square, "mean square", theta0))
    grad = draw(derivative(gradient, "its gradient", theta0))
    sound: dict[str, Any] = {
        "cost": st.just(cost),
        "theta0": st.just(theta0),
        "data": st.just((y,)),
        "rule": some_rule(),
        "grad": st.sampled_from([None, grad, grad]),
        "batch_size": st.integers(1, n),
        "epochs": st.integers(0, 6),
        "rng": generators(),
        "replacement": st.booleans(),
        "tol": OPTIONS["tol"],
        "callback": OPTIONS["callback"],
        "keep_trace": st.sampled_from([True, True, True, False]),
    }
    return draw(case(sound, check=check_fit))


def generators() -> st.SearchStrategy[Any]:
    return st.integers(0, 9).map(np.random.default_rng)


# The other functions


@st.composite
def searches(draw: Draw, **more: Any) -> Case:
    x = draw(vectors(draw(SIZES)))
    label, (f, g, _) = draw(smooth(x.size))
    with np.errstate(all="ignore"):
        value, gradient = f(x), np.array(g(x))
    sound: dict[str, Any] = {
        "fun": broken(f, f"f {label}", x, vandal=False),
        "jac": derivative(g, f"∇ {label}", x, vandal=False),
        "x": st.just(x),
        "p": st.one_of(st.just(-gradient), st.just(-gradient), vectors(x.size)),
        "f": st.just(value),
        "g": st.just(gradient),
        "alpha": st.sampled_from([1.0, 0.1, 100.0, 1]),
        "c1": st.sampled_from([1e-4, 0.1, 0.5]),
        **more,
    }
    if "rho" in more:
        del sound["jac"]
    return draw(case(sound))


@st.composite
def of_vectors(draw: Draw, *names: str, **options: Any) -> Case:
    """Draw arrays that fit: a vector for a lower-case name, a matrix for an upper-case one."""
    n = draw(SIZES)
    square = matrices(n) | matrices(n, "definite")
    kinds = {name: square if name in ("H", "B") else vectors(n) for name in names}
    if {"S", "Y"} <= kinds.keys():
        m = draw(st.integers(1, 3))
        S = np.array([draw(vectors(n)) for _ in range(m)])
        kinds |= {"S": st.just(S), "Y": st.sampled_from([S.copy(), 2 * S, -S])}
    if {"s", "y"} <= kinds.keys():
        s = draw(vectors(n))
        kinds |= {"s": st.just(s), "y": st.one_of(vectors(n), st.sampled_from([s.copy(), 2 * s]))}
    if "momentum" in kinds:
        kinds["momentum"] = PLAIN
    return draw(case(kinds, **options))


@st.composite
def convexity_of(draw: Draw, *names: str) -> Case:
    x = draw(starts())
    label, (f, g, H) = draw(smooth(np.size(x)))
    n = np.size(x)
    sound: dict[str, Any] = {
        "f": broken(f, f"f {label}", x),
        "x": st.just(x),
        "y": st.just(draw(PLAIN) if np.ndim(x) == 0 else draw(vectors(n))),
        "t": st.sampled_from([0.0, 0.5, 1.0, 1]),
        "grad": st.one_of(st.none(), derivative(g, f"∇ {label}", x)),
        "hess": st.one_of(st.none(), derivative(H, f"∇² {label}", x)),
        "bounds": st.just((-1.0, 2.0) if np.ndim(x) == 0 else [(-1.0, 2.0)] * n),
        "rng": generators(),
        "tries": st.integers(1, 4),
    }
    start = "nowhere" if "bounds" in names else None
    return draw(case({name: sound[name] for name in names}, start=start))


def whole_numbers(least: int, most: int, **more: Any) -> st.SearchStrategy[Case]:
    return case({"n": st.integers(least, most), **more})


POSITIVE = st.sampled_from([0.1, 1.0, 2, 10.0])


def check_schedule(arguments: dict[str, Any], schedule: Any) -> None:
    for t in (0, 3, 2.5, np.arange(3), -1, nan, "t", None, [], 1e308, np.array([1j])):
        value = returned(lambda t=t: schedule(t), {"t"}, [])
        assert value is RAISED or np.isfinite(value).all(), f"the rate in step {t} is {value}"


def check_rule(arguments: dict[str, Any], rule: Any) -> None:
    names = {"params", "grads", "state", "learning_rate"}
    spies = [value for value in arguments.values() if isinstance(value, Spy)]
    for params in (np.array([1.0, -2.0]), 1.0, np.zeros(0), np.array([1, 2]), np.array([None])):
        state = returned(lambda p=params: rule.init(p), names, spies)
        for grads in (
            np.array([1.0, 2.0]),
            1.0,
            np.zeros(2),
            np.array([1j, 2]),
            np.ones(3),
            np.array(["a", "b"]),
        ):
            if state is not RAISED:
                returned(lambda g=grads, s=state, p=params: rule.update(g, s, p), names, spies)
    returned(lambda: rule.update(np.ones(2), None), names, spies)


@st.composite
def a_rule(draw: Draw, *names: str) -> Case:
    rate = st.one_of(
        POSITIVE,
        st.sampled_from([0.1, 0.0, -1.0, nan, np.float32(0.1)]).map(
            lambda value: Spy(lambda t: value, f"t → {value}")
        ),
    )
    sound = {name: st.sampled_from([0.0, 0.5, 0.9]) for name in names} | {"learning_rate": rate}
    if "eps" in names:
        sound["eps"] = st.sampled_from([1e-8, 1.0])
    return draw(case(sound, check=check_rule))


@st.composite
def regression(draw: Draw, *names: str, labels: bool = False) -> Case:
    n, p = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    sound: dict[str, Any] = {
        "theta": vectors(p),
        "X": st.lists(vectors(p), min_size=n, max_size=n).map(np.array),
        "y": st.lists(st.sampled_from([0.0, 1.0]), min_size=n, max_size=n).map(np.array)
        if labels
        else vectors(n),
        "l2": st.sampled_from([0.0, 0.5, 1]),
    }
    return draw(case({name: sound[name] for name in names}))


@st.composite
def differentiated(draw: Draw, **more: Any) -> Case:
    """Draw a function for `gradlib.autodiff`, which is written with NumPy functions."""
    functions: list[Callable[..., Any]] = [
        lambda x: x * x + 1,
        np.sin,
        lambda x: 1.0,
        np.exp,
        lambda x: x**3,
        np.sum,
    ]
    functions += [np.log, lambda x: 1 / x, np.sort, fail(ValueError), fail(ZeroDivisionError), lambda x: None]
    chosen = draw(st.sampled_from(functions))
    return draw(case({"f": st.just(Spy(chosen, getattr(chosen, "__name__", "f"))), **more}))


def check_derivative(arguments: dict[str, Any], df: Any) -> None:
    spies = [arguments["f"]] if isinstance(arguments["f"], Spy) else []
    points: list[Any] = [1.0, 0.0, np.array([1.0, 2.0]), [1.0, -2.0], np.zeros(0), nan, None, "x", 1j]
    for x in [*points, [[1.0], [1.0, 2.0]]]:
        returned(lambda x=x: df(x), {"f", "x", "argnum"}, spies)


RUN_1 = newton.root(lambda x: x**2 - 2, 1.0)
RUN_2 = newton.minimize(
    problems.beale.fun, problems.beale.x0, problems.beale.jac, problems.beale.hess, max_iter=3
)


def close_figures(arguments: dict[str, Any], ax: Any) -> None:
    plt.close("all")


def pictured(**sound: Any) -> st.SearchStrategy[Case]:
    strategies = {n: v if isinstance(v, st.SearchStrategy) else st.just(v) for n, v in sound.items()}
    return case(strategies, check=close_figures)


MINIMISER = {
    "step_size": st.one_of(st.none(), st.sampled_from([0.1, 1e-3, 10.0, schedules.time_decay(1.0, 5.0)]))
}
MOMENTUM = {"momentum": st.sampled_from([0.0, 0.0, 0.5, 0.9]), "nesterov": st.booleans()}
POINT = st.one_of(PLAIN, vectors(2), vectors(2).map(lambda x: x.tolist()))

TABLE: dict[str, tuple[int, st.SearchStrategy[Case]]] = {
    "newton.root": (130, equations(jac=True, damped=st.booleans())),
    "newton.minimize": (130, minimisation(hess=True, damped=st.booleans())),
    "newton.regularise": (30, of_vectors("H")),
    "newton.step": (30, case({"F": POINT, "J": st.one_of(PLAIN, matrices(2))})),
    "descent.minimize": (130, minimisation(**MINIMISER, **MOMENTUM)),
    "descent.look_ahead": (20, of_vectors("x", "v", "momentum")),
    "cg.minimize": (
        130,
        minimisation(
            beta=st.sampled_from(["fletcher-reeves", "polak-ribiere", "hestenes-stiefel", "dai-yuan"]),
            c2=st.sampled_from([0.1, 0.9]),
        ),
    ),
    "cg.solve": (130, linear_system(preconditioner=True)),
    "cg.steepest_descent": (72, linear_system()),
    "cg.fletcher_reeves": (20, of_vectors("g", "g_new")),
    "cg.polak_ribiere": (20, of_vectors("g", "g_new")),
    "cg.hestenes_stiefel": (20, of_vectors("g", "g_new", "p")),
    "cg.dai_yuan": (20, of_vectors("g", "g_new", "p")),
    "broyden.root": (130, equations(method=st.sampled_from(["good", "bad"]))),
    "broyden.update_good": (20, of_vectors("B", "s", "y")),
    "broyden.update_good_inverse": (20, of_vectors("H", "s", "y", names={"sᵀHy"})),
    "broyden.update_bad": (20, of_vectors("H", "s", "y")),
    "bfgs.minimize": (
        120,
        minimisation(update=st.sampled_from(["bfgs", "dfp"]), H0=True, c2=st.sampled_from([0.9, 0.1])),
    ),
    "bfgs.update_inverse": (20, of_vectors("H", "s", "y")),
    "bfgs.update_inverse_dfp": (20, of_vectors("H", "s", "y")),
    "lbfgs.minimize": (120, minimisation(memory=st.integers(1, 4))),
    "lbfgs.two_loop": (20, of_vectors("g", "S", "Y")),
    "linesearch.backtracking": (50, searches(rho=st.sampled_from([0.5, 0.1]))),
    "linesearch.strong_wolfe": (50, searches(c2=st.sampled_from([0.9, 0.6]))),
    "linesearch.exact_quadratic": (20, of_vectors("g", "p", "Ap", names={"A"})),
    "convergence.observed_order": (
        20,
        case(
            {
                "errors": st.lists(
                    st.sampled_from([1.0, 0.5, 0.1, 0.0, 1e-300, 5e-324, 1e308]), min_size=2, max_size=6
                )
            }
        ),
    ),
    "convexity.jensen_gap": (30, convexity_of("f", "x", "y", "t")),
    "convexity.tangent_gap": (30, convexity_of("f", "x", "y", "grad")),
    "convexity.smallest_curvature": (30, convexity_of("f", "x", "hess")),
    "convexity.find_counterexample": (30, convexity_of("f", "bounds", "rng", "tries")),
    "convexity.envelope": (
        20,
        case({"x": st.just([-1.0, 0.0, 2.0, 3.0]), "values": vectors(4)}),
    ),
    "problems.quadratic": (
        10,
        whole_numbers(2, 4, kappa=st.sampled_from([1.0, 10.0, 1e8]), rng=st.none() | generators()),
    ),
    "problems.quadratic_form": (20, case({"A": matrices(2), "b": vectors(2), "x0": st.none() | vectors(2)})),
    "problems.chained_rosenbrock": (4, whole_numbers(2, 5)),
    "problems.extended_rosenbrock": (4, whole_numbers(2, 5)),
    "data.wilson": (6, whole_numbers(1, 4, rng=generators())),
    "models.least_squares_cost": (8, regression("theta", "X", "y", "l2")),
    "models.least_squares_gradient": (8, regression("theta", "X", "y", "l2")),
    "models.least_squares_hessian": (8, regression("theta", "X", "y", "l2")),
    "models.least_squares_solution": (8, regression("X", "y", "l2")),
    "models.logistic_cost": (8, regression("theta", "X", "y", "l2", labels=True)),
    "models.logistic_gradient": (8, regression("theta", "X", "y", "l2", labels=True)),
    "models.logistic_hessian": (8, regression("theta", "X", "y", "l2", labels=True)),
    "models.logistic_probability": (8, regression("theta", "X")),
    "models.sigmoid": (8, case({"z": POINT})),
    "models.standardise": (
        8,
        case({"train": matrices(3), "others": st.lists(matrices(3), max_size=2).map(tuple)}),
    ),
    "models.split": (
        8,
        case(
            {
                "arrays": st.just((np.arange(4), np.ones((4, 2)))),
                "test_size": st.sampled_from([0.25, 0.5]),
                "rng": generators(),
            }
        ),
    ),
    "rules.sgd": (4, a_rule()),
    "rules.momentum": (4, a_rule("momentum")),
    "rules.nesterov": (4, a_rule("momentum")),
    "rules.adagrad": (4, a_rule("eps")),
    "rules.adadelta": (4, a_rule("rho", "eps")),
    "rules.rmsprop": (4, a_rule("decay", "eps")),
    "rules.adam": (4, a_rule("b1", "b2", "eps")),
    "rules.amsgrad": (4, a_rule("b1", "b2", "eps")),
    "schedules.constant": (6, case({"value": POSITIVE}, check=check_schedule)),
    "schedules.time_decay": (6, case({"t0": POSITIVE, "t1": POSITIVE}, check=check_schedule)),
    "schedules.exponential_decay": (
        6,
        case(
            {
                "init_value": POSITIVE,
                "transition_steps": POSITIVE,
                "decay_rate": st.sampled_from([0.5, 1.0, 0.1]),
            },
            check=check_schedule,
        ),
    ),
    "schedules.cosine_decay": (
        6,
        case({"init_value": POSITIVE, "decay_steps": POSITIVE}, check=check_schedule),
    ),
    "sgd.minibatches": (
        10,
        whole_numbers(1, 5, batch_size=st.integers(1, 5), rng=generators(), replacement=st.booleans()),
    ),
    "sgd.minimize": (70, stochastic()),
    "autodiff.Dual": (6, case({"value": POINT, "tangent": PLAIN})),
    "autodiff.Var": (6, case({"value": POINT})),
    "autodiff.backward": (4, case({"y": POINT.map(lambda x: autodiff.Var(x) * 2.0)})),
    "autodiff.derivative": (
        6,
        differentiated(argnum=st.just(0)).map(lambda c: with_check(c, check_derivative)),
    ),
    "autodiff.grad": (6, differentiated(argnum=st.just(0)).map(lambda c: with_check(c, check_derivative))),
    "autodiff.jacobian": (
        6,
        differentiated(argnum=st.just(0)).map(lambda c: with_check(c, check_derivative)),
    ),
    "autodiff.hessian": (6, differentiated(argnum=st.just(0)).map(lambda c: with_check(c, check_derivative))),
    "autodiff.complex_step": (10, differentiated(x=POINT, h=st.sampled_from([1e-20, 1e-8]))),
    "autodiff.finite_difference": (
        10,
        differentiated(
            x=POINT, h=st.sampled_from([None, 1e-6]), scheme=st.sampled_from(["central", "forward"])
        ),
    ),
    "autodiff.trace": (6, differentiated(x=st.tuples(PLAIN))),
    "plots.chord": (
        6,
        pictured(f=Spy(lambda x: x * x, "x²"), x=PLAIN, y=st.just(3.0), t=st.sampled_from([0.0, 0.5])),
    ),
    "plots.basins": (6, pictured(labels=[[0, 1], [1, -1]], bounds=(-1.0, 1.0, -1.0, 1.0))),
    "plots.convergence": (
        6,
        pictured(
            results=st.just((RUN_1,)),
            quantity=st.sampled_from(["fun", "error", "grad_norm"]),
            reference=st.sampled_from([None, 1.0]),
            labels=st.sampled_from([None, ["one"]]),
        ),
    ),
    "plots.contour": (
        5,
        pictured(
            problem=problems.beale,
            results=st.just((RUN_2,)),
            bounds=st.just((-1.0, 4.0, -1.0, 2.0)),
            labels=st.none(),
        ),
    ),
    "plots.tangents": (
        5,
        pictured(
            f=Spy(lambda x: x * x - 2, "x² − 2"), result=RUN_1, bounds=st.sampled_from([None, (0.0, 3.0)])
        ),
    ),
    "show.source": (3, case({"function": st.just(newton.regularise)})),
    "show.table": (3, case({"columns": st.just({"k": ([0, 1], "d")})})),
}

FORMULA = "a formula, documented to check nothing: its caller does"
RECORD = "holds what it is given"
EXEMPT: dict[str, str] = {
    **{f"rules.{name}": FORMULA for name in rules.__all__ if name.endswith("_step")},
    "cg.step": FORMULA,
    "cg.direction": FORMULA,
    "sgd.steps": FORMULA,
    "autodiff.rules.push": FORMULA,
    "autodiff.rules.pull": FORMULA,
    **dict.fromkeys(
        ["autodiff.Row", "convexity.Witness", "data.Dataset", "linesearch.Step", "rules.Rule"], RECORD
    ),
    **dict.fromkeys(["result.Recorder", "result.Result", "result.Status", "result.Trace"], RECORD),
    **dict.fromkeys(
        ["problems.Problem", "problems.Quadratic", "problems.System", "mgh.LeastSquares", "show.Markdown"],
        RECORD,
    ),
    "data.diabetes": "takes no argument",
    "data.breast_cancer": "takes no argument",
    "plots.setup": "takes no argument",
    "practice.check": "its answers are a student's, and whatever they raise it prints",
    "practice.emit": "shows whatever a student's answer does",
    "practice.agree": "speaks to a student by AssertionError",
    "practice.certify": "speaks to a student by AssertionError",
    "practice.chain": "speaks to a student by AssertionError",
}


def with_check(case: Case, check: Callable[[dict[str, Any], Any], None]) -> Case:
    case.check = check
    return case


def public() -> Iterator[str]:
    """Yield each public function and class of the library, as module.name."""
    seen = set()
    for info in pkgutil.walk_packages(gradlib.__path__, "gradlib."):
        if "._" not in info.name:
            module = importlib.import_module(info.name)
            for name in module.__all__:
                thing = getattr(module, name)
                if (inspect.isroutine(thing) or inspect.isclass(thing)) and thing not in seen:
                    seen.add(thing)
                    yield f"{info.name.removeprefix('gradlib.')}.{name}"


# The promises

RAISED = object()


def returned(call: Callable[[], Any], names: set[str], spies: list[Spy], start: Any = None) -> Any:
    """Return what the call returns, or `RAISED` if it raises what it may."""
    with warnings.catch_warnings(), np.errstate(divide="warn", over="warn", invalid="warn", under="ignore"):
        warnings.simplefilter("error")
        try:
            return call()
        except Exception as error:
            for spy in spies:
                for own, x in spy.raised:
                    at_start = np.array_equal(getattr(x, "_value", x), start) and not isinstance(
                        error, Warning
                    )
                    if own is error and (start is None or at_start):
                        return RAISED
            if not isinstance(error, ValueError):
                raise AssertionError(f"{type(error).__name__}: {error}") from error
            if not any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(error)) for name in names):
                raise AssertionError(f"a ValueError that names no argument: {error}") from error
            return RAISED


def image(value: Any) -> Any:
    """Return what shows whether a value has been changed."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        return value.dtype, value.shape, value.tobytes()
    if isinstance(value, list | tuple):
        return type(value), [image(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.shape, repr(value.tolist())
    if scipy.sparse.issparse(value):
        return image(value.toarray())
    return repr(value) if isinstance(value, dict | set | float | complex | int | str) else id(value)


def call(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    positional: list[Any] = []
    named = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in arguments:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(arguments[name] if isinstance(arguments[name], tuple) else [arguments[name]])
        elif parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = arguments[name]
        else:
            positional.append(arguments[name])
    return function(*positional, **named)


def try_case(name: str, trial: Case) -> Any:
    module, _, attribute = name.rpartition(".")
    function = getattr(importlib.import_module(f"gradlib.{module}"), attribute)
    names = {*inspect.signature(function).parameters, *trial.names}
    before = {key: image(value) for key, value in trial.arguments.items()}
    spies = [value for value in trial.arguments.values() if isinstance(value, Spy)]
    start = trial.arguments.get(trial.start, "nowhere") if trial.start else None
    result = returned(lambda: call(function, trial.arguments), names, spies, start)
    assert {key: image(value) for key, value in trial.arguments.items()} == before, "an argument was changed"
    if result is not RAISED:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial.check(trial.arguments, result)
    return result


def test_every_public_function_is_fuzzed_or_exempt() -> None:
    assert sorted([*TABLE, *EXEMPT]) == sorted(public())


def test_there_are_two_thousand_cases() -> None:
    assert sum(cases for cases, _ in TABLE.values()) >= 2000


@pytest.mark.parametrize("name", TABLE)
def test_promises_are_kept(name: str) -> None:
    cases, strategy = TABLE[name]
    outcomes = []

    @settings(
        max_examples=cases,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(trial: Case) -> None:
        note(f"{name}({', '.join(f'{key}={value!r}' for key, value in trial.arguments.items())})")
        outcomes.append(try_case(name, trial) is not RAISED)

    run()
    assert any(outcomes), "no case got past the checks of the arguments"


def singular_hessian(x: Any) -> Any:
    return np.array([[2.0, -2.0], [-2.0, 2.0]])


def square(x: Any) -> Any:
    return x @ x


AT = np.array([1.0])
FOUND: dict[str, tuple[str, dict[str, Any], Callable[[dict[str, Any], Any], None] | None]] = {
    "a singular Hessian": (
        "newton.minimize",
        {
            "fun": lambda x: (x[0] - x[1]) ** 2,
            "x0": [1.0, -3.0],
            "jac": lambda x: 2 * (x[0] - x[1]) * np.array([1.0, -1.0]),
            "hess": singular_hessian,
            "keep_trace": True,
            "tol": 1e-8,
        },
        check_minimum,
    ),
    "a singular A": ("problems.quadratic_form", {"A": [[2.0, 2.0], [2.0, 2.0]], "b": [0.0, 0.0]}, None),
    "a text for momentum": ("descent.look_ahead", {"x": [0.0], "v": [0.0], "momentum": "text"}, None),
    "an array for scheme": (
        "autodiff.finite_difference",
        {"f": np.sin, "x": 1.0, "h": 1e-6, "scheme": np.array(["central", "forward"])},
        None,
    ),
    "a solution beyond double precision": (
        "cg.steepest_descent",
        {
            "A": np.diag([1e-200, 3e-200]),
            "b": [1e150, 1e150],
            "x0": None,
            "tol": 1e-8,
            "max_iter": 3,
            "keep_trace": True,
        },
        check_solution,
    ),
    "a NaN in A, which b = 0 hides": (
        "cg.solve",
        {"A": [[nan]], "b": [0.0], "x0": None, "tol": 1e-8, "keep_trace": True},
        check_solution,
    ),
    "a NaN in a sparse A, which b = 0 hides": (
        "cg.solve",
        {"A": scipy.sparse.csr_array([[nan]]), "b": [0.0], "x0": None, "tol": 1e-8, "keep_trace": True},
        check_solution,
    ),
    "a truth value for F": ("newton.step", {"F": True, "J": 1.0}, None),
    "a function that is constant": (
        "plots.contour",
        {"problem": lambda x: 1.0, "bounds": (-1.0, 1.0, -1.0, 1.0)},
        close_figures,
    ),
    "a ragged list for labels": (
        "plots.basins",
        {"labels": [[1], [1, 2]], "bounds": (-1.0, 1.0, -1.0, 1.0)},
        None,
    ),
    "a time too short": (
        "schedules.exponential_decay",
        {"init_value": 1.0, "transition_steps": 5e-324, "decay_rate": 0.5},
        check_schedule,
    ),
    "an array for damped": (
        "newton.root",
        {"F": lambda x: x, "x0": 1.0, "jac": lambda x: 1.0, "damped": np.array([1, 2])},
        None,
    ),
    "an array for keep_trace": (
        "newton.root",
        {"F": lambda x: x, "x0": 1.0, "jac": lambda x: 1.0, "keep_trace": np.array([1, 2])},
        None,
    ),
    "an array for keep_trace, linear": (
        "cg.solve",
        {"A": [[2.0]], "b": [1.0], "keep_trace": np.array([1, 2])},
        None,
    ),
    "an array for keep_trace, broyden": (
        "broyden.root",
        {"F": lambda x: x, "x0": 1.0, "keep_trace": np.array([1, 2])},
        None,
    ),
    "an array for replacement": (
        "sgd.minibatches",
        {"n": 3, "batch_size": 1, "rng": np.random.default_rng(0), "replacement": np.array([1, 2])},
        None,
    ),
    "a text for c1": (
        "linesearch.backtracking",
        {"fun": square, "x": AT, "p": -AT, "f": 1.0, "g": 2 * AT, "c1": "text"},
        None,
    ),
    "a list for c2": (
        "linesearch.strong_wolfe",
        {"fun": square, "jac": lambda x: 2 * x, "x": AT, "p": -AT, "f": 1.0, "g": 2 * AT, "c2": [0.9, 0.8]},
        None,
    ),
    "None for F": ("newton.step", {"F": None, "J": 1.0}, None),
    "text for J": ("newton.step", {"F": 1.0, "J": "text"}, None),
    "a huge int for J": ("newton.step", {"F": 1.0, "J": 10**400}, None),
    "a list for z": ("models.sigmoid", {"z": [0.0, 1.0]}, None),
    "a number for labels": ("plots.convergence", {"results": (RUN_1,), "labels": 1.0}, None),
    "an array for quantity": ("plots.convergence", {"results": (RUN_1,), "quantity": np.zeros(0)}, None),
    "a reference far away": (
        "plots.convergence",
        {"results": (RUN_1,), "quantity": "error", "reference": 1e308},
        None,
    ),
    "no Result": ("plots.tangents", {"f": np.sin, "result": None}, None),
    "a number for columns": ("show.table", {"columns": 1.0}, None),
    "a number for a column": ("show.table", {"columns": {"a": 1.0}}, None),
}


@pytest.mark.parametrize("what", FOUND)
def test_what_was_found_stays_mended(what: str) -> None:
    """Keep the smallest example of each fault that longer runs have found."""
    name, arguments, check = FOUND[what]
    case = Case(dict(arguments), start="x0")
    try_case(name, case if check is None else with_check(case, check))
