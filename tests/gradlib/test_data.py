import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from gradlib import data, models, newton


@pytest.mark.parametrize(("load", "shape"), [(data.diabetes, (442, 10)), (data.breast_cancer, (569, 30))])
def test_real_data_are_complete(load, shape):  # type: ignore[no-untyped-def]
    X, y, names, source = load()
    assert X.shape == shape
    assert y.shape == shape[:1]
    assert len(names) == shape[1]
    assert X.dtype == y.dtype == np.float64
    assert np.isfinite(X).all()
    assert np.isfinite(y).all()
    assert "scikit-learn" in source
    X[:] = 0  # a copy: the next call is not affected
    assert load().X.any()


@pytest.mark.parametrize(
    ("load", "ranges"),
    [
        (data.diabetes, {"age": (19, 79), "bmi": (18, 42.2)}),
        (data.breast_cancer, {"mean radius": (6.981, 28.11), "mean area": (143.5, 2501)}),
    ],
)
def test_inputs_are_in_the_units_of_the_measurement(
    load: Callable[[], data.Dataset], ranges: dict[str, tuple[float, float]]
) -> None:
    X, _, names, _ = load()
    for name, expected in ranges.items():
        column = X[:, names.index(name)]
        assert (column.min(), column.max()) == pytest.approx(expected)


def test_least_squares_explains_half_of_diabetes():
    X, y, _, _ = data.diabetes()
    X = np.column_stack([np.ones(len(y)), *models.standardise(X)[0].T])
    cost = models.least_squares_cost(models.least_squares_solution(X, y), X, y)
    np.testing.assert_allclose(1 - cost / y.var(), 0.5177, atol=5e-5)  # R² of all textbooks


def test_logistic_regression_tells_tumours_apart():
    X, y, _, _ = data.breast_cancer()
    assert set(y) == {0, 1}
    X_train, X_test, y_train, y_test = models.split(X, y, rng=np.random.default_rng(0))
    X_train, X_test = models.standardise(X_train, X_test)
    fit = newton.minimize(
        lambda t: models.logistic_cost(t, X_train, y_train, 0.01),
        np.zeros(30),
        lambda t: models.logistic_gradient(t, X_train, y_train, 0.01),
        lambda t: models.logistic_hessian(t, X_train, y_train, 0.01),
    )
    assert fit.success
    assert np.mean((models.logistic_probability(fit.x, X_test) > 0.5) == y_test) > 0.95


def test_wilsons_data_are_those_of_the_paper():
    X, y, names, _ = data.wilson(40, rng=np.random.default_rng(1))
    assert X.shape == (40, 203)
    assert len(names) == 203
    np.testing.assert_array_equal(X[:, 0], y)
    np.testing.assert_array_equal(X[:, 1:3], 1)
    private = X[:, 3:]
    np.testing.assert_array_equal(private.sum(axis=1), np.where(y > 0, 1, 5))
    for i in range(40):
        assert not np.delete(private[i], np.s_[5 * i : 5 * i + 5]).any()
        assert private[i, 5 * i] == 1
    many = data.wilson(2000, rng=np.random.default_rng(2)).y
    np.testing.assert_allclose(np.mean(many > 0), 0.6, atol=0.04)


def test_a_missing_package_is_named_and_the_rest_works_without_it():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import numpy as np; from gradlib import data\n"
        "data.wilson(3, rng=np.random.default_rng(0))\n"
        "try: data.diabetes()\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install scikit-learn" in run.stdout


@pytest.mark.parametrize(
    ("n", "rng", "name"),
    [(n, np.random.default_rng(0), "n") for n in (0, -1, 2.5, True, "3", None)]
    + [(3, rng, "rng") for rng in (0, None, np.random)],
)
def test_bad_input_is_named(n, rng, name):  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        data.wilson(n, rng=rng)
