"""Light and dark, paper, weight, stillness, downloads."""

import gzip
import io
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from conftest import BOOK, ROOT, Reader, Site
from playwright.sync_api import Page
from test_pages import soup

Make = Callable[..., Reader]

LIMIT = 600_000
COMPRESSED = (".woff", ".woff2", ".png", ".jpeg", ".gif", ".webp")  # a server sends these as they are


def theme(page: Page) -> str:
    return str(page.evaluate("document.documentElement.dataset.theme"))


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_theme_follows_the_system_until_it_is_switched_and_then_stays(
    stress: Site, reader: Make, protocol: str
) -> None:
    someone = reader(stress, color_scheme="dark")
    page = someone.open("boxes.html", protocol=protocol)
    assert theme(page) == "dark"
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator(".theme-switch-button:visible").click()
    assert theme(page) == "light"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    page.reload()
    assert theme(page) == "light"
    assert theme(someone.open("lesson.html", protocol=protocol)) == "light"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_maths_has_the_colour_of_the_text_around_it(stress: Site, reader: Make, mode: str) -> None:
    page = reader(stress, color_scheme=mode).open("boxes.html")
    pairs = page.evaluate(
        """() => [...document.querySelectorAll("article .math mjx-container")].map(
          maths => [maths, maths.closest(".math").parentElement].map(e => getComputedStyle(e).color))"""
    )
    assert len(pairs) > 20
    assert all(maths == text for maths, text in pairs)


def test_figures_lie_on_white_in_the_dark(stress: Site, reader: Make) -> None:
    page = reader(stress, color_scheme="dark").open("lesson.html")
    grounds = page.evaluate(
        "[...document.querySelectorAll('figure img')].map(i => getComputedStyle(i).backgroundColor)"
    )
    assert grounds == 6 * ["rgb(255, 255, 255)"]


def test_paper_shows_what_was_opened_and_leaves_out_what_was_not(stress: Site, reader: Make) -> None:
    page = reader(stress).open("exercises/01-lesson.html")
    page.locator("details", has_text="Hint 2").first.locator("summary").click()
    page.emulate_media(media="print")
    shown = page.locator("main").inner_text()
    assert "The factor is" in shown
    assert "What does one step multiply" not in shown
    assert "palimpsest" not in shown
    assert "Hint 1" not in shown
    assert "bound = ..." in shown
    for part in ("sidebar-primary", "sidebar-secondary", "header-article"):
        assert page.locator(f".bd-{part}").locator("visible=true").count() == 0
    assert page.locator(".prev-next-footer").locator("visible=true").count() == 0


def test_paper_is_white_and_shows_code_that_is_folded_on_the_screen(stress: Site, reader: Make) -> None:
    page = reader(stress, color_scheme="dark").open("lesson.html")
    setup = page.locator("details.hide").first
    assert setup.get_attribute("open") is None
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert setup.get_attribute("open") is not None
    assert theme(page) == "light"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert setup.get_attribute("open") is None
    assert theme(page) == "dark"
    assert len(page.pdf()) > 20_000


@pytest.mark.parametrize("name", ["lesson.html"])
def test_weight_of_a_lesson_with_six_figures(stress: Site, reader: Make, name: str) -> None:
    someone = reader(stress)
    page = someone.open(name)
    assert page.locator("figure img").count() == 6
    for image in page.locator("figure img").all():
        image.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    paths = {unquote(urlsplit(url).path).lstrip("/") for url in someone.requests}
    assert sum(path.endswith(".svg") for path in paths) >= 6
    assert any(path.endswith(".woff") for path in paths)
    weight = 0
    for path in paths:
        content = (stress.folder / path).read_bytes()
        weight += len(content if path.endswith(COMPRESSED) else gzip.compress(content))
    assert weight < LIMIT, f"{name} weighs {weight / 1000:.0f} kB"


def test_the_layout_does_not_shift(site: Site, reader: Make) -> None:
    someone = reader(site)
    someone.context.add_init_script(
        """window.shift = 0;
        new PerformanceObserver(list => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
        }).observe({type: "layout-shift", buffered: true});"""
    )
    shifts = {}
    for name, page in someone.through():
        for image in page.locator("article img").all():
            image.scroll_into_view_if_needed()
            page.wait_for_timeout(50)
        page.wait_for_load_state("networkidle")
        shifts[name] = page.evaluate("window.shift")
    assert max(shifts.values()) < 0.1, shifts


def test_images_say_their_size(site: Site) -> None:
    images = [image for name in site.pages for image in soup(site, name).select("article img")]
    for image in images:
        assert int(str(image.get("width", 0))) > 0
        assert int(str(image.get("height", 0))) > 0
        assert image.get("loading") == "lazy"
    assert images


@pytest.mark.parametrize("name", ["lesson", "exercises/01-lesson"])
@pytest.mark.parametrize("protocol", ["http", "file"])
def test_notebook_is_offered_as_it_is_stored(stress: Site, reader: Make, name: str, protocol: str) -> None:
    page = reader(stress).open(f"{name}.html", protocol=protocol)
    page.locator(".dropdown-download-buttons > button").click()
    link = page.locator("a.btn-download-source-button")
    link.wait_for(state="visible", timeout=3000)
    assert link.inner_text().strip() == ".ipynb"
    address = unquote(urlsplit(link.evaluate("a => a.href")).path)
    file = stress.folder / address.removeprefix(stress.folder.as_posix()).lstrip("/")
    assert file.read_bytes() == (BOOK / f"{name}.ipynb").read_bytes()
    nbformat.validate(nbformat.read(io.StringIO(file.read_text("utf-8")), as_version=4))
    assert "palimpsest" not in file.read_text("utf-8")


def test_every_notebook_of_the_course_is_offered(site: Site) -> None:
    if "lesson.html" in site.pages:
        return
    for folder in ("chapters", "exercises"):
        for notebook in (ROOT / folder).glob("*.ipynb"):
            assert (site.folder / "_sources" / folder / notebook.name).read_bytes() == notebook.read_bytes()
