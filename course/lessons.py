r"""What the lessons say about themselves: the claims that they prove, and the symbols that they introduce.

A code cell with an assertion carries its claim, ``metadata.course = {"claim": "A sentence.", "rows": [12]}``;
`rows` are those of the table of published facts that the course set out to reproduce. A Markdown cell that
introduces symbols carries them, ``{"symbols": {"\\gamma": "the momentum"}}``; a letter that means something
else in the rest of the course, or that is used in one application only, stands in ``local_symbols``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin
from nbformat import NotebookNode

from course.notebooks import read

LESSON = re.compile(r"\d\d-[a-z0-9-]+")


@dataclass(frozen=True)
class Place:
    """A section: the file in `chapters/`, the chapter's title, the section's title and anchor."""

    file: str
    chapter: str
    section: str
    anchor: str

    @property
    def link(self) -> str:
        """A Markdown link, for a page of `chapters/`."""
        return f"[{self.section}]({self.file}#{self.anchor})"


@dataclass(frozen=True)
class Claim:
    """One sentence, and the cell that proves it."""

    place: Place
    cell: str
    text: str
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Symbol:
    """A symbol in LaTeX, its meaning, and where it is introduced; a local one is valid in its chapter."""

    place: Place
    tex: str
    meaning: str
    local: bool


def chapters(root: Path) -> list[Path]:
    """List the notebooks of `chapters/`: the lessons in their order, then the others."""
    return sorted((root / "chapters").glob("*.ipynb"))


def claims(root: Path) -> list[Claim]:
    """List the claims of all chapters, in the order in which they are read."""
    return [
        Claim(place, cell.id, facts["claim"], tuple(facts.get("rows", ())))
        for path in chapters(root)
        for place, cell, facts in _walk(path)
        if "claim" in facts
    ]


def symbols(root: Path) -> list[Symbol]:
    """List the symbols that the chapters introduce, in the order in which they are read."""
    return [
        Symbol(place, tex, meaning, key == "local_symbols")
        for path in chapters(root)
        for place, _, facts in _walk(path)
        for key in ("symbols", "local_symbols")
        for tex, meaning in facts.get(key, {}).items()
    ]


def _walk(path: Path) -> Iterator[tuple[Place, NotebookNode, dict[str, Any]]]:
    chapter = place = None
    anchors = iter(headings(path))
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for _ in range(sum(token.type == "heading_open" for token in _parse(cell.source))):
                title, anchor = next(anchors)
                chapter = chapter or title
                place = Place(path.name, chapter, title, anchor)
        if facts := cell.metadata.get("course"):
            if place is None:
                raise ValueError(f"{path}: cell `{cell.id}` stands before any heading")
            yield place, cell, facts


@lru_cache
def _headings(path: Path, modified: int) -> tuple[tuple[str, str], ...]:
    text = "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    tokens = MarkdownIt().use(anchors_plugin, max_level=6).parse(text)
    return tuple(
        (inline.content, str(token.attrGet("id")))
        for token, inline in pairwise(tokens)
        if token.type == "heading_open"
    )


def headings(path: Path) -> tuple[tuple[str, str], ...]:
    """List title and anchor of each heading of a notebook, in order."""
    return _headings(path, path.stat().st_mtime_ns)


def _parse(markdown: str) -> list[Any]:
    return MarkdownIt().parse(markdown)
