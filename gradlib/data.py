"""Data to fit: two real sets, which ship inside scikit-learn, and one made to mislead.

Nothing is downloaded. scikit-learn is imported when a real set is asked for, and needed for nothing else.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradlib._arrays import generator, whole

__all__ = ["Dataset", "breast_cancer", "diabetes", "wilson"]


class Dataset(NamedTuple):
    """Data to learn from.

    Attributes
    ----------
    X : ndarray, shape (N, n)
        Inputs as measured, one data point in each row.
    y : ndarray, shape (N,)
        Outputs, or labels 0 and 1.
    names : tuple of str
        What each column of X holds.
    source : str
        Where the data come from.

    Examples
    --------
    >>> data = wilson(1, rng=np.random.default_rng(0))
    >>> data.X.shape, data.names[:4]
    ((1, 8), ('label', 'one', 'one', 'private to 0'))
    """

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    names: tuple[str, ...]
    source: str


def diabetes() -> Dataset:
    """Return a regression problem: how diabetes progressed in a year, from ten measurements.

    Returns
    -------
    Dataset
        442 patients, 10 inputs in the units of the measurement.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn, in which the data ship, is not installed.

    References
    ----------
    Efron, Hastie, Johnstone & Tibshirani, *Least angle regression*, Annals of Statistics 32 (2004) 407.

    Examples
    --------
    >>> X, y, names, source = diabetes()
    >>> X.shape, names[:4], y.mean().round(2)
    ((442, 10), ('age', 'sex', 'bmi', 'bp'), np.float64(152.13))
    """
    bunch = _sklearn_datasets().load_diabetes(scaled=False)
    return _dataset(bunch, "Efron et al., Annals of Statistics 32 (2004) 407, as shipped with scikit-learn")


def breast_cancer() -> Dataset:
    """Return a classification problem: whether a tumour is benign, from 30 features of a microscope's image.

    Returns
    -------
    Dataset
        569 tumours; the label is 1 for the 357 benign ones and 0 for the 212 malignant ones.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn, in which the data ship, is not installed.

    References
    ----------
    Street, Wolberg & Mangasarian, *Nuclear feature extraction for breast tumor diagnosis*, SPIE 1905 (1993).

    Examples
    --------
    >>> X, y, names, source = breast_cancer()
    >>> X.shape, names[:2], y.sum()
    ((569, 30), ('mean radius', 'mean texture'), np.float64(357.0))
    """
    bunch = _sklearn_datasets().load_breast_cancer()
    return _dataset(bunch, "Breast Cancer Wisconsin (Diagnostic), UCI, as shipped with scikit-learn")


def wilson(n: int, *, rng: np.random.Generator) -> Dataset:
    """Return a problem on which adaptive rules learn the wrong thing.

    The first column is the label itself, ±1. Two columns of ones follow, and then five for each data point
    that are zero for all others: one of them is 1 if its label is +1, all five if it is −1. Gradient descent
    from zero finds the shortest solution, which reads the label; the rules that divide each component by its
    own size reach zero error as well, and predict +1 for whatever is new.

    Parameters
    ----------
    n : int
        Number of data points; the label is +1 with probability 0.6.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Dataset
        Inputs of shape (n, 3 + 5n), labels ±1 for least squares.

    Raises
    ------
    ValueError
        If `n` is no positive integer, or `rng` no generator.

    References
    ----------
    Wilson, Roelofs, Stern, Srebro & Recht, *The marginal value of adaptive gradient methods in machine
    learning*, NeurIPS 2017, section 3.3.

    Examples
    --------
    >>> wilson(2, rng=np.random.default_rng(3)).X
    array([[1., 1., 1., 1., 0., 0., 0., 0., 0., 0., 0., 0., 0.],
           [1., 1., 1., 0., 0., 0., 0., 0., 1., 0., 0., 0., 0.]])
    """
    n, rng = whole(n, "n", 1), generator(rng)
    y = np.where(rng.random(n) < 0.6, 1.0, -1.0)
    private = np.ones((n, 5))
    private[y > 0, 1:] = 0
    X = np.zeros((n, 3 + 5 * n))
    X[:, 0], X[:, 1:3] = y, 1
    X[:, 3:].reshape(n, n, 5)[np.arange(n), np.arange(n)] = private
    names = ("label", "one", "one", *(f"private to {i}" for i in range(n) for _ in range(5)))
    return Dataset(X, y, names, "Wilson et al., NeurIPS 2017, section 3.3")


def _sklearn_datasets() -> ModuleType:
    try:
        return import_module("sklearn.datasets")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "this data set ships with scikit-learn, which is not installed: pip install scikit-learn"
        ) from error


def _dataset(bunch: Any, source: str) -> Dataset:
    X, y = np.array(bunch.data, dtype=np.float64), np.array(bunch.target, dtype=np.float64)
    return Dataset(X, y, tuple(map(str, bunch.feature_names)), source)
