"""How Jupyter starts a kernel in the sandbox, so that nbval, or any other client, can use it as it is.

The entry point ``course-sandbox`` of ``jupyter_client.kernel_provisioners`` names the class; a kernel
specification with ``metadata.kernel_provisioner`` chooses it.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Dict, List

from course.grading import kernel
from course.grading.sandbox import FIRST_UID, FONTS, SOCKETS, Limits, wrap

LAUNCHER = "/kernel.py"
CONNECTION = "/connection.json"


class SandboxProvisioner(LocalProvisioner):
    """Starts the kernel in bubblewrap, and talks to it through sockets that lie in the sandbox."""

    fonts: Any = List(
        help="Matplotlib's list of fonts, which takes it longer to make than a submission."
    ).tag(config=True)
    limits: Any = Dict(help="The limits that are not the usual ones.").tag(config=True)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Let the kernel listen on Unix sockets in a folder that the sandbox has for itself."""
        manager: Any = self.parent
        manager.transport = "ipc"
        manager.ip = f"{SOCKETS}/kernel"
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start bubblewrap, learn its process's number, and reach the sockets through it."""
        manager: Any = self.parent
        limits = Limits(**self.limits)
        connection = Path(f"{manager.connection_file}-inside")
        connection.write_bytes(Path(manager.connection_file).read_bytes())
        connection.chmod(0o644)  # the sandbox has another user; the folder is closed to everybody else's
        told = {"limits": _limits(limits), "uid": FIRST_UID + os.getpid() % 100_000}
        fonts = {Path(font): f"{FONTS}/{Path(font).name}" for font in self.fonts}
        files = fonts | {Path(kernel.__file__): LAUNCHER, connection: CONNECTION}
        python = cmd[0]
        inside = [python, LAUNCHER, json.dumps(told), "-f", CONNECTION, "--HistoryManager.enabled=False"]
        reader, writer = os.pipe()
        try:
            command = wrap(inside, limits=limits, files=files, info=writer)
            kwargs |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "pass_fds": (writer,)}
            await super().launch_kernel(command, **kwargs)
            os.close(writer)
            writer = -1
            with os.fdopen(reader, closefd=False) as file:
                said = file.read()
        finally:
            os.close(reader)
            if writer >= 0:
                os.close(writer)
        if not said:
            raise RuntimeError("bubblewrap did not start")
        manager.ip = f"/proc/{json.loads(said)['child-pid']}/root{SOCKETS}/kernel"
        self.connection_info = manager.get_connection_info()
        return self.connection_info


def _limits(limits: Limits) -> dict[str, int]:
    return {
        "RLIMIT_AS": 4 * limits.memory,
        "RLIMIT_DATA": limits.memory,
        "RLIMIT_CPU": limits.cpu,
        "RLIMIT_FSIZE": limits.scratch,
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_CORE": 0,
    }
