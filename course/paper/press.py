"""Print a site with Chromium: ``python -m course.paper.press SITE TARGET``.

All pages are put into one document first (``paper.js``) and printed at once (``paper.css``): so references
lead to pages of the same file, and the tags are one tree, which merging files would lose.
"""

import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import matplotlib
import pikepdf
from playwright.sync_api import Page, sync_playwright

import gradlib
from course.browser import BrowserError, find_or_install

HERE = files("course.paper")
MINUTE = 60_000  # milliseconds, for what takes seconds; printing ends when the process does

# Installed letters differ between machines, and with them page numbers; matplotlib's are the same everywhere.
FACES = [
    ("Paper", "", "STIXGeneral"),
    ("Paper", "font-style: italic;", "STIXGeneralItalic"),
    ("Paper", "font-weight: bold;", "STIXGeneralBol"),
    ("Paper Mono", "", "DejaVuSansMono"),
    ("Paper Mono", "font-style: italic;", "DejaVuSansMono-Oblique"),
    ("Paper Mono", "font-weight: bold;", "DejaVuSansMono-Bold"),
]
PAGES = "[...document.querySelectorAll('nav.bd-links a')].map(a => a.getAttribute('href'))"
REST = "Promise.all([document.fonts.ready, ...[...document.images].map(i => i.decode())]).then(() => null)"
CONTENTS = "[...document.querySelectorAll('.book-contents a')].map(a => a.getAttribute('href').slice(1))"
NUMBER = """numbers =>
  document.querySelectorAll(".book-contents .page").forEach((place, i) => place.textContent = numbers[i])"""


class LostError(RuntimeError):
    """A reference of the book leads nowhere."""


def press(site: Path, target: Path) -> None:
    """Print the book twice: only then is it known on which page a chapter begins, which the contents say."""
    executable = find_or_install()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(MINUTE)
        # The site's scripts would measure every formula again for each that arrives.
        page.route("**/*.js*", lambda route: route.abort())
        page.goto((site / "index.html").resolve().as_uri())
        formulas, headings = _assemble(page, site)
        _print(page, target)
        with pikepdf.open(target) as pdf:
            page.evaluate(NUMBER, _numbers(pdf, page.evaluate(CONTENTS)))
        _print(page, target)
        browser.close()
    _finish(target, formulas, headings)


def _assemble(page: Page, site: Path) -> tuple[list[str], list[str]]:
    """Make the browser's page the whole book; return what each formula says, and the headings."""
    names = ["index.html", *(name for name in page.evaluate(PAGES) if name != "#")]
    texts = [(name, (site / name).read_text("utf-8")) for name in names]
    book = page.evaluate(HERE.joinpath("paper.js").read_text("utf-8"), [texts, gradlib.__version__])
    if lost := sorted(set(book["lost"])):
        raise LostError(f"references that lead nowhere on paper: {', '.join(lost)}")
    page.add_style_tag(content=_letters() + HERE.joinpath("paper.css").read_text("utf-8"))
    # The site's own rules for paper are for one page.
    page.emulate_media(media="screen", color_scheme="light")
    page.evaluate(REST)
    return book["formulas"], book["headings"]


def _letters() -> str:
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    return "".join(
        f"@font-face {{ font-family: '{family}'; {style} src: url('{(folder / name).as_uri()}.ttf') }}\n"
        for family, style, name in FACES
    )


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


if __name__ == "__main__":
    try:
        press(*map(Path, sys.argv[1:]))
    except (BrowserError, LostError) as told:
        sys.exit(str(told))
