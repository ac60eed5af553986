"""The lessons' pages beside those of a stock Jupyter Book of the same notebooks, weighed in a browser.

Run it by itself, on an idle machine: ``python -m benchmarks.site``. ``--lighthouse COMMAND`` adds the scores
that Lighthouse gives to one lesson. Both books are built from the stored outputs and served from here,
compressed as hosts do it. The stock book has the default settings, the extensions that the lessons need, and
its MathJax from a server of its own in the place of the CDN; what else it asks of other hosts is counted, not
fetched.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import shlex
import shutil
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import click
import yaml
from playwright.sync_api import Browser, Request, sync_playwright

from course.browser import find_or_install
from course.build import JUPYTER_BOOK, build
from course.lessons import LESSON, chapters
from course.site.mathjax import MATHJAX

ROOT = Path(__file__).parents[1]
TEXT = {".html", ".css", ".js", ".svg", ".json"}
FLAGS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")

VITALS = """() => {
  window.vitals = {paint: 0, shift: 0};
  const watch = (type, see) =>
    new PerformanceObserver(list => list.getEntries().forEach(see)).observe({type, buffered: true});
  watch("largest-contentful-paint", entry => { window.vitals.paint = entry.startTime; });
  watch("layout-shift", entry => { if (!entry.hadRecentInput) window.vitals.shift += entry.value; });
}"""

SCROLL = """async () => {
  for (let y = 0; y < document.documentElement.scrollHeight; y += 600) {
    window.scrollTo(0, y);
    await new Promise(resolve => setTimeout(resolve, 30));
  }
}"""


class Compressed(SimpleHTTPRequestHandler):
    """A server that compresses text, and says nothing."""

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Answer with the compressed file if it is text."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in TEXT or not path.is_file():
            return super().send_head()
        content = gzip.compress(path.read_bytes(), 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return BytesIO(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a port of its own."""
    handler = functools.partial(Compressed, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def build_stock(folder: Path, mathjax: str) -> Path:
    """Build the same pages with Jupyter Book's defaults."""
    for name in ("chapters", "exercises"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("index.md", "references.bib", "_toc.yml"):
        shutil.copy(ROOT / name, folder)
    config = {
        "title": "Gradient methods",
        "only_build_toc_files": True,
        "execute": {"execute_notebooks": "off"},
        "bibtex_bibfiles": ["references.bib"],
        "sphinx": {
            "extra_extensions": ["sphinx_proof", "sphinx_exercise"],
            "config": {"mathjax_path": f"{mathjax}/tex-mml-chtml.js"},
        },
    }
    (folder / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    subprocess.run([*JUPYTER_BOOK, "build", str(folder), "-q"], check=True, capture_output=True)
    return folder / "_build" / "html"


@dataclass(frozen=True)
class Weight:
    """What one page costs a reader who comes for the first time and reads to its end."""

    kilobytes: float
    requests: int
    elsewhere: int
    paint: float
    shift: float


def weigh(browser: Browser, site: str, page_name: str) -> Weight:
    """Read a page to its end."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    requests: list[Request] = []
    context.on("request", lambda request: requests.append(request))
    context.add_init_script(f"({VITALS})()")
    page = context.new_page()
    page.goto(f"{site}/{page_name}", wait_until="networkidle")
    page.evaluate("window.MathJax?.startup?.promise")
    paint = page.evaluate("window.vitals.paint")
    page.evaluate(SCROLL)
    page.wait_for_load_state("networkidle")
    asked = [request for request in requests if not request.url.startswith("data:")]
    answered = [request for request in asked if request.failure is None]
    sizes = [request.sizes() for request in answered]
    weight = Weight(
        kilobytes=sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes) / 1000,
        requests=len(asked),
        elsewhere=sum(not request.url.startswith(site) for request in asked),
        paint=paint,
        shift=page.evaluate("window.vitals.shift"),
    )
    context.close()
    return weight


def lighthouse(command: str, address: str, preset: str) -> dict[str, int]:
    """Return Lighthouse's scores of a page, for a phone or a desktop."""
    flags = " ".join(["--headless=new", *(shlex.quote(flag) for flag in FLAGS)])
    options = ["--preset=desktop"] if preset == "desktop" else []
    done = subprocess.run(
        [command, address, "--output=json", "--quiet", f"--chrome-flags={flags}", *options],
        env=os.environ | {"CHROME_PATH": str(find_or_install())},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)["categories"]
    return {name: round(100 * found[name]["score"]) for name in CATEGORIES}


@click.command()
@click.option("--lighthouse", "command", help="Lighthouse's command, which npm installs.")
@click.option("--page", default="chapters/02-gradient-descent.html", help="The page that Lighthouse judges.")
def main(command: str | None, page: str) -> None:
    """Measure, and print what was measured."""
    with tempfile.TemporaryDirectory() as scratch, served(MATHJAX) as mathjax:
        stock = build_stock(Path(scratch, "stock"), mathjax)
        build(ROOT, output=Path(scratch, "ours"))
        with served(Path(scratch, "ours", "_build", "html")) as ours, served(stock) as theirs:
            weigh_all({"this site": ours, "stock": theirs})
            for name, site in {"this site": ours, "stock": theirs}.items() if command else ():
                for preset in ("phone", "desktop"):
                    click.echo(f"{name}, {preset}: {lighthouse(str(command), f'{site}/{page}', preset)}")
    click.echo(f"load of the machine: {os.getloadavg()[0]:.1f}")


def weigh_all(sites: dict[str, str]) -> None:
    """Weigh every lesson of the sites, and print a line for each."""
    ratios = []
    click.echo(f"{'lesson':22}{'site':12}{'kB':>7}{'requests':>10}{'elsewhere':>11}{'LCP, ms':>9}{'CLS':>7}")
    executable = find_or_install()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for path in chapters(ROOT):
            if not LESSON.fullmatch(path.stem):
                continue
            kilobytes = []
            for name, site in sites.items():
                w = weigh(browser, site, f"chapters/{path.stem}.html")
                kilobytes.append(w.kilobytes)
                click.echo(
                    f"{path.stem:22}{name:12}{w.kilobytes:7.0f}{w.requests:10}{w.elsewhere:11}"
                    f"{w.paint:9.0f}{w.shift:7.3f}"
                )
            ratios.append(kilobytes[1] / kilobytes[0])
        browser.close()
    click.echo(
        f"the stock page is {min(ratios):.1f} to {max(ratios):.1f} times as heavy, "
        f"{statistics.median(ratios):.1f} in the median"
    )


if __name__ == "__main__":
    main()
