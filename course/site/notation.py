"""The notation at hand on every page: the notation page's tables, in a script that the page loads when asked.

A script, since a page cannot fetch another over ``file://``.
"""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from sphinx.application import Sphinx
from sphinx.config import Config

PAGE = "chapters/notation"
BUTTONS = ["notation.html", "article-header-buttons.html"]  # ours, and all of the theme
SCRIPT = "NOTATION = %s;\n"


def guest(body: str) -> str:
    """Make a page's body fit to stand on another page, whose links start at the site's root.

    Its headings are one level lower, and it brings no anchors.

    Examples
    --------
    >>> guest('<h1 id="a">A<a class="headerlink" href="#a">#</a></h1><a href="x.html#b">b</a>')
    '<h2>A</h2><a href="chapters/x.html#b">b</a>'
    """
    body = re.sub(r'<a class="headerlink".*?</a>', "", body)
    body = re.sub(r'(<[^>]*) id="[^"]*"', r"\1", body)
    body = re.sub(r"(</?h)([1-5])\b", lambda tag: f"{tag[1]}{int(tag[2]) + 1}", body)
    return re.sub(r'(?<= href=")[^"]*', lambda link: urljoin(f"{PAGE}.html", link[0]), body)


def add_button(app: Sphinx, config: Config) -> None:
    """Put ours before the buttons of the theme."""
    config.html_theme_options["article_header_end"] = BUTTONS


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write the script."""
    page = Path(app.outdir, f"{PAGE}.html")
    if exception or app.builder.name != "html" or not page.is_file():
        return
    _, article = page.read_text(encoding="utf-8").split('<article class="bd-article">')
    body, _ = article.split("</article>")
    script = SCRIPT % json.dumps(guest(body), ensure_ascii=False)
    Path(app.outdir, "_static", "notation.js").write_text(script, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the two."""
    app.connect("config-inited", add_button)
    app.connect("build-finished", write, priority=950)  # no page links the script: `slim` would delete it
    return {"parallel_read_safe": True, "parallel_write_safe": True}
