"""Run one submission: nbval in a pytest process of its own, the kernel in the sandbox.

The notebook that is run holds the expected values. It lies in a folder that the sandbox does not show; the
process that compares runs nothing of the student's.
"""

import copy
import json
import os
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from course.environment import REPRODUCIBLE
from course.exercises import Sheet, blank
from course.grading.sandbox import Limits, font_lists
from course.grading.scratch import scratch
from course.grading.watch import STARTED
from course.grading.zygote import Request
from course.grading.zygote import run as run_pytest

KERNEL = "course"
GRACE = 60
"""Seconds that starting and ending may take beside the limit of the notebook."""


class RunError(RuntimeError):
    """The kernel did not start: the machine's fault, not the student's, so there is no outcome."""


@dataclass
class Outcome:
    """What came of one notebook.

    Attributes
    ----------
    checks : dict
        For each hidden cell its state: `right`, or why not.
    seconds : float
        How long it took.
    """

    checks: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def graded(sheet: Sheet, answers: Mapping[str, str]) -> NotebookNode:
    """Put answers into the pristine notebook, with its hidden cells and their expected values.

    Parameters
    ----------
    sheet : Sheet
        The source of the exercises.
    answers : mapping
        The code of answer cells by their ids; an answer that is not there stays blank.

    Returns
    -------
    NotebookNode
        Cells without a role and answers are run without looking at what they show; hidden cells are compared.
        Checks are left out: they earn nothing.
    """
    cells = []
    for part in sheet.parts:
        if part.cell.cell_type != "code" or part.role not in (None, "answer", "hidden"):
            continue
        cell = copy.deepcopy(part.cell)
        if part.role != "hidden":
            cell.outputs, cell.execution_count, cell.metadata = [], None, nbformat.from_dict({})
        if part.role == "answer":
            cell.source = answers.get(cell.id, blank(cell.source))
        cells.append(cell)
    made: NotebookNode = new_notebook(cells=cells)
    return made


def run(notebook: str, *, trusted: bool = False, limits: Limits | None = None) -> Outcome:
    """Run a graded notebook.

    Parameters
    ----------
    notebook : str
        The text of what `graded` made.
    trusted : bool
        Without the sandbox: for one's own solutions.
    limits : Limits, optional
        What it may use.

    Returns
    -------
    Outcome
        A state for every hidden cell, whatever happened: an answer that ends the kernel, or even the process
        that compares, is not right.

    Raises
    ------
    RunError
        No answer was run.
    """
    limits = limits or Limits()
    begun = time.monotonic()
    with scratch() as home:
        path = home / "notebook.ipynb"
        path.write_text(notebook, encoding="utf-8")
        _kernelspec(home, limits, trusted=trusted)
        report = home / "junit.xml"
        ended = _pytest(home, path, report, limits)
        if not (home / STARTED).exists():
            log = home / "log"
            said = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
            raise RunError(f"the kernel did not start: {said[-1] if said else 'pytest said nothing'}")
        code = [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]
        found = _states(report) if report.exists() else {}
    checks = {
        cell["id"]: found.get(number, ended)
        for number, cell in enumerate(code)
        if cell["metadata"].get("course", {}).get("role") == "hidden"
    }
    return Outcome(checks, time.monotonic() - begun)


def _kernelspec(home: Path, limits: Limits, *, trusted: bool) -> None:
    config = {"limits": limits.asdict(), "fonts": [] if trusted else font_lists()}
    provisioner = {"provisioner_name": "course-sandbox", "config": config}
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "graded",
        "language": "python",
        "interrupt_mode": "signal" if trusted else "message",
        "metadata": {} if trusted else {"kernel_provisioner": provisioner},
    }
    folder = home / "kernels" / KERNEL
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def _pytest(home: Path, path: Path, report: Path, limits: Limits) -> str:
    arguments = [
        *(str(path), "-q", "-c", os.devnull, f"--rootdir={home}", f"--confcutdir={home}"),
        *("--noconftest", "--tb=no", "-p", "no:unraisableexception"),
        *("-p", "nbval.plugin", "-p", "course.grading.nbval", "-p", "course.grading.watch"),
        *("-p", "no:cacheprovider", "--nbval", f"--nbval-kernel-name={KERNEL}"),
        *(f"--nbval-cell-timeout={limits.cell}", f"--course-limits={json.dumps(limits.asdict())}"),
        f"--junitxml={report}",
    ]
    environment = REPRODUCIBLE | {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "JUPYTER_PATH": str(home),
        "JUPYTER_RUNTIME_DIR": str(home),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "IPYTHONDIR": str(home / "ipython"),
    }
    request = Request(arguments, str(home), environment, str(home / "log"), limits.notebook + GRACE)
    return "kernel died" if run_pytest(request) else "time"


def _states(report: Path) -> dict[int, str]:
    """Read the state of each cell, by its number; a cell is right only if nothing was said about it."""
    states = {}
    stopped = ""
    for case in ET.parse(report).getroot().iter("testcase"):
        number = int(case.attrib["name"].removeprefix("Cell "))
        told = {entry.attrib["name"]: entry.attrib["value"] for entry in case.iter("property")}
        stopped = stopped or told.pop("stopped", "")
        if all(child.tag == "properties" for child in case):
            states[number] = "right"
        else:
            states[number] = _worst(set(told.values()) - {"right"}) or stopped or "raised"
    return states


def _worst(found: set[str]) -> str:
    return next((state for state in ("blank", "raised", "refused", "wrong", "missing") if state in found), "")
