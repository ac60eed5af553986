"""Two sites, built once a session, and a real browser to read them in.

The stress book (`book/`) has the constructs that no lesson may use yet. After a change of its lesson run
`course refresh tests/site/book/lesson.ipynb`; its exercises come from `book/solutions`.
"""

import functools
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    sync_playwright,
)

from course.browser import find_or_install
from course.build import build

ROOT = Path(__file__).parents[2]
BOOK = Path(__file__).parent / "book"
SHARED = ("_config.yml", "_static", "references.bib")  # what the stress book has from the course itself

# The last one is the network being down: no name is resolved, and no address but this machine's is reached.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

# Opens what is folded; a fading fold would be seen while it is half transparent.
UNFOLD = """() => {
  const still = document.createElement("style");
  still.textContent = "*, ::before, ::after { animation: none !important; transition: none !important; }";
  document.head.append(still);
  for (const details of document.querySelectorAll("details")) details.open = true;
}"""


@dataclass(frozen=True)
class Site:
    """A built site: its folder, and its address on a server that serves nothing else."""

    folder: Path
    http: str

    @property
    def pages(self) -> list[str]:
        """The names of all pages."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*.html"))
        return sorted(name.as_posix() for name in found if name.parts[0] not in ("_static", "_sources"))

    @property
    def file(self) -> str:
        """The site's address without a server."""
        return self.folder.as_uri()


class Quiet(SimpleHTTPRequestHandler):
    """A server that does not comment on what it serves."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def copy_book(target: Path) -> Path:
    """Put the stress book, with the settings and styles of the course, into a folder of its own."""
    shutil.copytree(BOOK, target)
    for name in SHARED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target / name)
    return target


@pytest.fixture(scope="session")
def stress_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the stress book, built."""
    book = copy_book(tmp_path_factory.mktemp("stress") / "book")
    build(book)
    return book


@pytest.fixture(scope="session", params=["course", "stress"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The course's own site and, in a second run of each test, that of the stress book."""
    if request.param == "course":
        output = tmp_path_factory.mktemp("course")
        build(ROOT, output=output)
    else:
        output = request.getfixturevalue("stress_book")
    yield from serve(output)


@pytest.fixture(scope="session")
def stress(stress_book: Path) -> Iterator[Site]:
    """The site of the stress book."""
    yield from serve(stress_book)


def serve(output: Path) -> Iterator[Site]:
    """Serve what was built."""
    folder = output / "_build" / "html"
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real browser."""
    executable = find_or_install()  # which starts a Playwright of its own: one cannot run inside another
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Reader:
    """Someone who reads a site without a network, and takes notes of what goes wrong."""

    context: BrowserContext
    site: Site
    requests: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Watch every page of the context."""
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("requestfailed", self._request_failed)
        self.context.on("response", self._response)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.context.on("console", self._console)

    def _request_failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a page that is left needs no icon any more
            self.failed.append(request.url)

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.failed.append(f"{response.status} {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.page.url if message.page else ''}: {message.text}")

    @property
    def foreign(self) -> list[str]:
        """The requests that would have left the site."""
        return [url for url in self.requests if not url.startswith((self.site.http, self.site.file, "data:"))]

    def open(self, name: str, *, protocol: str = "http") -> Page:
        """Open a page and wait until it is at rest."""
        page = self.context.new_page()
        self._go(page, name, protocol)
        return page

    def through(self, *, protocol: str = "http") -> Iterator[tuple[str, Page]]:
        """Go through all pages in one tab: opening a tab takes as long as opening a page."""
        page = self.context.new_page()
        for name in self.site.pages:
            self._go(page, name, protocol)
            yield name, page
        page.close()

    def _go(self, page: Page, name: str, protocol: str) -> None:
        page.goto(f"{getattr(self.site, protocol)}/{name}")
        page.evaluate("document.fonts.ready")


@pytest.fixture
def reader(browser: Browser) -> Iterator[Any]:
    """Make readers: ``reader(site, width=390, color_scheme="dark", …)``."""
    made: list[BrowserContext] = []

    def make(site: Site, *, width: int = 1280, **options: Any) -> Reader:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        made.append(context)
        return Reader(context, site)

    yield make
    for context in made:
        context.close()
