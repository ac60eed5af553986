"""Figures that the reader can move: they tell gradlib's truth, to everyone, everywhere.

The pages are made of the lessons' own cells: the static figure, and the figure that moves.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import ROOT, SHARED, Reader, Site, serve
from nbformat.v4 import new_markdown_cell, new_notebook
from playwright.sync_api import Locator, Page
from test_accessibility import EVERYWHERE, violations

from course.build import BuildError, build
from course.notebooks import read, write
from course.site.explorables import FIGURES, PLACE, STARTS, newton_basins, render
from gradlib import problems

Make = Callable[..., Reader]

LESSONS = {
    "newton": "01-newton",
    "basins": "01-newton",
    "descent": "02-gradient-descent",
    "cg": "06-conjugate-gradient",
    "momentum": "07-momentum",
    "adaptive": "09-adaptive",
}
EACH = pytest.mark.parametrize("name", LESSONS)


def cells(name: str) -> tuple[Any, Any]:
    """Return a lesson's cells with the static figure and with the place of the figure that moves."""
    every = read(ROOT / "chapters" / f"{LESSONS[name]}.ipynb").cells
    at = next(i for i, cell in enumerate(every) if f'data-figure="{name}"' in cell.source)
    return every[at - 1], every[at]


@pytest.fixture(scope="module")
def explorables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A book with a page for each figure, and one without any."""
    book = tmp_path_factory.mktemp("explorables")
    for name in SHARED:
        (book / name).symlink_to(ROOT / name)
    (book / "index.md").write_text("# No figure here\n\nNothing moves.\n", encoding="utf-8")
    toc = {"format": "jb-book", "root": "index", "chapters": [{"file": name} for name in LESSONS]}
    (book / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    for name in LESSONS:
        title = new_markdown_cell(f"# {FIGURES[name].label}", id="title")
        write(book / f"{name}.ipynb", new_notebook(cells=[title, *cells(name)]))
    build(book)
    yield from serve(book)


def figure(page: Page) -> Locator:
    return page.locator(".explorable")


def run(page: Page, values: list[dict[str, float]]) -> list[list[list[list[float]]]]:
    """Set the controls, as the script's own listeners do, and return the paths: one set for each setting."""
    paths: list[list[list[list[float]]]] = page.evaluate(
        """settings => {
          const {set, paths, data} = document.querySelector(".explorable").explorable;
          return settings.map(s => (set({...data.defaults, ...s}), paths()));
        }""",
        values,
    )
    return paths


# For each figure, values of its controls: their whole range, and what the lesson speaks of.
GRIDS: dict[str, dict[str, list[float]]] = {
    "newton": {"x0": [-4, -0.8, 0, 0.3, 0.8, 2, 5], "constant": [-6, -5, 0, 1.2, 2, 6], "steps": [1, 3, 6]},
    "basins": {
        "x0": [-2.5, -0.81, 0, 0.64, 0.7, 0.9, 2.5],
        "constant": [-2.5, -1, -0.2, 0, 0.35, 1.05, 1.1, 2, 2.5],
        "steps": [1, 3, 12],
    },
    "descent": {
        "rate": [0.005, 0.1, 2 / 7, 1 / 3, 0.4],
        "x1": [-3, 2, 4],
        "x2": [-3.5, -1, 3],
        "steps": [1, 60],
    },
    "momentum": {
        "method": [0, 1],
        "rate": [0.005, 1 / 6, 0.335, 0.7],
        "momentum": [0, 0.18, 0.6, 0.99],
        "x1": [-2, 4],
        "x2": [-3.5, 2],
        "steps": [1, 60],
    },
    "cg": {"kappa": [1, 2, 10, 37.5, 100], "height": [-2, -0.3, 0, 1, 2], "steps": [1, 2, 12, 60]},
    "adaptive": {
        "turn": [-90, -27, 0, 45],
        "adagrad": [0.01, 1, 2],
        "rmsprop": [0.01, 0.1],
        "adam": [0.01, 0.2, 1],
        "x1": [-3, 3.1],
        "x2": [-3.5, 2],
        "steps": [1, 60],
    },
}


def settings(name: str) -> list[dict[str, float]]:
    return [dict(zip(GRIDS[name], values, strict=True)) for values in product(*GRIDS[name].values())]


def differs(ours: list[list[float]], theirs: np.ndarray) -> float:
    """Return the largest difference, relative where numbers are large, as far as gradlib ran."""
    shared = min(len(ours), len(theirs))
    a, b = np.array(ours[:shared], dtype=float), theirs[:shared]
    return float(np.max(np.abs(a - b) / np.maximum(1, np.abs(b))))


@EACH
def test_every_path_is_that_of_gradlib(explorables: Site, reader: Make, name: str) -> None:
    page = reader(explorables).open(f"{name}.html")
    assert set(GRIDS[name]) == {control.name for control in FIGURES[name].controls}
    grid = settings(name)
    worst = {}
    for s, ours in zip(grid, run(page, grid), strict=True):
        theirs = FIGURES[name].run({**FIGURES[name].defaults, **s})
        assert len(ours) == len(theirs) == len(FIGURES[name].names)
        for mine, his in zip(ours, theirs, strict=True):
            assert len(his) > 1 or np.allclose(mine, his[0], atol=1e-9)
            worst[json.dumps(s)] = max(worst.get(json.dumps(s), 0), differs(mine, his))
    assert len(worst) >= 60
    # From a start of symmetry RMSprop's rattling can be chaos, in gradlib as well: there round-off decides.
    for s in [json.loads(s) for s, difference in worst.items() if not difference < 1e-9]:
        exact, shaken = (
            FIGURES[name].run({**FIGURES[name].defaults, **s, "x1": s["x1"] + push}) for push in (0, 1e-14)
        )
        assert max(differs(a.tolist(), b) for a, b in zip(shaken, exact, strict=True)) > 1e-9, s
        del worst[json.dumps(s)]
    assert len(worst) >= 0.98 * len(grid)


@EACH
def test_page_brings_the_default_path_which_the_script_finds_again(
    explorables: Site, reader: Make, name: str
) -> None:
    page = reader(explorables).open(f"{name}.html")
    stored = json.loads(figure(page).locator("script").text_content() or "")
    theirs = FIGURES[name].run(FIGURES[name].defaults)
    (ours,) = run(page, [{}])
    for mine, given, his in zip(ours, stored["paths"], theirs, strict=True):
        assert len(mine) == len(given) == len(his)
        assert differs(given, his) == 0
        assert differs(mine, his) < 1e-9


def test_every_start_leads_where_gradlib_leads_it(explorables: Site, reader: Make) -> None:
    page = reader(explorables).open("basins.html")
    stored = json.loads(figure(page).locator("script").text_content() or "")["basins"]
    seen = set()
    for constant in (0.0, -2.5, -1.05, -0.4, 0.3, 1.0, 1.1, 1.5, 2.0, 2.5):
        run(page, [{"constant": constant}])
        ours = page.evaluate("document.querySelector('.explorable').explorable.basins()")
        theirs = newton_basins({**FIGURES["basins"].defaults, "constant": constant})
        if constant == 0:
            assert stored == {"roots": theirs.roots.tolist(), "labels": theirs.labels.tolist()}
        assert ours["roots"] == pytest.approx(theirs.roots.tolist(), abs=1e-9)
        assert ours["labels"] == theirs.labels.tolist()
        seen |= set(ours["labels"])
    assert seen == {-1, 0, 1, 2}


def test_basins_are_told_apart_by_their_lanes(explorables: Site, reader: Make) -> None:
    page = reader(explorables).open("basins.html")
    run(page, [{"constant": 1.1, "x0": -1}])
    heights = page.evaluate(
        """() => [...document.querySelectorAll(".explorable-basin")]
          .map(lane => [...new Set(lane.getAttribute("d").match(/,[\\d.]+/g))].map(y => +y.slice(1)))"""
    )
    none, first, second, third = heights
    assert second == third == []  # beyond the hump there is one root
    assert len(none) == len(first) == 1
    assert none[0] > first[0] + 10
    run(page, [{"constant": 0}])
    colours = page.locator(".explorable-basin").evaluate_all(
        "lanes => lanes.filter(lane => lane.getAttribute('d')).map(lane => getComputedStyle(lane).stroke)"
    )
    assert len(set(colours)) == len(colours) == 3


def test_second_table_tells_where_the_basins_lie(explorables: Site, reader: Make) -> None:
    page = reader(explorables).open("basins.html")
    page.locator("summary").last.click()
    for constant in (0, 1.5):
        if constant:
            run(page, [{"constant": constant}])
        rows = page.locator(".explorable table").last.locator("tbody tr").all_inner_texts()
        found = newton_basins({**FIGURES["basins"].defaults, "constant": constant})
        told = []
        for row in rows:
            first, last, number, *at = row.split()
            label = -1 if number == "none" else int(number) - 1
            assert [float(x) for x in at] == pytest.approx(found.roots[[label]] if at else [], rel=1e-5)
            told += round((float(last) - float(first)) / (STARTS[1] - STARTS[0]) + 1) * [label]
        assert told == found.labels.tolist()


def said(page: Page) -> list[float]:
    """Read the numbers of the status line."""
    digits = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
    text = page.locator(".explorable-status").inner_text()
    powers = str.maketrans(f"{digits}−", "-0123456789-")
    found = re.findall(rf"(−?\d[\d.]*)(?:·10([{digits}]+))?", re.sub("[xγκ][₀-₉²³]+|2/L|2x|Adam", "", text))
    return [
        float(front.translate(powers).rstrip(".")) * 10.0 ** int(power.translate(powers) or 0)
        for front, power in found
    ]


def promised(name: str, s: dict[str, float], paths: list[np.ndarray]) -> list[float]:
    """Compute the numbers of the status line from gradlib's paths and from matrices, not as scripts do."""
    A, minimum = problems.course_quadratic.A, problems.course_quadratic.minimum
    last = [path[-1] for path in paths]
    distances = [float(np.linalg.norm(x - minimum)) for x in last if len(x) == 2]
    if name == "newton":
        x = paths[0][:, 0]
        return [s["x0"], x[1], abs(x[1] - x[0]), len(x) - 1, x[-1], x[-1] ** 3 - 2 * x[-1] + s["constant"]]
    if name == "basins":
        found = newton_basins(s)
        end = found.labels[np.argmin(np.abs(STARTS - s["x0"]))]
        reached = [end + 1, found.roots[end]] if end >= 0 else [100]
        return [s["constant"], len(found.roots), s["x0"], *reached, len(paths[0]) - 1, paths[0][-1, 0]]
    if name == "cg":
        steps = [len(path) - 1 for path in paths]
        norms = [np.sqrt(path[-1] @ np.diag([1, s["kappa"]]) @ path[-1]) for path in paths]
        start = paths[0][0]
        left = [norm / np.sqrt(start @ np.diag([1, s["kappa"]]) @ start) for norm in norms]
        return [s["kappa"], steps[0], 100 * left[0], left[0] ** (1 / steps[0]), steps[1], 100 * left[1]]
    if name == "adaptive":
        return [s["turn"], s["steps"], *distances]
    eye, zero = np.eye(2), np.zeros((2, 2))
    M = eye - s["rate"] * A  # one step, as a matrix on the pair of the last two errors
    gamma = s.get("momentum", 0.0)
    whole = [
        [M + gamma * (M if s.get("method") else eye), -gamma * (M if s.get("method") else eye)],
        [eye, zero],
    ]
    radius = max(abs(np.linalg.eigvals(np.block(whole))))
    if name == "momentum":
        return [s["rate"], gamma, radius, 1, s["steps"], *distances]
    return [s["rate"], s["rate"] * max(np.linalg.eigvalsh(A)) / 2, radius, 1, s["steps"], *distances]


@EACH
def test_status_says_what_is_true(explorables: Site, reader: Make, name: str) -> None:
    page = reader(explorables).open(f"{name}.html")
    first = {control.name: 0.9 * control.value + 0.03 * control.high for control in FIGURES[name].controls}
    for change in (
        {},
        {**first, "steps": 9, "method": 1},
        {"rate": 0.4, "kappa": 80, "constant": 2, "turn": -27, **({"x0": 0.0} if name == "basins" else {})},
    ):
        s = {**FIGURES[name].defaults, **{k: v for k, v in change.items() if k in FIGURES[name].defaults}}
        run(page, [s])
        expected = promised(name, s, FIGURES[name].run(s))
        assert said(page) == pytest.approx(expected, rel=6e-3, abs=1e-11)


def test_beyond_the_limit_the_reader_is_told(explorables: Site, reader: Make) -> None:
    page = reader(explorables).open("descent.html")
    L = max(np.linalg.eigvalsh(problems.course_quadratic.A))
    for rate, verdict in ((1.99 / L, "converges"), (2.01 / L, "diverges")):
        run(page, [{"rate": rate}])
        assert verdict in page.locator(".explorable-status").inner_text()


@EACH
def test_keyboard_sets_every_control_and_the_address_keeps_it_without_a_server(
    explorables: Site, reader: Make, name: str
) -> None:
    someone = reader(explorables)
    page = someone.open(f"{name}.html", protocol="file")
    state = "document.querySelector('.explorable').explorable.state"
    status = page.locator(".explorable-status")
    assert status.get_attribute("role") == "status"
    page.locator(".explorable-live").evaluate("live => { live.tabIndex = -1; live.focus(); }")
    reached = []
    for _ in range(2 * len(FIGURES[name].controls)):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("[document.activeElement.dataset.name, document.activeElement.type]"))
    for control in FIGURES[name].controls:
        ways = ["select-one"] if control.options else ["range", "number"]
        assert [kind for key, kind in reached if key == control.name] == ways

    for control in FIGURES[name].controls:
        before, text = page.evaluate(state)[control.name], status.inner_text()
        page.locator(f"select[data-name={control.name}], input[type=range][data-name={control.name}]").focus()
        page.keyboard.press("ArrowRight" if not control.options else "ArrowDown")
        after = page.evaluate(state)[control.name]
        assert after == pytest.approx(before + control.step)
        assert status.inner_text() != text
        if not control.options:
            box = page.locator(f"input[type=number][data-name={control.name}]")
            assert float(box.input_value()) == after
            middle = f"{(control.low + control.high) / 2:.{0 if control.step == 1 else 2}f}"
            box.press("ControlOrMeta+a")
            box.press_sequentially(middle)
            box.press("Enter")
            assert page.evaluate(state)[control.name] == float(middle)
            box.fill(str(control.high + 1000))
            box.press("Enter")
            assert page.evaluate(state)[control.name] == control.high == float(box.input_value())

    kept, text = page.evaluate(state), status.inner_text()
    page.reload()
    assert page.evaluate(state) == kept
    assert status.inner_text() == text
    assert page.evaluate("document.querySelector('.explorable').getBoundingClientRect().top") < 450
    page.get_by_role("button", name="Start again").click()
    assert page.evaluate(state) == FIGURES[name].defaults
    assert someone.complaints == someone.foreign == someone.failed == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    ("name", "panel", "to", "named"),
    [
        ("descent", 0, (1.0, -2.0), {"x1": 1.0, "x2": -2.0}),
        ("momentum", 0, (1.0, -2.0), {"x1": 1.0, "x2": -2.0}),
        ("momentum", 1, (3.0, 0.5), {"rate": 0.5, "momentum": 0.5}),
        ("newton", 0, (-2.0, 10.0), {"x0": -2.0}),
        ("basins", 0, (-1.0, 2.0), {"x0": -1.0}),
        ("basins", 1, (-1.0, 2.0), {"x0": -1.0}),
        ("cg", 0, (0.5, -1.0), {"height": -1.0}),
        ("adaptive", 0, (3.0, 2.0), {"x1": 3.0, "x2": 2.0}),
    ],
)
def test_pointer_drags_what_moves(
    explorables: Site,
    reader: Make,
    width: int,
    name: str,
    panel: int,
    to: tuple[float, float],
    named: dict[str, float],
) -> None:
    page = reader(explorables, width=width).open(f"{name}.html")
    svg = page.locator(".explorable svg").nth(panel)
    svg.scroll_into_view_if_needed()
    handle = svg.locator(".explorable-handle").bounding_box()
    frame = svg.locator(".explorable-frame").bounding_box()
    assert handle
    assert frame
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    low, high, bottom, top = FIGURES[name].panels[panel].bounds
    x = frame["x"] + (to[0] - low) / (high - low) * frame["width"]
    y = frame["y"] + (top - to[1]) / (top - bottom) * frame["height"]
    page.mouse.move(x, y, steps=3)
    page.mouse.up()
    page.mouse.move(x + 40, y - 40)
    state = page.evaluate("document.querySelector('.explorable').explorable.state")
    assert {key: state[key] for key in named} == pytest.approx(named, abs=0.05)
    assert set(named) <= set(re.findall(r"&(\w+)=", page.url))
    moved = svg.locator(".explorable-handle").bounding_box()
    assert moved
    if name not in ("newton", "basins", "cg"):
        assert moved["x"] + moved["width"] / 2 == pytest.approx(x, abs=3)
        assert moved["y"] + moved["height"] / 2 == pytest.approx(y, abs=3)


def test_finger_beside_the_handle_scrolls_the_page(explorables: Site, reader: Make) -> None:
    page = reader(explorables).open("descent.html")
    start = page.evaluate(
        """() => {
          const box = document.querySelector(".explorable");
          const svg = box.querySelector("svg");
          const {x, y} = svg.getBoundingClientRect();
          svg.setPointerCapture = () => {};  // no real finger is down
          const where = {clientX: x + 200, clientY: y + 200, bubbles: true, pointerType: "touch"};
          svg.dispatchEvent(new PointerEvent("pointerdown", where));
          return [box.explorable.state.x1, box.explorable.state.x2];
        }"""
    )
    assert start == problems.course_quadratic.x0.tolist()


@EACH
@EVERYWHERE
def test_axe_and_width(explorables: Site, reader: Make, name: str, width: int, mode: str) -> None:
    page = reader(explorables, width=width, color_scheme=mode).open(f"{name}.html")
    page.locator(".explorable-numbers").evaluate("details => { details.open = true; }")
    page.wait_for_timeout(350)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".explorable-live").is_visible()
    assert violations(page, {}) == []


@pytest.mark.parametrize("mode", ["light", "dark"])
@EACH
def test_paths_are_told_apart_without_colour_and_stand_out(
    explorables: Site, reader: Make, name: str, mode: str
) -> None:
    page = reader(explorables, color_scheme=mode).open(f"{name}.html")
    lines = page.evaluate(
        """() => [...document.querySelectorAll(".explorable-line")]
          .filter(line => /explorable-\\d/.test(line.getAttribute("class")))
          .filter(line => !line.matches(".explorable-basin"))  // which have lanes of their own
          .map(line => [getComputedStyle(line).stroke, getComputedStyle(line).strokeDasharray])"""
    )
    assert len({dash for _, dash in lines}) == len(lines) == len(FIGURES[name].names)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for colour, _ in lines:
        assert contrast(colour, ground) >= 4.5
    parts = page.evaluate(
        """() => [...document.querySelectorAll(".explorable svg :is(text, path, rect[class], circle)")]
          .map(part => [part.tagName, part.getAttribute("class"), getComputedStyle(part)])
          .map(([tag, name, {fill, stroke}]) => [tag, name, tag === "text" ? fill : stroke])"""
    )
    assert {"text", "path", "rect", "circle"} == {tag for tag, _, _ in parts}
    for tag, kind, colour in parts:
        assert contrast(colour, ground) >= (4.5 if tag == "text" else 3), kind


def test_reload_does_not_pull_the_reader_back_to_the_figure(explorables: Site, reader: Make) -> None:
    page = reader(explorables).open("adaptive.html")
    page.locator("input[type=range][data-name=adam]").press("ArrowRight")
    page.set_viewport_size({"width": 1280, "height": 400})
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_timeout(200)
    before = page.evaluate("window.scrollY")
    assert before > 500
    page.reload()
    page.wait_for_timeout(200)
    assert page.evaluate("window.scrollY") == pytest.approx(before, abs=2)
    assert page.evaluate("document.querySelector('.explorable').explorable.state.adam") == 0.21


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours."""
    light = []
    for colour in (one, other):
        parts = np.array(re.findall(r"[\d.]+", colour)[:3], dtype=float) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        light.append(float(linear @ [0.2126, 0.7152, 0.0722]))
    return (max(light) + 0.05) / (min(light) + 0.05)


@EACH
@pytest.mark.parametrize("without", ["scripts", "screen"])
def test_static_figure_remains(explorables: Site, reader: Make, name: str, without: str) -> None:
    page = reader(explorables, java_script_enabled=without != "scripts").open(f"{name}.html")
    page.locator(".explorable summary").click()
    if without == "screen":
        page.emulate_media(media="print")
    assert page.locator(".cell_output img").is_visible()
    assert (page.locator(".cell_output img").get_attribute("alt") or "").count(" ") > 10
    assert page.locator(".explorable-numbers table").first.is_visible()
    assert not page.locator(".explorable-live").is_visible()


@EACH
def test_table_holds_the_plotted_numbers(explorables: Site, reader: Make, name: str) -> None:
    def numbers() -> list[list[float]]:
        rows: list[list[str]] = page.evaluate(
            "[...document.querySelector('.explorable tbody').rows].map("
            "row => [...row.cells].map(cell => cell.textContent))"
        )
        return [[float(text) if text else np.nan for text in row] for row in rows]

    def expected(s: dict[str, float]) -> list[list[float]]:
        paths = FIGURES[name].run({**FIGURES[name].defaults, **s})
        long = max(map(len, paths))
        padded = [np.vstack([path, np.full((long - len(path), path.shape[1]), np.nan)]) for path in paths]
        return np.column_stack([np.arange(long), *padded]).tolist()

    page = reader(explorables).open(f"{name}.html")
    assert np.allclose(numbers(), expected({}), rtol=1e-5, atol=1e-9, equal_nan=True)
    page.locator("summary").last.click()
    s = {"steps": 2}
    run(page, [s])
    assert np.allclose(numbers(), expected(s), rtol=1e-5, atol=1e-9, equal_nan=True)


def test_notebook_shows_words_and_no_empty_box() -> None:
    for name in LESSONS:
        static, moving = cells(name)
        text, container = moving.source.rsplit("\n\n", 1)
        assert moving.id.startswith("explore-")
        assert PLACE.fullmatch(container)
        assert len(text.split()) > 20
        assert static.metadata["mystnb"]["image"]["alt"]
        assert any("image/svg+xml" in output.get("data", {}) for output in static.outputs)


def test_weight() -> None:
    weight = {
        name: len(gzip.compress((ROOT / "_static" / name).read_bytes()))
        for name in ("explorable.js", "explorable.css")
    }
    print(weight)
    assert sum(weight.values()) < 10_000


def test_page_without_a_figure_loads_nothing(explorables: Site, reader: Make) -> None:
    someone = reader(explorables)
    someone.open("index.html")
    assert not [url for url in someone.requests if "explorable." in url]
    someone.open("cg.html")
    assert len([url for url in someone.requests if "explorable." in url]) == 2


def test_unknown_figure_breaks_the_build(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").symlink_to(ROOT / "_config.yml")
    (tmp_path / "references.bib").symlink_to(ROOT / "references.bib")
    (tmp_path / "_static").symlink_to(ROOT / "_static")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n", encoding="utf-8")
    place = '<div class="explorable" id="explore-it" data-figure="descant"></div>'
    (tmp_path / "index.md").write_text(f"# Title\n\n{place}\n", encoding="utf-8")
    with pytest.raises(BuildError):
        build(tmp_path)


def test_text_of_a_page_cannot_end_its_data() -> None:
    assert render("cg", "here").count("</script>") == 1


def test_figures_of_one_page_have_names_of_their_own() -> None:
    page = "".join(render(name, name) for name in FIGURES)
    names = re.findall(r'role="(?:group|region)" aria-label="([^"]+)"', page)
    assert len(set(names)) == len(names) == 2 * len(FIGURES)


@EACH
def test_nothing_moves_by_itself_and_nothing_jumps(explorables: Site, reader: Make, name: str) -> None:
    someone = reader(explorables, reduced_motion="reduce")
    height = "document.querySelector('.explorable').getBoundingClientRect().height"
    someone.context.route("**/explorable.js*", lambda route: route.abort())
    before = someone.open(f"{name}.html").evaluate(height)
    someone.context.unroute("**/explorable.js*")
    page = someone.open(f"{name}.html")
    assert page.evaluate(height) == before > 300
    for values in settings(name)[:: max(1, len(settings(name)) // 12)]:
        run(page, [values])
        assert page.evaluate(height) == before
    assert page.evaluate("document.getAnimations().length") == 0


@EACH
def test_time_of_an_update(explorables: Site, reader: Make, name: str) -> None:
    page = reader(explorables).open(f"{name}.html")
    times = page.evaluate(
        """settings => {
          const {set, data} = document.querySelector(".explorable").explorable;
          return settings.map(s => {
            const start = performance.now();
            set({...data.defaults, ...s});
            document.querySelector(".explorable-status").getBoundingClientRect();  // with its layout
            return performance.now() - start;
          });
        }""",
        settings(name),
    )
    print(f"{name}: median {np.median(times):.2f} ms, longest of {len(times)} {max(times):.1f} ms")
