"""A pytest plugin: end a notebook whose kernel died, or took more than it may of time, memory or output.

nbval waits for each cell on its own, and does not see that a kernel is gone until the cell's time is over.
Load this with ``-p course.grading.watch --course-limits JSON``.
"""

import json
import time
from queue import Empty
from typing import Any

import psutil
import pytest

from course.grading.sandbox import Limits

STARTED = "started"
"""A file beside the notebook which says that its kernel had started."""

STEP = 0.5
"""Seconds between two looks."""


class StoppedError(RuntimeError):
    """The notebook was ended; the message says why."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the limits."""
    parser.addoption("--course-limits", type=json.loads, default={}, help="limits of course.grading.sandbox")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Watch the kernel from its first cell on; nbval's classes stay as they are."""
    kernel = getattr(item.parent, "kernel", None)
    if kernel is not None and not isinstance(getattr(kernel.get_message, "__self__", None), Watch):
        item.path.with_name(STARTED).touch()
        kernel.get_message = Watch(kernel, Limits(**item.config.getoption("--course-limits"))).get_message


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Report in one word why a cell did not end."""
    report = yield
    if call.when == "call" and call.excinfo is not None:
        if isinstance(call.excinfo.value, StoppedError):
            item.user_properties.append(("stopped", str(call.excinfo.value)))
        elif getattr(item.parent, "timed_out", False) and not item.get_closest_marker("xfail"):
            item.user_properties.append(("stopped", "time"))
        report.user_properties = item.user_properties
    return report


class Watch:
    """Waits for the messages of a kernel, and ends it when it breaks a limit."""

    def __init__(self, kernel: Any, limits: Limits) -> None:
        self.kernel = kernel
        self.limits = limits
        self.end = time.monotonic() + limits.notebook
        self.output = 0
        self.looked = 0.0
        self._get_message = kernel.get_message
        provisioner = kernel.km.provisioner
        self.process = psutil.Process(provisioner.pid) if getattr(provisioner, "pid", None) else None

    def get_message(self, stream: str, timeout: float | None = None) -> Any:
        """Wait for a message as nbval does, in small steps."""
        end = time.monotonic() + (timeout if timeout is not None else self.limits.notebook)
        while True:
            self._look()
            try:
                message = self._get_message(stream, timeout=max(0.0, min(STEP, end - time.monotonic())))
            except Empty:
                if time.monotonic() >= end:
                    raise
                continue
            self._count(message)
            return message

    def _look(self) -> None:
        now = time.monotonic()
        if now > self.end:
            self._stop("time")
        if now - self.looked < STEP:
            return
        self.looked = now
        if not self.kernel.is_alive():
            self._stop("kernel died")
        if self.process is not None and self._memory() > self.limits.memory:
            self._stop("memory")

    def _memory(self) -> int:
        assert self.process is not None
        used = 0
        try:
            for process in (self.process, *self.process.children(recursive=True)):
                used += process.memory_info().rss
        except psutil.Error:  # one of them has just ended
            pass
        return used

    def _count(self, message: Any) -> None:
        content = message["content"]
        texts = [content.get("text"), *content.get("data", {}).values(), *content.get("traceback", [])]
        self.output += sum(len(text) for text in texts if isinstance(text, str))
        if self.output > self.limits.output:
            self._stop("output")

    def _stop(self, why: str) -> None:
        if hasattr(self.kernel, "km"):
            self.kernel.stop()
        raise StoppedError(why)
