"""A check prints one line, and it is the right one; a value is shown for what it is."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradlib.practice import agree, certify, chain, check, emit


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


def bell(x):
    return (2 + 4 * x**2) * math.exp(x**2)


@pytest.mark.parametrize(
    "terms",
    [
        lambda x: [(2, 1, x**2), (4, x, x**2)],
        lambda x: ((1, 2 * x, x * x), [Fraction(1, 2), 2, x**2]),
        lambda x: [(2.0, 1.0, float(x) ** 2), (1, 2.0 * x, x**2)],
        lambda x: [(2, 1, x**2), (4, x, x**2), (0, 1 / (1 + x**2), 0)],
    ],
    ids=["as derived", "other factors", "floats", "a term of zero"],
)
def test_certify_accepts_every_right_sum(terms):
    certify(terms, bell)


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (lambda x: [(2, 1, x**2), (2, x, x**2)], "at x = .+ your terms add up to .+, the function is"),
        (lambda x: [(2, 1, x), (4, x, x**2)], "your terms add up to"),
        (lambda x: [], "at x = .+ your terms add up to 0, the function is"),
        (lambda x: [(1, 1, 1000 * x**2 + 1000)], "your terms add up to inf"),
        (lambda x: [(-2, 1, x**2), (4, x, x**2)], "term 1: its constant -2 is negative"),
        (lambda x: [(2 + 4 * x**2, 1, x**2)], "the first entry of each is a constant"),
        (lambda x: [(1, math.sqrt(bell(x / 8)), 0)], "term 1: s = .+ is not made by"),
        (lambda x: [(2, 1, x**2), (4, 1, 2 * math.log(1 + x**2))], "term 2: h = .+ is not made by"),
        (lambda x: [(1, math.nan, 0)], "s = nan is not made by"),
        (lambda x: [(1, "x", 0)], "s = 'x' is not made by"),
        (lambda x: [(1, x)], "term 1 is no triple"),
        (lambda x: [x], "term 1 is no triple"),
    ],
)
def test_certify_says_what_is_wrong(terms, says):
    with pytest.raises(AssertionError, match=says):
        certify(terms, bell)


def test_certify_tells_the_simplest_point_by_its_name():
    with pytest.raises(AssertionError, match=r"^at width = 1 your terms add up to 0, the function is 1$"):
        certify(lambda x: [], lambda width: width**2, where=lambda x: x == 1 or x > 3)


def test_certify_leaves_out_points_where_the_function_is_not_finite():
    certify(lambda x: [(1, 1 / x, 0)], lambda x: x**-2)
    certify(lambda x: [(1, x, 0)], lambda x: x**2 if x > 0 else math.nan, where=lambda x: x != 1)
    with pytest.raises(ValueError, match="where: only 0"):
        certify(lambda x: [], lambda x: math.inf)


FUNCTIONS = [
    ("u", lambda u: u, {"increasing", "convex"}),
    ("u**3", lambda u: u**3, {"increasing"}),
    ("u**2", lambda u: u**2, {"convex"}),
    ("-u**2", lambda u: -(u**2), set()),
]
CASES = [
    (f"f(u) = {name}, x = {x}, y = {y}", (f, x, y), facts)
    for name, f, facts in FUNCTIONS
    for x, y in [(-1, 2), (-3, -1), (0.5, 1)]
]


def lines(f, x, y):
    low, high = sorted([f(x), f(y)])
    return [f((x + y) / 2), (low + high) / 2, (f(max(x, y)) + f(min(x, y)) + 1) / 2]


def test_chain_accepts_links_with_their_reasons():
    chain(lines, [{"convex"}, []], CASES)
    chain(lines, ["convex", ()], CASES)
    chain(lambda f, x, y: [f(min(x, y)), f(max(x, y))], ["increasing"], CASES)
    chain(lambda f, x, y: [0, f(max(x, y)) - f(min(x, y))], ["increasing"], CASES)


@pytest.mark.parametrize(
    ("reasons", "says"),
    [
        ([[], []], "link 1 does not follow from nothing: for f.u. = .+, x = .+, y = .+ it says .+ <= "),
        ([["increasing"], []], "link 1 does not follow from increasing: for f.u. = u..3"),
        ([["convex", "increasing"], []], "link 1 does not need 'increasing'"),
        ([["convex"], ["increasing"]], "link 2 does not need 'increasing'"),
        ([["smooth"], []], "link 1: 'smooth' is none of the reasons, which are convex, increasing"),
        ([["convex"]], "a chain with 1 links has 2 lines"),
    ],
)
def test_chain_says_what_is_wrong(reasons, says):
    with pytest.raises(AssertionError, match=says):
        chain(lines, reasons, CASES)


def test_chain_needs_all_of_several_reasons():
    def image(f, x, y):
        return [f(((x + y) / 2) ** 2), f((x * x + y * y) / 2), (f(x * x) + f(y * y)) / 2]

    chain(image, [["increasing"], ["convex"]], [(t, a, f) for t, a, f in CASES if "u**3" not in t])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_chain_refuses_what_is_not_finite(value):
    with pytest.raises(AssertionError, match="a line of your chain is"):
        chain(lambda f, x, y: [value, value], [[]], CASES)


def test_chain_refuses_reasons_that_no_case_has_together():
    with pytest.raises(ValueError, match="cases: in none of them is all true of convex, increasing"):
        chain(lines, [["convex", "increasing"], []], CASES[3:])
