"""Every page of both sites, as it is read."""

from collections.abc import Callable
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup
from conftest import Reader, Site

Make = Callable[..., Reader]


def soup(site: Site, name: str) -> BeautifulSoup:
    return BeautifulSoup((site.folder / name).read_text(encoding="utf-8"), "html.parser")


def test_every_internal_link_leads_somewhere(site: Site) -> None:
    pages = {name: soup(site, name) for name in site.pages}
    ids = {name: {tag["id"] for tag in page.find_all(id=True)} for name, page in pages.items()}
    lost, followed = [], 0
    for name, page in pages.items():
        for tag in page.find_all(["a", "link", "script", "img"]):
            link = str(tag.get("href") or tag.get("src") or "")
            address, fragment = urldefrag(link)
            if "://" in address or address.startswith(("mailto:", "data:")) or link in ("", "#"):
                continue
            target = (site.folder / name).parent.joinpath(unquote(address.split("?")[0])).resolve()
            key = target.relative_to(site.folder.resolve()).as_posix() if address else name
            followed += 1
            if not (site.folder / key).is_file() or (fragment and unquote(fragment) not in ids.get(key, ())):
                lost.append(f"{name}: {link}")
    assert followed > 20
    assert lost == []


def test_pages_are_described_and_have_an_icon(site: Site) -> None:
    for name in site.pages:
        page = soup(site, name)
        descriptions = page.find_all("meta", attrs={"name": "description"})
        assert len(descriptions) == 1, name
        assert 3 < len(descriptions[0]["content"]) <= 160, name
        assert page.find("link", rel="icon"), name


def test_maths_is_in_the_html_and_none_of_it_is_raw(site: Site) -> None:
    formulas = 0
    for name in site.pages:
        page = soup(site, name)
        assert not page.find("mjx-merror"), name
        for script in page.find_all("script"):
            assert "mathjax" not in str(script).lower(), name
        for formula in page.select(".math"):
            formulas += 1
            assert formula.select_one("mjx-container > mjx-math[aria-hidden=true]"), formula
            assert formula.select_one("mjx-container > mjx-assistive-mml > math"), formula
        for tag in page.select("script, style, pre, code, mjx-container"):
            tag.decompose()
        text = page.get_text().replace("a price of $5", "")
        assert not any(sign in text for sign in ("$", r"\(", r"\[", r"\frac", r"\begin")), name
    assert formulas > 0


@pytest.mark.parametrize(
    "inside",
    [
        "div.exercise",
        "details.sd-dropdown",
        "div.theorem",
        "div.proof",
        "td",
        "figcaption",
        "h1",
        "h3",
        "div.note",
        "dd",
        "aside.footnote",
        "nav",
    ],
)
def test_maths_inside(stress: Site, inside: str) -> None:
    assert any(soup(stress, name).select(f"{inside} mjx-container") for name in stress.pages)


def test_maths_is_painted_without_scripts(stress: Site, reader: Make) -> None:
    someone = reader(stress, java_script_enabled=False)
    page = someone.open("formulas.html")
    glyphs = page.locator("article .formula mjx-c")
    assert glyphs.count() > 200
    box = page.locator("article .formula").first.bounding_box()
    assert box
    assert box["height"] > 30
    assert any(url.endswith(".woff") and "MathJax_Math-Italic" in url for url in someone.requests)


def test_equation_references_say_the_number_that_stands_there(stress: Site) -> None:
    seen = 0
    for name in stress.pages:
        for link in soup(stress, name).select("a.reference.internal"):
            address, fragment = urldefrag(str(link["href"]))
            if fragment.startswith("equation-"):
                target = (stress.folder / name).parent.joinpath(address) if address else stress.folder / name
                page = soup(stress, target.resolve().relative_to(stress.folder).as_posix())
                (number,) = page.select(f"[id='{fragment}'] .eqno")
                assert number.find(string=True) == link.get_text()
                seen += 1
    assert seen >= 6


def test_wide_formulas_scroll_in_a_box_that_the_keyboard_reaches(stress: Site, reader: Make) -> None:
    page = reader(stress, width=390).open("formulas.html")
    boxes = page.locator(".formula[tabindex='0']")
    narrow = boxes.count()
    box = boxes.last
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("box => box.scrollLeft > 0", arg=box.element_handle())
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_function(
        "n => document.querySelectorAll('.formula[tabindex]').length < n", arg=narrow, timeout=5000
    )


def test_icons_have_glyphs(stress: Site, reader: Make) -> None:
    page = reader(stress).open("boxes.html")
    missing = page.evaluate(
        """async () => {
          await document.fonts.ready;
          const missing = [], seen = [];
          const context = document.createElement("canvas").getContext("2d");
          for (const element of document.querySelectorAll("i, span[class*=fa-], p.admonition-title")) {
            for (const where of ["::before", "::after"]) {
              const style = getComputedStyle(element, where);
              const text = style.content.replaceAll('"', "");
              if (!style.fontFamily.includes("Awesome") || !/[\\ue000-\\uf8ff]/u.test(text)) continue;
              const font = `${style.fontWeight} 32px "Font Awesome 6 Free"`;
              await document.fonts.load(font, text);
              context.font = font + ", monospace";
              const drawn = context.measureText(text).width;
              context.font = "32px monospace";
              const name = element.className || element.textContent;
              seen.push(name);
              if (drawn === 0 || drawn === context.measureText(text).width) missing.push(name);
            }
          }
          return {missing, seen: [...new Set(seen)]};
        }"""
    )
    assert missing["missing"] == []
    seen = " ".join(missing["seen"])
    for icon in ("magnifying-glass", "bars", "list", "download", "sun", "moon", "circle-half-stroke"):
        assert f"fa-{icon}" in seen
    assert "admonition-title" in seen
    assert len(missing["seen"]) >= 10
