"""axe-core's rule of contrast on every page, light and dark, with everything open that can be opened."""

from conftest import Reader, Site
from playwright.sync_api import Browser
from test_accessibility import CONTRAST, Mode, unfold, violations

MODES: tuple[Mode, ...] = ("light", "dark")

# Contrast is a matter of styles, not of amounts: a page of a thousand formulas has that of its first ones.
THIN = """() => {
  for (const repeated of ["div.highlight", "mjx-container", "td"])
    for (const element of [...document.querySelectorAll(repeated)].slice(12)) element.remove();
}"""


def test_pages(site: Site, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})  # it does not depend on the width
    found = {}
    for name, page in Reader(context, site).through():
        unfold(page)
        page.evaluate(THIN)
        for mode in MODES:
            page.emulate_media(color_scheme=mode)
            page.wait_for_function("mode => document.documentElement.dataset.theme === mode", arg=mode)
            found[name, mode] = violations(page, CONTRAST)
    context.close()
    assert found == {(name, mode): [] for name in site.pages for mode in MODES}
