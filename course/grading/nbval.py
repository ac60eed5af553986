"""A pytest plugin: nbval compares hidden cells by value, and reports the state of each value.

nbval compares text, to the last character. A hidden cell shows numbers with all their digits, of which the
last depend on the machine, so `course.grading.values` compares them instead. Load this with
``-p course.grading.nbval``.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from course.grading.values import compare


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give the cells whose role is hidden their own comparison; nbval's classes stay as they are."""
    cell = getattr(item, "cell", None)
    if cell is not None and cell.metadata.get("course", {}).get("role") == "hidden":
        item.compare_outputs = partial(_compare, item)  # type: ignore[attr-defined]


def _compare(item: Any, test: Sequence[Mapping[str, Any]], ref: object, skip_compare: object = None) -> bool:
    states = compare(item.cell, test)
    item.user_properties.extend(states.items())
    item.comparison_traceback = [f"{label}: {state}" for label, state in states.items() if state != "right"]
    return not item.comparison_traceback
