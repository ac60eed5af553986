import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlib import data, rules, schedules
from gradlib.rules import Rule

RATE = 0.05
DIM, STEPS = 3, 25


@pytest.fixture(autouse=True, scope="module")
def _double_precision() -> Iterator[None]:
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


EVERY: dict[str, Callable[[Any], Rule]] = {
    "sgd": rules.sgd,
    "momentum": rules.momentum,
    "nesterov": rules.nesterov,
    "adagrad": rules.adagrad,
    "adadelta": rules.adadelta,
    "rmsprop": rules.rmsprop,
    "adam": rules.adam,
    "amsgrad": rules.amsgrad,
}
every_rule = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)

# the same rule in optax; where conventions differ, the translation that the docstring gives
OPTAX: dict[str, tuple[Callable[[Any], Rule], Callable[[Any], Any]]] = {
    "sgd": (rules.sgd, optax.sgd),
    "momentum": (
        lambda rate: rules.momentum(rate, 0.8),
        lambda rate: optax.chain(optax.scale_by_learning_rate(rate), optax.trace(0.8)),
    ),
    "nesterov": (
        lambda rate: rules.nesterov(rate, 0.8),
        lambda rate: optax.chain(optax.scale_by_learning_rate(rate), optax.trace(0.8, nesterov=True)),
    ),
    "adagrad": (
        lambda rate: rules.adagrad(rate, eps=1e-300),
        lambda rate: optax.adagrad(rate, initial_accumulator_value=0.0, eps=0.0),
    ),
    "adadelta": (lambda rate: rules.adadelta(rate), lambda rate: optax.adadelta(rate, 0.95, 1e-6)),
    "rmsprop": (lambda rate: rules.rmsprop(rate), optax.rmsprop),
    "adam": (lambda rate: rules.adam(rate), optax.adam),
    "amsgrad": (lambda rate: rules.amsgrad(rate, b2=0.9), lambda rate: optax.amsgrad(rate, b2=0.9)),
}
RATES = {"fixed": RATE, "schedule": schedules.time_decay(1.0, 20.0)}


def _gradients(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((STEPS, DIM)) * 10 ** rng.uniform(-3, 2, DIM)


gradients = st.integers(0, 10_000).map(_gradients)


def trajectory(rule: Any, gradients: Any, start: Any) -> np.ndarray:
    """Return the points that a Python loop visits."""
    theta, state, path = start, rule.init(start), []
    for g in gradients:
        step, state = rule.update(g, state, theta)
        theta = theta + step
        path.append(theta)
    return np.array(path)


def compiled(rule: Any) -> Callable[[Any, Any], np.ndarray]:
    """Return the function from gradients and start to the points that a compiled loop visits."""

    def body(carry: Any, g: Any) -> Any:
        theta, state = carry
        step, state = rule.update(g, state, theta)
        theta = optax.apply_updates(theta, step)
        return (theta, state), theta

    run = jax.jit(lambda gradients, theta: jax.lax.scan(body, (theta, rule.init(theta)), gradients)[1])
    return lambda gradients, start: np.asarray(run(gradients, start))


def scanned(rule: Any, gradients: Any, start: Any) -> np.ndarray:
    return compiled(rule)(gradients, start)


# Beside optax


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize("name", OPTAX)
def test_iterates_equal_those_of_optax_in_numpy_and_under_scan(name: str, rate: Any) -> None:
    ours, theirs = (make(rate) for make in OPTAX[name])
    our_scan, their_scan = compiled(ours), compiled(theirs)
    start = np.array([1.0, -2.0, 0.5])

    @settings(max_examples=50)
    @given(gradients)
    def compare(g: np.ndarray) -> None:
        expected = their_scan(g, start)
        np.testing.assert_allclose(trajectory(ours, g, start), expected, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(our_scan(g, start), expected, rtol=1e-12, atol=1e-12)

    compare()


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_at_a_constant_rate_is_the_usual_call_of_optax(nesterov: bool) -> None:
    g = np.random.default_rng(0).standard_normal((STEPS, DIM))
    ours = (rules.nesterov if nesterov else rules.momentum)(RATE, momentum=0.9)
    theirs = optax.sgd(RATE, momentum=0.9, nesterov=nesterov)
    np.testing.assert_allclose(
        trajectory(ours, g, np.zeros(DIM)), scanned(theirs, g, np.zeros(DIM)), rtol=1e-12
    )


def test_with_a_schedule_the_usual_call_of_optax_rescales_the_memory() -> None:
    g, schedule = np.ones((STEPS, DIM)), schedules.exponential_decay(0.1, 1, 0.5)
    ours = trajectory(rules.momentum(schedule), g, np.zeros(DIM))
    theirs = scanned(optax.sgd(schedule, momentum=0.9), g, np.zeros(DIM))
    assert np.abs(ours - theirs).max() > 0.1


def test_autograds_momentum_needs_a_rate_larger_by_one_over_one_minus_momentum() -> None:
    g, gamma = np.random.default_rng(1).standard_normal((STEPS, DIM)), 0.9
    theta, v, path = np.zeros(DIM), np.zeros(DIM), []
    for row in g:  # autograd.misc.optimizers.sgd
        v = gamma * v - (1 - gamma) * row
        theta = theta + RATE / (1 - gamma) * v
        path.append(theta)
    np.testing.assert_allclose(trajectory(rules.momentum(RATE, gamma), g, np.zeros(DIM)), path, rtol=1e-12)


def test_optax_starts_adagrads_sum_at_a_tenth() -> None:
    g = np.full((STEPS, DIM), 0.1)
    ours = trajectory(rules.adagrad(RATE), g, np.zeros(DIM))
    theirs = scanned(optax.adagrad(RATE), g, np.zeros(DIM))
    np.testing.assert_allclose(ours[0], -RATE, rtol=1e-6)
    np.testing.assert_allclose(theirs[0], -RATE * 0.1 / np.sqrt(0.1 + 0.01), rtol=1e-4)


def test_rmsprops_guard_is_inside_the_root() -> None:
    g = np.full((STEPS, DIM), 1e-3)
    ours = trajectory(rules.rmsprop(RATE, eps=1e-4), g, np.zeros(DIM))
    outside = scanned(optax.rmsprop(RATE, eps=1e-4, eps_in_sqrt=False), g, np.zeros(DIM))
    np.testing.assert_allclose(ours[0], -RATE * 1e-3 / np.sqrt(0.1 * 1e-6 + 1e-4), rtol=1e-12)
    np.testing.assert_allclose(outside[0], -RATE * 1e-3 / (np.sqrt(0.1 * 1e-6) + 1e-4), rtol=1e-12)


def test_optaxs_adadelta_goes_uphill_unless_told_the_rate() -> None:
    g, zero = jnp.ones(1), jnp.zeros(1)
    uphill = optax.adadelta(rho=0.95)
    step, _ = rules.adadelta().update(g, rules.adadelta().init(zero))
    np.testing.assert_allclose(step, -uphill.update(g, uphill.init(zero), zero)[0], rtol=1e-12)
    assert step[0] < 0


def test_amsgrad_without_bias_correction_is_another_rule() -> None:
    g = np.random.default_rng(2).standard_normal((STEPS, DIM))
    paper = optax.amsgrad(RATE, bias_correction_mu=False, bias_correction_nu=False)
    ours = trajectory(rules.amsgrad(RATE), g, np.zeros(DIM))
    assert np.abs(ours - scanned(paper, g, np.zeros(DIM))).max() > 0.1


def test_rules_take_part_in_a_chain_of_optax() -> None:
    tx = optax.chain(optax.clip(1.0), rules.adam(RATE))
    reference = optax.chain(optax.clip(1.0), optax.adam(RATE))
    g = 10 * np.random.default_rng(3).standard_normal((STEPS, DIM))
    np.testing.assert_allclose(
        scanned(tx, g, np.zeros(DIM)), scanned(reference, g, np.zeros(DIM)), rtol=1e-12
    )


@every_rule
def test_pytrees_are_what_their_leaves_are(make: Callable[[Any], Rule]) -> None:
    rule, rng = make(RATE), np.random.default_rng(4)
    params = {"w": jnp.ones((2, 3)), "b": (jnp.zeros(4), jnp.array(1.0))}
    state, states = rule.init(params), jax.tree.map(rule.init, params)
    for _ in range(5):
        grads = jax.tree.map(lambda p: jnp.asarray(rng.standard_normal(p.shape)), params)
        step, state = rule.update(grads, state)
        pairs = jax.tree.map(
            lambda p, g, s: rule.update(g, s),
            params,
            grads,
            states,
            is_leaf=lambda x: isinstance(x, jax.Array),
        )
        leaf_steps = jax.tree.map(lambda p, pair: pair[0], params, pairs)
        states = jax.tree.map(lambda p, pair: pair[1], params, pairs)
        jax.tree.map(np.testing.assert_array_equal, step, leaf_steps)
    assert jax.tree.structure(step) == jax.tree.structure(params)


@every_rule
def test_an_empty_pytree_stays_empty(make: Callable[[Any], Rule]) -> None:
    rule = make(RATE)
    step, state = rule.update({}, rule.init({}))
    assert step == {}
    assert state.t == 1


@every_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [RATE, schedules.cosine_decay(0.1, 10), lambda t: 0.1 / np.sqrt(t + 1)])
def test_precision_is_kept(make: Callable[[Any], Rule], dtype: Any, rate: Any) -> None:
    rule, theta = make(rate), np.ones(3, dtype)
    step, state = rule.update(theta, rule.init(theta))
    assert {array.dtype for array in (step, *state[1:])} == {np.dtype(dtype)}


@every_rule
def test_a_schedule_of_optax_leaves_numpy_arrays_what_they_are(make: Callable[[Any], Rule]) -> None:
    with jax.enable_x64(False):
        steps = []
        for rate in (optax.cosine_decay_schedule(0.5, 10), schedules.cosine_decay(0.5, 10)):
            rule, g = make(rate), np.array([1.0, 3.0]) / 3
            step, state = rule.update(g, rule.init(g))
            assert {type(array) for array in (step, *state[1:])} == {np.ndarray}
            assert step.dtype == np.float64
            steps.append(step)
    np.testing.assert_allclose(*steps, rtol=1e-15)


@every_rule
@pytest.mark.parametrize("dtype", [np.int8, np.int64, bool])
def test_gradients_of_whole_numbers_are_taken_as_floats(make: Callable[[Any], Rule], dtype: Any) -> None:
    g = np.array([0, 1, np.iinfo(dtype).max if dtype is not bool else 1], dtype)
    rule, start = make(RATE), np.zeros(3)
    for of in (np.asarray, jnp.asarray):
        step, _ = rule.update(of(g), rule.init(of(start)))
        np.testing.assert_allclose(step, rule.update(g.astype(float), rule.init(start))[0], rtol=1e-12)
    step, _ = rule.update(10**10, rule.init(0.0))
    np.testing.assert_allclose(step, rule.update(1e10, rule.init(0.0))[0], rtol=1e-12)


@every_rule
def test_update_is_pure_and_a_number_is_an_array(make: Callable[[Any], Rule]) -> None:
    rule, g = make(RATE), np.array([1.0, -2.0])
    _, state = rule.update(g, rule.init(g))
    saved = [np.copy(part) for part in state]
    one, two = rule.update(g, state), rule.update(g, state)
    for part, before in zip(state, saved, strict=True):
        np.testing.assert_array_equal(part, before)
    np.testing.assert_array_equal(one[0], two[0])
    step, _ = rule.update(-2.0, rule.init(1.0))
    np.testing.assert_allclose(step, rule.update(g, rule.init(g))[0][1], rtol=1e-15)


def test_a_state_may_be_given_away_for_its_memory() -> None:
    rule = rules.adam(RATE)
    update = jax.jit(rule.update, donate_argnums=1)
    step, state = update(jnp.ones(3), rule.init(jnp.ones(3)))
    step, state = update(jnp.ones(3), state)
    np.testing.assert_allclose(step, -RATE, rtol=1e-6)


def test_plain_numpy_needs_no_jax() -> None:
    code = (
        "import sys, numpy as np; from gradlib import rules, schedules\n"
        "for name in rules.__all__:\n"
        "    if name != 'Rule' and not name.endswith('_step'):\n"
        "        rule = getattr(rules, name)(schedules.cosine_decay(0.1, 5))\n"
        "        rule.update(np.ones(2), rule.init(np.ones(2)))\n"
        "assert not {'jax', 'autograd', 'optax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# What the rules are


@given(
    g=st.floats(-1e6, 1e6).filter(lambda g: abs(g) > 1e-12), rate=st.floats(1e-6, 10), eps=st.floats(1e-12, 1)
)
def test_adams_first_step(g: float, rate: float, eps: float) -> None:
    for make in (rules.adam, rules.amsgrad):
        rule = make(rate, eps=eps)
        step, _ = rule.update(np.array([g]), rule.init(np.array([0.0])))
        np.testing.assert_allclose(step, -rate * g / (abs(g) + eps), rtol=1e-12)


def test_adam_with_a_constant_gradient_takes_steps_of_one_length() -> None:
    g = np.tile([3.0, -1e-3, 40.0], (200, 1))
    steps = np.diff(trajectory(rules.adam(RATE), g, np.zeros(3)), axis=0, prepend=np.zeros((1, 3)))
    expected = -RATE * g / (np.abs(g) + 1e-8)
    np.testing.assert_allclose(steps, expected, rtol=0, atol=1e-12)


@given(gradients, st.floats(0, 0.99), st.floats(0.01, 1))
def test_momentums_two_forms_are_one(g: np.ndarray, gamma: float, rate: float) -> None:
    path = trajectory(rules.momentum(rate, gamma), g, np.zeros(DIM))
    theta, change, points = np.zeros(DIM), np.zeros(DIM), []
    for row in g:
        change = gamma * change - rate * row
        theta = theta + change
        points.append(theta)
    np.testing.assert_allclose(path, points, rtol=1e-12, atol=1e-12)


@given(st.integers(0, 10_000), st.floats(0, 0.95), st.sampled_from(list(RATES)))
def test_nesterovs_parameters_are_the_look_ahead_points(seed: int, gamma: float, rate: str) -> None:
    rng = np.random.default_rng(seed)
    A, start = np.diag(rng.uniform(0.1, 5, DIM)), rng.standard_normal(DIM)
    eta = RATES[rate] if callable(RATES[rate]) else lambda t: RATE
    rule = rules.nesterov(RATES[rate], gamma)
    shifted, state = start, rule.init(start)
    theta, v = start, np.zeros(DIM)
    for t in range(30):
        v = gamma * v + eta(t) * A @ (theta - gamma * v)  # the textbook form
        theta = theta - v
        step, state = rule.update(A @ shifted, state)
        shifted = shifted + step
        np.testing.assert_allclose(shifted, theta - gamma * v, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(shifted + gamma * state.v, theta, rtol=1e-10, atol=1e-12)


def on_quadratic(rule: Rule, eigenvalues: Any, steps: int) -> np.ndarray:
    """Return the points from (1, …, 1) on ½ Σ λx²."""
    x = np.ones(len(eigenvalues))
    state, path = rule.init(x), [x]
    for _ in range(steps):
        step, state = rule.update(eigenvalues * x, state)
        x = x + step
        path.append(x)
    return np.array(path)


@settings(max_examples=25)
@given(L=st.floats(0.1, 100), gamma=st.floats(0, 0.9))
def test_bounds_of_stability(L: float, gamma: float) -> None:
    for make, bound in (
        (rules.momentum, 2 * (1 + gamma) / L),
        (rules.nesterov, 2 * (1 + gamma) / ((1 + 2 * gamma) * L)),
    ):
        below, above = (on_quadratic(make(c * bound, gamma), np.array([L]), 1500) for c in (0.98, 1.02))
        assert abs(below[-1, 0]) < 1e-3
        assert abs(above[-1, 0]) > 1e3


def test_polyaks_choice_converges_with_the_root_of_the_condition_number() -> None:
    mu, L = 1.0, 100.0
    root = np.sqrt(L / mu)
    rho = (root - 1) / (root + 1)
    path = on_quadratic(rules.momentum(4 / (np.sqrt(L) + np.sqrt(mu)) ** 2, rho**2), np.array([mu, L]), 400)
    sizes = np.linalg.norm(path, axis=1)
    np.testing.assert_allclose(rho, 0.8181818, atol=1e-7)
    # a double eigenvalue: the size is k rho^k, so the k-th root tends to rho from above
    np.testing.assert_allclose((sizes[400] / 400 / (sizes[200] / 200)) ** (1 / 200), rho, rtol=1e-3)


def test_the_memory_of_adagrad_grows_and_that_of_rmsprop_forgets() -> None:
    g = np.ones((500, 1))
    adagrad = np.diff(trajectory(rules.adagrad(RATE), g, np.zeros(1))[:, 0])
    np.testing.assert_allclose(adagrad, -RATE / np.sqrt(np.arange(2, 501)), rtol=1e-6)
    rmsprop = np.diff(trajectory(rules.rmsprop(RATE), g, np.zeros(1))[:, 0])
    np.testing.assert_allclose(rmsprop[-1], -RATE, rtol=1e-6)


@given(st.floats(1e-3, 1e3), gradients)
def test_adaptive_rules_do_not_see_the_unit_of_the_cost(scale: float, g: np.ndarray) -> None:
    for make in (rules.adagrad, rules.rmsprop, rules.adam, rules.amsgrad):
        one, other = (trajectory(make(RATE, eps=1e-30), s * g, np.zeros(DIM)) for s in (1.0, scale))
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_reddis_example_adam_returns_to_the_worst_point_and_amsgrad_does_not() -> None:
    C, cycles = 3.0, 2000
    finals, regrets = {}, {}
    for name, make in (("adam", rules.adam), ("amsgrad", rules.amsgrad)):
        rule = make(lambda t: 0.5 / np.sqrt(t + 1), b1=0.0, b2=1 / (1 + C**2))
        x, loss = np.array([1.0]), 0.0
        state, after_cycle = rule.init(x), []
        for t in range(3 * cycles):
            slope = C if t % 3 == 0 else -1.0
            loss += slope * (x[0] + 1)  # regret: the best fixed point is -1
            step, state = rule.update(np.array([slope]), state)
            x = np.clip(x + step, -1, 1)
            if t % 3 == 2:
                after_cycle.append(x[0])
        finals[name], regrets[name] = after_cycle, loss / (3 * cycles)
    np.testing.assert_array_equal(finals["adam"], 1.0)
    np.testing.assert_allclose(regrets["adam"], 2 / 3, atol=0.02)
    np.testing.assert_allclose(finals["amsgrad"][-1], -1, atol=0.02)
    assert regrets["amsgrad"] < 0.05


def test_wilsons_example_adaptive_rules_predict_plus_one_for_whatever_is_new() -> None:
    X, y, _, _ = data.wilson(200, rng=np.random.default_rng(0))
    new_labels = np.repeat([1.0, -1.0], 50)
    seen = np.column_stack([new_labels, np.ones((100, 2))])  # what is private to a new point was never seen
    error, theta = {}, {}
    for name, rule, steps in (
        ("sgd", rules.sgd(0.1), 4000),
        ("adagrad", rules.adagrad(0.01), 2000),
        ("rmsprop", rules.rmsprop(schedules.exponential_decay(0.01, 100, 0.5)), 2000),
        ("adam", rules.adam(schedules.exponential_decay(0.01, 100, 0.5)), 2000),
    ):
        w = np.zeros(X.shape[1])
        state = rule.init(w)
        for _ in range(steps):
            step, state = rule.update(2 / len(y) * (X.T @ (X @ w - y)), state)
            w = w + step
        assert (np.sign(X @ w) == y).all()
        theta[name], error[name] = w, np.mean(np.sign(seen @ w[:3]) != new_labels)
    np.testing.assert_allclose(theta["sgd"], np.linalg.lstsq(X, y)[0], atol=1e-4)
    assert error == {"sgd": 0, "adagrad": 0.5, "rmsprop": 0.5, "adam": 0.5}


def test_a_rule_that_is_traced_can_be_differentiated_by_its_rate() -> None:
    def end(rate: Any) -> Any:
        rule = rules.momentum(rate, momentum=rate / 2)
        x, state = jnp.ones(2), rule.init(jnp.ones(2))
        for _ in range(3):
            step, state = rule.update(2 * x, state)
            x = x + step
        return jnp.sum(x**2)

    slope = jax.jit(jax.grad(end))(0.1)
    np.testing.assert_allclose(slope, (end(0.1 + 1e-6) - end(0.1 - 1e-6)) / 2e-6, rtol=1e-6)


def test_optax_may_inject_the_rate() -> None:
    tx = optax.inject_hyperparams(lambda learning_rate: rules.adam(learning_rate))(learning_rate=RATE)
    g = np.random.default_rng(5).standard_normal((STEPS, DIM))
    np.testing.assert_allclose(scanned(tx, g, np.zeros(DIM)), trajectory(rules.adam(RATE), g, np.zeros(DIM)))


# Bad input

nan, inf = np.nan, np.inf
NOT_POSITIVE = [0.0, -0.1, nan, inf, "0.1", None, [0.1, 0.2], 1j]
NOT_A_FRACTION = [-0.1, 1.0, 1.5, nan, inf, "0.9", None, [0.5], 1j]
OPTIONS = [
    (name, argument, value)
    for name, arguments in {
        "momentum": {"momentum": NOT_A_FRACTION},
        "nesterov": {"momentum": NOT_A_FRACTION},
        "adagrad": {"eps": NOT_POSITIVE},
        "adadelta": {"rho": NOT_A_FRACTION, "eps": NOT_POSITIVE},
        "rmsprop": {"decay": NOT_A_FRACTION, "eps": NOT_POSITIVE},
        "adam": {"b1": NOT_A_FRACTION, "b2": NOT_A_FRACTION, "eps": NOT_POSITIVE},
        "amsgrad": {"b1": NOT_A_FRACTION, "b2": NOT_A_FRACTION, "eps": NOT_POSITIVE},
    }.items()
    for argument, values in arguments.items()
    for value in values
]


@pytest.mark.parametrize(("name", "argument", "value"), OPTIONS)
def test_options_are_named(name: str, argument: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^{argument} "):
        EVERY[name](RATE, **{argument: value})  # type: ignore[call-arg]


@every_rule
@pytest.mark.parametrize("value", NOT_POSITIVE)
def test_learning_rate_is_named(make: Callable[[Any], Rule], value: object) -> None:
    with pytest.raises(ValueError, match=r"^learning_rate "):
        make(value)


BAD_RATES = [-0.1, nan, inf, np.float64(-1.0), np.array(-1.0), jnp.array(-1.0), None, "x", 1j, [0.1]]


@every_rule
@pytest.mark.parametrize("value", BAD_RATES)
def test_a_schedule_that_gives_bad_rates_is_named(make: Callable[[Any], Rule], value: float) -> None:
    rule = make(lambda t: value)
    with pytest.raises(ValueError, match=r"^what learning_rate returns must be"):
        rule.update(np.ones(2), rule.init(np.ones(2)))


@every_rule
@pytest.mark.parametrize(
    "params", [np.array([1, 2]), "here", ["a"], np.array([1j]), 3, True, {"w": np.array([1])}]
)
def test_params_that_cannot_move_are_named(make: Callable[[Any], Rule], params: object) -> None:
    with pytest.raises(ValueError, match=r"^params must hold floats"):
        make(RATE).init(params)


@every_rule
@pytest.mark.parametrize("grads", ["up", np.array(["a", "b"]), np.array([1j, 0]), np.array([None, None])])
def test_gradients_that_are_no_numbers_are_named(make: Callable[[Any], Rule], grads: object) -> None:
    rule = make(RATE)
    with pytest.raises(ValueError, match=r"^grads must"):
        rule.update(grads, rule.init(np.ones(2)))


@pytest.mark.parametrize(
    "name", [name for name in EVERY if name != "sgd"]
)  # which has no shape to compare with
@pytest.mark.parametrize("grads", [np.ones(3), np.ones((2, 1)), 1.0, {"w": np.ones(2)}, [1.0, 2.0], None])
def test_gradients_that_do_not_fit_are_named(name: str, grads: object) -> None:
    rule = EVERY[name](RATE)
    with pytest.raises(ValueError, match=r"^grads must"):
        rule.update(grads, rule.init(np.ones(2)))
    with pytest.raises(ValueError, match=r"^grads must"):
        jax.jit(rule.update)(jnp.ones(3), rule.init(jnp.ones(2)))


@every_rule
@pytest.mark.parametrize("state", [None, (), (0, np.ones(2)), np.ones(2)])
def test_a_foreign_state_is_named(make: Callable[[Any], Rule], state: object) -> None:
    with pytest.raises(ValueError, match=r"^state must be"):
        make(RATE).update(np.ones(2), state)
