"""Run the system's commands, and install Debian's packages where that may be done without asking."""

import os
import shutil
import subprocess
import sys


def install_debian(package: str) -> bool:
    """Install a package with apt-get, as root or with a sudo that asks nothing; tell whether that worked."""
    if sys.platform != "linux" or not shutil.which("apt-get"):
        return False
    may: list[str] = []
    if os.geteuid() != 0:
        if not shutil.which("sudo") or not run("sudo", "-n", "true", quiet=True):
            return False
        may = ["sudo", "-n"]
    install = ("apt-get", "install", "--yes", "--no-install-recommends", package)
    return run(*may, "apt-get", "update") and run(*may, *install)


def run(*command: str, quiet: bool = False) -> bool:
    """Run a command; tell whether it succeeded."""
    output = subprocess.DEVNULL if quiet else None
    try:
        return subprocess.run(command, check=False, stdout=output, stderr=output, timeout=900).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
