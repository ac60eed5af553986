"""Every attack of the corpus scores nothing, leaves nothing, reaches nobody, and costs the honest nothing.

Each notebook of `attacks/` says in its first cell what it tries. They are graded together with honest work.
"""

import contextlib
import json
import shutil
import socket
import threading
from pathlib import Path

import psutil
import pytest

from course.grading.engine import run_here
from course.grading.grade import grade
from course.grading.sandbox import Limits

ATTACKS = sorted(path.stem for path in (Path(__file__).parent / "attacks").glob("*.ipynb"))
HONEST = {f"{place}-honest": "def cube(x):\n    return x**3\n" for place in ("aa", "mm", "zz")}
LIMITS = Limits(cell=8, notebook=30, cpu=20)


@contextlib.contextmanager
def listening():
    """Listen where `network-used` calls; give the list of what was heard."""
    heard = []
    stream = socket.create_server(("127.0.0.1", 47653))
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagram.bind(("127.0.0.1", 47654))
    unnamed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unnamed.bind("\0course-attack")
    unnamed.listen()

    def accept(wire):
        with wire.accept()[0]:
            heard.append("a connection")

    def receive(wire):
        if said := wire.recv(100):  # nothing is what closing it says
            heard.append(said)

    def listen(wire, wait):
        with contextlib.suppress(OSError):
            while wire.fileno() >= 0:
                wait(wire)

    ways = [(stream, accept), (unnamed, accept), (datagram, receive)]
    threads = [threading.Thread(target=listen, args=way) for way in ways]
    for thread in threads:
        thread.start()
    try:
        yield heard
    finally:
        for wire, _ in ways:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()
        for thread in threads:
            thread.join()


def traces():
    """List what an attack may have left: files in every place that it tried, and processes."""
    root = Path(__file__).parents[2]
    places = [
        root,
        root / "gradlib",
        root / "tests",
        Path.cwd(),
        Path.home(),
        Path("/tmp"),
        Path("/var/tmp"),
        Path("/"),
    ]
    places += [
        Path("/dev/shm"),
        Path("/etc"),
        Path("/usr"),
        Path("/usr/local/bin"),
        *Path("/tmp").glob("course-*"),
    ]
    files = {path for place in places for path in place.glob("course-attack*")}
    files |= set((root / ".venv").rglob("course-attack*"))
    files |= {path for place in places for path in [place / "sitecustomize.py"] if path.exists()}
    lines = {
        process.pid: " ".join(process.cmdline()) for process in psutil.process_iter() if _exists(process)
    }
    processes = {
        pid for pid, line in lines.items() if "course-attack-process" in line or "3600.47653" in line
    }
    return files, processes


def _exists(process):
    try:
        return bool(process.cmdline())
    except psutil.Error:
        return False


@pytest.fixture(scope="module")
def corpus(sandbox, course, sheet, tmp_path_factory):
    """Grade all attacks, and honest work among them, in one go."""
    folder = tmp_path_factory.mktemp("attacks")
    inbox = folder / "inbox"
    shutil.copytree(Path(__file__).parent / "attacks", inbox)
    from course.exercises import student

    for name, answer in HONEST.items():
        nb = student(sheet)
        next(cell for cell in nb.cells if cell.id == "answer").source = answer
        (inbox / f"{name}.ipynb").write_text(json.dumps(nb), encoding="utf-8")
    before = traces()
    with listening() as heard:
        graded = grade(inbox, folder / "grades", run_here, root=course, limits=LIMITS)
    seconds = {
        path.stem: json.loads(path.read_text())["seconds"]
        for path in (folder / "grades" / "outcomes").iterdir()
    }
    return {each.student: each for each in graded}, heard, (before, traces()), seconds


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_scores_nothing(name, corpus):
    graded, *_ = corpus
    assert not graded[name].failed
    assert [mark.points for mark in graded[name].marks] == [0]


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_beside_it_earns_everything(name, corpus):
    graded, *_ = corpus
    assert [mark.state for mark in graded[name].marks] == ["right"]


def test_no_attack_leaves_a_file_or_a_process(corpus):
    _, _, (before, after), _ = corpus
    assert after[0] - before[0] == set()
    assert after[1] - before[1] == set()


def test_no_attack_reaches_the_network(corpus):
    _, heard, *_ = corpus
    assert heard == []


def test_the_listener_hears():
    with listening() as heard:
        with socket.create_connection(("127.0.0.1", 47653)):
            pass
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect("\0course-attack")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.sendto(b"x", ("127.0.0.1", 47654))
        deadline = threading.Event()
        for _ in range(50):
            if len(heard) == 3:
                break
            deadline.wait(0.1)
    assert len(heard) == 3


def test_no_attack_takes_more_than_its_time(corpus):
    *_, seconds = corpus
    assert len(seconds) == len(ATTACKS) + len(HONEST) - 1  # the one that is nested too deeply is never run
    assert max(seconds.values()) < LIMITS.notebook + 20


def test_there_are_the_attacks_of_the_notes_and_ten_more():
    assert len(ATTACKS) >= 14 + 10
