"""Scratch folders: each process clears what a killed one has left, and touches nothing that is in use."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from course.grading.scratch import PREFIX, scratch

HOLD = """
from course.grading.scratch import scratch
with scratch() as folder:
    (folder / "notebook.ipynb").write_text("{}")
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder():
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process, Path(process.stdout.readline().strip())
    process.kill()
    process.communicate()


def test_what_a_killed_process_left_is_cleared(holder):
    process, left = holder
    process.kill()
    process.wait()
    assert (left / "notebook.ipynb").exists()
    with scratch() as folder:
        assert not left.exists()
        assert folder.exists()


def test_what_is_in_use_stays(holder):
    _, used = holder
    with scratch() as first, scratch() as second:
        assert first != second
        assert first.exists()
        assert (used / "notebook.ipynb").exists()


def test_what_is_not_a_scratch_folder_stays(temporary):
    (temporary / f"{PREFIX}by-hand").mkdir()
    with scratch():
        pass
    assert [path.name for path in temporary.iterdir()] == [f"{PREFIX}by-hand"]
