"""A formula and what is written right beside it, such as a comma, stay on one line.

Browsers may break a line on either side of a formula, even before a full stop.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

CLASS = "glued"
BEFORE = re.compile(r"\S+$")
AFTER = re.compile(r"^\S+")


class GlueFormulas(SphinxPostTransform):
    """Put each inline formula and the characters that touch it into one box that does not break."""

    default_priority = 900
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Walk through the page's formulas."""
        for formula in list(self.document.findall(nodes.math)):
            parent = formula.parent
            place = parent.index(formula)
            before = _cut(parent, place - 1, BEFORE)
            after = _cut(parent, place + 1, AFTER)
            if before or after:
                box = nodes.inline("", "", classes=[CLASS])
                parent[place] = box
                box += [nodes.Text(before), formula, nodes.Text(after)]


def _cut(parent: nodes.Element, place: int, touching: re.Pattern[str]) -> str:
    """Take the touching characters away from the child at a place, if it is plain text."""
    child = parent[place] if 0 <= place < len(parent) else None
    found = touching.search(child.astext()) if isinstance(child, nodes.Text) else None
    if not found:
        return ""
    parent[place] = nodes.Text(touching.sub("", found.string))
    return found[0]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_post_transform(GlueFormulas)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
