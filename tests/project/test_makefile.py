"""The Makefile: its help is complete, and what is set up is not set up again."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make")


@pytest.fixture
def ready(tmp_path):
    """A folder in which the set-up has just ended."""
    for name in ("Makefile", "requirements.txt", "requirements-lab.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "ready").touch()
    return tmp_path


def run_make(folder: Path, *arguments: str) -> str:
    assert MAKE, "the course is built with make: install it"
    # Under `make test` the outer make's flags would be inherited.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    command = [MAKE, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def dry_run(folder: Path, *arguments: str) -> str:
    return run_make(folder, "--dry-run", *arguments)


def test_the_second_run_installs_nothing(ready):
    assert "pip install" not in dry_run(ready, "book", "test")


@pytest.mark.parametrize("changed", ["requirements.txt", "pyproject.toml"])
def test_changed_requirements_are_installed(ready, changed):
    later = (ready / ".venv" / "ready").stat().st_mtime + 10
    os.utime(ready / changed, (later, later))
    assert "--require-hashes -r requirements.txt" in dry_run(ready, "book")


def test_solutions_can_be_left_out(ready):
    assert "course build --no-solutions" in dry_run(ready, "book", "SOLUTIONS=0")
    assert "--no-solutions" not in dry_run(ready, "book")


def test_help_lists_every_target(ready):
    makefile = (ready / "Makefile").read_text()
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert re.findall(r"^make (\w+)", run_make(ready, "help"), re.MULTILINE) == targets.split()
