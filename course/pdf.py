"""The book on paper: one tagged PDF, printed by Chromium from the pages of the built site.

Chromium and not LaTeX: in the site's pages every formula, figure, box and exercise is already right, so that
paper has no second set of templates to keep in step; Chromium's PDF is tagged, which pdfTeX's is not, with
the alternative texts of the figures; and the browser is there for the tests anyway, while LaTeX is a download
of 400 MB. The price is a coarser typography.

All pages are put into one document first (``pdf.js``) and printed at once (``pdf.css``): so references lead
to pages of the same file, and the tags are one tree, which merging files would lose.
"""

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pikepdf
from playwright.sync_api import Page, sync_playwright

import gradlib
from course.browser import find_or_install

LIMIT = 15_000_000  # bytes
PATIENCE = 1_800_000  # milliseconds: the whole book takes minutes on a busy machine

# Chromium has no page numbers for references: it prints, we look, it prints again.
NUMBER = """numbers =>
  document.querySelectorAll(".book-contents .page").forEach((place, i) => place.textContent = numbers[i])"""
CONTENTS = "[...document.querySelectorAll('.book-contents a')].map(a => a.getAttribute('href').slice(1))"
REST = "Promise.all([document.fonts.ready, ...[...document.images].map(i => i.decode())]).then(() => null)"
PAGES = "[...document.querySelectorAll('nav.bd-links a')].map(a => a.getAttribute('href'))"


class PdfError(RuntimeError):
    """The book cannot be printed."""


def print_book(site: Path, target: Path, *, tell: Callable[[str], None] = lambda _: None) -> Path:
    """Print the built site into one PDF file.

    Parameters
    ----------
    site
        The folder of the built site, ``_build/html``. The hints and solutions that it has make an appendix.
    target
        The PDF file; its folder is made if there is none.
    tell
        Is called with what happens now, for who waits.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    PdfError
        If `site` holds no site, if a reference leads nowhere, or if the PDF would be larger than ``LIMIT``;
        nothing is written then.
    """
    if not (site / "index.html").is_file():
        raise PdfError(f"site: {site} has no index.html; call `course build` first")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".draft.pdf")
    executable = find_or_install()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            page = browser.new_page()
            page.set_default_timeout(PATIENCE)
            page.goto((site / "index.html").resolve().as_uri())
            formulas, headings = _assemble(page, site)
            tell("printing")
            _print(page, draft)
            with pikepdf.open(draft) as pdf:
                page.evaluate(NUMBER, _numbers(pdf, page.evaluate(CONTENTS)))
            tell("printing again, with page numbers in the contents")
            _print(page, draft)
            browser.close()
        _finish(draft, formulas, headings)
        size = draft.stat().st_size
        if size > LIMIT:
            raise PdfError(
                f"site: {size / 1e6:.1f} MB printed, more than {LIMIT / 1e6:.0f}; make its figures smaller"
            )
        return draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _assemble(page: Page, site: Path) -> tuple[list[str], list[str]]:
    """Make the browser's page the whole book; return what each formula says, and the headings."""
    names = ["index.html", *page.evaluate(PAGES)]
    texts = [
        (name, (site / name).read_text(encoding="utf-8")) for name in dict.fromkeys(names) if name != "#"
    ]
    here = files("course")
    book = page.evaluate(here.joinpath("pdf.js").read_text("utf-8"), [texts, gradlib.__version__])
    if lost := sorted(set(book["lost"])):
        raise PdfError(f"site: references that lead nowhere on paper: {', '.join(lost)}")
    page.add_style_tag(content=here.joinpath("pdf.css").read_text("utf-8"))
    page.emulate_media(
        media="screen", color_scheme="light"
    )  # the site's own rules for paper are for one page
    page.evaluate(REST)
    return book["formulas"], book["headings"]


def _print(page: Page, path: Path) -> None:
    page.pdf(path=path, prefer_css_page_size=True, print_background=True, tagged=True, outline=True)


def _numbers(pdf: pikepdf.Pdf, names: list[str]) -> list[int]:
    """Return the page on which each name stands."""
    places = {sheet.obj.objgen: number for number, sheet in enumerate(pdf.pages, start=1)}
    found = {str(name).removeprefix("/"): target for name, target in pdf.Root.Dests.items()}
    return [places[found[name][0].objgen] for name in names]


def _finish(path: Path, formulas: list[str], headings: list[str]) -> None:
    """Name formulas and bookmarks, and pack the objects: half of the size is saved."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        for tag in pdf.objects:
            if isinstance(tag, pikepdf.Dictionary) and str(tag.get("/Lang", "")).startswith("x-formula-"):
                tag.S = pikepdf.Name.Formula
                tag.Alt = pikepdf.String(formulas[int(str(tag.Lang).rpartition("-")[2])])
                del tag.Lang
        with pdf.open_outline() as outline:
            # Chromium says a heading twice that begins a page, and leaves out its formulas.
            for bookmark, heading in zip(_flat(outline.root), headings, strict=True):
                bookmark.title = heading
        pdf.docinfo["/Creator"] = f"gradlib {gradlib.__version__}"
        pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True)


def _flat(bookmarks: list[pikepdf.OutlineItem]) -> Iterator[pikepdf.OutlineItem]:
    for bookmark in bookmarks:
        yield bookmark
        yield from _flat(bookmark.children)
