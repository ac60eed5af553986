"""Find the submissions in a folder, however they were handed in.

An entry of the folder is a student's: a folder (a clone, as GitHub Classroom makes it, or a part of an LMS
export), a zip file, or a notebook. Notebooks are looked for at any depth, and told by what is in them, not
by their names.
"""

import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from course.exercises import Sheet
from course.grading.answers import LARGEST, Answers, AnswersError, Cell, answers, cells, likeness

MOST = 200
"""Notebooks of one student."""

SKIPPED = re.compile(r"\.|__MACOSX$|__pycache__$|_build$|node_modules$|chapters$")
"""Folders in which no answers are: hidden ones, such as .git and .ipynb_checkpoints, and the lessons."""


@dataclass
class Submission:
    """What one student handed in.

    Attributes
    ----------
    student : str
        The name of the entry, without `.zip` or `.ipynb`.
    notebooks : list of Path
        Its notebooks, unpacked.
    problems : list of str
        What could not be read, in words for the student.
    """

    student: str
    notebooks: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def modified(self) -> float:
        """When the last of its notebooks was changed, in seconds of Unix time."""
        return max((path.stat().st_mtime for path in self.notebooks), default=0.0)


def collect(folder: Path, scratch: Path) -> list[Submission]:
    """List the submissions in a folder.

    Parameters
    ----------
    folder : Path
        One entry for each student; files that are neither zip files nor notebooks are left alone.
    scratch : Path
        An empty folder for what is unpacked.

    Returns
    -------
    list of Submission
        In the order of their names. Links are not followed, and of a zip file notebooks alone are unpacked,
        to names of our own.
    """
    found: dict[str, Submission] = {}
    for entry in sorted(folder.iterdir()):
        kind = entry.suffix.lower()
        if entry.name.startswith((".", "__MACOSX")) or not (entry.is_dir() or kind in (".zip", ".ipynb")):
            continue
        name = entry.stem if kind in (".zip", ".ipynb") and not entry.is_dir() else entry.name
        submission = found.setdefault(name, Submission(name))
        if entry.is_symlink():
            submission.problems.append(f"{entry.name} is a link; links are not followed")
            continue
        for path in _files(entry):
            if len(submission.notebooks) >= MOST:
                submission.problems.append(f"there are more than {MOST} notebooks; the others were left out")
                break
            if path.suffix.lower() == ".zip":
                target = scratch / f"{len(found)}-{len(submission.notebooks)}"
                try:
                    submission.notebooks += _unpack(path, target)
                except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
                    submission.problems.append(f"{path.name} cannot be unpacked: {error}")
            else:
                submission.notebooks.append(path)
    return list(found.values())


def _files(entry: Path) -> Iterator[Path]:
    if not entry.is_dir():
        yield entry
        return
    for folder, folders, files in os.walk(entry):
        folders[:] = sorted(name for name in folders if not SKIPPED.match(name))
        for name in sorted(files):
            path = Path(folder, name)
            if name.lower().endswith((".ipynb", ".zip")) and not path.is_symlink() and path.is_file():
                yield path


def _unpack(archive: Path, target: Path) -> list[Path]:
    unpacked: list[Path] = []
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            parts = re.split(r"[/\\]", member.filename)
            if not parts[-1].lower().endswith(".ipynb") or any(SKIPPED.match(part) for part in parts):
                continue
            if len(unpacked) >= MOST:
                raise ValueError(f"it holds more than {MOST} notebooks")
            with opened.open(member) as file:
                content = file.read(LARGEST + 1)  # whatever size the archive claims
            path = target / str(len(unpacked)) / re.sub(r"[^\w. ()-]", "_", parts[-1])[-100:]
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
            stamp = _time(member)
            os.utime(path, (stamp, stamp))
            unpacked.append(path)
    return unpacked


def _time(member: zipfile.ZipInfo) -> float:
    from datetime import datetime

    try:
        return datetime(*member.date_time).timestamp()
    except ValueError:
        return 0.0


def match(submission: Submission, sheets: list[Sheet]) -> dict[str, Answers]:
    """Find the answers to each sheet among a student's notebooks.

    Parameters
    ----------
    submission : Submission
        What was handed in; notebooks that cannot be used are added to its problems.
    sheets : list of Sheet
        The sheets that are graded.

    Returns
    -------
    dict
        Answers by the name of the sheet, `01-newton`; a sheet that was not handed in is not there.
    """
    candidates: dict[str, list[tuple[Path, Answers]]] = {}
    for path in submission.notebooks:
        try:
            found = cells(path)
        except AnswersError as error:
            submission.problems.append(f"{path.name} was not graded: {error}")
            continue
        if sheet := _sheet(path, found, sheets):
            candidates.setdefault(sheet.path.stem, []).append((path, answers(sheet, found)))
    chosen = {}
    for name, several in candidates.items():
        if one := _choose(name, several):
            chosen[name] = one
        else:
            files = ", ".join(path.name for path, _ in several)
            submission.problems.append(
                f"{name} was not graded: {files} hold different answers to it; hand in one of them"
            )
    return chosen


def _sheet(path: Path, found: list[Cell], sheets: list[Sheet]) -> Sheet | None:
    best = max(sheets, key=lambda sheet: (likeness(sheet, found), sheet.path.stem in path.name))
    return best if likeness(best, found) or best.path.stem in path.name else None


def _choose(name: str, several: list[tuple[Path, Answers]]) -> Answers | None:
    exact = [given for path, given in several if path.stem == name]
    if len(exact) == 1:
        return exact[0]
    different = {str(sorted(given.code.items())): given for _, given in several if given.code}
    if len(different) > 1:
        return None
    return next(iter(different.values()), several[0][1])
