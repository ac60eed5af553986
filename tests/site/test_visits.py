"""Every page of both sites is visited on a wide and on a narrow screen, and once without a server."""

from dataclasses import dataclass
from typing import Any

import pytest
from conftest import UNFOLD, Reader, Site
from playwright.sync_api import Browser

MEASURE = """() => {
  const box = element => element.getBoundingClientRect().toJSON();
  const seen = element => element.checkVisibility({visibilityProperty: true});
  const all = selectors => [...document.querySelectorAll(selectors)].filter(seen);
  window.scrollTo(10000, 0);
  return {
    width: document.documentElement.scrollWidth,
    scrolled: window.scrollX,
    search: all("input[type=search], .search-button-field, .search-button").length,
    numbers: all("div.math:has(.eqno)")
      .map(block => [".formula", ".eqno"].map(part => box(block.querySelector(part)))),
    unreachable: all(".formula, pre, .pst-scrollable-table-container")
      .filter(element => element.scrollWidth > element.clientWidth && element.tabIndex !== 0)
      .map(element => element.textContent.slice(0, 60)),
  };
}"""


@dataclass
class Visit:
    """One page as it was found."""

    name: str
    width: int
    found: dict[str, Any]


@dataclass
class Tour:
    """The visits to all pages of a site, and the notes of those who made them."""

    visits: list[Visit]
    readers: list[Reader]


@pytest.fixture(scope="module")
def tour(site: Site, browser: Browser) -> Tour:
    made = Tour([], [])
    for width in (1280, 390):
        someone = Reader(browser.new_context(viewport={"width": width, "height": 900}), site)
        made.readers.append(someone)
        for name, page in someone.through():
            page.evaluate(UNFOLD)
            page.wait_for_timeout(350)  # the theme waits for 300 ms before it makes boxes reachable
            made.visits.append(Visit(name, width, page.evaluate(MEASURE)))
        someone.context.close()
    return made


def test_each_page_was_visited_twice(tour: Tour, site: Site) -> None:
    assert sorted(visit.name for visit in tour.visits) == sorted(2 * site.pages)
    assert {"index.html", "search.html"} < set(site.pages)


def test_nothing_is_asked_of_any_other_host(tour: Tour) -> None:
    for reader in tour.readers:
        assert len(reader.requests) > 20
        assert reader.foreign == []
        assert reader.failed == []


def test_no_page_complains(tour: Tour) -> None:
    for reader in tour.readers:
        assert reader.complaints == []


def test_the_same_without_a_server(site: Site, browser: Browser) -> None:
    someone = Reader(browser.new_context(), site)
    assert sum(1 for _ in someone.through(protocol="file")) == len(site.pages)
    someone.context.close()
    assert len(someone.requests) > 20
    assert someone.foreign == []
    assert someone.failed == []
    assert someone.complaints == []


def test_nothing_scrolls_sideways(tour: Tour) -> None:
    wide = [(v.name, v.width) for v in tour.visits if v.found["width"] > v.width or v.found["scrolled"]]
    assert wide == []


def test_what_scrolls_in_a_box_of_its_own_is_reached_by_keyboard(tour: Tour) -> None:
    assert [(v.name, v.width, what) for v in tour.visits for what in v.found["unreachable"]] == []


def test_one_search_box_is_visible(tour: Tour) -> None:
    assert [(v.name, v.width, n) for v in tour.visits if (n := v.found["search"]) != 1] == []


def test_equation_numbers_stand_right_of_their_formula(tour: Tour) -> None:
    numbers = [(v.name, *boxes) for v in tour.visits for boxes in v.found["numbers"]]
    assert numbers
    for name, formula, number in numbers:
        assert number["x"] >= formula["x"] + formula["width"], name
        assert abs(number["y"] + number["height"] / 2 - formula["y"] - formula["height"] / 2) < 8, name
