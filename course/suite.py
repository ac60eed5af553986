"""The whole suite of checks, in the order in which they answer fastest."""

import os
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from course.environment import REPRODUCIBLE

NBVAL = ["-p", "course.grading.nbval", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=30"]
NBVAL_SANITIZE = "--nbval-sanitize-with=tests/notebooks/sanitize.cfg"
BY_FILE = ["-n2", "--dist=loadfile"]

STEPS = {
    "linters, types, schemas": ["pre_commit", "run", "--all-files", "--show-diff-on-failure"],
    "a browser": ["course", "browser"],  # once, before two workers would install one at the same time
    "a sandbox": ["course", "sandbox"],
    "unit, property and site tests": ["pytest", "-q", *BY_FILE],
    "every notebook, run again": [
        *("pytest", "-q", *BY_FILE, *NBVAL, NBVAL_SANITIZE),
        *("chapters", "exercises", "solutions"),
    ],
}


def run_suite(root: Path) -> bool:
    """Run every step in `root`, also after one that fails; return whether all of them passed."""
    console = Console(stderr=True)
    bin_folder = str(Path(sys.executable).parent)
    environment = os.environ | REPRODUCIBLE | {"PATH": bin_folder + os.pathsep + os.environ["PATH"]}
    failed = []
    for title, command in STEPS.items():
        console.rule(title)
        start = time.monotonic()
        if subprocess.run([sys.executable, "-m", *command], cwd=root, env=environment).returncode != 0:
            failed.append(title)
        console.print(f"{title}: {time.monotonic() - start:.0f} s")
    for title in failed:
        console.print(f"[bold red]failed:[/] {title}")
    return not failed
