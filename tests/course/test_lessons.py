"""What the lessons say of themselves: claims with checks, symbols with meanings, questions with answers."""

import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.conventions import RULES
from course.lessons import chapters, claims, symbols
from course.notebooks import read, write
from course.site.ledger import claims_table, notation_table
from course.symbols import atoms, flaws

ROOT = Path(__file__).parents[2]

QUESTIONS = """## Check yourself

**Question 1.** What is 1 + 1?

<details><summary>2</summary>
Right: count.
</details>
<details><summary>11</summary>
That sets one digit beside the other.
</details>

**Question 2.** And 2 + 2?

<details><summary>4</summary>
Right, again.
</details>
<details><summary>22</summary>
See above.
</details>

**Question 3.** And 3 + 3?

<details><summary>33</summary>
Rightly not.
</details>
<details><summary>6</summary>
Right.
</details>
"""


def first_lesson():
    return [
        new_markdown_cell(
            "# Sums\n\n## Two numbers\n\nThe sum $\\sigma = x_1 + x_2$ over a vector $\\mathbf x$.",
            id="sums",
            metadata={"course": {"symbols": {"\\sigma": "a sum", "\\mathbf x": "a vector"}}},
        ),
        new_code_cell(
            "assert 1 + 1 == 2",
            id="one-and-one",
            metadata={"tags": ["check"], "course": {"claim": "One and one are two.", "rows": [3]}},
        ),
        new_markdown_cell(QUESTIONS, id="questions"),
    ]


def second_lesson():
    return [
        new_markdown_cell("# Products", id="title"),
        new_markdown_cell(
            "## Three\n\n### Again\n\nNow $\\sigma = \\mu \\mathbf{x}_0$, `$y$` and\n\n$$\n\\mu^2\n$$",
            id="again",
            metadata={"course": {"local_symbols": {"\\mu_k": "a factor"}}},
        ),
        new_code_cell(
            "assert 2 * 2 == 4",
            id="two-by-two",
            metadata={"tags": ["check"], "course": {"claim": "Two by two is four."}},
        ),
    ]


@pytest.fixture
def book(tmp_path):
    (tmp_path / "chapters").mkdir()
    write(tmp_path / "chapters" / "01-sums.ipynb", new_notebook(cells=first_lesson()))
    write(tmp_path / "chapters" / "02-products.ipynb", new_notebook(cells=second_lesson()))
    return tmp_path


def change(book, name, cell, **metadata):
    path = book / "chapters" / name
    nb = read(path)
    nb.cells[cell].metadata["course"] = metadata
    write(path, nb)


def test_claims_are_listed_with_their_sections(book):
    one, two = claims(book)
    assert (one.text, one.cell, one.rows) == ("One and one are two.", "one-and-one", (3,))
    assert one.place.link == "[Two numbers](01-sums.ipynb#two-numbers)"
    assert two.place.link == "[Again](02-products.ipynb#again)"
    table = claims_table(book)
    assert "## Sums\n\n1. One and one are two. [Two numbers](01-sums.ipynb#two-numbers)" in table
    assert "## Products\n\n2. Two by two is four." in table


def test_symbols_are_listed_the_local_ones_apart(book):
    whole, local = notation_table(book).split("## Letters on loan")
    assert "| $\\sigma$ | a sum | [Sums: Two numbers](01-sums.ipynb#two-numbers) |" in whole
    assert "| $\\mu_k$ | a factor | [Again](02-products.ipynb#again) |" in local
    assert "\\mu" not in whole
    assert [symbol.local for symbol in symbols(book)] == [False, False, True]


def test_bar_in_a_formula_does_not_end_the_cell_of_the_table(book):
    change(book, "02-products.ipynb", 1, local_symbols={"\\mu": "as in $|x|$ and $\\|x\\|$"})
    assert "as in $\\vert x\\vert $ and $\\Vert x\\Vert $ |" in notation_table(book)


def test_symbols_of_a_good_book_have_one_meaning_each(book):
    assert flaws(book) == []


def test_symbol_without_a_meaning_is_found(book):
    change(book, "02-products.ipynb", 1)
    assert flaws(book) == ["02-products.ipynb: cell `again` uses \\mu, which no cell introduces"]


def test_symbol_that_only_a_later_lesson_introduces_is_found(book):
    change(book, "01-sums.ipynb", 0, symbols={"\\mathbf x": "a vector"})
    change(book, "02-products.ipynb", 1, symbols={"\\sigma": "a sum", "\\mu": "a factor"})
    assert flaws(book) == ["01-sums.ipynb: cell `sums` uses \\sigma, which no cell introduces"]


def test_letter_on_loan_is_not_lent_to_the_next_lesson(book):
    change(book, "01-sums.ipynb", 0, symbols={"\\mathbf x": "a vector"}, local_symbols={"\\sigma": "a sum"})
    assert flaws(book) == ["02-products.ipynb: cell `again` uses \\sigma, which no cell introduces"]


@pytest.mark.parametrize("tex", ["\\sigma", "\\sigma_k", "\\sigma_{k+1}"])
def test_symbol_with_two_meanings_is_found(book, tex):
    change(book, "02-products.ipynb", 1, symbols={tex: "a spread", "\\mu": "a factor"})
    (line,) = flaws(book)
    assert (
        "introduced twice in the course: 'a sum' (01-sums.ipynb) and 'a spread' (02-products.ipynb)" in line
    )


def test_symbol_with_two_meanings_in_one_lesson_is_found(book):
    change(book, "02-products.ipynb", 0, local_symbols={"\\mu": "a mean"})
    (line,) = flaws(book)
    assert "introduced twice in 02-products.ipynb: 'a mean'" in line


def test_loan_may_shadow_what_the_course_means(book):
    change(book, "02-products.ipynb", 1, local_symbols={"\\mu": "a factor", "\\sigma": "a spread"})
    assert flaws(book) == []


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"\mathbf x_{k+1} = \mathbf{x}_k", {r"\mathbf x"}),
        (r"\boldsymbol\theta + \boldsymbol{\theta}", {r"\boldsymbol \theta"}),
        (r"x^a_j + a^{-1} b^T", {"x", "a", "b", "T"}),
        (r"\text{if } c_1 \le \mathrm{d}t \operatorname{tr} A", {"c_1", "t", "A"}),
        (r"\beta_{\max} \ln \lambda_2", {r"\beta", r"\lambda_2"}),
        (r"\begin{aligned} f &= g \end{aligned}", {"f", "g"}),
    ],
)
def test_atoms_of_a_formula(tex, expected):
    assert atoms(tex) == expected


@pytest.mark.parametrize("rule", ["claimed", "self_check"])
def test_good_lesson_keeps_the_rule(book, rule):
    path = book / "chapters" / "01-sums.ipynb"
    assert list(RULES[rule](read(path), path)) == []


def broken(book, cell, **values):
    path = book / "chapters" / "01-sums.ipynb"
    nb = read(path)
    nb.cells[cell].update(values)
    return [line for rule in ("claimed", "self_check") for line in RULES[rule](nb, path)]


@pytest.mark.parametrize(
    ("cell", "values", "found"),
    [
        (1, {"source": "print(2)"}, "asserts nothing"),
        (1, {"metadata": {}}, "tag it check"),
        (1, {"metadata": {"tags": ["check"]}}, "needs metadata.course.claim"),
        (
            1,
            {"metadata": {"tags": ["check"], "course": {"claim": "One and one"}}},
            "needs metadata.course.claim",
        ),
        (2, {"source": QUESTIONS[: QUESTIONS.index("**Question 3")]}, "has 2 questions"),
        (2, {"source": "## Something else"}, "has 0 questions"),
        (2, {"source": QUESTIONS.replace("See above.", "Right too.")}, "question 2: exactly one"),
        (2, {"source": QUESTIONS.replace("See above.", "")}, "question 2: wanted are two options"),
        (2, {"source": QUESTIONS.replace("Right: count.", "Yes.")}, "question 1: exactly one"),
    ],
)
def test_fault_of_a_lesson_is_found(book, cell, values, found):
    (line,) = broken(book, cell, **values)
    assert found in line


def test_each_symbol_of_the_course_has_one_meaning():
    assert flaws(ROOT) == []


def test_course_proves_sixty_claims_and_more_each_said_once():
    texts = [claim.text for claim in claims(ROOT)]
    assert len(texts) >= 60
    assert len(set(texts)) == len(texts)


def test_each_published_fact_is_among_the_claims():
    assert {row for claim in claims(ROOT) for row in claim.rows} == set(range(1, 26))


def test_every_chapter_proves_something():
    assert {claim.place.file for claim in claims(ROOT)} == {path.name for path in chapters(ROOT)}


PAGES = sorted((ROOT / "chapters").glob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_each_link_of_a_page_leads_to_a_section(path):
    nb = new_notebook(cells=[new_markdown_cell(path.read_text(encoding="utf-8"), id=path.stem)])
    assert list(RULES["links"](nb, path)) == []


def test_each_section_and_listing_of_the_notes_is_taught_in_a_section_of_the_book():
    text = (ROOT / "chapters" / "coverage.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (S?\d\d) \|.*\| (.+) \|$", text, re.M))
    assert list(rows) == [f"S{n:02}" for n in range(1, 26)] + [f"{n:02}" for n in range(1, 28)]
    for row, targets in rows.items():
        links = re.findall(r"\]\(([^)]+)\)", targets)
        assert links, row
        assert all("#" in link or link.startswith("../exercises/") for link in links), row


def test_each_erratum_is_an_executed_cell_beside_its_text():
    path = ROOT / "chapters" / "errata.ipynb"
    told, shown = [], []
    for cell in read(path).cells:
        told += re.findall(r"^\*\*E(\d\d)\*\*", cell.source, re.M) if cell.cell_type == "markdown" else []
        found = re.match(r"e(\d\d)-", cell.id)
        if cell.cell_type == "code" and found:
            assert "check" in cell.metadata.tags
            assert found[1] == told[-1], f"cell `{cell.id}` stands under E{told[-1]}"
            shown.append(found[1])
    numbers = [f"{number:02}" for number in range(1, len(told) + 1)]
    assert len(told) >= 26
    assert sorted(told) == numbers
    assert sorted(set(shown)) == numbers
