"""Notebooks are read with care and written in one form."""

import json

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course.notebooks import NotebookError, dumps, find, normalise, read, write, write_text


@pytest.fixture
def messy():
    """A notebook as an editor leaves it."""
    outputs = [
        new_output("stream", name="stdout", text="one\n"),
        new_output("stream", name="stdout", text="two\n"),
        new_output("execute_result", {"text/plain": "3"}, execution_count=41),
        new_output("stream", name="stdout", text="three\n"),
    ]
    metadata = {"collapsed": True, "execution": {"iopub.execute_input": "2026"}, "tags": ["keep"]}
    return new_notebook(
        cells=[
            new_markdown_cell("# Größe ∇f", id="title", metadata={"jp-MarkdownHeadingCollapsed": True}),
            new_code_cell("1", id="first", execution_count=41, outputs=outputs, metadata=metadata),
            new_code_cell("2", id="not-run"),
            new_code_cell("3", id="second", execution_count=43),
        ],
        metadata={
            "kernelspec": {"name": "venv-of-mine", "display_name": "mine"},
            "language_info": {"name": "python", "version": "3.13.1"},
            "widgets": {"state": {}},
        },
    )


def test_canonical_form(messy):
    nb = normalise(messy)
    assert nb.metadata == {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    title, first, blank, second = nb.cells
    assert title.metadata == {}
    assert first.metadata == {"tags": ["keep"]}
    assert [cell.execution_count for cell in (first, blank, second)] == [1, None, 2]
    assert [output.get("text") for output in first.outputs] == ["one\ntwo\n", None, "three\n"]
    assert first.outputs[1].execution_count == 1


def test_normalising_leaves_its_argument_alone_and_is_idempotent(messy):
    before = dumps(messy)
    once = normalise(messy)
    assert dumps(messy) == before != dumps(once)
    assert dumps(normalise(once)) == dumps(once)


def test_python_version_leaves_no_trace(messy):
    old = dumps(normalise(messy))
    messy.metadata.language_info.version = "3.11.0"
    assert dumps(normalise(messy)) == old


def test_bytes(messy, tmp_path):
    path = tmp_path / "a.ipynb"
    write(path, messy)
    text = path.read_bytes().decode("utf-8")
    assert text.startswith('{\n "cells": [\n  {\n   "cell_type": "markdown",\n   "id": "title",')
    assert text.endswith("}\n")
    assert not text.endswith("\n\n")
    assert "Größe ∇f" in text
    assert "\r" not in text
    assert dumps(read(path)) == text


def test_read_joins_lines(messy, tmp_path):
    path = tmp_path / "a.ipynb"
    write(path, messy)
    assert isinstance(json.loads(path.read_text())["cells"][1]["outputs"][0]["text"], list)
    assert read(path).cells[1].outputs[0].text == "one\ntwo\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read: No such file"),
        ("{", "is not a notebook"),
        ("[]", "format unknown"),
        ('"text"', "format unknown"),
        ('{"nbformat": 4, "nbformat_minor": 4, "cells": [], "metadata": {}}', "format 4.4"),
        ('{"nbformat": 3, "nbformat_minor": 0, "worksheets": [], "metadata": {}}', "format 3.0"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "'cells' is a required property"),
        (
            '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": '
            '[{"cell_type": "markdown", "metadata": {}, "source": "no id"}]}',
            "not valid nbformat 4.5 at cells/0",
        ),
    ],
)
def test_unusable_files_are_named(text, says, tmp_path):
    path = tmp_path / "bad.ipynb"
    if text is not None:
        path.write_text(text)
    with pytest.raises(NotebookError, match=says) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")


def test_invalid_utf8_is_no_notebook(tmp_path):
    (tmp_path / "bad.ipynb").write_bytes(b"\xff\xfe")
    with pytest.raises(NotebookError, match="is not a notebook"):
        read(tmp_path / "bad.ipynb")


def test_writing_is_all_or_nothing(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "after\ud800")  # half a surrogate pair has no bytes in UTF-8
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_keeps_the_permissions(tmp_path):
    path = tmp_path / "a.ipynb"
    write_text(path, "new")
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o664)
    write_text(path, "newer")
    assert path.stat().st_mode & 0o777 == 0o664
    assert path.read_text() == "newer"


def test_find_lists_in_order(tmp_path):
    for name in ("chapters/02-b.ipynb", "chapters/01-a.ipynb", "chapters/.ipynb_checkpoints/x.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in find(tmp_path, "chapters", "solutions")] == ["01-a.ipynb", "02-b.ipynb"]


def test_find_nothing_is_an_error(tmp_path):
    with pytest.raises(NotebookError, match="no notebook in chapters, solutions"):
        find(tmp_path, "chapters", "solutions")
