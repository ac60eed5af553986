"""Search finds pages and quotes them, with a server and without."""

from collections.abc import Callable

import pytest
from conftest import Reader, Site

Make = Callable[..., Reader]


@pytest.mark.parametrize("protocol", ["http", "file"])
@pytest.mark.parametrize("width", [1280, 390])
def test_search_from_any_page(stress: Site, reader: Make, protocol: str, width: int) -> None:
    someone = reader(stress, width=width)
    page = someone.open("exercises/01-lesson.html", protocol=protocol)
    page.locator(".search-button-field, .search-button").locator("visible=true").click()
    page.locator("#pst-search-dialog input").fill("momentum")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=momentum")
    page.get_by_text("Search finished").wait_for()
    result = page.locator("#search-results li", has=page.locator("a", has_text="Boxes"))
    result.locator("p.context", has_text="The fraction").wait_for()
    mark = result.locator("span.highlighted", has_text="Momentum").first
    assert mark.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"
    result.locator("a").click()
    page.wait_for_url("**/boxes.html**")
    assert someone.foreign == []
    assert someone.failed == []
    assert someone.complaints == []


def test_excerpt_of_a_section_is_of_that_section(stress: Site, reader: Make) -> None:
    page = reader(stress).open("search.html?q=admonitions", protocol="file")
    result = page.locator("#search-results li", has=page.locator("a[href='boxes.html#admonitions']"))
    result.locator("p.context", has_text="The step").wait_for()
    assert "Theorem" not in result.inner_text()


def test_excerpt_of_a_term_is_its_definition(stress: Site, reader: Make) -> None:
    someone = reader(stress)
    page = someone.open("search.html?q=ballast", protocol="file")
    result = page.locator(
        "#search-results li", has=page.locator("a[href='chapters/notation.html#term-ballast']")
    )
    result.locator("p.context", has_text="What is carried along").wait_for()
    assert "momentum" not in result.inner_text()
    assert someone.complaints == []


def test_what_is_folded_is_not_quoted(stress: Site, reader: Make) -> None:
    page = reader(stress).open("search.html?q=palimpsest")
    page.get_by_text("Search finished, found 1 page").wait_for()
    page.locator("#search-results li a").wait_for()
    page.locator("#search-results p.context").wait_for()
    assert "palimpsest" not in page.locator("#search-results").inner_text()


def test_the_texts_are_loaded_by_no_other_page(stress: Site, reader: Make) -> None:
    someone = reader(stress)
    someone.open("boxes.html")
    assert not [url for url in someone.requests if url.endswith(("excerpts.js", "searchindex.js"))]
