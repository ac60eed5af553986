"""Reading comfort: contrast, keyboard, headings, and what a reload keeps."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, UNFOLD, Reader, Site
from playwright.sync_api import Page

from course.notebooks import read

Make = Callable[..., Reader]

# Colours as computed and laid over each other; each pair of text and ground once, with WCAG's contrast.
CONTRASTS = """() => {
  const parse = text => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+(?:e-?\\d+)?/g).map(Number);
    return text.startsWith("color(srgb") ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((value, i) => a * value + (1 - a) * under[i]);
  const ground = element => {
    if (!element) return [255, 255, 255];
    const colour = parse(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, ground(element.parentElement));
  };
  const light = colour => {
    const linear = c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.map(c => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = new Map();
  const look = (kind, element, text) => {
    const box = element.getBoundingClientRect();
    if (!element.checkVisibility({visibilityProperty: true, opacityProperty: true}) || box.width < 2) return;
    const style = getComputedStyle(element);
    const below = ground(element);
    const colour = over(parse(style.color), below);
    const [one, other] = [light(colour), light(below)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (one + 0.05) / (other + 0.05);
    found.set([kind, large, colour, below].join(), {kind, text, ratio, needed: large ? 3 : 4.5});
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const {parentElement: element, data} = walker.currentNode;
    if (!data.trim() || element.closest("mjx-container, script, style, noscript, :disabled")) continue;
    look(element.closest("pre, code") ? "code" : "text", element, data.trim().slice(0, 40));
  }
  // A colour that an author gives to a formula suits one mode at most.
  for (const glyph of document.querySelectorAll("mjx-c:not([style*=color] *)")) {
    look("maths", glyph, glyph.className);
  }
  return [...found.values()];
}"""

FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const box = element.getBoundingClientRect();
  const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(element);
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height, 20) / 2);
  const last = window.last;
  window.last = element;
  return {
    name: element.outerHTML.slice(0, 120),
    ring: (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow !== "none",
    seen: element === top || element.contains(top) || Boolean(top?.contains(element)),
    forward: !last || Boolean(last.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING),
  };
}"""


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_code_and_maths_stand_out(stress: Site, reader: Make, mode: str) -> None:
    someone = reader(stress, color_scheme=mode)
    found: list[dict[str, Any]] = []
    for name in ("lesson.html", "boxes.html", "exercises/01-lesson.html", "search.html"):
        page = someone.open(name)
        page.evaluate(UNFOLD)
        page.wait_for_timeout(50)
        found += page.evaluate(CONTRASTS)
        page.close()
    assert {pair["kind"] for pair in found} == {"text", "code", "maths"}
    assert len(found) > 30
    assert [pair for pair in found if pair["ratio"] < pair["needed"]] == []


def test_no_lesson_colours_its_formulas() -> None:
    for path in [*(ROOT / "chapters").glob("*.ipynb"), *(ROOT / "solutions").glob("*.ipynb")]:
        for cell in read(path).cells:
            assert cell.cell_type == "code" or not re.search(r"\\(text)?color\b", cell.source), (
                path,
                cell.id,
            )


def luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


READ = {"text", "line2d", "LineCollection", "QuadContourSet"}  # groups of matplotlib's SVG
PASSED_OVER = {"patch", "pane3d", "grid3d", "axis3d"}


def drawn(svg: str) -> set[tuple[str, str, float]]:
    """List what a figure's text and lines are painted with: kind, colour, contrast on white, its ground.

    Grids and the frames of legends are left out, which carry nothing, and what is transparent: clouds of
    points and areas, which are read as a whole.
    """
    found = set()

    def walk(element: ElementTree.Element, kind: str) -> None:
        name = re.sub(r"_\d+$", "", element.get("id") or "")
        kind = name if name in READ | PASSED_OVER else kind
        style = dict(re.findall(r"([\w-]+):\s*([^;]+)", element.get("style") or ""))
        opaque = all(float(style.get(key, 1)) == 1 for key in ("opacity", "stroke-opacity", "fill-opacity"))
        colour = style.get("fill", "#000000") if kind == "text" else style.get("stroke", "none")
        if kind in READ and opaque and colour.startswith("#"):
            found.add((kind, colour, 1.05 / (luminance(colour) + 0.05)))
        for child in element:
            walk(child, kind)

    walk(ElementTree.fromstring(svg), "")
    return found


def test_figures_stand_out() -> None:
    seen, faint = set(), []
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        for cell in read(path).cells:
            for output in cell.get("outputs", []):
                for kind, colour, contrast in drawn(output.get("data", {}).get("image/svg+xml", "<svg/>")):
                    seen.add(kind)
                    # White lines are the rims of what lies on them.
                    if contrast < (4.5 if kind == "text" else 3) and colour != "#ffffff":
                        faint.append(f"{path.stem}, {cell.id}: {kind} {colour} {contrast:.2f}")
    assert seen == READ
    assert faint == []


@pytest.mark.parametrize(("width", "mode"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_keyboard_goes_forward_and_shows_where_it_is(
    stress: Site, reader: Make, width: int, mode: str
) -> None:
    page = reader(stress, width=width, color_scheme=mode).open("exercises/01-lesson.html")
    page.add_style_tag(content="* { transition: none !important; }")  # the first link slides in
    stops = []
    for _ in range(400):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:
            break
        stops.append(stop)
    assert "Skip to main content" in stops[0]["name"]
    assert 15 < len(stops) < 400
    for flaw in ("ring", "seen", "forward"):
        assert [stop["name"] for stop in stops if not stop[flaw]] == [], flaw


def test_headings_descend_by_one(site: Site) -> None:
    for name in site.pages:
        page = BeautifulSoup((site.folder / name).read_text(encoding="utf-8"), "html.parser")
        for unseen in page.select(".onlyprint"):
            unseen.decompose()
        levels = [int(tag.name[1]) for tag in page.select("main :is(h1, h2, h3, h4, h5, h6)")]
        assert levels[:1] == [1], name
        assert levels.count(1) == 1, name
        assert all(below <= above + 1 for above, below in pairwise(levels)), name


def place(page: Page) -> float:
    page.wait_for_timeout(200)
    return float(page.evaluate("window.scrollY"))


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_reload_keeps_place_and_mode_and_closes_hints_and_solutions(
    stress: Site, reader: Make, protocol: str
) -> None:
    page = reader(stress).open("exercises/01-lesson.html", protocol=protocol)
    page.locator(".theme-switch-button:visible").click()
    mode = page.evaluate("document.documentElement.dataset.theme")
    page.evaluate("window.scrollTo(0, 250)")
    before = place(page)
    assert before == 250
    page.reload()
    assert place(page) == pytest.approx(before, abs=2)
    assert page.evaluate("document.documentElement.dataset.theme") == mode
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    page.reload()
    assert page.locator("article details[open]").count() == 0
