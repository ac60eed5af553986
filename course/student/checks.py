"""What `pytest --nbval` looks at: that each cell runs, and that no check says wrong.

nbval compares what cells print with what is stored. Your work changes that, so here a check is judged by its
word instead: passed and not attempted are fine.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

FINE = re.compile(r"^[a-z0-9-]+: (passed|not attempted)\b", re.M)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each cell its own comparison."""
    cell: Any = getattr(item, "cell", None)
    if cell is not None:
        cell.outputs, cell.execution_count = [], 1  # nbval compares no cell that was never run
        is_check = cell.metadata.get("course", {}).get("role") == "check"
        item.compare_outputs = partial(_is_fine, item, is_check)  # type: ignore[attr-defined]


def _is_fine(item: Any, is_check: bool, outputs: Sequence[Mapping[str, Any]], *_: object) -> bool:
    said = "".join(output.get("text", "") for output in outputs)
    item.comparison_traceback = [said]
    return not is_check or FINE.search(said) is not None
