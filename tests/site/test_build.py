"""The build is strict, starts afresh, and keeps solutions to itself when told to."""

import re
from base64 import b64decode
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from conftest import copy_book

from course.build import BuildError, build
from course.notebooks import read

WORD = "palimpsest"  # stands in a solution of the stress book, in a figure of it, and in no other place
HIDDEN = ("quodlibet", "0.2271828", "contraction-hidden")  # of a hidden cell: label, value and id


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return copy_book(tmp_path / "book")


def only(book: Path, *pages: str) -> None:
    """Cut the book down to its first page and those that are named."""
    toc = {"format": "jb-book", "root": "index", "chapters": [{"file": page} for page in pages]}
    (book / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    (book / "index.md").write_text("# Start\n\nHere.\n", encoding="utf-8")


def replace(path: Path, old: str, new: str) -> None:
    """Change a text in a file that has it."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


WRONG = {
    "brace": (r"A bad $\frac{x$ formula.", "bad formula: Missing close brace"),
    "command": (r"An unknown $\foo x$ command.", r"bad formula: Undefined control sequence \foo"),
    "line": ("$$\na \\\\ b\n$$", "bad formula: \\\\ outside an environment"),
    "equation": ("See {eq}`nowhere`.", "nowhere"),
    "reference": ("See {ref}`nowhere`.", "nowhere"),
    "citation": ("See {cite}`nobody1900`.", "nobody1900"),
    "figure": ("![no such figure](no-such.svg)", "no-such.svg"),
}


def test_what_is_wrong_on_a_page_is_told_with_its_line_and_fails_the_build(
    book: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    only(book, *WRONG)
    for name, (text, _) in WRONG.items():
        (book / f"{name}.md").write_text(f"# Wrong\n\nFirst.\n\n{text}\n", encoding="utf-8")
    with pytest.raises(BuildError, match="errors and warnings above"):
        build(book)
    told = capfd.readouterr().err.splitlines()
    for name, (_, warning) in WRONG.items():
        assert [line for line in told if f"{name}.md:5: WARNING" in line and warning in line], name


def test_bad_formula_in_a_notebook_is_told_with_its_cell(
    book: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    only(book, "lesson")
    lesson = book / "lesson.ipynb"
    replace(lesson, "x_0 = (9, 1)^", "x_0 = \\\\foo (9, 1)^")
    with pytest.raises(BuildError):
        build(book)
    told = capfd.readouterr().err
    assert re.search(r"lesson\.ipynb:3\d{4}: WARNING: bad formula", told)  # in the third cell


def test_site_without_solutions_has_no_trace_of_them(book: Path, stress_book: Path) -> None:
    solutions = read(book / "solutions" / "01-lesson.ipynb")
    (figure,) = [
        output.data["image/png"]
        for cell in solutions.cells
        for output in cell.get("outputs", [])
        if "data" in output and "image/png" in output.data
    ]
    coded = "".join(figure.split())
    assert WORD.encode() in b64decode(coded)

    def traces(site: Path, *words: str) -> set[str]:
        files = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
        wanted = [word.encode() for word in words]
        return {
            path.relative_to(site).as_posix()
            for path, held in files.items()
            if any(word in held for word in wanted)
        }

    assert traces(stress_book / "_build" / "html", *HIDDEN) == set()
    with_solutions = traces(stress_book / "_build" / "html", WORD)
    assert "exercises/01-lesson.html" in with_solutions
    assert not any(name.startswith("_sources") for name in with_solutions)
    page = build(book, solutions=False)
    assert traces(page.parent, WORD, coded, coded[40:80], *HIDDEN) == set()
    exercises = (page.parent / "exercises" / "01-lesson.html").read_text("utf-8")
    assert "Hint 2" in exercises
    assert "exercise admonition" in exercises


def test_exercises_that_are_out_of_date_fail_the_build(book: Path, capfd: pytest.CaptureFixture[str]) -> None:
    only(book, "lesson", "exercises/01-lesson")
    source = book / "solutions" / "01-lesson.ipynb"
    replace(source, "What does one step", "What does each step")
    with pytest.raises(BuildError):
        build(book)
    assert "exercises/01-lesson.ipynb is out of date; run `course release`" in capfd.readouterr().err


def test_no_page_of_an_earlier_build_is_left(book: Path) -> None:
    only(book, "exercises/01-lesson", "lesson")
    site = build(book).parent
    assert (site / "exercises" / "01-lesson.html").exists()
    only(book, "lesson")
    build(book)
    assert not (site / "exercises").exists()
    assert (site / "lesson.html").exists()


def test_two_builds_give_the_same_bytes(book: Path, stress_book: Path) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        site = folder / "_build" / "html"
        return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}

    build(book)
    first, second = files(stress_book), files(book)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.parametrize("name", ["_config.yml", "_toc.yml"])
def test_folder_that_is_no_book_is_named(book: Path, name: str) -> None:
    (book / name).unlink()
    with pytest.raises(BuildError, match=f"source: .*book has no {name}"):
        build(book)


def test_a_formula_and_its_comma_stay_together(book: Path) -> None:
    only(book, "text")
    text = "# Text\n\n(if $a$, and $b$, or $c$) then $d$ and *$e$*.\n"
    (book / "text.md").write_text(text, encoding="utf-8")
    page = BeautifulSoup(build(book).with_name("text.html").read_text("utf-8"), "html.parser")
    assert [box.get_text() for box in page.select("article .glued")] == ["a,", "b,", "c)"]
    assert page.select("article p")[0].get_text() == "(if a, and b, or c) then d and e."
