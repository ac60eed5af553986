"""Which cells of a notebook make slides."""

import re

from nbformat import NotebookNode

KINDS = ("slide", "fragment", "-", "notes", "skip")
SHOWN = ("slide", "fragment", "-")

HEADING = re.compile(r"^#{1,6} ", re.M)
FENCE = re.compile(r"^(`{3,}|:{3,}).*?^\1", re.M | re.S)


def kind(cell: NotebookNode) -> str:
    """Return what a cell is in the lecture; ``skip`` if it says nothing.

    Examples
    --------
    >>> from nbformat.v4 import new_markdown_cell
    >>> kind(new_markdown_cell(metadata={"slideshow": {"slide_type": "notes"}}))
    'notes'
    >>> kind(new_markdown_cell())
    'skip'
    """
    return str(cell.metadata.get("slideshow", {}).get("slide_type", "skip"))


def on_the_wall(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells that are shown."""
    return [cell for cell in notebook.cells if kind(cell) in SHOWN]


def count(notebook: NotebookNode) -> int:
    """Return how many slides a notebook makes: one for each ``slide``, one for each heading inside a cell."""
    return sum(
        (kind(cell) == "slide") + len(HEADING.findall(FENCE.sub("", _after_first_line(cell))))
        for cell in on_the_wall(notebook)
    )


def _after_first_line(cell: NotebookNode) -> str:
    return cell.source.partition("\n")[2] if cell.cell_type == "markdown" else ""
