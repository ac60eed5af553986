"""Scratch folders, and what is to be done with those of runs that were killed.

A folder is locked as long as its process lives, and no longer, however it ends. So one that is there without
a lock belongs to nobody, and the next to need a folder removes it.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "course-scratch-"
LOCK = "lock"


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder, and remove it in the end, with all that killed runs have left.

    Examples
    --------
    >>> with scratch() as folder:
    ...     _ = (folder / "notes").write_text("seen by nobody else")
    >>> folder.exists()
    False
    """
    clear()
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        made = Path(folder, f".{LOCK}")
        with made.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            made.rename(made.with_name(LOCK))  # from here on it can be told that it is in use
            yield Path(folder)


def clear() -> None:
    """Remove the folders whose processes are gone."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        try:
            with lock.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # it is in use, or another user's, or just gone
            continue
