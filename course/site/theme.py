"""The theme, put right: our templates first, scripts that do not block, a description of each page."""

from html import escape
from pathlib import Path
from textwrap import shorten
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

TEMPLATES = Path(__file__).with_name("templates")

# What a script in the page itself may call while the page is read: deferred, it would not be there yet.
NEEDED_AT_ONCE = {"documentation_options.js", "doctools.js"}

META = '<meta name="description" content="%s">'


def add_templates(app: Sphinx, config: Config) -> None:
    """Let our templates come before those of the theme."""
    config.templates_path.insert(0, str(TEMPLATES))


def defer_scripts(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let scripts wait until the page is read, so that text and maths are painted before them."""
    for script in context["script_files"]:
        name = Path(script.filename or "").name
        if name and name not in NEEDED_AT_ONCE:
            script.attributes.setdefault("defer", "defer")


def describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Describe the page by its first paragraph, unless it does so itself (MyST's ``html_meta``)."""
    if 'name="description"' in (context.get("metatags") or ""):
        return
    first = next(doctree.findall(nodes.paragraph), None) if doctree else None
    text = first.astext() if first else f"{context.get('title') or page} in {app.config.html_title}"
    description = shorten(text, 160, placeholder=" …")
    context["metatags"] = (context.get("metatags") or "") + META % escape(description)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the three."""
    app.connect("config-inited", add_templates)
    app.connect("html-page-context", defer_scripts, priority=900)
    app.connect("html-page-context", describe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
