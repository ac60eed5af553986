"""Formulas are typeset when the site is built, by MathJax in an embedded JavaScript engine.

A page then holds its maths at first paint and runs no MathJax script, and a bad formula is a warning of the
build.
"""

import atexit
import base64
import json
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

WHEEL = distribution("sphinx-mathjax-offline")  # no module: its name has hyphens
MATHJAX = Path(str(WHEEL.locate_file("sphinx-mathjax-offline/static/mathjax")))
FONTS = MATHJAX / "output/chtml/fonts/woff-v2"
ZERO = "MathJax_Zero.woff"
STYLESHEET = "mathjax/mathjax.css"

COMPONENTS = (
    "loader.js",
    "core.js",
    "adaptors/liteDOM.js",
    "input/tex-full.js",
    "output/chtml.js",
    "output/chtml/fonts/tex.js",
    "a11y/assistive-mml.js",
)

# What the MathJax of JupyterLab loads by itself, so that a formula reads alike in the notebook and on the
# site. Not among them: noerrors and noundefined, which hide mistakes; newcommand, whose effect on later
# formulas would depend on the order of the pages (macros go to mathjax3_config in _config.yml).
PACKAGES = [
    *("base", "ams", "amscd", "bbox", "boldsymbol", "braket", "cancel", "color", "configmacros"),
    *("enclose", "extpfeil", "unicode", "upgreek", "verb"),
]

# The engine has no event loop to wait for, and MathJax asks for a timer while it loads.
BEFORE = "globalThis.window = globalThis; globalThis.setTimeout = () => 0;"

AFTER = """
const {adaptors, a11y, handlers, input, mathjax, output} = MathJax._;
const adaptor = adaptors.liteAdaptor.liteAdaptor();
a11y['assistive-mml'].AssistiveMmlHandler(handlers.html_ts.RegisterHTMLHandler(adaptor));
const fail = (jax, error) => { throw error; };
const tex = new input.tex_ts.TeX({packages: %(packages)s, macros: %(macros)s, formatError: fail});
const font = new output.chtml.fonts.tex_ts.TeXFont({fontURL: '.'});
const chtml = new output.chtml_ts.CHTML({font, adaptiveCSS: false});
const page = mathjax.mathjax.document('', {InputJax: tex, OutputJax: chtml});

function typeset(formula, display) {
  try {
    return {html: adaptor.outerHTML(page.convert(formula, {display, em: 16, ex: 8, containerWidth: 1280}))};
  } catch (error) {
    return {error: error.message};
  }
}
const stylesheet = () => adaptor.textContent(chtml.styleSheet(page));
"""

logger = logging.getLogger(__name__)


class FormulaError(ValueError):
    """MathJax does not understand a formula; the message says why."""


class Engine:
    r"""MathJax 3 with TeX input and HTML output, for as long as the process lives.

    Parameters
    ----------
    macros
        Names and replacements, as in MathJax's ``tex.macros``.

    Examples
    --------
    >>> engine = Engine({})
    >>> engine.typeset(r"x^2", display=False)[:14]
    '<mjx-container'
    >>> engine.typeset(r"\frac{x", display=False)
    Traceback (most recent call last):
    ...
    course.site.mathjax.FormulaError: Missing close brace
    """

    def __init__(self, macros: dict[str, Any]) -> None:
        self._js = MiniRacer()
        atexit.register(self._js.close)  # later, Python 3.13 waits for its thread for ever
        self._js.eval(BEFORE)
        for component in COMPONENTS:
            self._js.eval((MATHJAX / component).read_text(encoding="utf-8") + "\n;0")
        self._js.eval(AFTER % {"packages": json.dumps(PACKAGES), "macros": json.dumps(macros)} + ";0")

    def typeset(self, formula: str, *, display: bool) -> str:
        """Return the HTML of a formula, with its MathML hidden inside for assistive technology."""
        answer = self._js.call("typeset", formula, display)
        if "error" in answer:
            raise FormulaError(answer["error"])
        html: str = answer["html"]
        if 'linebreak="newline"' in html:
            raise FormulaError(r"\\ outside an environment breaks no line: put the lines into aligned")
        return html

    def stylesheet(self) -> str:
        """Return the rules for every glyph that MathJax knows; the site keeps those that its pages use."""
        return str(self._js.call("stylesheet"))


@cache
def _engine(macros: str) -> Engine:
    return Engine(json.loads(macros))


def engine(app: Sphinx) -> Engine:
    """Return this process's engine, with the macros of ``_config.yml``."""
    config = app.config.mathjax3_config or {}
    return _engine(json.dumps(config.get("tex", {}).get("macros", {}), sort_keys=True))


def typeset(self: HTML5Translator, node: nodes.math | nodes.math_block, *, display: bool) -> str:
    """Typeset a node's formula, or warn where it stands and show its source."""
    try:
        return engine(self.builder.app).typeset(node.astext(), display=display)
    except FormulaError as error:
        logger.warning("bad formula: %s in %s", error, node.astext(), location=node, type="mathjax")
        return f"<code>{self.encode(node.astext())}</code>"


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(typeset(self, node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula and, right of it, its number."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    self.body.append(f'<div class="formula">{typeset(self, node, display=True)}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def copy_assets(app: Sphinx, exception: Exception | None) -> None:
    """Put MathJax's stylesheet and fonts beside the pages.

    Until the font of zero height has come, each line of a formula is too high: it comes with the stylesheet.
    """
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", STYLESHEET)
    target.parent.mkdir(parents=True, exist_ok=True)
    zero = base64.b64encode((FONTS / ZERO).read_bytes()).decode()
    css = engine(app).stylesheet().replace(f"./{ZERO}", f"data:font/woff;base64,{zero}")
    target.write_text(css, encoding="utf-8")
    for font in FONTS.glob("*.woff"):
        (target.parent / font.name).write_bytes(font.read_bytes())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer under the name that ``html_math_renderer`` asks for."""
    app.add_html_math_renderer("course", (visit_math, None), (visit_math_block, None))
    app.add_css_file(STYLESHEET)
    app.connect("build-finished", copy_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
