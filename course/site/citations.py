"""A bibliography that is read as a list: ARIA has withdrawn the role that docutils gives its entries."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def visit_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """Open an entry and, before the first, the list."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        self.body.append('<div role="list" class="citation-list">\n')
    self.body.append(self.starttag(node, "div", classes=["citation"], role="listitem"))


def depart_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """Close an entry and, after the last, the list."""
    type(self).depart_citation(self, node)


def setup(app: Sphinx) -> dict[str, Any]:
    """Put our visitor before that of docutils."""
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
