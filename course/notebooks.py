"""Notebooks on disk: read with care, written in one canonical form.

The stored outputs are the expected outputs, and the stored bytes are compared: so the same notebook has the
same bytes whoever saved it, on every supported Python.
"""

import copy
import json
import os
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.validator import iter_validate

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {"name": "python"}
"""Without the version: Python 3.11, 3.12 and 3.13 store the same bytes."""

CELL_METADATA = ("course", "mystnb", "slideshow", "tags")
"""What a cell may say about itself. The rest is the trace of some editor."""


class NotebookError(ValueError):
    """A notebook that cannot be used as it is; the message names the file and says what to do."""


def read(path: Path) -> NotebookNode:
    """Read a notebook of format 4.5.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    NotebookNode
        The notebook, as it was stored.

    Raises
    ------
    NotebookError
        The file is missing, is no JSON, or is no valid notebook of format 4.5.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotebookError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # invalid JSON and invalid UTF-8 alike
        raise NotebookError(f"{path}: is not a notebook: {error}") from error
    form = (
        f"{stored.get('nbformat')}.{stored.get('nbformat_minor')}" if isinstance(stored, dict) else "unknown"
    )
    if form != "4.5":
        raise NotebookError(
            f"{path}: the course keeps notebooks of format 4.5, this one is of format {form}; "
            "save it with a current JupyterLab"
        )
    for flaw in iter_validate(stored, version=4, version_minor=5):
        where = "/".join(map(str, flaw.absolute_path)) or "the notebook"
        raise NotebookError(f"{path}: is not valid nbformat 4.5 at {where}: {flaw.message[:200]}")
    nb: NotebookNode = nbformat.v4.to_notebook(stored)
    return nb


def normalise(nb: NotebookNode) -> NotebookNode:
    """Bring a notebook to canonical form.

    Fixed kernel and language, no cell metadata beside `CELL_METADATA`, the executed cells counted 1 … n, and
    the chunks in which a stream happened to arrive put together.

    Parameters
    ----------
    nb : NotebookNode
        Any notebook of format 4.5; it is left as it is.

    Returns
    -------
    NotebookNode
        The canonical notebook. Normalising it again changes nothing.
    """
    nb = copy.deepcopy(nb)
    nb.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO})
    count = 0
    for cell in nb.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in CELL_METADATA})
        if cell.cell_type != "code":
            continue
        cell.outputs = _joined(cell.outputs)
        if cell.execution_count is not None:
            count += 1
            cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
    return nb


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    joined: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def dumps(nb: NotebookNode) -> str:
    """Give the text of a notebook's file: nbformat's order of keys, indent 1, a newline at the end."""
    text: str = nbformat.v4.writes(nb)
    return text + "\n"


def write(path: Path, nb: NotebookNode) -> None:
    """Write a notebook in canonical form: either the whole of it, or nothing."""
    write_text(path, dumps(normalise(nb)))


def write_text(path: Path, text: str) -> None:
    """Replace a file by `text` in one step, so that no reader and no crash ever sees half of it."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def find(root: Path, *folders: str) -> list[Path]:
    """List the notebooks of some of the course's folders, in order.

    Raises
    ------
    NotebookError
        There is none: a command or a test over no notebook would succeed at nothing.
    """
    found = sorted(path for folder in folders for path in (root / folder).glob("*.ipynb"))
    if not found:
        raise NotebookError(
            f"{root}: no notebook in {', '.join(folders)}; run this in the folder of the course"
        )
    return found
