"""Two pages are tables of what the lessons say about themselves: the claims, and the notation."""

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from course.lessons import Place, Symbol, chapters, claims, symbols


def claims_table(root: Path) -> str:
    """Write the numbered list of all claims, by chapter."""
    lines = []
    number = 1
    for chapter, group in groupby(claims(root), lambda claim: claim.place.chapter):
        lines.append(f"\n## {chapter}\n")
        for claim in group:
            lines.append(f"{number}. {claim.text} {claim.place.link}")
            number += 1
    return "\n".join(lines)


def notation_table(root: Path) -> str:
    """Write the table of the symbols of the whole course, and that of the letters on loan."""
    every = symbols(root)
    lasting = [symbol for symbol in every if not symbol.local]
    head = "| symbol | meaning | introduced in |\n|---|---|---|"
    rows = [_row(symbol, _where(symbol.place)) for symbol in lasting]
    lines = ["## In the whole course\n", head, *rows, "\n## Letters on loan\n"]
    lines.append("These mean something in one lesson only, most of them in its application.\n")
    loans = [symbol for symbol in every if symbol.local]
    for chapter, group in groupby(loans, lambda symbol: symbol.place.chapter):
        lines += [f"\n### {chapter}\n", head]
        lines += [_row(symbol, symbol.place.link) for symbol in group]
    return "\n".join(lines)


def _row(symbol: Symbol, where: str) -> str:
    # A bar would end the table's cell.
    tex, meaning = (
        text.replace(r"\|", r"\Vert ").replace("|", r"\vert ") for text in (symbol.tex, symbol.meaning)
    )
    return f"| ${tex}$ | {meaning} | {where} |"


def _where(place: Place) -> str:
    return f"[{place.chapter}: {place.section}]({place.file}#{place.anchor})"


PAGES: dict[str, tuple[str, Callable[[Path], str]]] = {
    "chapters/claims": ("<!-- the claims of all lessons -->", claims_table),
    "chapters/notation": ("<!-- the symbols of all lessons -->", notation_table),
}


def fill(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put a page's table into its place."""
    if docname in PAGES:
        place, table = PAGES[docname]
        source[0] = source[0].replace(place, table(Path(app.srcdir)))
        for path in chapters(Path(app.srcdir)):
            app.env.note_dependency(str(path))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the handler."""
    app.connect("source-read", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
