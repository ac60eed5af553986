"""When the pages are written: keep of styles, fonts and files what the site uses, and no more."""

import re
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx

from course.site import fonts, pages, styles


def slim(app: Sphinx, exception: Exception | None) -> None:
    """Purge the stylesheets, cut the fonts, delete what others brought and nothing refers to."""
    if exception or app.builder.name != "html":
        return
    site = Path(app.outdir)
    read = pages.read_all(site)
    linked = _linked(site, read)
    names = _names(read, linked)
    sheets = {path: styles.purge(path.read_text("utf-8"), names) for path in linked if path.suffix == ".css"}
    text = " ".join(styles.words(css) for css in sheets.values())
    sheets = {path: styles.drop_idle_fonts(css, text) for path, css in sheets.items()}
    for path, css in sheets.items():
        path.write_text(css, encoding="utf-8")

    shown = set().union(*(styles.characters(css) for css in sheets.values()))
    for font in _targets(sheets, styles.font_files):
        fonts.cut(font, shown)

    own = {site / "_static" / path.relative_to(folder) for folder in _own(app) for path in folder.rglob("*")}
    keep = linked | own | _targets(sheets, styles.urls)
    for path in (site / "_static").rglob("*"):
        if path.is_file() and path not in keep:
            path.unlink()


def _linked(site: Path, read: dict[str, pages.Page]) -> set[Path]:
    """Return the site's files that its pages link."""
    found = set()
    for name, page in read.items():
        for link in page.links:
            parts = urlsplit(link)
            target = (site / name).parent.joinpath(unquote(parts.path)).resolve()
            if not parts.netloc and target.is_file():
                found.add(target)
    return found


def _names(read: dict[str, pages.Page], linked: set[Path]) -> set[str]:
    """Return what selectors may ask for: names on the pages, and words of scripts, which may set them."""
    scripts = (path.read_text("utf-8") for path in linked if path.suffix == ".js")
    written = chain.from_iterable(re.findall(r"[\w-]+", script) for script in scripts)
    return set(written).union(*(page.names for page in read.values()))


def _targets(sheets: dict[Path, str], addresses: Any) -> set[Path]:
    """Return the files that stylesheets refer to."""
    found = {
        path.parent.joinpath(unquote(urlsplit(url).path)).resolve()
        for path, css in sheets.items()
        for url in addresses(css)
        if not urlsplit(url).scheme
    }
    return {path for path in found if path.is_file()}


def _own(app: Sphinx) -> list[Path]:
    """Return the book's own static folders."""
    folders = (Path(app.srcdir, folder).resolve() for folder in app.config.html_static_path)
    return [folder for folder in folders if Path(app.srcdir).resolve() in folder.parents]


def setup(app: Sphinx) -> dict[str, Any]:
    """Run when themes and extensions have put their last files beside the pages."""
    app.connect("build-finished", slim, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
