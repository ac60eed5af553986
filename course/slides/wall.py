"""From a built page to slides: what is on the wall, and what the speaker says to it."""

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from itertools import groupby

from bs4 import BeautifulSoup, Comment, Tag

from course.slides.choice import SHOWN

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
ARTICLE = re.compile(r"(?<=<article class=\"bd-article\">).*(?=</article>)", re.S)
MARK = re.compile(r"cell ([\w-]+)")
TEXT, LEAD, OUTCOME, FIGURE = "slide-text", "slide-lead", "slide-outcome", "slide-figure"


class WallError(ValueError):
    """A page of which no slides can be made."""


@dataclass(frozen=True)
class Piece:
    """One thing on the wall: text, a heading in it, or an outcome or a figure of code."""

    role: str
    html: str


@dataclass
class Slide:
    """One slide, in HTML.

    Attributes
    ----------
    title
        Its heading.
    above
        The heading of the section that this one is part of; empty for a section of the lesson itself.
    anchor
        The section's id on the page, if the slide is the section's first.
    first
        Whether it is the title slide.
    wall
        What is seen, piece by piece.
    notes
        What is said, piece by piece.
    fragments
        How many pieces come one after the other.
    """

    title: str = ""
    above: str = ""
    anchor: str = ""
    first: bool = False
    wall: list[Piece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fragments: int = 0

    @property
    def body(self) -> str:
        """What is seen below the heading; a figure stands beside the outcomes of the cells around it."""
        runs = (list(run) for _, run in groupby(self.wall, lambda piece: piece.role in (TEXT, LEAD)))
        return "\n".join(_beside(run) for run in runs)


def slides(page: str, kinds: dict[str, str], claims: dict[str, str]) -> list[Slide]:
    """Cut a page into slides.

    Parameters
    ----------
    page
        The HTML of a built page.
    kinds
        For each cell's id what the cell is in the lecture, see `course.slides`.
    claims
        For some cells' ids the claim that the cell proves, in HTML.

    Returns
    -------
    list of Slide
        In the order of the page.

    Raises
    ------
    WallError
        If the page does not tell where its cells begin, or something comes before the first slide.
    """
    found = ARTICLE.search(page)
    if found is None or "<!-- cell " not in found[0]:
        raise WallError("the page does not tell where its cells begin; build the site again")
    article = BeautifulSoup(found[0], "html.parser")
    lecture = _Lecture(kinds, claims)
    lecture.read(_tidied(article))
    lecture.end()
    return lecture.slides


class _Lecture:
    """Slides in the making."""

    def __init__(self, kinds: dict[str, str], claims: dict[str, str]) -> None:
        self.slides: list[Slide] = []
        self.kinds, self.claims = kinds, claims
        self.cell, self.kind = "", "skip"
        self.titles: dict[str, str] = {}

    def read(self, element: Tag) -> None:
        """Walk through an article or a section of it."""
        for child in element.children:
            if (cell := _mark(child)) is not None:
                self.enter(cell)
            elif not isinstance(child, Tag):
                continue
            elif child.name == "section":
                self.read(child)
            elif child.name in HEADINGS:
                self.heading(child, str(element.get("id", "")))
            elif self.kind != "skip":
                self.block(child)

    def enter(self, cell: str) -> None:
        """Come to the next cell."""
        self.cell, self.kind = cell, self.kinds.get(cell, "skip")
        if self.kind == "slide":
            self.begin()
        elif self.kind != "skip" and not self.slides:
            raise WallError(f"cell `{cell}`: comes before the first slide")
        elif self.kind == "fragment":
            self.slides[-1].fragments += 1

    def heading(self, heading: Tag, anchor: str) -> None:
        """Take a heading; in a cell that is shown it starts a slide."""
        for level in HEADINGS[HEADINGS.index(heading.name) :]:
            self.titles.pop(level, None)
        self.titles[heading.name] = heading.decode_contents()
        if self.kind in SHOWN:
            self.begin(anchor)
            self.slides[-1].first = heading.name == "h1"
            if self.kind == "fragment":
                self.kind = "-"

    def begin(self, anchor: str = "") -> None:
        """Start a slide, under the heading of its section."""
        notes = self.end()
        *above, title = self.titles.values() or [""]
        self.slides.append(Slide(title, above[-1] if len(above) > 1 else "", anchor, notes=notes))

    def end(self) -> list[str]:
        """Take back a slide without anything on it, and return what introduces the next one."""
        if (
            not self.slides
            or self.slides[-1].first
            or {piece.role for piece in self.slides[-1].wall} - {LEAD}
        ):
            return []
        bare = self.slides.pop()
        if bare.anchor:
            return bare.notes
        if self.slides:
            self.slides[-1].notes += bare.notes
        return []

    def block(self, block: Tag) -> None:
        """Put one thing on the wall, or into the notes, or both."""
        slide = self.slides[-1]
        classes = _classes(block)
        for inner in block.find_all("section"):
            inner.name = "div"  # a section in a section is a slide of its own
        if self.kind == "notes" or _said(block):
            slide.notes.append(noted(block))
        if self.kind == "notes":
            return
        if "cell" in classes:
            self.show(*self.outcome(block))
        elif lead := _lead(block):
            self.show(block if slide.first else _paragraph(LEAD, lead.decode_contents()))
        elif not _said(block) or block.select_one(".formula + .eqno") in block.contents:
            if block.name in ("ol", "ul") and any(_lead(item.p or item) for item in block.find_all("li")):
                slide.notes.append(noted(block))
                _cut_to_leads(block)
            self.show(block)

    def outcome(self, cell: Tag) -> Iterator[Tag]:
        """Yield of a code cell its claim and its outputs, and the code where that says more."""
        output = cell.select_one(".cell_output")
        claim = self.claims.get(self.cell)
        if claim:
            yield _paragraph(f"{OUTCOME} slide-claim", claim)
        prints = output is None or output.select_one(".output.stream, .output.text_plain")
        if (code := cell.select_one(".cell_input")) and (
            "tag_show-code" in _classes(cell) or (prints and not claim)
        ):
            code["class"] = f"cell_input {OUTCOME}"
            yield code
        for part in output.find_all(recursive=False) if output else []:
            shown = part.wrap(Tag(name="div"))
            shown["class"] = f"cell_output {FIGURE if part.name == 'img' or part.img else OUTCOME}"
            yield shown

    def show(self, *blocks: Tag) -> None:
        """Put blocks on the wall, all at once."""
        slide = self.slides[-1]
        for block in blocks:
            if self.kind == "fragment":
                block["class"] = " ".join([*_classes(block), "fragment"])
                block["data-fragment-index"] = str(slide.fragments - 1)
            roles = {LEAD, OUTCOME, FIGURE} & set(_classes(block))
            slide.wall.append(Piece(roles.pop() if roles else TEXT, str(block)))


def _tidied(article: Tag) -> Tag:
    """Take out of an article what no slide shows, and let its images come at once."""
    for link in article.find_all("a", class_="headerlink"):
        link.decompose()
    for folded in article.find_all("details"):
        if "explorable-numbers" not in _classes(folded) and not folded.decomposed:
            folded.decompose()
    for image in article.find_all("img"):
        del image["loading"]
    return article


def _mark(node: object) -> str | None:
    """Return the cell that a comment tells of."""
    found = MARK.fullmatch(node.strip()) if isinstance(node, Comment) else None
    return found[1] if found else None


def _beside(run: list[Piece]) -> str:
    """Put the figures of a run of pieces beside what else there is."""
    figures = [piece.html for piece in run if piece.role == FIGURE]
    others = [piece.html for piece in run if piece.role != FIGURE]
    if not figures:
        return "\n".join(others)
    words = f'<div class="slide-words">{"".join(others)}</div>' if others else ""
    return f'<div class="slide-beside">{words}{"".join(figures)}</div>'


def _classes(block: Tag) -> list[str]:
    """Return a block's classes, also where they were just set."""
    return " ".join(map(str, block.get_attribute_list("class"))).split()


def _said(block: Tag) -> bool:
    """Tell whether the speaker says a block: a paragraph, a formula, a proof."""
    paragraph = block.name == "p" and not block.img
    formula = block.name == "div" and "math" in _classes(block)
    return paragraph or formula or block.get("id") == "proof"


def _lead(block: Tag) -> Tag | None:
    """Return what a paragraph opens with in bold."""
    first = next((child for child in block.children if str(child).strip()), None)
    return first if block.name in ("p", "li") and isinstance(first, Tag) and first.name == "strong" else None


def _cut_to_leads(items: Tag) -> None:
    """Leave of the items of a list what they open with, if that is a heading: bold, with a stop."""
    for item in items.find_all("li", recursive=False):
        lead = _lead(item.p or item)
        if lead and lead.get_text().endswith((".", "?")):
            item.clear()
            item.append(lead)


def _paragraph(name: str, html: str) -> Tag:
    made = BeautifulSoup(f'<p class="{name}">{html}</p>', "html.parser").p
    assert made is not None
    return made


def noted(block: Tag) -> str:
    """Return a block for the notes: no ids, which the wall has, and MathML, which needs no styles."""
    said = copy(block)
    for formula in said.find_all("mjx-container"):
        if formula.math:
            formula.replace_with(formula.math.extract())
    for named in [said, *said.find_all(id=True)]:
        del named["id"]
    return str(said)
