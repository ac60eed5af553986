"""What a lesson displays is the library's source, and nothing else."""

import inspect

import numpy as np
import pytest

from gradlib import convergence, newton, show


def double(x):
    """Return 2x."""
    return 2 * x


def triple(x):
    return 3 * x


def test_source_leaves_out_the_docstring_alone():
    assert repr(show.source(double)) == "def double(x):\n    return 2 * x"
    assert repr(show.source(triple)) == inspect.getsource(triple).rstrip()


@pytest.mark.parametrize("function", [newton.step, newton.regularise, convergence.observed_order])
def test_shown_source_is_code_that_runs_like_the_function(function):
    namespace = dict(inspect.unwrap(function).__globals__)
    exec(repr(show.source(function)), namespace)
    argument = np.array([[2.0, 1.0], [1.0, 3.0]])
    arguments = {
        "step": (argument[0], argument),
        "regularise": (-argument,),
        "observed_order": (np.array([0.1, 0.01, 1e-4]),),
    }[function.__name__]
    assert np.array_equal(namespace[function.__name__](*arguments), function(*arguments))


typed: dict = {}
exec("def typed(x): return x", typed)


@pytest.mark.parametrize("thing", [np.sin, 3, newton, len, lambda x: x, typed["typed"]])
def test_source_of_anything_else_is_refused(thing):
    with pytest.raises(ValueError, match="function must be a function written in Python"):
        show.source(thing)


def test_a_table_aligns_and_formats():
    table = show.table({"$k$": (range(2), "d"), "x": ([0.5, 12.25], ".1f")})
    assert table._repr_markdown_() == "| $k$ | x |\n|--:|--:|\n| 0 | 0.5 |\n| 1 | 12.2 |"
    assert repr(table) == "$k$     x\n  0   0.5\n  1  12.2"


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="columns must all have the same number of values, but k: 1, x: 2"):
        show.table({"k": ([0], "d"), "x": ([1.0, 2.0], ".1f")})


@pytest.mark.parametrize(
    "columns",
    [{"k": (3, "d")}, {"k": ([0], "d", 1)}, {"k": ([0], None)}, {1: ([0], "d")}, {"k": [[0], "d"]}, 3],
)
def test_what_is_no_column_is_named(columns):
    with pytest.raises(ValueError, match="columns must map each heading to a pair"):
        show.table(columns)
