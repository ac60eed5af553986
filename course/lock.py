"""Pin every requirement, with its hashes, in one file that serves every supported Python and system."""

import subprocess
from pathlib import Path

from uv import find_uv_bin

OLDEST_PYTHON = "3.11"
LOCKS = {
    "requirements.txt": [f"--extra={extra}" for extra in ("book", "lessons", "grade", "paper", "test")],
    "requirements-lab.txt": ["--extra=lab", "--constraint=requirements.txt"],
}


def lock(root: Path) -> None:
    """Write the requirements files of ``pyproject.toml`` anew, at the newest versions it allows."""
    for name, extras in LOCKS.items():
        subprocess.run(
            [
                *(find_uv_bin(), "pip", "compile", "pyproject.toml", *extras, f"--output-file={name}"),
                *("--universal", f"--python-version={OLDEST_PYTHON}", "--fork-strategy=fewest"),
                *("--upgrade", "--generate-hashes", "--quiet"),
                *("--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header"),
            ],
            cwd=root,
            check=True,
        )
