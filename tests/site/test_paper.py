"""The book on paper: tagged, with bookmarks and page numbers, and references that lead to its own pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from click.testing import CliRunner
from conftest import copy_book
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from course import paper
from course.__main__ import main
from course.build import build

WORD = "palimpsest"  # of the stress book's solution, as in the tests of the site
HIDDEN = ("quodlibet", "0.2271828", "contraction-hidden")


@pytest.fixture(scope="module")
def book(stress_book: Path, tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    """The stress book on paper."""
    target = tmp_path_factory.mktemp("paper") / "new" / "book.pdf"
    return PdfReader(paper.print_book(stress_book / "_build" / "html", target))


@pytest.fixture(scope="module")
def text(book: PdfReader) -> list[str]:
    """The text of its pages."""
    return read(book)


def read(book: PdfReader) -> list[str]:
    return [normalize("NFKC", page.extract_text()) for page in book.pages]  # without the ligature of fi


def bookmarks(book: PdfReader) -> dict[str, int]:
    def flat(items: list[Any]) -> Iterator[Any]:
        for item in items:
            yield from flat(item) if isinstance(item, list) else [item]

    marks: dict[str, int] = {}  # the appendix has headings of the chapters, too: the first counts
    for mark in flat(book.outline):
        marks.setdefault(str(mark.title), book.get_destination_page_number(mark) + 1)
    return marks


def tags(node: object) -> Iterator[DictionaryObject]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, ArrayObject):
        for kid in node:
            yield from tags(kid)
    elif isinstance(node, DictionaryObject):
        yield node
        yield from tags(node.get("/K"))


def test_file_says_what_it_is(book: PdfReader) -> None:
    assert book.metadata
    assert book.metadata.title == "Gradient methods"
    assert book.root_object["/Lang"] == "en"
    assert book.root_object["/MarkInfo"]["/Marked"]  # type: ignore[index]


def test_tags_carry_the_alternative_texts_of_figures_and_formulas(book: PdfReader) -> None:
    kinds = {str(tag.get("/S")) for tag in tags(book.root_object["/StructTreeRoot"])}
    assert {"/H1", "/H2", "/P", "/Table", "/TH", "/Link"} <= kinds
    said = alternative_texts(book)
    assert [kind for kind, _ in said].count("/Figure") == 6
    assert ("/Formula", "x_(k+1)=x_k−γ∇f(x_k)") in said
    assert [kind for kind, _ in said].count("/Formula") > 60


def test_bookmarks_and_contents_say_where_the_chapters_are(book: PdfReader, text: list[str]) -> None:
    marks = bookmarks(book)
    for title in ("About this course", "Boxes", "A lesson with six figures", "Hints and answers"):
        page = marks[title]
        assert title in text[page - 1]
        (line,) = [line for line in text[1].splitlines() if line.startswith(title)]
        assert line.split()[-1] == str(page)
    for number, page in enumerate(text[1:], start=2):
        assert str(number) in page.split()
    assert "000" not in text[1]
    assert "Formulas with ∇f in the heading" in marks  # which begins a page, and has a formula


def test_references_lead_to_pages_of_the_file(book: PdfReader) -> None:
    names = book.named_destinations
    inside = 0
    for page in book.pages:
        for link in page.get("/Annots", []):
            link = link.get_object()
            if "/Dest" in link:
                inside += 1
                assert str(link["/Dest"]) in names
            else:
                assert str(link["/A"]["/URI"]).startswith(("http://", "https://"))
    assert inside > 20


def alternative_texts(book: PdfReader) -> list[tuple[str, str]]:
    """The kinds of tags that have one, with what they say."""
    return [
        (str(tag["/S"]), str(tag["/Alt"]))
        for tag in tags(book.root_object["/StructTreeRoot"])
        if "/Alt" in tag
    ]


def traces(book: PdfReader, *words: str) -> set[str]:
    said = [*read(book), *(said for _, said in alternative_texts(book)), *bookmarks(book)]
    return {word for word in words if any(word in text for text in said)}


def test_hints_and_answers_are_in_the_appendix_and_nowhere_else(book: PdfReader, text: list[str]) -> None:
    appendix = bookmarks(book)["Hints and answers"]
    for word in (WORD, "What does one step multiply", "asphodel"):
        pages = [number for number, page in enumerate(text, start=1) if word in page]
        assert pages
        assert min(pages) >= appendix
    assert any("Question 1. No" in page for page in text[appendix - 1 :])


def test_checks_are_left_out(text: list[str]) -> None:
    assert any("bound = ..." in page for page in text)
    assert not any("not answered yet" in page for page in text)


def test_switch_of_the_site_leaves_the_solutions_out(book: PdfReader, tmp_path: Path) -> None:
    assert traces(book, WORD, *HIDDEN) == {WORD}
    site = build(copy_book(tmp_path / "book"), solutions=False).parent
    without = PdfReader(paper.print_book(site, tmp_path / "book.pdf"))
    assert traces(without, WORD, *HIDDEN, "Hint 2") == {"Hint 2"}


def test_reference_that_leads_nowhere_is_refused(
    stress_book: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    site = shutil.copytree(stress_book / "_build" / "html", tmp_path / "site")
    first = site / "index.html"
    lost = '<a href="#gone">x</a></article>'
    first.write_text(first.read_text("utf-8").replace("</article>", lost), encoding="utf-8")
    with pytest.raises(paper.PaperError, match="see the error above"):
        paper.print_book(site, tmp_path / "book.pdf")
    assert capfd.readouterr().err == "references that lead nowhere on paper: index.html:gone\n"
    assert not (tmp_path / "book.pdf").exists()


def test_command_says_what_to_do_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["pdf"])
    assert result.exit_code == 1
    assert "has no index.html; call `course build` first" in result.output


def test_too_large_a_book_is_refused(
    stress_book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "LIMIT", 100_000)
    with pytest.raises(paper.PaperError, match="MB printed"):
        paper.print_book(stress_book / "_build" / "html", tmp_path / "book.pdf")
    assert list(tmp_path.iterdir()) == []


def test_browser_that_does_not_end_is_ended(
    stress_book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "PATIENCE", 1.5)
    with pytest.raises(paper.PaperError, match=r"did not print .* in 1\.5 s"):
        paper.print_book(stress_book / "_build" / "html", tmp_path / "book.pdf")
    assert list(tmp_path.iterdir()) == []
