"""What a process in the sandbox sees, may do, and leaves behind."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from course.grading import sandbox as module
from course.grading.run import RunError, graded, run
from course.grading.sandbox import FIRST_UID, Limits, SandboxError, require, wrap
from course.notebooks import dumps

HONEST = "def cube(x):\n    return x**3\n"
LIMITS = Limits(cell=10, notebook=30)

REPORT = """
def cube(x):
    import json, os, resource, sys
    from pathlib import Path
    def listed(place):
        try:
            return sorted(os.listdir(place))
        except OSError as error:
            return type(error).__name__
    def written(place):
        try:
            Path(place, "course-attack").write_text("")
            return True
        except OSError:
            return False
    return json.dumps({
        "uid": os.getuid(),
        "environment": sorted(os.environ),
        "status": dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines()),
        "limits": [
            resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1]
            for name in ("DATA", "NPROC", "CORE", "CPU")
        ],
        "processes": [name for name in listed("/proc") if name.isdigit()],
        "network": [
            line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]
        ],
        "top": listed("/"),
        "sees": {place: listed(place) for place in PLACES},
        "writes": {
            place: written(place) for place in ("/", "/usr", "/etc", "/dev", "/proc", sys.prefix, *PLACES)
        },
        "scratch": [written("/tmp"), written("/dev/shm")],
        "room": [
            os.statvfs(place).f_blocks * os.statvfs(place).f_frsize
            for place in ("/tmp", "/dev/shm", "/sockets")
        ],
    })
"""


def answered(sheet, answer, **options):
    return run(dumps(graded(sheet, {"answer": answer})), limits=LIMITS, **options)


@pytest.fixture(scope="module")
def inside(sandbox, sheet, tmp_path_factory):
    """Give what an answer sees in the sandbox, told through the value that it returns."""
    path = tmp_path_factory.mktemp("told") / "value.txt"
    root = Path(module.__file__).parents[2]
    places = [
        str(place)
        for place in (root, root / "solutions", Path.home(), "/tmp", "/sockets", Path.home().parent)
    ]
    nb = graded(sheet, {"answer": REPORT.replace("PLACES", repr(places))})
    # A condition is evaluated by the grader, outside: this one writes down what it was given.
    nb.cells[-1].metadata.course.accept = {"kanarienvogel": f"open({str(path)!r}, 'w').write(value) > 0"}
    assert run(dumps(nb), limits=LIMITS).checks == {"hidden": "right"}
    return json.loads(path.read_text()), root


def test_user_has_no_rights(inside):
    seen, _ = inside
    status = {key: value.split() for key, value in seen["status"].items()}
    assert seen["uid"] >= FIRST_UID
    assert {int(number) for number in status["CapEff"] + status["CapPrm"]} == {0}
    assert status["NoNewPrivs"] == ["1"]
    assert seen["limits"] == [LIMITS.memory, LIMITS.processes, 0, LIMITS.cpu]


def test_environment_is_empty_but_for_what_python_needs(inside):
    seen, _ = inside
    assert "MPLBACKEND" in seen["environment"]
    assert not {
        name
        for name in seen["environment"]
        if name.startswith(("PYTEST", "GITHUB", "SSH", "JUPYTER", "JPY_"))
    }


def test_no_other_process_is_seen(inside):
    seen, _ = inside
    assert len(seen["processes"]) <= 3


def test_nothing_of_the_course_but_gradlib_is_seen(inside):
    seen, root = inside
    assert set(seen["sees"][str(root)]) <= {"gradlib", ".venv"}
    assert seen["sees"][str(root / "solutions")] == "FileNotFoundError"
    assert not {".ssh", ".cache", ".gitconfig", ".bashrc"} & set(seen["sees"][str(Path.home())])
    above = {part for path in (root, Path(sys.prefix)) for part in path.parts[2:3]}  # where they lie in /tmp
    assert set(seen["sees"]["/tmp"]) <= {"matplotlib", ".ipython", *above}
    assert not {"work", "srv", "mnt", "var", "boot"} & set(seen["top"]) - {root.parts[1]}


def test_nothing_can_be_written_but_a_little_in_memory(inside):
    seen, root = inside
    assert {place for place, can in seen["writes"].items() if can} <= {"/tmp", "/sockets"}
    assert seen["scratch"] == [True, True]
    assert max(seen["room"]) <= LIMITS.scratch
    assert not list(root.glob("course-attack")) + list(Path("/tmp").glob("course-attack"))


def test_there_is_no_network(inside):
    seen, _ = inside
    assert set(seen["network"]) <= {"lo"}


def test_nothing_is_left_behind(sandbox, sheet, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert answered(sheet, HONEST).checks == {"hidden": "right"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("import math\n\n\ndef cube(x):\n    print('so', x)\n    return math.prod([x, x, x])\n", "right"),
        ("def cube(x):\n    return x**2\n", "wrong"),
        ("def cube(x):\n    return ...\n", "blank"),
        ("def cube(x:\n", "raised"),
    ],
)
def test_honest_work_gets_what_it_earned(answer, state, sheet, sandbox):
    assert answered(sheet, answer).checks == {"hidden": state}


def test_trusted_work_needs_no_sandbox(sheet, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert answered(sheet, HONEST, trusted=True).checks == {"hidden": "right"}


def test_kernel_that_does_not_start_is_no_zero(sheet, monkeypatch):
    monkeypatch.setattr("course.grading.run.sys.executable", "/no/such/python")
    with pytest.raises((RunError, OSError)):
        answered(sheet, HONEST, trusted=True)


# Where there is no sandbox


def no_bubblewrap(patch):
    patch.setattr(shutil, "which", lambda name: None)


def no_namespaces(patch):
    def refused(command, **options):
        said = "bwrap: setting up uid map: Permission denied"
        return subprocess.CompletedProcess(command, 1, "", said)

    patch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    patch.setattr(subprocess, "run", refused)


def other_system(patch):
    patch.setattr(sys, "platform", "darwin")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (no_bubblewrap, r"bubblewrap \(bwrap\) is not installed"),
        (no_namespaces, "setting up uid map: Permission denied"),
        (other_system, "no bubblewrap for darwin"),
    ],
)
def test_without_a_sandbox_nothing_is_run_and_advice_is_given(change, why, monkeypatch):
    module._can_disable_userns.cache_clear()
    change(monkeypatch)
    with pytest.raises(SandboxError, match=why) as error:
        require()
    assert "apt-get install bubblewrap" in str(error.value)
    assert "--trusted" in str(error.value)
    module._can_disable_userns.cache_clear()


def test_user_namespace_is_used_where_the_grader_is_not_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    command = wrap(["true"])
    assert "--unshare-user" in command
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "--cap-drop" in wrap(["true"])
