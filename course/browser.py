"""The browser in which the site is tested: an installed one, else one that is installed now."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from course import system

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VARIABLES = ("CHROME_PATH", "CHROMIUM")

MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
WINDOWS = ("Google/Chrome/Application/chrome.exe", "Chromium/Application/chrome.exe")
WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")

ADVICE = """\
The site is tested in a browser, and none could be found or installed. Do one of these and start again:
  - install Chrome or Chromium with the system's package manager, or
  - let Playwright download one: python -m playwright install --with-deps chromium, or
  - say where one is: set CHROME_PATH to its executable file."""


class BrowserError(RuntimeError):
    """There is no browser; the message says what to do."""


def find_or_install() -> Path:
    """Return the executable of an installed Chrome or Chromium, else install one.

    The order is: the variables ``CHROME_PATH`` and ``CHROMIUM``, the search path, the places usual on macOS
    and Windows, a browser that Playwright downloaded before; then Debian's package, where it may be installed
    without asking; then Playwright's own download.

    Raises
    ------
    BrowserError
        If a variable names a file that is no browser, or if there is no browser and none can be installed.
    """
    for variable in VARIABLES:
        if named := os.environ.get(variable):
            if not _works(Path(named)):
                raise BrowserError(f"{variable}: {named} does not run as a browser; correct it or unset it")
            return Path(named)
    found = _installed()
    found = found or (_installed() if system.install_debian("chromium") else None)
    found = found or (_installed() if _install_playwright() else None)
    if found is None:
        raise BrowserError(ADVICE)
    return found


def _installed() -> Path | None:
    return next((path for path in _candidates() if _works(path)), None)


def _candidates() -> Iterator[Path]:
    for name in NAMES:
        if found := shutil.which(name):
            yield Path(found)
    yield from (Path(place) for place in MACOS)
    for variable in WINDOWS_FOLDERS:
        if folder := os.environ.get(variable):
            yield from (Path(folder, place) for place in WINDOWS)
    with sync_playwright() as playwright:
        yield Path(playwright.chromium.executable_path)


def _works(path: Path) -> bool:
    """Tell a browser from a missing file, and from the stub that some systems have in its place."""
    if not path.is_file():
        return False
    if sys.platform == "win32":  # there, --version would open a window
        return True
    return system.run(str(path), "--version", quiet=True)


def _install_playwright() -> bool:
    return system.run(sys.executable, "-m", "playwright", "install", "chromium")
