"""The local Sphinx extensions behind the site, one idea a module."""

from typing import Any

from sphinx.application import Sphinx

PARTS = (
    *("cells", "citations", "elsewhere", "exercises", "explorables", "glue"),
    *("images", "ledger", "mathjax", "notation", "search", "slim", "theme"),
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Set up every part."""
    for part in PARTS:
        app.setup_extension(f"{__name__}.{part}")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
