"""Excerpts in the search results, also where a page cannot fetch another (``file://``)."""

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from course.site import pages

# Sphinx's search fetches each page that it found; here it finds the text at hand.
SCRIPT = """const TEXTS = %s;
const network = window.fetch;
window.fetch = (url, ...rest) =>
  url in TEXTS ? Promise.resolve(new Response(TEXTS[url])) : network(url, ...rest);
"""


def write_texts(app: Sphinx, exception: Exception | None) -> None:
    """Write the pages' texts into a script that the search page loads, and no other."""
    if exception or app.builder.name != "html":
        return
    site = Path(app.outdir)
    read = pages.read_all(site)
    texts = {f"./{name}": f'<div role="main">{page.text}</div>' for name, page in read.items() if page.text}
    script = SCRIPT % json.dumps(texts, ensure_ascii=False, indent=0)
    (site / "_static" / "excerpts.js").write_text(script, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Run when the pages are written."""
    app.connect("build-finished", write_texts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
