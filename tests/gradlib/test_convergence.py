import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlib import newton
from gradlib.convergence import observed_order


@given(order=st.floats(1.1, 3.0), first=st.floats(0.01, 0.5))
def test_order_of_an_exact_power_law(order: float, first: float) -> None:
    log_errors = np.log(first) * order ** np.arange(5)
    np.testing.assert_allclose(observed_order(np.exp(log_errors)), order, rtol=1e-9)


@given(ratio=st.floats(0.01, 0.9))
def test_a_geometric_sequence_has_order_one(ratio: float) -> None:
    np.testing.assert_allclose(observed_order(ratio ** np.arange(1, 8)), 1, rtol=1e-9)


def test_zeros_are_dropped_and_a_stall_is_nan() -> None:
    np.testing.assert_array_equal(observed_order([1e-1, 1e-2, 0.0, 1e-4]), observed_order([1e-1, 1e-2, 1e-4]))
    assert np.isnan(observed_order([1e-1, 1e-1, 1e-2])).all()


def test_newton_converges_quadratically() -> None:
    x = newton.root(lambda x: x**3 - 2, 1.5, tol=0.0, max_iter=4).trace.x[:, 0]
    np.testing.assert_allclose(observed_order(np.abs(x - 2 ** (1 / 3)))[-2:], 2, atol=0.05)


def test_newton_converges_linearly_to_a_double_root() -> None:
    x = newton.root(lambda x: x**2 * (x + 1), 1.0).trace.x[:, 0]
    order = observed_order(np.abs(x))
    np.testing.assert_allclose(order[-1], 1, atol=0.01)
    np.testing.assert_allclose(x[-1] / x[-2], 0.5, atol=0.01)


@pytest.mark.parametrize(
    "errors",
    [[1.0, 0.1], [1.0, 0.0, 0.1], [[1.0, 0.1, 0.01]], [1.0, -0.1, 0.01], [1.0, np.nan, 0.1], "abc", None, []],
)
def test_bad_errors_are_named(errors: object) -> None:
    with pytest.raises(ValueError, match="errors"):
        observed_order(errors)  # type: ignore[arg-type]
