"""The book on paper: one tagged PDF, printed by Chromium from the pages of the built site."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

LIMIT = 15_000_000  # bytes
PATIENCE = 1800  # seconds: the whole book takes minutes on a busy machine


class PaperError(RuntimeError):
    """The book cannot be printed."""


def print_book(site: Path, target: Path) -> Path:
    """Print the built site into one PDF file.

    The browser works for a process of its own, which is ended when it takes too long.

    Parameters
    ----------
    site
        The folder of the built site, ``_build/html``. The hints, answers and solutions that it has make an
        appendix.
    target
        The PDF file; its folder is made if there is none.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    PaperError
        If `site` holds no site, if it cannot be printed (what is wrong with it is on the standard error
        stream), if that takes longer than ``PATIENCE``, or if the PDF would be larger than ``LIMIT``; nothing
        is written then.
    """
    if not (site / "index.html").is_file():
        raise PaperError(f"site: {site} has no index.html; call `course build` first")
    with TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        draft = Path(scratch, "book.pdf")
        command = [sys.executable, "-m", "course.paper.press", str(site), str(draft)]
        try:
            done = subprocess.run(command, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired as late:
            raise PaperError(
                f"the browser did not print {site} in {PATIENCE} s; try again when the machine has less to do"
            ) from late
        if done.returncode != 0:
            raise PaperError(f"site: {site} is not fit to be printed: see the error above")
        size = draft.stat().st_size
        if size > LIMIT:
            raise PaperError(
                f"site: {size / 1e6:.1f} MB printed, more than {LIMIT / 1e6:.0f}; make its figures smaller"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(draft.read_bytes())
    return target
