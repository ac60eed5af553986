"""Decks beside the built site: one for each lesson, and a page that lists them."""

import posixpath
import re
import shutil
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from course.notebooks import read
from course.site.mathjax import Engine
from course.slides.choice import kind, on_the_wall
from course.slides.wall import Slide, WallError, slides

# reveal.js comes in a Sphinx extension, of which only these files are used.
REVEAL = Path(str(distribution("sphinx-revealjs").locate_file("sphinx_revealjs/_static/revealjs")))
VENDORED = ("LICENSE", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js")
OWN = ("deck.css", "deck.js")

ADDRESS = re.compile(r'(?<=[\s])(href|src)="([^"]*)"')
ID = re.compile(r'(?<=\s)id="([^"]*)"')

TEMPLATES = Environment(
    loader=PackageLoader("course.slides", "."),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class SlidesError(RuntimeError):
    """No slides can be made."""


@dataclass(frozen=True)
class Deck:
    """The slides of one page of the site, and of its head what they need."""

    page: str
    slides: list[Slide]
    head: list[str]

    @property
    def name(self) -> str:
        """The deck's file."""
        return posixpath.basename(self.page)

    @property
    def title(self) -> str:
        """The lesson's title, as text."""
        return BeautifulSoup(self.slides[0].title, "html.parser").get_text()

    @property
    def explorable(self) -> bool:
        """Whether a figure moves."""
        return any('class="explorable' in piece.html for slide in self.slides for piece in slide.wall)


def make(site: Path) -> Path:
    """Make a deck of each page of a built site whose notebook has slides.

    Parameters
    ----------
    site
        The folder of the built site, ``_build/html``.

    Returns
    -------
    Path
        The page that lists the decks, ``slides/index.html`` in the site.

    Raises
    ------
    SlidesError
        If there is no site, if no notebook has slides, or if a page does not fit its notebook.
    """
    if not (site / "index.html").is_file():
        raise SlidesError(f"site: {site} has no index.html; call `course build` first")
    sources = sorted((site / "_sources").rglob("*.ipynb"))
    decks = [deck for source in sources if (deck := _deck(site, source))]
    if not decks:
        raise SlidesError(f"site: no notebook of {site} has a cell of the slide type `slide`")
    folder = site / "slides"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "reveal").mkdir(parents=True)
    for name in VENDORED:
        (folder / "reveal" / Path(name).name).write_bytes((REVEAL / name).read_bytes())
    for name in OWN:
        (folder / name).write_bytes(Path(__file__).with_name(name).read_bytes())
    for deck in decks:
        written = TEMPLATES.get_template("deck.html").render(deck=deck)
        (folder / deck.name).write_text(_relinked(written, deck.page), encoding="utf-8")
    index = folder / "index.html"
    written = TEMPLATES.get_template("index.html").render(decks=decks)
    index.write_text(_relinked(written, decks[0].page), encoding="utf-8")
    return index


def _deck(site: Path, source: Path) -> Deck | None:
    """Make the deck of a page; None if nothing of its notebook is for the wall."""
    notebook = read(source)
    if not on_the_wall(notebook):
        return None
    page = source.relative_to(site / "_sources").with_suffix(".html")
    html = (site / page).read_text(encoding="utf-8")
    claims = {
        cell.id: claim for cell in notebook.cells if (claim := cell.metadata.get("course", {}).get("claim"))
    }
    try:
        made = slides(
            html,
            {cell.id: kind(cell) for cell in notebook.cells},
            {cell: _typeset(claim) for cell, claim in claims.items()},
        )
    except WallError as error:
        raise SlidesError(f"{page}: {error}") from error
    head = BeautifulSoup(html.partition("</head>")[0], "html.parser").select(
        'meta[charset], head > script:not([src]), link[rel="stylesheet"], link[rel="icon"]'
    )
    return Deck(page.as_posix(), made, [str(tag) for tag in head if "DOCUMENTATION_OPTIONS" not in str(tag)])


def _relinked(html: str, page: str) -> str:
    """Let links lead from ``slides/`` to where they lead from a page; ``/`` is the site, ``./`` stays."""
    own = set(ID.findall(html))

    def moved(found: re.Match[str]) -> str:
        name, address = found.groups()
        parts = urlsplit(address)
        here = not parts.path and parts.fragment in own
        if parts.scheme or parts.netloc or here or address.startswith("./"):
            return found[0]
        path = posixpath.join("/", posixpath.dirname(page), parts.path) if parts.path else f"/{page}"
        return f'{name}="{parts._replace(path=posixpath.relpath(path, "/slides")).geturl()}"'

    return ADDRESS.sub(moved, html)


@cache
def _markdown() -> MarkdownIt:
    engine = Engine({})

    def formula(tex: str, options: dict[str, bool]) -> str:
        return engine.typeset(tex, display=options["display_mode"])

    return (
        MarkdownIt(options_update={"typographer": True})
        .enable("smartquotes")
        .use(dollarmath_plugin, renderer=formula)
    )


def _typeset(claim: str) -> str:
    """Write a sentence of Markdown, formulas in it, as HTML.

    Examples
    --------
    >>> _typeset("A *claim*.")
    'A <em>claim</em>.'
    """
    html: str = _markdown().renderInline(claim)
    return html
