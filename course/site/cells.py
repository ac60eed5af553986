"""The page of a lesson with slides says, in comments, where each cell of its notebook begins."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from course.notebooks import read
from course.slides.choice import on_the_wall

LINES = 10_000  # MyST-NB counts those of the first cell from 10 000, of the second from 20 000, …


class MarkCells(SphinxPostTransform):
    """Put a comment with the cell's id before the first thing that comes from it."""

    default_priority = 5
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Walk through the page's sections."""
        path = Path(self.env.doc2path(self.env.docname))
        if path.suffix == ".ipynb" and on_the_wall(notebook := read(path)):
            self._mark(self.document, [cell.id for cell in notebook.cells], seen=set())

    def _mark(self, parent: nodes.Element, ids: list[str], seen: set[int]) -> None:
        for node in list(parent.children):
            index = (getattr(node, "line", None) or 0) // LINES - 1
            if index >= 0 and index not in seen and not isinstance(node, nodes.title):
                seen.add(index)
                mark = nodes.raw("", f"<!-- cell {ids[index]} -->\n", format="html")
                parent.insert(parent.index(node), mark)
            if isinstance(node, nodes.section):
                self._mark(node, ids, seen)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_post_transform(MarkCells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
