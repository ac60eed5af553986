"""Write the students' notebooks from the solutions, or tell where the two have come apart."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.exercises import parse, student
from course.notebooks import NotebookError, dumps, find, read, write_text
from course.refresh import execute


def pristine(source: Path, target: Path) -> str:
    """Make the text of one student's notebook.

    Parameters
    ----------
    source : Path
        `solutions/NN-name.ipynb`.
    target : Path
        `exercises/NN-name.ipynb`, in whose folder the notebook is run.

    Returns
    -------
    str
        The canonical text, with the outputs of a run in which nothing is answered.
    """
    return dumps(execute(student(parse(source)), target))


def release(source: Path, target: Path) -> None:
    """Write one student's notebook."""
    target.parent.mkdir(exist_ok=True)
    write_text(target, pristine(source, target))


def differences(source: Path, target: Path) -> list[str]:
    """List where a student's notebook is not what its source gives; nothing is written.

    Returns
    -------
    list of str
        One line a difference, each naming the file; empty when all bytes agree.
    """
    if not target.exists():
        return [f"{target}: is missing"]
    wanted = pristine(source, target)
    if target.read_text(encoding="utf-8") == wanted:
        return []
    try:
        found = {cell.id: cell for cell in read(target).cells}
    except NotebookError as error:
        return [str(error)]
    cells: dict[str, NotebookNode] = {cell.id: cell for cell in nbformat.reads(wanted, as_version=4).cells}
    lines = [f"{target}: cell `{id_}` is missing" for id_ in cells if id_ not in found]
    lines += [f"{target}: cell `{id_}` is not in {source}" for id_ in found if id_ not in cells]
    lines += [
        f"{target}: cell `{id_}` differs in {key}"
        for id_, cell in cells.items()
        if id_ in found
        for key in sorted({*cell, *found[id_]})
        if cell.get(key) != found[id_].get(key)
    ]
    return lines or [f"{target}: differs in the order of its cells or in its form"]


def pairs(root: Path) -> list[tuple[Path, Path]]:
    """Pair each source with its student's notebook."""
    return [(source, root / "exercises" / source.name) for source in find(root, "solutions")]


def orphans(root: Path) -> list[str]:
    """List the students' notebooks that no source gives."""
    sources = {source.name for source in find(root, "solutions")}
    return [
        f"{path}: has no source solutions/{path.name}; delete it"
        for path in sorted((root / "exercises").glob("*.ipynb"))
        if path.name not in sources
    ]
