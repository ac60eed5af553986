"""A check prints one line, and it is the right one; a value is shown for what it is."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlib.practice import agree, check, emit


def verdict(capsys, test, *answers):
    check("task", *answers)(test)
    line = capsys.readouterr().out
    assert line.endswith("\n")
    assert line.count("\n") == 1
    return line.removeprefix("task: ").rstrip("\n")


def is_positive(answer):
    if not answer > 0:  # an assert would be rewritten by pytest, message and all
        raise AssertionError(f"{answer} is not\npositive")


def gives_positive(answer):
    is_positive(answer(1))


def test_passed(capsys):
    assert verdict(capsys, is_positive, 1) == "passed"


def test_wrong_with_its_message_in_one_line(capsys):
    assert verdict(capsys, is_positive, -1) == "wrong: -1 is not positive"


@pytest.mark.parametrize(
    "blank",
    [
        ...,
        None,
        [1, ...],
        (1, (None, 2)),
        {"a": 1, "b": ...},
        {1, ...},
        np.array([1, ...], dtype=object),
        np.array(...),
    ],
)
def test_blank_anywhere_in_a_value_is_not_attempted(capsys, blank):
    assert verdict(capsys, is_positive, blank) == "not attempted (answer is still ...)"
    if blank is not None:
        assert verdict(capsys, gives_positive, lambda x: blank) == "not attempted (answer is still ...)"


def test_blank_counts_even_where_another_answer_is_wrong(capsys):
    def test(first, second):
        raise AssertionError("never reached")

    assert verdict(capsys, test, 1, ...) == "not attempted (second is still ...)"


def test_blank_function_inside_another_answer_is_not_attempted(capsys):
    def test(step, run):
        run(step)

    assert verdict(capsys, test, lambda x: ..., lambda step: step(1)) == "not attempted (step is still ...)"


def test_forgotten_return_is_told(capsys):
    assert (
        verdict(capsys, gives_positive, lambda x: None) == "wrong: answer(1) gives None: is a return missing?"
    )


def test_exception_in_an_answer_names_the_call(capsys):
    def test(answer):
        answer(0.5, np.zeros(2), Fraction(1, 3), len)

    def divides(*args):
        return 1 / 0

    line = "error: answer(0.5, array([0., 0.]), 1/3, len) raises ZeroDivisionError: division by zero"
    assert verdict(capsys, test, divides) == line


def test_assertion_in_an_answer_is_an_error_of_the_answer(capsys):
    def asserts(x):
        raise AssertionError("mine")

    assert verdict(capsys, gives_positive, asserts) == "error: answer(1) raises AssertionError: mine"


def test_answer_of_another_kind_is_an_error_in_one_line(capsys):
    line = verdict(capsys, is_positive, "three")
    assert line.startswith("error: TypeError: '>' not supported")
    assert line.endswith("(is each answer of the kind that is asked for?)")


def test_interrupt_is_not_swallowed():
    def test():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("task")(test)


def square_of_sum(x, y):
    return (x + y) ** 2


@pytest.mark.parametrize(
    "expression",
    [
        lambda x, y: x**2 + 2 * x * y + y**2,
        lambda x, y: float(x * x) + 2.0 * float(x) * float(y) + float(y) ** 2,
        lambda x, y: np.float64(x + y) ** 2,
    ],
    ids=["exact", "float", "numpy"],
)
def test_agree_accepts_equal_expressions(expression):
    agree(expression, square_of_sum)


@given(wrong=st.fractions(max_denominator=100).filter(bool))
def test_agree_rejects_any_multiple_of_a_missing_term(wrong):
    with pytest.raises(AssertionError, match="your expression gives"):
        agree(lambda x, y: square_of_sum(x, y) + wrong * x, square_of_sum)


def test_agree_tells_the_simplest_counterexample():
    with pytest.raises(AssertionError) as error:
        agree(lambda x: 0, lambda x: x - 1, where=lambda x: x > 0 and x.denominator == 1)
    assert str(error.value) == "at x = 2 your expression gives 0, the step gives 1"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "x", [1]])
def test_agree_rejects_what_is_no_finite_number(value):
    with pytest.raises(AssertionError, match="your expression gives"):
        agree(lambda x: value, lambda x: x)


def test_nan_added_does_not_slip_through():
    with pytest.raises(AssertionError, match="your expression gives nan"):
        agree(lambda x: float(x) + 0 * float("inf"), lambda x: x)


def test_agree_tries_only_points_where_the_step_is_defined():
    seen = []
    agree(lambda x: seen.append(x) or 1 / x, lambda x: 1 / x, where=lambda x: x < 5)
    assert len(seen) == len(set(seen)) == 12
    assert 0 not in seen
    assert max(seen) < 5


def test_agree_refuses_a_domain_with_too_few_points():
    with pytest.raises(ValueError, match="where: only 0 of 10000"):
        agree(lambda x: x, lambda x: x, where=lambda x: False)


# Values for whoever grades


def line(capsys, answer):
    emit("value", answer)
    printed = capsys.readouterr().out
    assert printed.startswith("value: ")
    assert printed.count("\n") == 1
    return printed.removeprefix("value: ").rstrip("\n")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_plain_values_are_shown_with_all_digits(value):
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", printed.append)
        emit("value", lambda: value)
    read = json.loads(printed[0].removeprefix("value: "))
    assert repr(read) == repr(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ((1, [2.5, True]), "[1, [2.5, true]]"),
        (np.array([[1, 2], [3, 4]], dtype=np.int8), "[[1, 2], [3, 4]]"),
        (np.array(0.1), "0.1"),
        (np.float64(0.1), "0.1"),
        (np.bool_(True), "true"),
        (np.array(["a"]), '["a"]'),
        (Fraction(1, 4), "0.25"),
        (1 - 2j, '{"real": 1.0, "imag": -2.0}'),
        ({"slope": np.arange(2)}, '{"slope": [0, 1]}'),
        ("two\nlines: one", '"two\\nlines: one"'),
        (np.nan, "NaN"),
    ],
)
def test_value_is_shown_as_json(value, shown, capsys):
    assert line(capsys, lambda: value) == shown


def test_jax_arrays_are_arrays(capsys):
    jax = pytest.importorskip("jax")
    assert line(capsys, lambda: jax.numpy.arange(3)) == "[0, 1, 2]"


class Everything:
    __array__ = __iter__ = __float__ = None

    def __eq__(self, other):
        return True

    def __repr__(self):
        return "1.0"


class Number(float):
    def __repr__(self):
        return "7.0"


class Text(str):
    def __str__(self):
        return "7.0"


class Array(np.ndarray):
    def tolist(self):
        return [7.0]


class Named(type):
    __name__ = "float\nvalue: 7.0"


class Hidden(metaclass=Named):
    pass


@pytest.mark.parametrize(
    "value",
    [Everything(), Number(1), Text("a"), np.zeros(1).view(Array), Hidden(), lambda: 7.0, np.zeros(10_001)],
    ids=["object", "float", "str", "array", "metaclass", "function", "size"],
)
@pytest.mark.parametrize(
    "wrap", [lambda value: value, lambda value: [1, {"a": value}]], ids=["bare", "inside"]
)
def test_what_is_not_plain_is_refused(value, wrap, capsys):
    assert line(capsys, lambda: wrap(value)).startswith("refused ")


@pytest.mark.parametrize(
    "answer",
    [
        lambda: ...,
        lambda: [1, (...,)],
        lambda: np.array([1, ...], dtype=object),
        lambda: 1 + ...,
        lambda: np.sum(...),
    ],
)
def test_blank_is_called_blank(answer, capsys):
    assert line(capsys, answer) == "blank"


class Wordless(Exception):  # noqa: N818
    def __str__(self):
        raise ValueError


def fail(error):
    raise error


def endless():
    parts = []
    parts.append(parts)
    return parts


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (lambda: 1 / 0, "raised ZeroDivisionError"),
        (lambda: missing, "raised NameError"),  # noqa: F821
        (lambda: fail(Wordless()), "raised Wordless"),
        (lambda: fail(SystemExit(0)), "raised SystemExit"),
        (lambda: fail(type("1.0\nvalue: 7.0", (Exception,), {})()), "raised without a plain name"),
        (endless, "raised RecursionError"),
        (lambda: 10**5000, "raised ValueError"),
    ],
)
def test_answer_that_raises_costs_its_value_alone(answer, shown, capsys):
    assert line(capsys, answer) == shown


def test_interrupt_in_a_value_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        emit("value", lambda: fail(KeyboardInterrupt()))


@pytest.mark.parametrize("label", ["", " ", "a: b", "two\nlines", 3])
def test_label_is_a_line_without_a_colon(label):
    with pytest.raises(ValueError, match=r"^label: wanted is a line of text"):
        emit(label, lambda: 1)


def test_value_without_a_lambda_is_the_authors_mistake():
    with pytest.raises(TypeError, match=r"write emit\('order', lambda: …\)"):
        emit("order", 2)
