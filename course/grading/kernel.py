"""Start a kernel inside of the sandbox: give up what it does not need, then run it.

This file is shown inside of the sandbox on its own, so it imports nothing of the course.
"""

import json
import os
import resource
import sys


def main() -> None:
    """Take on the limits, become nobody, and become a kernel."""
    told = json.loads(sys.argv.pop(1))
    for name, value in told["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(told["uid"], told["uid"], told["uid"])
        os.setresuid(told["uid"], told["uid"], told["uid"])
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # a third of the start, and nobody steps through
    from ipykernel.kernelapp import launch_new_instance
    from IPython.core.interactiveshell import InteractiveShell

    # Figures are made, but not drawn: nobody will see them, and drawing one takes as long as all the answers.
    InteractiveShell.enable_matplotlib = lambda self, gui=None: (gui, "agg")  # type: ignore[method-assign]
    launch_new_instance(sys.argv[1:])


if __name__ == "__main__":
    main()
