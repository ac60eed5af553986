"""Exercises come from solutions, and whatever does not is found."""

import pytest
import sheets

from course.notebooks import read, write
from course.refresh import ExecutionError
from course.release import differences, orphans, pairs, release


@pytest.fixture
def pair(tmp_path):
    sheets.write(tmp_path)
    return pairs(tmp_path)[0]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Give the text of the released notebook."""
    folder = tmp_path_factory.mktemp("course")
    sheets.write(folder)
    release(*pairs(folder)[0])
    return (folder / "exercises" / "01-cubes.ipynb").read_text(encoding="utf-8")


@pytest.fixture
def released(pair, text):
    pair[1].parent.mkdir()
    pair[1].write_text(text, encoding="utf-8")
    return pair


def test_released_notebook_is_canonical_executed_and_blank(released, text):
    source, target = released
    assert sheets.CANARY not in text
    nb = read(target)
    assert [cell.execution_count for cell in nb.cells if cell.cell_type == "code"] == [1, 2, 3]
    assert "not attempted" in text
    assert differences(source, target) == []
    release(source, target)
    assert target.read_text(encoding="utf-8") == text


def test_missing_notebook_is_a_difference_and_stays_missing(pair):
    source, target = pair
    assert differences(source, target) == [f"{target}: is missing"]
    assert not target.parent.exists()


def edit(cells):
    cells[2].source += " Now."


def add_output(cells):
    cells[1].outputs[0].text = "edited\n"


def remove(cells):
    del cells[3]


def rename(cells):
    cells[3].id = "mine"


def swap(cells):
    cells[3], cells[4] = cells[4], cells[3]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (edit, ["cell `statement` differs in source"]),
        (add_output, ["cell `setup` differs in outputs"]),
        (remove, ["cell `hint-1` is missing"]),
        (rename, ["cell `hint-1` is missing", "cell `mine` is not in "]),
        (swap, ["differs in the order of its cells or in its form"]),
    ],
)
def test_each_difference_is_listed_and_nothing_is_written(released, change, says):
    source, target = released
    nb = read(target)
    change(nb.cells)
    write(target, nb)
    before = target.read_bytes()
    lines = differences(source, target)
    assert len(lines) == len(says)
    for line, start in zip(lines, says, strict=True):
        assert line.startswith(f"{target}: {start}")
    assert target.read_bytes() == before


def test_bytes_that_mean_the_same_are_a_difference(released):
    source, target = released
    target.write_text(target.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert differences(source, target) == [f"{target}: differs in the order of its cells or in its form"]


def test_unreadable_notebook_is_a_difference(released):
    source, target = released
    target.write_text("{")
    assert differences(source, target)[0].startswith(f"{target}: is not a notebook")


def test_notebook_that_does_not_run_blank_is_not_released(tmp_path):
    cells = sheets.cells()
    cells[6].source += "\n\n1 + cube(1)"
    source = sheets.write(tmp_path, cells)
    target = tmp_path / "exercises" / source.name
    with pytest.raises(ExecutionError, match="cell `check` raises TypeError"):
        release(source, target)
    assert not target.exists()


def test_exercises_without_a_source_are_listed(released):
    _, target = released
    root = target.parents[1]
    assert orphans(root) == []
    stray = target.with_name("02-stray.ipynb")
    stray.touch()
    assert orphans(root) == [f"{stray}: has no source solutions/02-stray.ipynb; delete it"]
