"""One symbol, one meaning: find symbols that nobody introduced, and symbols that were introduced twice."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from course.lessons import LESSON, Symbol, chapters, symbols
from course.notebooks import read

FORMULA = re.compile(r"```\{math\}\n(.*?)```|\$\$(.*?)\$\$|\$([^$]+?)\$", re.S)
CODE = re.compile(r"^(`{3,})(?!\{)\w.*?^\1$|(?<!`)`(?!`)[^`]*`", re.S | re.M)
WORDS = re.compile(
    r"\\(?:text|textbf|textit|mathrm|operatorname|mathsf|label|begin|end|rm)\*?\s*(?:\{[^{}]*\}|\s[a-zA-Z])|^:label:.*$",
    re.M,
)
GREEK = (
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|vartheta|iota|kappa|lambda|mu|nu|xi|rho|varrho|sigma|tau|"
    "upsilon|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Sigma|Phi|Psi|Omega|hbar|ell"
)
ATOM = re.compile(
    rf"""
    \\(?P<font>mathbf|boldsymbol|mathcal|mathbb)\s*(?:\{{\s*(?P<braced>\\?[A-Za-z]+)\s*\}}|(?P<bare>\\[a-z]+|[A-Za-z]))
  | \\(?P<greek>{GREEK})(?![A-Za-z])
  | (?P<command>\\[A-Za-z]+)
  | (?P<letter>[A-Za-z])
    """,
    re.X,
)
SUBSCRIPT = re.compile(r"_\s*(?:\{(?P<braced>[^{}]*)\}|(?P<bare>\\[a-z]+|[A-Za-z0-9*]))")
INDICES = set("ijklpq")
UNIVERSAL = {
    *INDICES,
    "T",
    "O",
    "o",
    r"\Delta",
    r"\mathbb R",
    r"\mathbb E",
    r"\mathbb C",
    r"\mathbb Z",
    r"\mathbb N",
}
"""What every reader knows: indices, transposition, Landau's O and o, changes, and the sets of numbers."""


def atoms(tex: str) -> set[str]:
    r"""List the symbols of a formula, in one spelling each, without indices but with numbers in subscripts.

    Examples
    --------
    >>> sorted(atoms(r"\mathbf{x}_{k+1} = \mathbf x_k - \eta \nabla f(\mathbf x_k)"))
    ['\\eta', '\\mathbf x', 'f']
    >>> sorted(atoms(r"\beta_1^t + \beta_k \text{ for all } c_1"))
    ['\\beta', '\\beta_1', 'c_1', 't']
    """
    tex = WORDS.sub(" ", tex)
    found = set()
    end = 0
    while atom := ATOM.search(tex, end):
        end = atom.end()
        if atom["command"]:
            continue
        if atom["font"]:
            name = rf"\{atom['font']} {atom['braced'] or atom['bare']}"
        else:
            name = rf"\{atom['greek']}" if atom["greek"] else atom["letter"]
        if below := SUBSCRIPT.match(tex, end):
            end = below.end()
            index = (below["braced"] or below["bare"] or "").strip()
            if re.fullmatch(r"\d", index):
                name += f"_{index}"
        found.add(name)
    return found


def used(path: Path) -> dict[str, str]:
    """List the symbols that a notebook uses in its text, each with the first cell that does."""
    first: dict[str, str] = {}
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for parts in FORMULA.findall(CODE.sub(" ", cell.source)):
                for symbol in atoms("".join(parts)):
                    first.setdefault(symbol, cell.id)
    return first


def declared(root: Path) -> dict[str, list[Symbol]]:
    """Gather the introduced symbols by their spelling."""
    found: dict[str, list[Symbol]] = defaultdict(list)
    for symbol in symbols(root):
        for name in atoms(symbol.tex):
            found[name].append(symbol)
    return found


def flaws(root: Path) -> list[str]:
    """List the symbols of the lessons that have two meanings, or none.

    A symbol of the whole course is introduced once; a local one has one meaning in its chapter. Every symbol
    that a lesson uses was introduced in it or, for the whole course, in a lesson before it. A component of a
    vector is written with the vector's letter.
    """
    return [*_two_meanings(symbols(root)), *_no_meaning(root)]


def _two_meanings(introduced: list[Symbol]) -> Iterator[str]:
    met: dict[tuple[str, str], Symbol] = {}
    for symbol in introduced:
        scope = symbol.place.file if symbol.local else "the course"
        first = met.setdefault((_spelling(symbol.tex), scope), symbol)
        if first != symbol:
            yield (
                f"{symbol.tex} is introduced twice in {scope}: {first.meaning!r} ({first.place.file}) "
                f"and {symbol.meaning!r} ({symbol.place.file})"
            )


def _spelling(tex: str) -> str:
    """Spell a lone symbol in one way, whatever its index; anything longer stands for itself."""
    lone = ATOM.match(tex)
    index = SUBSCRIPT.match(tex, lone.end()) if lone else None
    end = (index or lone).end() if lone else 0
    return atoms(tex).pop() if end == len(tex) and atoms(tex) else tex


def _no_meaning(root: Path) -> Iterator[str]:
    known = declared(root)
    for path in chapters(root):
        if not LESSON.fullmatch(path.stem):
            continue
        for name, cell in used(path).items():
            base = name.split("_")[0]
            letter = base.removeprefix(r"\mathbf ").removeprefix(r"\boldsymbol ")
            spellings = (name, base, letter, rf"\mathbf {letter}", rf"\boldsymbol {letter}")
            given = [symbol for spelling in spellings for symbol in known.get(spelling, [])]
            if base not in UNIVERSAL and not any(_holds(symbol, path.name) for symbol in given):
                yield f"{path.name}: cell `{cell}` uses {name}, which no cell introduces"


def _holds(symbol: Symbol, file: str) -> bool:
    return symbol.place.file == file or (not symbol.local and symbol.place.file < file)
