"""An exercises page shows hints and solutions folded, and offers the student's notebook for download."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from course.exercises import parse, site_page
from course.notebooks import NotebookError, dumps, read

logger = logging.getLogger(__name__)


def show_exercises(app: Sphinx, docname: str, source: list[str]) -> None:
    """Read ``exercises/NN-name`` as the page made from ``solutions/NN-name.ipynb``.

    Sphinx copies the page's own file for the download button, so that stays the student's.
    """
    folder, _, name = docname.rpartition("/")
    released = Path(app.srcdir, f"{docname}.ipynb")
    solutions = Path(app.srcdir, "solutions", f"{name}.ipynb")
    if folder != "exercises" or not released.exists():
        return
    app.env.note_dependency(str(solutions))
    try:
        page = site_page(parse(solutions), read(released), solutions=app.config.course_solutions)
    except NotebookError as error:
        logger.warning("%s", error, location=docname, type="exercises")
    else:
        source[0] = dumps(page)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the handler; ``course_solutions: false`` builds a site without a trace of solutions."""
    app.add_config_value("course_solutions", True, "env", bool)
    app.connect("source-read", show_exercises)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
