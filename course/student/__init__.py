"""Make the repository that students get: exercises, lessons and gradlib, and nothing that tells an answer."""

import shutil
import tomllib
from pathlib import Path

import click

from course.notebooks import NotebookError, find, write_text

HERE = Path(__file__).parent
FILES = {
    "README.md": "README.md",
    "checks.py": "exercises/conftest.py",
    "check.yml": ".github/workflows/check.yml",
    "gitignore": ".gitignore",
}
"""What is copied as it is: from here, to there."""


def hand_out(root: Path, target: Path) -> list[Path]:
    """Write a student repository.

    Parameters
    ----------
    root : Path
        The folder of the course, whose `exercises` are up to date.
    target : Path
        A folder that is empty, or does not exist.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    NotebookError
        There is something in the folder already.
    """
    if target.exists() and any(target.iterdir()):
        raise NotebookError(f"{target}: is not empty; name a folder that does not exist yet")
    for source, place in FILES.items():
        _copy(HERE / source, target / place)
    for path in find(root, "exercises", "chapters"):
        _copy(path, target / path.relative_to(root))
    for path in sorted((root / "gradlib").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            _copy(path, target / path.relative_to(root))
    if (root / "LICENSE").exists():
        _copy(root / "LICENSE", target / "LICENSE")
    write_text(target / "pyproject.toml", _project(root))
    return sorted(path for path in target.rglob("*") if path.is_file())


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _project(root: Path) -> str:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["lessons"], *extras["lab"], "pytest>=8", "nbval>=0.11"]
    lines = "".join(f'  "{requirement}",\n' for requirement in wanted)
    template = (HERE / "pyproject.toml.in").read_text(encoding="utf-8")
    return template.replace("@PYTHON@", project["requires-python"]).replace("@REQUIREMENTS@\n", lines)


def say(files: list[Path], target: Path) -> None:
    """Tell the instructor what to do with it."""
    click.echo(f"{target}: {len(files)} files; make it a repository: cd {target} && git init && git add .")
