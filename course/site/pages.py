"""Read the built pages: the names on which styles can hang, and the text that a search can quote."""

import re
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from pathlib import Path

# Tags that no end tag follows.
VOID = {
    *("area", "base", "br", "col", "embed", "hr", "img"),
    *("input", "link", "meta", "param", "source", "track", "wbr"),
}


@dataclass
class Page:
    """What the site's last steps need to know of one page.

    Attributes
    ----------
    names
        Every tag, class and id.
    links
        Every ``href`` and ``src``, as written.
    text
        The article as HTML with nothing but its sections and terms, their ids and their words; what is folded
        stays unsaid.
    """

    names: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._open: list[tuple[str, bool]] = []  # tags, and whether their text is quoted
        self._parts: list[str] = []
        self._terms = 0  # that wait for the end of their definition

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        self.page.names.update([tag, given.get("id", tag), *classes])
        self.page.links.update(given[name] for name in ("href", "src") if name in given)
        if tag in VOID:
            return
        quoted = (self._quoting or "bd-article" in classes) and tag not in ("details", "script", "style")
        quoted = quoted and "headerlink" not in classes
        self._open.append((tag, quoted))
        if quoted and tag == "section":
            self._parts.append(f'<section id="{escape(given.get("id", ""))}">')
        elif quoted and tag == "dt" and "id" in given:
            self._parts.append(f'<div id="{escape(given["id"])}">')
            self._terms += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag not in (name for name, _ in self._open):
            return
        while self._open:
            name, quoted = self._open.pop()
            if quoted and name == "section":
                self._parts.append("</section>")
            elif quoted and name == "dd":
                self._parts.append(self._terms * "</div>")
                self._terms = 0
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._quoting:
            self._parts.append(escape(data))

    @property
    def _quoting(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def close(self) -> None:
        super().close()
        self.page.text = re.sub(r"\s+", " ", "".join(self._parts)).strip()


def read(html: str) -> Page:
    """Read one page.

    Examples
    --------
    >>> page = read('<article class="bd-article">One <b>two</b><details>three</details></article>')
    >>> sorted(page.names)
    ['article', 'b', 'bd-article', 'details']
    >>> page.text
    'One two'
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


def read_all(site: Path) -> dict[str, Page]:
    """Read every page of a site, by its path from the site's root."""
    return {
        path.relative_to(site).as_posix(): read(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.relative_to(site).parts
    }
