"""Run many notebooks: on all cores of this machine, or on the machines of a dask cluster."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course.grading.run import Outcome, RunError, run
from course.grading.sandbox import Limits

if TYPE_CHECKING:
    from distributed import Client

TRIES = 3
"""How often a notebook is run whose run failed through no fault of its own: a machine was lost."""


@dataclass(frozen=True)
class Task:
    """A notebook to run.

    Attributes
    ----------
    key : str
        Stands for everything that the outcome depends on.
    notebook : str
        The text of a graded notebook.
    trusted : bool
        Whether it runs without the sandbox.
    limits : Limits
        What it may use.
    """

    key: str
    notebook: str
    trusted: bool = False
    limits: Limits = Limits()  # noqa: RUF009 (frozen)


def perform(task: Task) -> Outcome:
    """Run one notebook on this machine."""
    return run(task.notebook, trusted=task.trusted, limits=task.limits)


def run_here(tasks: list[Task], jobs: int | None = None) -> Iterator[tuple[Task, Outcome | Exception]]:
    """Run notebooks on this machine, on all cores; give each outcome as it comes."""
    # one more than cores, for a kernel that starts or ends mostly waits
    pool = ThreadPoolExecutor(jobs or len(os.sched_getaffinity(0)) + 1)
    try:
        waiting = {pool.submit(_patiently, task): task for task in tasks}
        for done in as_completed(waiting):
            yield waiting.pop(done), done.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _patiently(task: Task) -> Outcome | Exception:
    error: Exception = RunError("it was never run")
    for _ in range(TRIES):
        try:
            return perform(task)
        except (RunError, OSError) as told:
            error = told
    return error


def run_there(tasks: list[Task], client: "Client") -> Iterator[tuple[Task, Outcome | Exception]]:
    """Run notebooks on a dask cluster, whose machines have this course and its sandbox installed.

    A worker that is lost costs nothing: what it was running is run again elsewhere.
    """
    from distributed import as_completed as as_arriving

    tries = {task.key: TRIES for task in tasks}
    futures = [client.submit(perform, task, key=task.key, pure=False, retries=TRIES) for task in tasks]
    asked = {future.key: task for future, task in zip(futures, tasks, strict=True)}
    arriving = as_arriving(futures)
    for future in arriving:
        task = asked.pop(future.key)
        error = future.exception() if future.status != "cancelled" else RunError("it was cancelled")
        if error is None:
            yield task, future.result()
            continue
        tries[task.key] -= 1
        if not tries[task.key]:
            yield task, error
            continue
        again = client.submit(perform, task, key=f"{task.key}-{tries[task.key]}", pure=False)
        asked[again.key] = task
        arriving.add(again)
