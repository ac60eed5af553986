"""axe-core on every page, wide and narrow, light and dark, with everything open that can be opened."""

from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from conftest import UNFOLD, Reader, Site
from playwright.sync_api import Browser, Page

Mode = Literal["light", "dark"]

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")

# axe reads no MathML, and holds a table's header for empty that has nothing but a formula.
RUN = """async rules => {
  const formula = node => document.querySelector(node.target[0])?.querySelector("mjx-assistive-mml > math");
  const {violations, passes} = await axe.run({preload: false, resultTypes: ["violations"], ...rules});
  const found = violations.flatMap(rule => rule.nodes
    .filter(node => !(rule.id === "empty-table-header" && formula(node)))
    .map(node => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
  return {found, passed: passes.length};
}"""
EVERY_RULE: dict[str, Any] = {}
ALL_BUT_CONTRAST = {"rules": {"color-contrast": {"enabled": False}}}
CONTRAST = {"runOnly": ["color-contrast"]}

EVERYWHERE = pytest.mark.parametrize(
    ("width", "mode"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
)


def unfold(page: Page) -> None:
    """Open what can be opened."""
    page.evaluate(UNFOLD)
    page.wait_for_timeout(350)  # the theme waits for 300 ms before it makes boxes reachable


def violations(page: Page, rules: dict[str, Any]) -> list[str]:
    """Run some of axe's rules."""
    page.evaluate(AXE)
    report = page.evaluate(RUN, rules)
    assert report["passed"] >= (1 if rules is CONTRAST else 10)
    found: list[str] = report["found"]
    return found


# No rule but that of contrast depends on the mode: test_contrast.py.
@pytest.mark.parametrize("width", [1280, 390])
def test_pages(site: Site, browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    found = {}
    for name, page in Reader(context, site).through():
        unfold(page)
        found[name] = violations(page, ALL_BUT_CONTRAST)
    context.close()
    assert found == {name: [] for name in site.pages}


@EVERYWHERE
def test_dialogs_and_menus(stress: Site, browser: Browser, width: int, mode: Mode) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode)
    page = Reader(context, stress).open("lesson.html")
    rules = EVERY_RULE if width > 600 else ALL_BUT_CONTRAST
    page.evaluate(UNFOLD)

    page.locator(".dropdown-download-buttons > button").click()
    assert page.locator(".dropdown-menu.show").count() == 1
    assert violations(page, rules) == []
    page.keyboard.press("Escape")

    if width < 600:
        for side in ("primary", "secondary"):
            page.locator(f".{side}-toggle").first.click()
            assert page.locator(f"#pst-{side}-sidebar-modal[open]").count() == 1
            assert violations(page, rules) == []
            page.keyboard.press("Escape")
            page.locator(f"#pst-{side}-sidebar-modal:not([open])").wait_for(state="attached")

    page.keyboard.press("Control+k")
    assert page.locator("#pst-search-dialog[open]").count() == 1
    assert violations(page, rules) == []
    context.close()


def test_search_results(stress: Site, browser: Browser) -> None:
    page = Reader(browser.new_context(), stress).open("search.html?q=descent")
    page.get_by_text("Search finished").wait_for()
    page.locator("#search-results li").first.wait_for()
    assert violations(page, EVERY_RULE) == []
    page.context.close()
