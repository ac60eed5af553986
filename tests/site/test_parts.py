"""The parts of which the site is made, one by one."""

import doctest
import io
import re
from importlib import import_module
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from course.site import fonts, mathjax, pages, styles


@pytest.mark.parametrize("module", ["mathjax", "notation", "pages", "styles"])
def test_examples_in_the_docstrings(module: str) -> None:
    result = doctest.testmod(import_module(f"course.site.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("selector", "kept"),
    [
        ("a", True),
        ("b", False),
        (".known a", True),
        (".unknown a", False),
        ("#here > a", True),
        ("#there > a", False),
        ("a:hover", True),
        ("a::before", True),
        ("a[unknown]", True),
        ("a:not(.unknown)", True),
        ("a:is(.unknown, b)", True),
        ("*", True),
    ],
)
def test_rule_is_kept_if_the_site_has_what_it_asks_for(selector: str, kept: bool) -> None:
    rule = f"{selector}{{x: y}}"
    names = {"a", "known", "here"}
    assert styles.purge(rule, names) == (rule if kept else "")
    inside = f"@media print{{{rule}}}"
    assert styles.purge(inside, names) == (inside if kept else "")


def test_other_rules_are_kept() -> None:
    css = "@font-face{font-family: A; src: url(a.woff)}@keyframes spin{from{x: y}}:root{--b: c}"
    assert styles.purge(css, set()) == css


def test_broken_stylesheet_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"css: .* in line 2"):
        styles.purge("a{x: y}\n}", {"a"})


def test_font_that_no_rule_mentions_is_dropped() -> None:
    used = "@font-face{font-family: Used One; src: url(u.woff)}"
    idle = "@font-face{font-family: Idle; src: url(i.woff)}"
    rule = 'a{font-family: "Used One", serif}'
    css = used + idle + rule
    assert styles.drop_idle_fonts(css, styles.words(css)) == used + rule


def test_characters_are_those_of_strings_anywhere() -> None:
    css = r"""a::before{content: "\f186"}:root{--icon: "x"}@media print{b::after{content: "\03b1 y"}}"""
    assert styles.characters(css) == {"\uf186", "x", "α", "y"}


@pytest.mark.parametrize("suffix", [".woff", ".woff2", ".ttf"])
def test_font_keeps_the_glyphs_that_are_shown_and_its_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"font{suffix}"
    whole = TTFont(mathjax.FONTS / "MathJax_Main-Regular.woff")
    whole.flavor = fonts.FLAVOURS.get(suffix)
    whole.save(path)
    before = path.stat().st_size
    fonts.cut(path, {"A", "−", "🎓"})
    cut = TTFont(io.BytesIO(path.read_bytes()))
    assert len(cut.getGlyphOrder()) == 3  # with .notdef
    assert set(cut.getBestCmap()) == {ord("A"), ord("−")}
    assert cut.flavor == fonts.FLAVOURS.get(suffix)
    assert cut["hmtx"]["A"] == whole["hmtx"]["A"]
    assert path.stat().st_size < before / 5


def test_font_without_any_shown_glyph_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "zero.woff"
    path.write_bytes((mathjax.FONTS / "MathJax_Zero.woff").read_bytes())
    fonts.cut(path, {"A"})
    assert path.read_bytes() == (mathjax.FONTS / "MathJax_Zero.woff").read_bytes()


def test_page_is_read_up_to_its_sloppy_ends() -> None:
    page = pages.read(
        '<body><nav class="x">no</nav><article class="bd-article"><section id="a">'
        '<h1>Yes<a class="headerlink" href="#a">#</a></h1><p>one<br>two<img src="i.svg"></p></b>'
        '<details class="d"><p>no</p></details><script>no()</script>&lt;three&gt;</section></article>no'
    )
    assert page.text == '<section id="a">Yesonetwo&lt;three&gt;</section>'
    assert page.links == {"#a", "i.svg"}
    assert {"x", "headerlink", "d", "img", "a"} <= page.names


def test_term_is_quoted_with_its_definition() -> None:
    page = pages.read(
        '<article class="bd-article"><dl><dt id="a">A</dt><dt id="b">B</dt><dd>x</dd>'
        "<dt>C</dt><dd>y</dd></dl></article>"
    )
    assert page.text == '<div id="a">A<div id="b">Bx</div></div>Cy'


@pytest.fixture(scope="module")
def engine() -> mathjax.Engine:
    return mathjax.Engine({"R": r"\mathbb{R}", "norm": [r"\lVert #1 \rVert", 1]})


BAD = [r"\frac{x", r"\foo", "x^2^3", r"\begin{foo}", "a & b", r"a \\ b", r"\newcommand{\a}{b}"]


@pytest.mark.parametrize("formula", BAD)
def test_bad_formula_is_an_error(engine: mathjax.Engine, formula: str) -> None:
    with pytest.raises(mathjax.FormulaError):
        engine.typeset(formula, display=True)


def test_formula_carries_its_mathml(engine: mathjax.Engine) -> None:
    html = engine.typeset(r"\norm{x} \in \R", display=True)
    assert "<mjx-assistive-mml" in html
    assert "<mi>x</mi>" in html
    assert "ℝ" in html or 'mathvariant="double-struck"' in html
    assert "mjx-merror" not in html


def test_formulas_do_not_depend_on_those_before(engine: mathjax.Engine) -> None:
    first = engine.typeset(r"\frac{a}{b}", display=False)
    engine.typeset(r"\color{red} \int_0^1 f", display=True)
    with pytest.raises(mathjax.FormulaError):
        engine.typeset(r"\frac{a", display=False)
    assert engine.typeset(r"\frac{a}{b}", display=False) == first


def test_stylesheet_draws_every_glyph_that_a_formula_uses(engine: mathjax.Engine) -> None:
    html = engine.typeset(r"\int_{\R} \hat{f}(\xi) \, \mathrm{d}\xi \ne \mathcal{O}(1)", display=True)
    css = engine.stylesheet()
    classes = {name for name in pages.read(html).names if re.fullmatch("mjx-c[0-9A-F]+", name)}
    assert len(classes) > 8
    assert all(f".{name}" in css for name in classes)
