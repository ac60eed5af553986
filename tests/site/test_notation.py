"""The notation at hand on every page: a dialog, or a link where no scripts run."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from conftest import Reader, Site
from playwright.sync_api import Page
from test_accessibility import EVERY_RULE, EVERYWHERE, violations

from course.site import pages

Make = Callable[..., Reader]

ROWS = """tables => tables.map(
  table => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent)))"""


def opened(page: Page) -> Page:
    page.locator(".notation-link").click()
    page.locator("dialog.notation table").first.wait_for()
    return page


@pytest.mark.parametrize(("name", "protocol"), [("index.html", "http"), ("exercises/01-lesson.html", "file")])
def test_dialog_brings_the_tables_of_the_page(stress: Site, reader: Make, name: str, protocol: str) -> None:
    someone = reader(stress)
    original = someone.open("chapters/notation.html", protocol=protocol)
    page = someone.open(name, protocol=protocol)
    assert not [url for url in someone.requests if "notation.js" in url]
    opened(page)
    assert len([url for url in someone.requests if "notation.js" in url]) == 1
    tables = page.locator("dialog.notation table").evaluate_all(ROWS)
    assert tables == original.locator("article table").evaluate_all(ROWS)
    assert "γ" in str(tables)
    maths = original.locator("article mjx-container").count()
    assert page.locator("dialog.notation mjx-container").count() == maths > 4
    box = page.locator("dialog.notation mjx-c").first.bounding_box()
    assert box
    assert box["width"] > 3  # the glyph is there, not its name

    read = pages.read_all(stress.folder)
    links = page.locator("dialog.notation a").evaluate_all("links => links.map(link => link.href)")
    assert len(links) == 5
    for link in links:
        address, fragment = urldefrag(link)
        path = Path(os.path.normpath(unquote(urlsplit(address).path))).as_posix()
        key = path.removeprefix(stress.folder.as_posix()).removeprefix("/")
        assert not fragment or fragment in read[key].names
        assert key in read
    assert someone.failed == someone.foreign == someone.complaints == []


def test_keyboard_opens_it_and_returns_to_where_it_was(stress: Site, reader: Make) -> None:
    page = reader(stress).open("lesson.html")
    page.locator(".notation-link").focus()
    page.keyboard.press("Enter")
    page.locator("dialog.notation[open] table").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Close"
    page.keyboard.press("Escape")
    assert not page.locator("dialog.notation").is_visible()
    assert page.evaluate("document.activeElement.className") == "notation-link"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # on Close
    assert not page.locator("dialog.notation").is_visible()
    assert page.evaluate("document.activeElement.className") == "notation-link"
    assert page.url.endswith("lesson.html")


def test_link_in_the_dialog_leads_to_its_page(stress: Site, reader: Make) -> None:
    page = opened(reader(stress).open("lesson.html"))
    page.get_by_role("dialog").get_by_role("link", name="the formulas").click()
    page.wait_for_url("**/formulas.html")
    opened(page).get_by_role("dialog").get_by_role("link", name="the formulas").click()
    assert not page.locator("dialog.notation").is_visible()


def test_without_scripts_it_is_a_link(stress: Site, reader: Make) -> None:
    page = reader(stress, java_script_enabled=False).open("exercises/01-lesson.html")
    page.locator(".notation-link").click()
    assert page.url.endswith("/chapters/notation.html")
    assert page.locator(".notation-link").count() == 0
    assert page.locator("article table").is_visible()


@EVERYWHERE
def test_axe_width_and_paper(stress: Site, reader: Make, width: int, mode: str) -> None:
    page = opened(reader(stress, width=width, color_scheme=mode).open("lesson.html"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("dialog.notation").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert page.locator("dialog.notation").evaluate("box => box.scrollWidth <= box.clientWidth")
    assert violations(page, EVERY_RULE) == []
    page.emulate_media(media="print")
    assert not page.locator("dialog.notation").is_visible()
    assert not page.locator(".notation-link").is_visible()
