"""Slides: what is on the wall and what is the speaker's, from the same cells."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup, Tag
from conftest import Reader, Site, copy_book, serve
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Browser, Page
from test_accessibility import EVERY_RULE, Mode, violations
from test_comfort import CONTRASTS

from course.build import build
from course.notebooks import write
from course.site import pages
from course.slides.deck import SlidesError, make

Make = Callable[..., Reader]

FIGURE = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"><circle r="99"/></svg>'
SOURCE = "```python\ndef step(x):\n    return x - 1\n```"
FOLDED = "<details><summary>An answer</summary>Folded away.</details>"

THEOREM = r"""## Theorems

````{prf:theorem} Descent
:label: thm-descent
The value falls.
````

````{prf:proof}
A proof with

```{math}
:label: eq-proof
a = b .
```
````

A sentence about $f$ with the formula

$$
f(x) = x^2
$$

and the one to remember,

```{math}
:label: eq-step
x_{k+1} = x_k - \eta f'(x_k) .
```

**Caution.** It may diverge; see {eq}`eq-step`, [the start](#lecture) and [the index](../index.md).
"""

LISTS = f"""The last words on theorems.

### Lists

- **Memory.** It is short.
- A plain item.

{FOLDED}
"""

EXPLORE = """Move it.

<div class="explorable" id="explore-here" data-figure="descent"></div>
"""


def text(source: str, kind: str, id_: str) -> Any:
    """A Markdown cell of the lecture."""
    return new_markdown_cell(source, id=id_, metadata={"slideshow": {"slide_type": kind}})


def code(kind: str, id_: str, *outputs: Any, source: str = "run()", **metadata: Any) -> Any:
    """A code cell of the lecture."""
    metadata["slideshow"] = {"slide_type": kind}
    return new_code_cell(source, id=id_, outputs=list(outputs), metadata=metadata)


def shown(mime: str, data: str) -> Any:
    return new_output("display_data", {mime: data, "text/plain": "…"})


def printed(words: str) -> Any:
    return new_output("stream", name="stdout", text=words)


CELLS = [
    text("# Lecture\n\n**After this lesson** you can.\n\nAn opening sentence.", "slide", "title"),
    new_code_cell("secret_setup = 1", id="setup"),
    text(THEOREM, "slide", "theorems"),
    code("fragment", "claim", printed("42 of them\n"), course={"claim": "The *claim* that $x = 42$."}),
    new_markdown_cell("A secret.", id="skipped"),
    text(LISTS, "slide", "lists"),
    text("## A heading among notes\n\nOnly said.", "notes", "notes"),
    code("slide", "figure", shown("image/svg+xml", FIGURE), printed("0.5\n"), course={"claim": "It falls."}),
    code("-", "source", shown("text/markdown", SOURCE), source="show.source(step)"),
    code("slide", "run", printed("3\n"), source="print(1 + 2)"),
    code(
        "slide", "asked", printed("ok\n"), source="asked_for = 1", course={"claim": "So."}, tags=["show-code"]
    ),
    text(EXPLORE, "slide", "explore"),
    text("## To remember\n\n1. One.\n2. Two.", "slide", "summary"),
]


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A book of one lecture, built, with its slides."""
    book = copy_book(tmp_path_factory.mktemp("lecture") / "book")
    toc = {"format": "jb-book", "root": "index", "chapters": [{"file": "chapters/01-talk"}]}
    (book / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    (book / "index.md").write_text("# Start\n\nHere, $x = 42$.\n", encoding="utf-8")
    (book / "chapters").mkdir(exist_ok=True)
    write(book / "chapters" / "01-talk.ipynb", new_notebook(cells=CELLS))
    site = build(book).parent
    assert make(site) == site / "slides" / "index.html"
    yield from serve(book)


@pytest.fixture
def slides(lecture: Site) -> list[Tag]:
    """The slides of the lecture."""
    deck = (lecture.folder / "slides" / "01-talk.html").read_text("utf-8")
    return BeautifulSoup(deck, "html.parser").select(".slides > section")


def wall(slide: Tag) -> str:
    """The words on a slide."""
    copy = BeautifulSoup(str(slide), "html.parser")
    for hidden in copy.select("aside, mjx-container, script, .explorable"):
        hidden.decompose()
    return " ".join(copy.get_text(" ").split())


def notes(slide: Tag) -> str:
    """The words of the speaker."""
    aside = slide.select_one("aside.notes")
    return " ".join(aside.get_text(" ").split()) if aside else ""


def test_wall_shows_the_chosen_cells_and_no_sentence(slides: list[Tag]) -> None:
    texts = [wall(slide) for slide in slides]
    assert texts[0].startswith("Lecture After this lesson you can.")
    assert texts[1].startswith("Theorems Theorem 1 (Descent) The value falls. (2) Caution. The claim that")
    assert texts[1].endswith("42 of them")
    assert texts[2] == "Theorems Lists Memory. A plain item."
    assert texts[3] == "A heading among notes It falls. 0.5 def step ( x ): return x - 1"
    assert texts[4] == "A heading among notes print ( 1 + 2 ) 3"
    assert texts[5] == "A heading among notes So. asked_for = 1 ok"
    assert texts[6] == "A heading among notes"
    assert texts[7] == "To remember One. Two."
    assert len(slides) == 8
    assert len(slides[3].select(".slide-beside > .slide-figure img[alt]:not([loading])")) == 1
    assert [tag.name for tag in slides[1].select(".fragment")] == ["p", "div"]
    assert not any(slide.select("section") for slide in slides)


def test_speaker_has_the_sentences(slides: list[Tag]) -> None:
    said = [notes(slide) for slide in slides]
    assert said[0] == "After this lesson you can. An opening sentence."
    for words in (
        "A proof with",
        "A sentence about",
        "and the one to remember",
        "It may diverge",
        "The last words",
    ):
        assert words in said[1]
    assert "It is short." in said[2]
    assert "Only said." in said[2]
    assert said[6] == "Move it."
    aside = slides[1].aside
    assert aside is not None
    assert len(aside.select("math")) >= 4
    assert aside.select("mjx-container, [id]") == []
    everything = " ".join(map(str, slides))
    for secret in ("secret", "Folded away", "show.source", "run()"):
        assert secret not in everything


def test_links_lead_where_those_of_the_page_lead(lecture: Site, slides: list[Tag]) -> None:
    links = {a.get_text(): a["href"] for slide in slides for a in slide.select("a")}
    assert links["the index"] == "../index.html"
    assert links["the start"] == "#lecture"
    assert links["The lesson"] == "../chapters/01-talk.html"
    (reference,) = [link for text, link in links.items() if text == "(2)"]
    assert reference == "#equation-eq-step"
    assert len([slide for slide in slides if slide.select("#equation-eq-step")]) == 1
    index = (lecture.folder / "slides" / "index.html").read_text("utf-8")
    assert '<a href="./01-talk.html">Lecture</a>, 8 slides' in index


def opened(someone: Reader, protocol: str = "http", at: str = "") -> Page:
    """Open the deck and wait until it is ready."""
    page = someone.open(f"slides/01-talk.html{at}", protocol=protocol)
    page.wait_for_function("window.Reveal?.isReady()")
    return page


def position(page: Page) -> int:
    """The number of the slide that is shown."""
    return int(page.evaluate("Reveal.getIndices().h"))


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_keys_move_slides_and_sliders(lecture: Site, reader: Make, protocol: str) -> None:
    someone = reader(lecture)
    page = opened(someone, protocol)
    assert position(page) == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # the claim
    assert position(page) == 1
    assert page.locator(".slide-claim.visible").count() == 1
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert position(page) == 0

    page.evaluate("Reveal.slide(6)")
    slider = page.locator("#explore-here-rate")
    before = slider.input_value()
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert position(page) == 6
    assert float(slider.input_value()) == pytest.approx(float(before) + 0.005)
    assert "η = 0.285" in page.locator(".explorable-status").inner_text()
    page.locator(".explorable-reset").press("Space")
    assert position(page) == 6
    assert slider.input_value() == before
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    assert position(page) == 5
    page.evaluate("Reveal.slide(6)")
    slider.focus()
    page.keyboard.press("PageDown")
    assert position(page) == 7
    page.keyboard.press("o")
    page.locator("#explore-here").wait_for(state="visible")
    assert someone.failed == []
    assert someone.foreign == []
    assert someone.complaints == []


def test_address_leads_to_a_figure_and_its_state(lecture: Site, reader: Make) -> None:
    page = opened(reader(lecture), at="#explore-here&rate=0.2")
    assert position(page) == 6
    assert page.locator("#explore-here-rate").input_value() == "0.2"


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_notes_stand_beside_the_slide_and_in_the_speakers_window(
    lecture: Site, reader: Make, protocol: str
) -> None:
    page = opened(reader(lecture), protocol)
    page.keyboard.press("n")
    panel = page.locator(".reveal > .speaker-notes")
    assert "An opening sentence." in panel.inner_text()
    page.keyboard.press("n")
    assert not panel.is_visible()
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    window = popup.value
    window.get_by_text("An opening sentence.").wait_for()
    page.keyboard.press("ArrowRight")
    window.get_by_text("and the one to remember").wait_for()


STILL = """() => [...document.querySelectorAll(".reveal *")]
  .every(element => parseFloat(getComputedStyle(element).transitionDuration) === 0)"""


def test_slides_follow_the_mode_and_keep_still(lecture: Site, reader: Make) -> None:
    for mode in ("light", "dark"):
        page = opened(reader(lecture, color_scheme=mode, reduced_motion="reduce"))
        assert page.evaluate("document.documentElement.dataset.theme") == mode
        assert page.evaluate(STILL)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_slide_is_for_everyone(lecture: Site, browser: Browser, mode: Mode) -> None:
    context = browser.new_context(color_scheme=mode, reduced_motion="reduce")
    page = opened(Reader(context, lecture))
    found, pairs = {}, []
    for number in range(8):
        page.evaluate("n => Reveal.slide(n, 0, 9)", number)
        found[number] = violations(page, EVERY_RULE) if mode == "light" else []
        pairs += page.evaluate(CONTRASTS)
    context.close()
    assert found == {number: [] for number in range(8)}
    assert {pair["kind"] for pair in pairs} == {"text", "code", "maths"}
    assert [pair for pair in pairs if pair["ratio"] < pair["needed"]] == []


# What sticks out of its slide, or has to be scrolled; only what is seen counts.
OUTSIDE = """async () => {
  const found = [];
  for (let n = 0; n < Reveal.getTotalSlides(); n++) {
    Reveal.slide(n, 0, 99);
    const slide = Reveal.getCurrentSlide();
    await Promise.all([...slide.querySelectorAll("img")].map(image => image.decode()));
    const frame = slide.getBoundingClientRect();
    for (const element of slide.querySelectorAll(".slide-body *, h1, h2")) {
      if (element.closest("mjx-container, svg, details") || !element.getClientRects().length) continue;
      const box = element.getBoundingClientRect();
      const out = box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
      const scrolls = element.matches("div, pre") && element.scrollWidth > element.clientWidth + 1;
      if (out || scrolls) found.push(`${n} ${element.tagName} ${element.className}`);
    }
    for (const image of slide.querySelectorAll("img"))
      if (image.getBoundingClientRect().height < 120) found.push(`${n} a figure too small to be seen`);
  }
  return found;
}"""


@pytest.mark.parametrize("site", ["course"], indirect=True)
def test_every_lessons_slides_show_all_that_they_hold(site: Site, reader: Make, tmp_path: Path) -> None:
    copy = Site(shutil.copytree(site.folder, tmp_path / "site"), http="http://nowhere.invalid")
    folder = make(copy.folder).parent
    someone = reader(copy, reduced_motion="reduce")
    found, lost = {}, []
    for deck in sorted(folder.glob("[0-9]*.html")):
        page = someone.open(f"slides/{deck.name}", protocol="file")
        page.wait_for_function("window.Reveal?.isReady()")
        found[deck.name] = page.evaluate(OUTSIDE)
        page.close()
        links = {urlsplit(link) for link in pages.read(deck.read_text("utf-8")).links}
        lost += [link for link in links if not link.netloc and not (folder / unquote(link.path)).exists()]
    assert len(found) == 13
    assert found == {name: [] for name in found}
    assert lost == someone.failed == someone.foreign == someone.complaints == []


def test_what_sticks_out_is_found(lecture: Site, reader: Make) -> None:
    page = opened(reader(lecture, reduced_motion="reduce"))
    assert page.evaluate(OUTSIDE) == []
    page.evaluate("document.querySelector('.slide-lead').style.height = '900px'")
    assert page.evaluate(OUTSIDE) != []


def test_without_site_or_slides_or_marks_there_is_no_deck(lecture: Site, tmp_path: Path) -> None:
    with pytest.raises(SlidesError, match="course build"):
        make(tmp_path)
    (tmp_path / "index.html").touch()
    with pytest.raises(SlidesError, match="slide type `slide`"):
        make(tmp_path)
    notebook = tmp_path / "_sources" / "talk.ipynb"
    notebook.parent.mkdir()
    write(notebook, new_notebook(cells=CELLS[:1]))
    (tmp_path / "talk.html").write_text('<article class="bd-article"><h1 class="cell x">Talk</h1></article>')
    with pytest.raises(SlidesError, match=r"talk\.html: .*build the site again"):
        make(tmp_path)
    write(notebook, new_notebook(cells=[text("Early.", "-", "early"), *CELLS[:1]]))
    (tmp_path / "talk.html").write_text(
        '<article class="bd-article"><!-- cell early --><p>Early.</p></article>'
    )
    with pytest.raises(SlidesError, match="cell `early`: comes before the first slide"):
        make(tmp_path)
