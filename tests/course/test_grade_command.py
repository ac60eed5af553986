"""`course grade`, as an instructor runs it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from course.__main__ import main
from course.grading.scratch import LOCK, PREFIX

ANSWERS = {
    "ada": "def cube(x):\n    return x**3\n",
    "bob": "def cube(x):\n    return x * x * x\n",
    "cyd": "def cube(x):\n    return 3 * x\n",
    "dot": None,
}


@pytest.fixture
def inbox(tmp_path, handed_in):
    folder = tmp_path / "inbox"
    folder.mkdir()
    for student, answer in ANSWERS.items():
        (folder / f"{student}.ipynb").write_text(json.dumps(handed_in(answer)), encoding="utf-8")
    return folder


def run(course, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course)
        return CliRunner().invoke(main, ["grade", *map(str, arguments)])


def reports(folder):
    return {
        path.name: path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.suffix in (".csv", ".html", ".xml")
    }


def test_killed_run_resumes_and_changes_no_grade(inbox, course, tmp_path, monkeypatch):
    out, temporary = tmp_path / "out", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    command = [
        sys.executable,
        "-m",
        "course",
        "grade",
        str(inbox),
        "--out",
        str(out),
        "--trusted",
        "--jobs",
        "1",
    ]
    process = subprocess.Popen(command, cwd=course, stdout=subprocess.DEVNULL, start_new_session=True)
    while not (list(out.glob("outcomes/*.json")) and list(temporary.glob(f"{PREFIX}*/{LOCK}"))):
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in out.glob("outcomes/*.json")}
    assert 1 <= len(kept) < len(ANSWERS)
    assert not (out / "grades.csv").exists()
    assert list(temporary.glob(f"{PREFIX}*"))

    assert run(course, inbox, "--out", out, "--trusted").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    first = reports(out)
    assert not list(temporary.glob(f"{PREFIX}*"))
    assert (out / "gradebook-moodle.csv").read_text() == "ID number,01-cubes\nada,2\nbob,2\ncyd,0\ndot,0\n"

    assert run(course, inbox, "--out", out, "--trusted").exit_code == 0
    assert reports(out) == first


def test_sandbox_is_the_rule(sandbox, course, inbox, tmp_path):
    for student in ("bob", "cyd", "dot"):
        (inbox / f"{student}.ipynb").unlink()
    result = run(course, inbox, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "ada,2" in (tmp_path / "out" / "gradebook-moodle.csv").read_text()


def test_without_a_sandbox_it_refuses_and_says_how_to_get_one(course, inbox, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    result = run(course, inbox, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "apt-get install bubblewrap" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("shard", ["0/2", "3/2", "half", "1/0"])
def test_shard_is_k_of_n(shard, course, inbox, tmp_path):
    result = run(course, inbox, "--out", tmp_path / "out", "--trusted", "--shard", shard)
    assert result.exit_code != 0
    assert "is not K/N" in result.output


def test_what_could_not_be_graded_is_an_error_at_the_end(course, inbox, tmp_path, monkeypatch):
    from course.grading import engine
    from course.grading.run import RunError

    def perform(task):
        raise RunError("the kernel did not start: no space left")

    monkeypatch.setattr(engine, "perform", perform)
    result = run(course, inbox, "--out", tmp_path / "out", "--trusted")
    assert result.exit_code == 1
    assert "ada: 01-cubes: the kernel did not start: no space left" in result.output
    assert "run the same command again" in result.output


def test_workflow_grades_shards_and_puts_them_together():
    text = (Path(__file__).parents[2] / ".github" / "workflows" / "grade.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    known = {name for parameter in main.commands["grade"].params for name in parameter.opts}
    commands = [
        step["run"] for job in jobs.values() for step in job["steps"] if "course grade" in step.get("run", "")
    ]
    assert len(commands) == 2
    for command in commands:
        assert set(re.findall(r"--\w+", command.split("course grade")[1])) <= known
        assert "--trusted" not in command
    assert "--shard" in commands[0]
    assert "--shard" not in commands[1]
    assert jobs["reports"]["needs"] == "run"
    assert "secrets." not in text
