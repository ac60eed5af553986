"""Execute notebooks from the top, in a fresh kernel that is always the same."""

import copy
import math
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets import default

from course.environment import REPRODUCIBLE
from course.notebooks import NotebookError, normalise, read, write

ENVIRONMENT = REPRODUCIBLE | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}

TIMEOUT = 60
"""Seconds after which a cell is interrupted."""

LONGEST = 10.0
"""Seconds that a cell may take; the tests allow three times as much, for a machine that is busy."""


class ExecutionError(NotebookError):
    """A cell failed, hung or took too long; the message names file, cell and error."""


class _ThisInterpreter(AsyncKernelManager):
    """Starts the kernel of the running interpreter, whatever kernels the machine has installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())

    @default("transport_encryption")
    def _encrypted(self) -> str:
        return "auto"  # without it the kernel warns on each start


def execute(nb: NotebookNode, path: Path, longest: float = math.inf) -> NotebookNode:
    """Run all cells of a notebook from the top, in a fresh kernel of the running interpreter.

    Parameters
    ----------
    nb : NotebookNode
        The notebook; it is left as it is.
    path : Path
        Where it lives: the kernel runs in this file's folder, and messages name it.
    longest : float
        Seconds that a cell may take.

    Returns
    -------
    NotebookNode
        The executed notebook in canonical form.

    Raises
    ------
    ExecutionError
        A cell raised, the kernel died, or a cell took more than `longest` seconds.
    """
    nb = copy.deepcopy(nb)
    running = ""
    begun = 0.0
    slow: list[str] = []

    def on_execute(cell: NotebookNode, **_: Any) -> None:
        nonlocal running, begun
        running, begun = cell.id, time.monotonic()

    def on_executed(cell: NotebookNode, **_: Any) -> None:
        seconds = time.monotonic() - begun
        if seconds > longest:
            slow.append(f"{path}: cell `{cell.id}` took {seconds:.1f} s; the rule is {longest:g} s at most")

    client = NotebookClient(
        nb,
        kernel_manager_class=_ThisInterpreter,
        timeout=TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": os.fspath(path.parent)}},
        on_cell_execute=on_execute,
        on_cell_executed=on_executed,
    )
    with tempfile.TemporaryDirectory() as profile:
        try:  # an IPython folder of its own: no start-up file of the user takes part
            client.execute(env=os.environ | ENVIRONMENT | {"IPYTHONDIR": profile})
        except CellExecutionError as error:
            raise ExecutionError(
                f"{path}: cell `{running}` raises {error.ename}: {error.evalue}\n{error.traceback}"
            ) from error
        except CellTimeoutError as error:
            raise ExecutionError(f"{path}: cell `{running}` did not end within {TIMEOUT} s") from error
        except DeadKernelError as error:
            raise ExecutionError(f"{path}: the kernel died in cell `{running}`") from error
    if slow:
        raise ExecutionError("\n".join(slow))
    return normalise(nb)


def refresh(path: Path) -> None:
    """Execute a notebook and store it in canonical form; if a cell fails or is slow, nothing is written."""
    write(path, execute(read(path), path, LONGEST))
