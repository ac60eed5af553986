"""Figures say their size, so that no text jumps when they arrive; they arrive when scrolled to."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.images import get_image_size
from sphinx.writers.html5 import HTML5Translator


def visit_image(self: HTML5Translator, node: nodes.image) -> None:
    """Write an image as the theme does, with ``width``, ``height`` and ``loading``."""
    size = get_image_size(str(Path(self.builder.srcdir, node["uri"])))
    type(self).visit_image(self, node)
    if size:
        attributes = f'width="{size[0]}" height="{size[1]}" loading="lazy"'
        self.body[-1] = self.body[-1].replace("<img ", f"<img {attributes} ", 1)


def depart_image(self: HTML5Translator, node: nodes.image) -> None:
    """Leave the image as the theme does."""
    type(self).depart_image(self, node)


def setup(app: Sphinx) -> dict[str, Any]:
    """Put our visitor before the theme's."""
    app.add_node(nodes.image, override=True, html=(visit_image, depart_image))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
