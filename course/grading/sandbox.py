"""A sandbox around the kernel that runs a student's answers: bubblewrap, and limits on all that it may use.

Inside there are an interpreter with its libraries and gradlib, all read-only, and a small scratch space in
memory. There is no network, no other process, no home, no environment, no solution, and no way back.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from course import system
from course.environment import REPRODUCIBLE

SOCKETS = "/sockets"
"""The folder, inside, in which the kernel listens; it has no place outside."""

FONTS = "/tmp/matplotlib"
"""The folder, inside, of Matplotlib's list of fonts."""

FIRST_UID = 200_000
"""Where the grader is root, each sandbox has a user of its own, from this number on."""

ADVICE = """\
Untrusted notebooks are graded in bubblewrap's sandbox, and it does not work here: {why}.
Do one of these and start again:
  - install it: apt-get install bubblewrap (or dnf, pacman, zypper);
  - Ubuntu 24.04 and later keep user namespaces from programs without an AppArmor profile: run `course grade`
    under sudo there, or set kernel.apparmor_restrict_unprivileged_userns=0 on a machine kept for grading;
  - in a container, grade on the host, or start the container with --privileged on a machine kept for grading;
  - macOS and Windows have no such sandbox: grade in a Linux machine, a virtual one will do.
Only for notebooks that you wrote yourself: course grade --trusted, which runs them without any protection."""


class SandboxError(RuntimeError):
    """Nothing untrusted can be run on this machine; the message says what to do."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    cell, notebook : float
        Seconds on the clock: of a cell, and of everything.
    cpu : int
        Seconds of CPU of a process.
    memory : int
        Bytes of memory of all processes together; what they map may be four times as much.
    scratch : int
        Bytes of files, in memory.
    processes : int
        Processes and threads.
    output : int
        Bytes that the kernel may send in all.
    """

    cell: float = 15
    notebook: float = 90
    cpu: int = 60
    memory: int = 1 << 30
    scratch: int = 64 << 20
    processes: int = 64
    output: int = 32 << 20

    def asdict(self) -> dict[str, float]:
        """Give the limits as plain data."""
        return asdict(self)


def install() -> None:
    """Install bubblewrap where it is missing, if that can be done without asking."""
    if sys.platform == "linux" and not shutil.which("bwrap"):
        system.install_debian("bubblewrap")


def require() -> None:
    """Run a process in the sandbox.

    Raises
    ------
    SandboxError
        It does not work here; the message says why, and what to do.
    """
    if sys.platform != "linux":
        raise SandboxError(ADVICE.format(why=f"there is no bubblewrap for {sys.platform}"))
    if not shutil.which("bwrap"):
        raise SandboxError(ADVICE.format(why="bubblewrap (bwrap) is not installed"))
    try:
        command = wrap([sys.executable, "-c", "import socket, zmq, numpy"])
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(ADVICE.format(why=str(error))) from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"bwrap ended with {done.returncode}"]
        raise SandboxError(ADVICE.format(why=said[-1]))


def wrap(
    command: list[str],
    *,
    limits: Limits | None = None,
    files: dict[Path, str] | None = None,
    info: int | None = None,
) -> list[str]:
    """Put a command into the sandbox.

    Parameters
    ----------
    command : list of str
        What to run inside.
    limits : Limits, optional
        Those on files take effect here; the others are taken on inside, by `course.grading.kernel`.
    files : dict, optional
        Files to show inside, read-only: where they are, and where they are to be seen.
    info : int, optional
        A file descriptor on which bubblewrap tells its process's number.

    Returns
    -------
    list of str
        The command to run outside.
    """
    scratch = str((limits or Limits()).scratch)
    if os.geteuid() == 0:  # a user of its own instead, which the kernel becomes before it runs anything
        identity = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        identity = ["--unshare-user", "--uid", str(FIRST_UID), "--gid", str(FIRST_UID)]
        identity += ["--disable-userns"] if _can_disable_userns() else []
    return [
        *("bwrap", "--die-with-parent", "--new-session", *identity),
        *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
        *("--hostname", "sandbox", "--clearenv", *_environment()),
        *("--size", scratch, "--perms", "1777", "--tmpfs", "/tmp"),
        *_mounts(),  # after it: they may lie in it
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", "1048576", "--perms", "1777", "--tmpfs", "/dev/shm"),
        *("--size", "1048576", "--perms", "1777", "--tmpfs", SOCKETS),
        *("--perms", "1777", "--dir", FONTS),
        *(part for file, seen in (files or {}).items() for part in ("--ro-bind", str(file), seen)),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"),
        *(("--info-fd", str(info)) if info is not None else ()),
        *("--", *command),
    ]


def _environment() -> list[str]:
    variables = REPRODUCIBLE | {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": FONTS,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    return [part for name, value in variables.items() for part in ("--setenv", name, value)]


@cache
def _mounts() -> list[str]:
    """Show system, interpreter, libraries and gradlib: nothing else of the machine."""
    links, folders = [], [Path("/usr")]
    for name in ("bin", "lib", "lib64", "lib32", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            links += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            folders.append(path)
    spec = find_spec("gradlib")
    assert spec is not None
    assert spec.origin is not None
    folders += [Path(sys.prefix), Path(sys.base_prefix), Path(spec.origin).parent]
    folders += [file for file in (Path("/etc/ld.so.cache"), Path("/etc/localtime")) if file.exists()]
    parents = sorted({parent for folder in folders for parent in folder.parents} - {Path("/"), Path("/tmp")})
    made = [part for parent in parents for part in ("--perms", "0755", "--dir", str(parent))]
    shown = [part for folder in folders for part in ("--ro-bind", str(folder), str(folder))]
    return [*made, *shown, *links]


@cache
def _can_disable_userns() -> bool:
    told = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False)
    return "--disable-userns" in told.stdout + told.stderr


@cache
def font_lists() -> list[str]:
    """Find Matplotlib's list of fonts, and have it made where there is none."""
    import matplotlib.font_manager  # here, for it takes a while

    return [str(path) for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json")]
