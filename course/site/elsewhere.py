"""Elsewhere in one click: where notebooks run if the repository has an address, and how they get gradlib.

``repository: url`` in ``_config.yml`` turns the buttons on: Colab, Binder, the repository, an issue about the
page; a JupyterHub too, if ``launch_buttons: jupyterhub_url`` names one. Without an address nothing changes.

The notebooks of the course stay as they are. Their copies beside the site, which readers download, get a
first cell that installs gradlib where it is missing, as it was when the site was built. The workflow *book*
puts the copies on a branch of their own, and the buttons open that.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config

import gradlib
from course.notebooks import dumps, read

BRANCH = "notebooks"
BUTTONS = {"use_issues_button": True, "use_repository_button": True, "repository_branch": BRANCH}
LAUNCHERS = {
    "colab_url": "https://colab.research.google.com",
    "binderhub_url": "https://mybinder.org",
    "notebook_interface": "jupyterlab",
}

PACKAGES = {"scipy": "scipy", "sklearn": "scikit-learn", "jax": "jax", "optax": "optax"}
"""What lessons import beside gradlib and what it needs itself, and where that comes from."""

IMPORTS = re.compile(rf"^\s*(?:from|import) ({'|'.join(PACKAGES)})\b", re.MULTILINE)

INSTALL = """\
import importlib.util

if importlib.util.find_spec("gradlib") is None:  # not at home: in Colab, on Binder, on a hub
    %pip install --quiet {}"""


def installing(notebook: NotebookNode, library: str) -> NotebookNode:
    """Return a copy of the notebook whose first cell installs what it needs where gradlib is missing.

    Parameters
    ----------
    notebook
        Any notebook of the course.
    library
        What pip calls the library: a requirement, an address, a wheel.
    """
    copy: NotebookNode = notebook.copy()
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    wanted = [f'"{library}"', *sorted({PACKAGES[name] for name in IMPORTS.findall(code)})]
    cell = nbformat.v4.new_code_cell(INSTALL.format(" ".join(wanted)), id="elsewhere")
    copy.cells = [cell, *notebook.cells]
    return copy


def requirement(url: str, source: Path) -> str:
    """Return the requirement for gradlib of this very state of the repository, else of its version's tag."""
    asked = ["git", "-C", str(source), "rev-parse", "HEAD"]
    try:
        revision = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        revision = f"v{gradlib.__version__}"
    return f"gradlib @ git+{url.rstrip('/')}@{revision}"


def turn_on_buttons(app: Sphinx, config: Config) -> None:
    """Set the theme's options for buttons, if there is an address for them."""
    options = config.html_theme_options
    if options.get("repository_url"):
        options.update(BUTTONS, launch_buttons=options.get("launch_buttons", {}) | LAUNCHERS)


def prepare_copies(app: Sphinx, exception: Exception | None) -> None:
    """Put the first cell into the copies beside the site."""
    url = app.config.html_theme_options.get("repository_url")
    if exception or app.builder.name != "html" or not url:
        return
    library = requirement(url, Path(app.srcdir))
    for path in Path(app.outdir, "_sources").rglob("*.ipynb"):
        path.write_text(dumps(installing(read(path), library)), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the two."""
    app.connect("config-inited", turn_on_buttons)
    app.connect("build-finished", prepare_copies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
