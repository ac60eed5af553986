"""The book on paper: tagged, with bookmarks and page numbers, and references that lead to its own pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Site, copy_book
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from course import pdf
from course.build import build


@pytest.fixture(scope="module")
def paper(stress: Site, tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    """The stress book on paper."""
    return PdfReader(pdf.print_book(stress.folder, tmp_path_factory.mktemp("paper") / "new" / "book.pdf"))


@pytest.fixture(scope="module")
def text(paper: PdfReader) -> list[str]:
    """The text of its pages."""
    return [page.extract_text() for page in paper.pages]


def bookmarks(paper: PdfReader) -> dict[str, int]:
    def flat(items: list) -> Iterator:  # type: ignore[type-arg]
        for item in items:
            yield from flat(item) if isinstance(item, list) else [item]

    marks: dict[str, int] = {}  # the appendix has headings of the chapters, too: the first counts
    for mark in flat(paper.outline):
        marks.setdefault(str(mark.title), paper.get_destination_page_number(mark) + 1)
    return marks


def tags(node: object) -> Iterator[DictionaryObject]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, ArrayObject):
        for kid in node:
            yield from tags(kid)
    elif isinstance(node, DictionaryObject):
        yield node
        yield from tags(node.get("/K"))


def test_file_says_what_it_is(paper: PdfReader) -> None:
    assert paper.metadata
    assert paper.metadata.title == "Gradient methods"
    assert paper.root_object["/Lang"] == "en"
    assert paper.root_object["/MarkInfo"]["/Marked"]  # type: ignore[index]


def test_tags_carry_the_alternative_texts_of_figures_and_formulas(paper: PdfReader) -> None:
    said: dict[str, list[str]] = {"/Figure": [], "/Formula": []}
    kinds = set()
    for tag in tags(paper.root_object["/StructTreeRoot"]):
        kinds.add(str(tag.get("/S")))
        if "/Alt" in tag:
            said[str(tag["/S"])].append(str(tag["/Alt"]))
    assert {"/H1", "/H2", "/P", "/Table", "/TH", "/Link"} <= kinds
    assert len(said["/Figure"]) == 6
    assert "x_(k+1)=x_k−γ∇f(x_k)" in said["/Formula"]
    assert len(said["/Formula"]) > 60


def test_bookmarks_and_contents_say_where_the_chapters_are(paper: PdfReader, text: list[str]) -> None:
    marks = bookmarks(paper)
    for title in ("About this course", "Boxes", "A lesson with six figures", "Hints and solutions"):
        page = marks[title]
        assert title in text[page - 1]
        (line,) = [line for line in text[1].splitlines() if line.startswith(title)]
        assert line.split()[-1] == str(page)
    for number, page in enumerate(text[1:], start=2):
        assert str(number) in page.split()
    assert "000" not in text[1]
    assert "Formulas with ∇f in the heading" in marks  # which begins a page, and has a formula


def test_references_lead_to_pages_of_the_file(paper: PdfReader) -> None:
    names = paper.named_destinations
    inside = 0
    for page in paper.pages:
        for link in page.get("/Annots", []):
            link = link.get_object()
            if "/Dest" in link:
                inside += 1
                assert str(link["/Dest"]) in names
            else:
                assert str(link["/A"]["/URI"]).startswith(("http://", "https://"))
    assert inside > 20


def test_solutions_are_in_the_appendix_and_nowhere_else(paper: PdfReader, text: list[str]) -> None:
    appendix = bookmarks(paper)["Hints and solutions"]
    pages = [number for number, page in enumerate(text, start=1) if "palimpsest" in page]
    assert pages
    assert min(pages) >= appendix


def test_switch_of_the_site_leaves_the_solutions_out(tmp_path: Path) -> None:
    site = build(copy_book(tmp_path / "book"), solutions=False).parent
    paper = PdfReader(pdf.print_book(site, tmp_path / "book.pdf"))
    assert not any("palimpsest" in page.extract_text() for page in paper.pages)


def test_reference_that_leads_nowhere_is_refused(stress: Site, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        (stress.folder / "index.html")
        .read_text("utf-8")
        .replace("</article>", '<a href="#gone">x</a></article>')
    )
    for page in stress.folder.rglob("*.html"):
        if page.name != "index.html":
            (tmp_path / page.relative_to(stress.folder)).parent.mkdir(exist_ok=True)
            (tmp_path / page.relative_to(stress.folder)).write_bytes(page.read_bytes())
    with pytest.raises(pdf.PdfError, match=r"lead nowhere on paper: index\.html:gone"):
        pdf.print_book(tmp_path, tmp_path / "book.pdf")


def test_folder_without_a_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pdf.PdfError, match="course build"):
        pdf.print_book(tmp_path, tmp_path / "book.pdf")


def test_too_large_a_book_is_refused(stress: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "LIMIT", 100_000)
    with pytest.raises(pdf.PdfError, match="MB printed"):
        pdf.print_book(stress.folder, tmp_path / "book.pdf")
    assert list(tmp_path.iterdir()) == []
