"""A process that has imported what every run needs, and forks a new one for each notebook.

Importing pytest, nbval and Jupyter's client takes longer than all else that they do here. No code of a
student's ever runs in this process, or in one that it forks: that runs in the kernel.
"""

import contextlib
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass

MEMORY = 2 << 30
"""Bytes of data of the process that compares: a flood of output ends it, and no other."""

PRELOADED = (
    "IPython.paths",  # where Jupyter's client looks for kernels
    "pytest",
    "nbval.plugin",
    "course.grading.nbval",
    "course.grading.watch",
    "course.grading.provisioner",
)


@dataclass(frozen=True)
class Request:
    """What to run: pytest's arguments, in a folder, with an environment, for some seconds at most."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    log: str
    seconds: float


class Zygote:
    """Speaks to the process, and starts it anew if it is gone."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, request: Request) -> bool:
        """Run pytest in a process of its own; tell whether it ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "course.grading.zygote"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps(asdict(request)), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except OSError:
            answer = ""
        if not answer:
            self.close()
            raise OSError("the process that runs pytest is gone")
        return bool(json.loads(answer))

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            with contextlib.suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # whatever is left of Python by then
            self.close()


class _Local(threading.local):
    """One for each thread: each waits for its own."""

    def __init__(self) -> None:
        self.zygote = Zygote()


_local = _Local()


def run(request: Request) -> bool:
    """Run pytest by this thread's process."""
    return _local.zygote.run(request)


def close() -> None:
    """End this thread's process."""
    _local.zygote.close()


def _serve() -> None:
    grader = os.getppid()
    for name in PRELOADED:
        __import__(name)
    gc.freeze()  # what is loaded stays: no collection in a fork need look at it
    for line in sys.stdin:
        print(json.dumps(_run(Request(**json.loads(line)), grader)), flush=True)


def _run(request: Request, grader: int) -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            _become(request)
        finally:
            os._exit(70)
    end = time.monotonic() + request.seconds
    ended = False
    while not ended and time.monotonic() < end and os.getppid() == grader:  # nobody waits for it otherwise
        ended = os.waitpid(pid, os.WNOHANG)[0] == pid
        time.sleep(0 if ended else 0.02)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    if not ended:
        os.waitpid(pid, 0)
    return ended


def _become(request: Request) -> None:
    os.setsid()
    nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(request.log, os.O_WRONLY | os.O_CREAT, 0o600)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    import pytest

    status = pytest.main(request.arguments)
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    _serve()
