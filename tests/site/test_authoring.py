"""How maths is written in the book's sources, so that the site, the notebook and paper show the same."""

import re
from collections.abc import Iterator
from itertools import chain

import nbformat
import pytest
from conftest import BOOK, ROOT

FENCE = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,}|~{3,}|:{3,})\s*(?P<what>.*)$")
NUMBERED = re.compile(r"\\begin\{(align|alignat|eqnarray|equation|flalign|gather|multline)\*?\}")
TEX_REFERENCE = re.compile(r"\\(eqref|ref|label)\b")
DEFINITION = re.compile(r"\\(newcommand|renewcommand|def|let|DeclareMathOperator)\b")
DOLLAR_LABEL = re.compile(r"\$\$\s*\([\w-]+\)\s*$")


def sources() -> Iterator[tuple[str, str]]:
    """All prose of the course and of the stress book: Markdown files, and the Markdown cells of notebooks."""
    for root in (ROOT, BOOK):
        for path in sorted([*root.glob("*.md"), *root.glob("chapters/*.md")]):
            if (path.parent / "_toc.yml").exists() or path.parent.name == "chapters":
                yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
        notebooks = [root.glob(f"{folder}*.ipynb") for folder in ("", "chapters/", "solutions/")]
        for path in sorted(chain(*notebooks)):
            for cell in nbformat.read(path, as_version=4).cells:
                if cell.cell_type == "markdown":
                    yield f"{path.relative_to(ROOT).as_posix()}, cell {cell.id}", cell.source


def prose(text: str) -> list[str]:
    """Leave out what is code: fences without a directive, and the code between backticks."""
    kept: list[str] = []
    closing = ""
    for line in text.splitlines():
        found = FENCE.match(line)
        if closing:
            closing = "" if found and line.strip() == closing else closing
            kept.append("")
        elif found and found["fence"][0] != ":" and found["what"] and not found["what"].startswith("{"):
            closing = found["fence"]
            kept.append("")
        else:
            kept.append(re.sub(r"`[^`]+`", "``", line))
    return kept


def flaws(text: str) -> list[str]:
    """Say what is wrong with the maths of a text."""
    lines = prose(text)
    found = []
    inside = False
    for number, line in enumerate(lines, start=1):
        where = f"line {number}: "
        if match := NUMBERED.search(line):
            found.append(f"{where}{match[0]}: write {{math}} with :label: and aligned inside")
        if match := TEX_REFERENCE.search(line):
            found.append(f"{where}{match[0]}: write :label: and {{eq}}`label`")
        if match := DEFINITION.search(line):
            found.append(f"{where}{match[0]}: macros belong in _config.yml (mathjax3_config)")
        if DOLLAR_LABEL.search(line):
            found.append(f"{where}a label after $$: write {{math}} with :label:")
        bare = line.strip().lstrip("> ").removeprefix("- ")
        opens = bare.startswith("$$") and not inside
        closes = bare.endswith("$$") and (inside or len(bare) > 2)
        if opens and not _free(lines, number - 2):
            found.append(f"{where}no blank line before $$")
        if closes and not _free(lines, number):
            found.append(f"{where}no blank line after $$")
        if "$$" in bare and not (opens or closes):
            found.append(f"{where}$$ within a line of text")
        inside = (inside or opens) and not closes
    if inside:
        found.append("a $$ is not closed")
    return found


def _free(lines: list[str], index: int) -> bool:
    """Tell whether a neighbouring line is none, blank, or the edge of a directive."""
    if not 0 <= index < len(lines):
        return True
    line = lines[index].strip().lstrip("> ")
    return not line or bool(FENCE.match(line)) or bool(re.match(r":[\w-]+:", line))


def test_maths_of_the_book_is_written_by_the_rules() -> None:
    texts = list(sources())
    assert {"index.md", "chapters/notation.md", "tests/site/book/formulas.md"} <= {name for name, _ in texts}
    assert any("solutions/" in name for name, _ in texts)
    assert [f"{name}, {flaw}" for name, text in texts for flaw in flaws(text)] == []


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("\\begin{align}\na &= b\n\\end{align}", "begin{align}"),
        ("$$\n\\begin{gather*}\na\n\\end{gather*}\n$$", "begin{gather*}"),
        ("by \\eqref{step}", "\\eqref"),
        ("$$\na \\label{step}\n$$", "\\label"),
        ("$\\newcommand{\\R}{\\mathbb{R}}$", "\\newcommand"),
        ("$$\na\n$$ (step)", "a label after $$"),
        ("text\n$$\na\n$$", "no blank line before"),
        ("$$\na\n$$\ntext", "no blank line after"),
        ("$$a$$\ntext", "no blank line after"),
        ("text with $$a$$ in it", "within a line"),
        ("$$\na\n", "not closed"),
    ],
)
def test_each_rule_can_be_broken(text: str, flaw: str) -> None:
    assert [found for found in flaws(text) if flaw in found]


@pytest.mark.parametrize(
    "text",
    [
        "text\n\n$$\na\n$$\n\ntext with $b$",
        "```{math}\n:label: step\n\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}\n```",
        "````{exercise}\n:label: one\n$$\na\n$$\n````",
        "- item\n\n  $$\n  a\n  $$\n\n- item",
        "```latex\n\\begin{align}\n$$\n```",
        "the command `\\eqref` and `$$`",
    ],
)
def test_good_style_is_let_through(text: str) -> None:
    assert flaws(text) == []
