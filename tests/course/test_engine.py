"""Many notebooks at a time: no outcome is lost, whatever becomes of a process or a machine."""

import json
import os
import signal
import threading
import time

import psutil
import pytest

from course.grading import engine
from course.grading.engine import TRIES, Task, run_here, run_there
from course.grading.run import Outcome, RunError, graded
from course.grading.sandbox import Limits
from course.grading.zygote import Request, Zygote
from course.notebooks import dumps


def tasks(sheet, count):
    """Make tasks whose outcomes tell them apart: every other answer is right."""
    text = {True: "def cube(x):\n    return x**3\n", False: "def cube(x):\n    return x**2\n"}
    return [
        Task(
            f"task-{n}",
            dumps(graded(sheet, {"answer": text[n % 2 == 0]})),
            trusted=True,
            limits=Limits(cell=20),
        )
        for n in range(count)
    ]


def states(arrived):
    assert len({task.key for task, _ in arrived}) == len(arrived)
    return {task.key: outcome.checks["hidden"] for task, outcome in arrived}


def expected(count):
    return {f"task-{n}": "right" if n % 2 == 0 else "wrong" for n in range(count)}


def test_notebooks_run_side_by_side(sheet, monkeypatch):
    meeting = threading.Barrier(3, timeout=20)

    def perform(task):
        meeting.wait()  # ends only if three come together
        return Outcome({"hidden": task.key})

    monkeypatch.setattr(engine, "perform", perform)
    arrived = list(run_here(tasks(sheet, 6), jobs=3))
    assert {task.key: outcome.checks["hidden"] for task, outcome in arrived} == {
        f"task-{n}": f"task-{n}" for n in range(6)
    }


def test_run_that_fails_is_tried_again(sheet, monkeypatch):
    tried = []

    def perform(task):
        tried.append(task.key)
        if task.key == "task-0" or tried.count(task.key) < TRIES:
            raise RunError("no space left")
        return Outcome({"hidden": "right"})

    monkeypatch.setattr(engine, "perform", perform)
    arrived = {task.key: outcome for task, outcome in run_here(tasks(sheet, 2), jobs=1)}
    assert isinstance(arrived["task-0"], RunError)
    assert arrived["task-1"].checks == {"hidden": "right"}
    assert tried.count("task-0") == TRIES


def request(folder, seconds, *arguments):
    return Request([*arguments], str(folder), {"PATH": os.defpath}, str(folder / "log"), seconds)


def test_process_that_forks_is_started_again_when_it_is_gone(tmp_path):
    zygote = Zygote()
    assert zygote.run(request(tmp_path, 60, "--version"))
    first = zygote._process
    first.kill()
    first.wait()
    assert zygote.run(request(tmp_path, 60, "--version"))
    assert zygote._process is not first
    assert "pytest" in (tmp_path / "log").read_text()
    zygote.close()


def runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_run_that_does_not_end_is_ended_with_all_that_it_started(tmp_path):
    (tmp_path / "test_long.py").write_text(
        "import os, subprocess, time\n\n\ndef test_long():\n"
        "    child = subprocess.Popen(['sleep', '600'])\n"
        "    open('pids', 'w').write(f'{os.getpid()} {child.pid}')\n    time.sleep(600)\n"
    )
    zygote = Zygote()
    assert not zygote.run(
        request(tmp_path, 8, str(tmp_path), "-q", "-c", os.devnull, "-p", "no:cacheprovider")
    )
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    until = time.monotonic() + 10
    while any(alive := [pid for pid in pids if runs(pid)]) and time.monotonic() < until:
        time.sleep(0.05)  # a killed process takes a moment to go
    assert alive == []
    zygote.close()


@pytest.fixture(scope="module")
def cluster():
    """Start a scheduler and two workers, each a process of its own."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=None
    ) as made:
        yield made


def test_no_grade_is_lost_with_a_worker(sheet, cluster):
    from distributed import Client

    with Client(cluster) as client:
        arrived = []
        for task, outcome in run_there(tasks(sheet, 6), client):
            arrived.append((task, outcome))
            if len(arrived) == 1:  # the others are being run, or wait
                busy = client.processing()
                address = max(busy, key=lambda worker: len(busy[worker]))
                pid = client.run(os.getpid)[address]
                os.kill(pid, signal.SIGKILL)
    assert states(arrived) == expected(6)


def test_run_that_fails_on_the_cluster_is_told(sheet, cluster):
    from distributed import Client

    broken = Task("broken", "no notebook", trusted=True)
    with Client(cluster) as client:
        arrived = {task.key: outcome for task, outcome in run_there([broken], client)}
    assert isinstance(arrived["broken"], Exception)


def test_command_grades_on_a_cluster(sheet, course, cluster, handed_in, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from course.__main__ import main

    monkeypatch.chdir(course)
    (tmp_path / "inbox").mkdir()
    nb = handed_in("def cube(x):\n    return x**3\n")
    (tmp_path / "inbox" / "ada.ipynb").write_text(json.dumps(nb), encoding="utf-8")
    command = ["grade", str(tmp_path / "inbox"), "--out", str(tmp_path / "out"), "--trusted"]
    result = CliRunner().invoke(main, [*command, "--scheduler", cluster.scheduler_address])
    assert result.exit_code == 0, result.output
    assert "ada,2" in (tmp_path / "out" / "gradebook-moodle.csv").read_text()
