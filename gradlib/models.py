r"""Models to fit: least squares and logistic regression, each with cost, gradient and Hessian.

All costs are means over the N data points, plus :math:`\lambda\lVert\theta\rVert_2^2` where a penalty is
asked for, so that a function such as `least_squares_cost` can be handed to `gradlib.sgd.minimize` as it is.
They work on NumPy, autograd and JAX arrays alike. A column of ones in X gives an intercept, which is
penalised like the other parameters.

Values that are not finite pass through, so that a run that diverges says so; shapes that do not fit, and
labels other than 0 and 1, raise a ``ValueError``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradlib._arrays import generator, is_traced, namespace, static_number
from gradlib._objective import finite, number, numeric

__all__ = [
    "least_squares_cost",
    "least_squares_gradient",
    "least_squares_hessian",
    "least_squares_solution",
    "logistic_cost",
    "logistic_gradient",
    "logistic_hessian",
    "logistic_probability",
    "sigmoid",
    "split",
    "standardise",
]

Array = Any  # of NumPy, autograd or JAX


def least_squares_cost(theta: Array, X: Array, y: Array, l2: float = 0.0) -> Array:
    r"""Return the mean squared error, with a ridge penalty where asked for.

    .. math:: C(\theta) = \frac1N \lVert X\theta - y\rVert_2^2 + \lambda\lVert\theta\rVert_2^2

    Parameters
    ----------
    theta : array, shape (n,)
        Parameters.
    X : array, shape (N, n)
        Inputs, one data point in each row.
    y : array, shape (N,)
        Outputs.
    l2 : float
        λ ≥ 0.

    Returns
    -------
    float
        The cost.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `l2` is negative.

    References
    ----------
    Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 2nd ed., section 3.4.1.

    Examples
    --------
    >>> least_squares_cost(np.array([1.0]), np.array([[1.0], [2.0]]), np.array([2.0, 2.0]))
    np.float64(0.5)
    """
    _check(theta, X, y, l2)
    r = X @ theta - y
    return r @ r / len(y) + (l2 * theta) @ theta


def least_squares_gradient(theta: Array, X: Array, y: Array, l2: float = 0.0) -> Array:
    r"""Return the gradient of `least_squares_cost`.

    .. math:: \nabla C(\theta) = \frac2N X^T (X\theta - y) + 2\lambda\theta

    Parameters
    ----------
    theta, X, y, l2
        As in `least_squares_cost`.

    Returns
    -------
    array, shape (n,)
        The gradient.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `l2` is negative.

    References
    ----------
    Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 2nd ed., section 3.4.1.

    Examples
    --------
    >>> least_squares_gradient(np.array([1.0]), np.array([[1.0], [2.0]]), np.array([2.0, 2.0]))
    array([-1.])
    """
    _check(theta, X, y, l2)
    return 2 / len(y) * (X.T @ (X @ theta - y)) + 2 * l2 * theta


def least_squares_hessian(theta: Array, X: Array, y: Array, l2: float = 0.0) -> Array:
    r"""Return the Hessian of `least_squares_cost`, the same for all θ.

    .. math:: \nabla^2 C = \frac2N X^T X + 2\lambda I

    Once the inputs are standardised that is, for λ = 0, twice their correlation matrix.

    Parameters
    ----------
    theta, X, y, l2
        As in `least_squares_cost`.

    Returns
    -------
    array, shape (n, n)
        The Hessian.

    Raises
    ------
    ValueError
        If the shapes do not fit, or `l2` is negative.

    References
    ----------
    Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 2nd ed., section 3.4.1.

    Examples
    --------
    >>> least_squares_hessian(np.array([1.0]), np.array([[1.0], [2.0]]), np.array([2.0, 2.0]))
    array([[5.]])
    """
    _check(theta, X, y, l2)
    X = 1.0 * X  # products of integers of few bits would overflow
    return 2 / len(y) * (X.T @ X) + 2 * l2 * np.eye(theta.shape[0])


def least_squares_solution(X: ArrayLike, y: ArrayLike, l2: float = 0.0) -> NDArray[np.float64]:
    r"""Return the minimiser of `least_squares_cost`.

    It solves :math:`(X^T X + N\lambda I)\,\theta = X^T y`, as the least-squares solution of X with the rows
    of :math:`\sqrt{N\lambda}\,I` below it: their condition number is the root of that of the matrix here.

    Parameters
    ----------
    X : array_like, shape (N, n)
        Inputs.
    y : array_like, shape (N,)
        Outputs.
    l2 : float
        λ ≥ 0.

    Returns
    -------
    ndarray, shape (n,)
        The minimiser; the shortest one if there are many.

    Raises
    ------
    ValueError
        If an argument is not finite, the shapes do not fit, or `l2` is negative.

    References
    ----------
    Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 2nd ed., section 3.4.1.

    Examples
    --------
    >>> least_squares_solution([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [2.0, 5.0, 8.0]).round(12)
    array([2., 3.])
    >>> least_squares_solution([[1.0], [1.0]], [2.0, 4.0], l2=0.5).round(12)
    array([2.])
    """
    X, y = _data(X, y)
    N, n = X.shape
    _check(np.zeros(n), X, y, l2)
    rows = np.vstack([X, np.sqrt(N * l2) * np.eye(n)])
    return np.asarray(np.linalg.lstsq(rows, np.concatenate([y, np.zeros(n)]))[0])


def sigmoid(z: Array) -> Array:
    r"""Return the logistic function, without overflow and to full relative precision.

    .. math:: \sigma(z) = \frac{1}{1 + e^{-z}} = \exp\bigl(-\ln(e^0 + e^{-z})\bigr)

    Parameters
    ----------
    z : array or float
        Where.

    Returns
    -------
    array or float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If `z` does not hold real numbers.

    References
    ----------
    Blanchard, Higham & Higham, *Accurately computing the log-sum-exp and softmax functions*, IMA J. Numer.
    Anal. 41 (2021) 2311.

    Examples
    --------
    >>> sigmoid(np.array([-700.0, 0.0, 700.0]))
    array([9.85967654e-305, 5.00000000e-001, 1.00000000e+000])
    """
    if not hasattr(z, "dtype"):
        z = numeric(z, "z")[()]
    if z.dtype.kind not in "iuf":
        raise ValueError(f"z must be real numbers, got {z.dtype}")
    xp = namespace(z)
    return xp.exp(-xp.logaddexp(0.0, 0.0 - z))  # -z would be wrong for unsigned integers


def logistic_cost(theta: Array, X: Array, y: Array, l2: float = 0.0) -> Array:
    r"""Return the mean cross-entropy of logistic regression, with a penalty where asked for.

    .. math::
        C(\theta) = \frac1N \sum_i \bigl[\ln(1 + e^{z_i}) - y_i z_i\bigr] + \lambda\lVert\theta\rVert_2^2,
        \qquad z = X\theta

    Parameters
    ----------
    theta : array, shape (n,)
        Parameters.
    X : array, shape (N, n)
        Inputs, one data point in each row.
    y : array, shape (N,)
        Labels, 0 or 1 (or False and True); (1 + s)/2 makes them of signs s = ±1.
    l2 : float
        λ ≥ 0. Without it separable data have no minimiser: the cost falls for ever as θ grows.

    Returns
    -------
    float
        The cost; ln 2 for θ = 0.

    Raises
    ------
    ValueError
        If the shapes do not fit, a label is neither 0 nor 1, or `l2` is negative.

    References
    ----------
    Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 2nd ed., section 4.4.1.

    Examples
    --------
    >>> X, y = np.array([[1.0], [-2.0]]), np.array([1, 0])
    >>> logistic_cost(np.array([0.0]), X, y).round(4), logistic_cost(np.array([1000.0]), X, y)
    (np.float64(0.6931), np.float64(0.0))
    """
    _check(theta, X, y, l2, labels=True)
    z = X @ theta
    xp = namespace(z)
    return xp.sum(xp.logaddexp(0.0, z) - y * z) / len(y) + (l2 * theta) @ theta


def logistic_gradient(theta: Array, X: Array, y: Array, l2: float = 0.0) -> Array:
    r"""Return the gradient of `logistic_cost`.

    .. math:: \nabla C(\theta) = \frac1N X^T \bigl(\sigma(X\theta) - y\bigr) + 2\lambda\theta

    Parameters
    ----------
    theta, X, y, l2
        As in `logistic_cost`.

    Returns
    -------
    array, shape (n,)
        The gradient.

    Raises
    ------
    ValueError
        If the shapes do not fit, a label is neither 0 nor 1, or `l2` is negative.

    References
    ----------
    Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 2nd ed., section 4.4.1.

    Examples
    --------
    >>> logistic_gradient(np.array([0.0]), np.array([[1.0], [-2.0]]), np.array([1, 0]))
    array([-0.75])
    """
    _check(theta, X, y, l2, labels=True)
    return X.T @ (sigmoid(X @ theta) - y) / len(y) + 2 * l2 * theta


def logistic_hessian(theta: Array, X: Array, y: Array, l2: float = 0.0) -> Array:
    r"""Return the Hessian of `logistic_cost`: positive semidefinite everywhere, so that the cost is convex.

    .. math:: \nabla^2 C(\theta) = \frac1N X^T W X + 2\lambda I, \qquad W_{ii} = \sigma(z_i)\,\sigma(-z_i)

    Parameters
    ----------
    theta, X, y, l2
        As in `logistic_cost`.

    Returns
    -------
    array, shape (n, n)
        The Hessian.

    Raises
    ------
    ValueError
        If the shapes do not fit, a label is neither 0 nor 1, or `l2` is negative.

    References
    ----------
    Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 2nd ed., section 4.4.1.

    Examples
    --------
    >>> logistic_hessian(np.array([0.0]), np.array([[1.0], [-2.0]]), np.array([1, 0]))
    array([[0.625]])
    """
    _check(theta, X, y, l2, labels=True)
    z = X @ theta
    weights = sigmoid(z) * sigmoid(-z)
    return X.T @ (weights[:, None] * X) / len(y) + 2 * l2 * np.eye(theta.shape[0])


def logistic_probability(theta: Array, X: Array) -> Array:
    r"""Return how probable the label 1 is at each data point, :math:`\sigma(X\theta)`.

    Parameters
    ----------
    theta : array, shape (n,)
        Parameters.
    X : array, shape (N, n)
        Inputs.

    Returns
    -------
    array, shape (N,)
        Probabilities; the label predicted is 1 where they exceed ½. Least squares predicts ``X @ theta``.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    References
    ----------
    Hastie, Tibshirani & Friedman, *The Elements of Statistical Learning*, 2nd ed., section 4.4.1.

    Examples
    --------
    >>> logistic_probability(np.array([np.log(3.0)]), np.array([[0.0], [1.0], [-1.0]])).round(12)
    array([0.5 , 0.75, 0.25])
    """
    _check_inputs(theta, X)
    return sigmoid(X @ theta)


def standardise(train: ArrayLike, *others: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    r"""Return inputs with mean 0 and standard deviation 1 in each column of the training data.

    .. math:: x_{ij} \leftarrow (x_{ij} - \bar x_j) / s_j

    Parameters
    ----------
    train : array_like, shape (N, n)
        Inputs whose means and standard deviations (over N, not N − 1) are taken.
    *others : array_like, shape (M, n)
        Validation and test data, which are shifted and scaled by the same numbers: they must not leak into
        the training.

    Returns
    -------
    tuple of ndarray
        The arrays in the same order.

    Raises
    ------
    ValueError
        If an array is no finite matrix with as many columns as `train`, or a column of `train` is constant.

    References
    ----------
    LeCun, Bottou, Orr & Müller, *Efficient BackProp*, in *Neural Networks: Tricks of the Trade* (1998),
    section 4.3.

    Examples
    --------
    >>> train, test = standardise([[1.0], [3.0]], [[5.0]])
    >>> train.ravel(), test.ravel()
    (array([-1.,  1.]), array([3.]))
    """
    arrays = [_matrix(train, "train"), *(_matrix(other, "others") for other in others)]
    if any(array.shape[1] != arrays[0].shape[1] for array in arrays):
        raise ValueError(f"others must have the {arrays[0].shape[1]} columns of train")
    with np.errstate(all="ignore"):
        mean, deviation = arrays[0].mean(axis=0), arrays[0].std(axis=0)
    constant = np.ptp(arrays[0], axis=0) == 0
    if constant.any():
        raise ValueError(
            f"train must vary in every column, but column {np.argmax(constant)} is constant: "
            "add the intercept's column of ones afterwards"
        )
    if not (np.isfinite(deviation) & (deviation > 0)).all():
        raise ValueError("train must be scaled: the variance of a column overflows or underflows")
    return tuple((array - mean) / deviation for array in arrays)


def split(*arrays: ArrayLike, test_size: float = 0.25, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
    """Split data at random into a training and a test part.

    Parameters
    ----------
    *arrays : array_like
        Arrays whose first axis counts the data points, such as X and y.
    test_size : float
        Part of the points that is kept for the test, rounded up; 0 < `test_size` < 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of ndarray
        In scikit-learn's order: ``X_train, X_test, y_train, y_test``.

    Raises
    ------
    ValueError
        If an argument is unusable, or one of the parts would be empty.

    Examples
    --------
    >>> train, test = split(np.arange(8), rng=np.random.default_rng(0))
    >>> train.size, test.size
    (6, 2)
    """
    points = [np.asarray(array) for array in arrays]
    if not points or any(array.ndim == 0 for array in points) or len({len(array) for array in points}) > 1:
        raise ValueError("arrays must hold the same number of data points each")
    test_size, n = number(test_size, "test_size"), len(points[0])
    if not 0 < test_size < 1:
        raise ValueError(f"test_size must be between 0 and 1, got {test_size}")
    order, tested = generator(rng).permutation(n), int(np.ceil(test_size * n))
    if not 0 < tested < n:
        raise ValueError(f"arrays must hold enough points for both parts, got {n}")
    return tuple(part for array in points for part in (array[order[tested:]], array[order[:tested]]))


def _matrix(value: ArrayLike, name: str) -> NDArray[np.float64]:
    array = finite(value, name)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name} must be a matrix, one data point in each row, got shape {array.shape}")
    return array


def _data(X: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return _matrix(X, "X"), finite(y, "y")


def _check_inputs(theta: Array, X: Array) -> None:
    shape = getattr(X, "shape", None)
    if shape is None or len(shape) != 2 or 0 in shape:
        raise ValueError(f"X must be a matrix, one data point in each row, got {_what(X)}")
    if getattr(theta, "shape", None) != shape[1:]:
        raise ValueError(f"theta must have shape {shape[1:]} to fit X, got {_what(theta)}")


def _check(theta: Array, X: Array, y: Array, l2: Any, *, labels: bool = False) -> None:
    """Check shapes, which are known also while JAX traces, and the values that are known."""
    _check_inputs(theta, X)
    if getattr(y, "shape", None) != X.shape[:1]:
        raise ValueError(f"y must have shape {X.shape[:1]} to fit X, got {_what(y)}")
    if labels and type(y) is np.ndarray and not ((y == 0) | (y == 1)).all():
        raise ValueError("y must hold labels 0 and 1; make them of signs by (1 + y) / 2")
    if type(l2) is float and 0 <= l2 < np.inf:
        return  # the usual case first
    l2 = static_number(l2, "l2")
    if not is_traced(l2) and l2 < 0:
        raise ValueError(f"l2 must be at least 0, got {l2}")


def _what(value: Any) -> str:
    return f"shape {value.shape}" if hasattr(value, "shape") else type(value).__name__
