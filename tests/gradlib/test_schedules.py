from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlib import schedules

ALL = {
    "constant": schedules.constant(0.3),
    "time_decay": schedules.time_decay(5.0, 50.0),
    "exponential_decay": schedules.exponential_decay(0.3, 20, 0.5),
    "cosine_decay": schedules.cosine_decay(0.3, 60),
}
every_schedule = pytest.mark.parametrize("schedule", ALL.values(), ids=ALL)


@pytest.fixture(autouse=True, scope="module")
def _double_precision() -> Iterator[None]:
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (schedules.constant(0.3), optax.constant_schedule(0.3)),
        (schedules.exponential_decay(0.3, 20, 0.5), optax.exponential_decay(0.3, 20, 0.5)),
        (schedules.cosine_decay(0.3, 60), optax.cosine_decay_schedule(0.3, 60)),
    ],
    ids=["constant", "exponential_decay", "cosine_decay"],
)
def test_rates_equal_those_of_optax(ours: Callable[[Any], Any], theirs: Callable[[Any], Any]) -> None:
    for t in range(0, 100, 7):
        np.testing.assert_allclose(ours(t), theirs(t), rtol=1e-12, atol=1e-15)


@every_schedule
def test_one_step_an_array_of_steps_and_a_traced_step_agree(schedule: Callable[[Any], Any]) -> None:
    t = np.arange(100)
    one_by_one = [schedule(int(k)) for k in t]
    assert all(type(rate) is float for rate in one_by_one)
    assert schedule(t).shape == t.shape
    np.testing.assert_allclose(schedule(t), one_by_one, rtol=1e-14, atol=1e-16)
    traced = jax.jit(schedule)
    np.testing.assert_allclose([traced(k) for k in t], one_by_one, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(jax.vmap(schedule)(jnp.asarray(t)), one_by_one, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(schedule(2.5), schedule(np.array(2.5)), rtol=1e-14)


@every_schedule
def test_a_traced_rate_keeps_single_precision(schedule: Callable[[Any], Any]) -> None:
    assert jax.jit(lambda t, x: schedule(t) * x)(3, jnp.ones(2, jnp.float32)).dtype == jnp.float32


@given(t0=st.floats(1e-3, 1e3), t1=st.floats(1e-3, 1e3))
def test_time_decay_starts_at_t0_over_t1_and_halves_after_t1_steps(t0: float, t1: float) -> None:
    schedule = schedules.time_decay(t0, t1)
    np.testing.assert_allclose(schedule(0), t0 / t1, rtol=1e-15)
    np.testing.assert_allclose(schedule(t1), t0 / t1 / 2, rtol=1e-14)


def test_time_decay_sums_to_infinity_while_its_squares_do_not() -> None:
    rates = schedules.time_decay(1.0, 10.0)(np.arange(10**6))
    growth = [rates[:n].sum() for n in (10**4, 10**5, 10**6)]
    np.testing.assert_allclose(np.diff(growth), np.log(10), rtol=1e-2)
    np.testing.assert_allclose((rates**2).sum(), 1 / 9.5, rtol=1e-2)


def test_exponential_decay_falls_by_the_rate_in_the_time() -> None:
    schedule = schedules.exponential_decay(0.7, 30, 0.25)
    t = np.arange(50)
    np.testing.assert_allclose(schedule(t + 30), 0.25 * schedule(t), rtol=1e-14)
    assert schedule(0) == 0.7


def test_cosine_decay_is_at_half_at_half_time_and_zero_after() -> None:
    schedule = schedules.cosine_decay(0.8, 10)
    np.testing.assert_allclose([schedule(t) for t in (0, 5, 10, 11, 10**9)], [0.8, 0.4, 0, 0, 0], atol=1e-16)
    assert (np.diff(schedule(np.arange(11))) < 0).all()


nan, inf = np.nan, np.inf
NOT_POSITIVE = [0.0, -0.1, nan, inf, "0.1", None, [0.1, 0.2], 1j]


@pytest.mark.parametrize("value", NOT_POSITIVE)
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda v: schedules.constant(v), "value"),
        (lambda v: schedules.time_decay(v, 1.0), "t0"),
        (lambda v: schedules.time_decay(1.0, v), "t1"),
        (lambda v: schedules.exponential_decay(v, 10, 0.5), "init_value"),
        (lambda v: schedules.exponential_decay(0.1, v, 0.5), "transition_steps"),
        (lambda v: schedules.exponential_decay(0.1, 10, v), "decay_rate"),
        (lambda v: schedules.cosine_decay(v, 10), "init_value"),
        (lambda v: schedules.cosine_decay(0.1, v), "decay_steps"),
    ],
)
def test_bad_arguments_are_named(make: Callable[[Any], Any], name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        make(value)


def test_a_rate_that_would_grow_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^decay_rate must be at most 1"):
        schedules.exponential_decay(0.1, 10, 1.5)


@every_schedule
@pytest.mark.parametrize("t", [-1, -0.5, nan, inf, "3", None, np.array([1, -1]), [[1.0], [1.0, 2.0]]])
def test_bad_steps_are_named(schedule: Callable[[Any], Any], t: object) -> None:
    with pytest.raises(ValueError, match=r"^t must be"):
        schedule(t)


def test_arguments_may_be_traced() -> None:
    def rate(t0: Any, r: Any) -> Any:
        return schedules.time_decay(t0, 10.0)(5) + schedules.exponential_decay(t0, 10, r)(5)

    np.testing.assert_allclose(jax.jit(rate)(3.0, 0.25), 3 / 15 + 3 * 0.5, rtol=1e-12)
