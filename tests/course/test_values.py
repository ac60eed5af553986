"""Values are compared as numbers, and nothing that was written to be read wrongly is taken for right."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_output

from course.grading.values import LONGEST, agree, compare, shown

EXACT = {"rtol": 0, "atol": 0}
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
)


def outputs(*lines):
    return [new_output("display_data", data={"text/plain": line}) for line in lines]


def state(expected, given, **facts):
    cell = new_code_cell("", metadata={"course": facts}, outputs=outputs(f"a: {expected}"))
    return compare(cell, outputs(f"a: {given}"))["a"]


@given(PLAIN)
def test_a_value_agrees_with_itself(value):
    assert agree(value, json.loads(json.dumps(value)), **EXACT)


@given(PLAIN, PLAIN)
def test_values_agree_exactly_when_they_are_equal(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert agree(one, other, **EXACT) >= same
    if isinstance(one, str | list | bool | None) and type(one) is not type(other):
        assert not agree(one, other, **EXACT)


@pytest.mark.parametrize(
    ("expected", "given", "agrees"),
    [
        ("1.0", "1", True),
        ("1.0", "1.0000009", True),
        ("1.0", "1.000002", False),
        ("0.0", "1e-10", True),
        ("1e-8", "2e-8", False),
        ("1", "true", False),
        ("true", "1", False),
        ("[1, 2]", "[1.0, 2.0]", True),
        ("[1, 2]", "[1]", False),
        ("[1]", "1", False),
        ("1", "[1]", False),
        ("[]", "[]", True),
        ('"A"', '"A"', True),
        ('"A"', '"a"', False),
        ('"1.0"', "1.0", False),
        ("NaN", "NaN", True),
        ("1.0", "NaN", False),
        ("NaN", "1.0", False),
        ("Infinity", "Infinity", True),
        ("Infinity", "-Infinity", False),
        ("1.0", "Infinity", False),
        ("1.0", "1" + "0" * 400, False),
        ('{"a": 1}', '{"a": 1, "b": 2}', False),
        ("null", "null", True),
        ("1.0", "", False),
        ("1.0", "1.0 1.0", False),
        ("1.0", "[" * 100_000, False),
        ("1.0", "9" * 10_000, False),
    ],
)
def test_tolerance(expected, given, agrees):
    assert (state(expected, given) == "right") is agrees


def test_tolerance_of_the_cell():
    assert state("39", "40", atol=1) == "right"
    assert state("39", "41", atol=1) == "wrong"
    assert state("100.0", "101.0", rtol=0.02, atol=0) == "right"
    assert state("100.0", "103.0", rtol=0.02, atol=0) == "wrong"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("[1.4, 0]", "right"),
        ("[2, 0]", "wrong"),
        ("[1.4]", "wrong"),
        ('"text"', "wrong"),
        ("[[1], [1, 2]]", "wrong"),
    ],
)
def test_condition_in_place_of_the_comparison(given, expected):
    condition = "value.shape == (2,) and 1.39 < np.linalg.norm(value) <= math.sqrt(2.25)"
    assert state("[1.5, 0]", given, accept={"a": condition}) == expected


@pytest.mark.parametrize("word", ["blank", "raised ValueError", "refused the type Everything"])
def test_words_of_emit_are_states(word):
    assert state("1.0", word) == word.split()[0]


def test_what_is_too_long_is_not_read():
    assert state("1.0", "1" * (LONGEST + 1)) == "refused"


def test_value_that_is_not_shown_is_missing():
    cell = new_code_cell("", metadata={"course": {}}, outputs=outputs("a: 1", "b: 2"))
    assert compare(cell, outputs("b: 2")) == {"a": "missing", "b": "right"}


def test_first_of_two_values_counts_and_print_shows_nothing():
    printed = new_output("stream", name="stdout", text="a: 0\n")
    result = new_output("execute_result", data={"text/plain": "a: 3"})
    assert shown([printed, result, *outputs("a: 1", "a: 2", "figure")]) == {"a": "1"}


def test_reference_without_values_is_an_error_and_not_right():
    cell = new_code_cell("", id="hidden", metadata={"course": {}})
    with pytest.raises(ValueError, match="cell `hidden` has no stored values"):
        compare(cell, outputs("a: 1"))
