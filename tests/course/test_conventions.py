"""Each rule passes a good notebook and finds the fault in a bad one."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course.conventions import RULES
from course.notebooks import read, write

ALT = "A parabola that opens upwards, with its lowest point at the origin."


def good():
    figure = new_output("display_data", {"image/svg+xml": "<svg/>", "text/plain": "<Figure size 640x400>"})
    check = [new_output("stream", name="stdout", text="cube: passed\n")]
    return [
        new_markdown_cell("# Cubes\n\n## Third powers\n\n[up](#cubes), [web](https://a.b/)", id="title"),
        new_code_cell(
            "import numpy as np\n\nrng = np.random.default_rng(1)",
            id="seed-2",
            execution_count=1,
        ),
        new_code_cell(
            "ax = draw()",
            id="parabola",
            execution_count=2,
            outputs=[figure],
            metadata={"mystnb": {"image": {"alt": ALT}}},
        ),
        new_code_cell(
            "check()",
            id="cube-check",
            execution_count=3,
            outputs=check,
            metadata={"course": {"role": "check", "exercise": "cube"}},
        ),
        new_markdown_cell(
            "[section](../chapters/01-cubes.ipynb#third-powers), [label](../chapters/page.md#here), "
            "[file](../chapters/page.md), ![](../chapters/a%20b.svg)",
            id="links",
        ),
    ]


@pytest.fixture
def problems(tmp_path):
    """Give what a rule finds in a notebook of `solutions/` that was changed by a function."""
    chapters, solutions = tmp_path / "chapters", tmp_path / "solutions"
    chapters.mkdir()
    solutions.mkdir()
    write(chapters / "01-cubes.ipynb", new_notebook(cells=good()))
    (chapters / "page.md").write_text("(here)=\n# Another heading\n")
    (chapters / "a b.svg").touch()

    def find(rule, change=None, folder="solutions"):
        nb = new_notebook(cells=good())
        path = tmp_path / folder / "01-cubes.ipynb"
        path.parent.mkdir(exist_ok=True)
        if change:
            change(nb.cells)
        write(path, nb)
        return list(RULES[rule](read(path), path))

    return find


@pytest.mark.parametrize("rule", RULES)
def test_good_notebook_keeps_the_rule(rule, problems):
    assert problems(rule) == []


def renamed(id_):
    def change(cells):
        cells[1].id = id_

    return change


def says(text, **options):
    def change(cells):
        cells[1].outputs = [new_output("stream", **{"name": "stdout", "text": text, **options})]

    return change


def shows(**data):
    def change(cells):
        cells[1].outputs = [new_output("display_data", {k.replace("_", "/"): v for k, v in data.items()})]

    return change


def code(text):
    def change(cells):
        cells[1].source = text

    return change


def alt(text):
    def change(cells):
        cells[2].metadata.mystnb.image.alt = text

    return change


def link(target):
    def change(cells):
        cells[4].source = f"An [attractive *link*]({target})."

    return change


def verdict(text):
    def change(cells):
        cells[3].outputs[0].text = text

    return change


def slideshow(cell, **metadata):
    def change(cells):
        cells[cell].metadata.slideshow = metadata

    return change


def lecture(slides, first=0, last="## To remember"):
    def change(cells):
        cells += [new_markdown_cell(f"## {k}", id=f"slide-{k}") for k in range(slides - 2)]
        cells.append(new_markdown_cell(f"{last}\n\n1. This.", id="summary"))
        for cell in [cells[first], *cells[5:]]:
            cell.metadata.slideshow = {"slide_type": "slide"}
        cells[0].source = "# Cubes"

    return change


def no_alt(cells):
    del cells[2].metadata["mystnb"]


def twice(cells):
    cells[1].id = cells[2].id


def not_run(cells):
    cells[3].execution_count = None


def raises(cells):
    cells[1].outputs = [new_output("error", ename="KeyError", evalue="'x'", traceback=[])]


def stays_silent(cells):
    cells[3].outputs = []


def prints_to_stderr(cells):
    cells[3].outputs.append(new_output("stream", name="stderr", text="hm\n"))


BAD = {
    "hex id": ("speaking_ids", renamed("3f2a9c1e"), "give it a speaking id"),
    "hex id from a letter on": ("speaking_ids", renamed("a1b2c3d4"), "give it a speaking id"),
    "uuid": ("speaking_ids", renamed("e5d1f8a0-7c4b-4f0e-9b1a-2d3c4b5a6f70"), "give it a speaking id"),
    "Colab's id": ("speaking_ids", renamed("Xy3kQ0vTz"), "give it a speaking id"),
    "underscore": ("speaking_ids", renamed("two_words"), "give it a speaking id"),
    "id twice": ("speaking_ids", twice, "2 cells have the id `parabola`"),
    "cell not run": ("executed", not_run, "cell `cube-check`: was not run in its order"),
    "empty cell": ("executed", code(" \n"), "cell `seed-2`: is empty"),
    "error": ("quiet", raises, "raises KeyError"),
    "stderr": ("quiet", says("hm", name="stderr"), "writes to stderr"),
    "warning": ("quiet", says("a.py:1: RuntimeWarning: overflow"), "a warning"),
    "address": ("quiet", says("<function f at 0x7f3a5c0d1e50>"), "a memory address"),
    "address in HTML": ("quiet", shows(text_html="<i>0x7F3A5C0D1E50</i>"), "a memory address"),
    "address in JSON": ("quiet", shows(application_json={"a": ["0x7f3a5c0d1e50"]}), "a memory address"),
    "%time": ("quiet", says("CPU times: user 3 ms"), "a timing"),
    "%timeit": ("quiet", says("1.2 ms ± 3 ns per loop"), "a timing"),
    "path": ("quiet", says("/home/me/x.csv"), "an absolute path"),
    "path on Windows": ("quiet", says("C:\\me"), "an absolute path"),
    "path in code": ("no_paths", code('open("/home/me/x.csv")'), "names an absolute path"),
    "global numpy": ("seeded", code("import numpy as np\nnp.random.rand(3)"), "uses np.random.rand"),
    "global seed": ("seeded", code("numpy.random.seed(1)"), "uses numpy.random.seed"),
    "autograd's numpy": ("seeded", code("anp.random.randn(3)"), "uses anp.random.randn"),
    "no seed": ("seeded", code("rng = np.random.default_rng()"), "uses default_rng without a seed"),
    "seed None": ("seeded", code("rng = default_rng(None)"), "uses default_rng without a seed"),
    "seed = None": ("seeded", code("rng = default_rng(seed=None)"), "uses default_rng without a seed"),
    "bits without a seed": (
        "seeded",
        code("np.random.Generator(np.random.PCG64())"),
        "uses PCG64 without a seed",
    ),
    "import random": ("seeded", code("import os, random"), "uses a module with a global generator"),
    "from random": ("seeded", code("from random import random"), "uses a module with a global generator"),
    "numpy.random": ("seeded", code("import numpy.random as r"), "uses a module with a global generator"),
    "numpy's random": ("seeded", code("from numpy import random"), "uses a module with a global generator"),
    "from numpy.random": ("seeded", code("from numpy.random import rand"), "uses a module with a global"),
    "magic": ("seeded", code("%matplotlib inline"), "is not plain Python"),
    "no alt text": ("alt_texts", no_alt, "cell `parabola`: needs metadata.mystnb.image.alt"),
    "empty alt text": ("alt_texts", alt(" " * 60), "cell `parabola`: needs metadata.mystnb.image.alt"),
    "short alt text": ("alt_texts", alt("A figure."), "cell `parabola`: needs metadata.mystnb.image.alt"),
    "to_jshtml": ("no_network", code("HTML(animation.to_jshtml())"), "fetches a stylesheet"),
    "semicolon": ("no_semicolons", code("draw();\n"), "ends with a semicolon"),
    "no such file": ("links", link("../chapters/02-none.ipynb"), "no such file"),
    "folder": ("links", link("../chapters"), "no such file"),
    "no such section": ("links", link("../chapters/01-cubes.ipynb#fourth-powers"), "no such section"),
    "no such section here": ("links", link("#fourth-powers"), "no such section"),
    "no such label": ("links", link("../chapters/page.md#there"), "no such section"),
    "unknown slide type": ("slide_types", slideshow(0, slide_type="subslide"), "of slide, fragment, -"),
    "no slide type": ("slide_types", slideshow(0), "of slide, fragment, -"),
    "more than a slide type": ("slide_types", slideshow(0, slide_type="slide", x=1), "a slide_type alone"),
    "no slide before": ("slide_types", slideshow(1, slide_type="fragment"), "before the first slide"),
    "wrong solution": ("feedback", verdict("cube: wrong: no\n"), "not the one line cube: passed"),
    "two lines": ("feedback", verdict("debug\ncube: passed\n"), "not the one line cube: passed"),
    "another exercise": ("feedback", verdict("square: passed\n"), "not the one line cube: passed"),
    "silent check": ("feedback", stays_silent, "prints '', not the one line"),
    "check with a warning": ("feedback", prints_to_stderr, "not the one line cube: passed"),
}


@pytest.mark.parametrize(("rule", "change", "found"), BAD.values(), ids=BAD)
def test_fault_is_found_once_and_named(rule, change, found, problems):
    lines = problems(rule, change)
    assert len(lines) == 1
    assert found in lines[0]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("seeded", code("rng = np.random.Generator(np.random.PCG64(1))")),
        ("seeded", code("key = jax.random.key(0)\njax.random.normal(key)")),
        ("seeded", code("from numpy.random import default_rng\nrng = default_rng(seed)")),
        ("quiet", says("x = 0x1F, 3.2 ± 0.1 m, a/tmp/b, https://a.b/home/c")),
        ("speaking_ids", renamed("morse-1929")),
    ],
)
def test_what_only_looks_like_a_fault_passes(rule, change, problems):
    assert problems(rule, change) == []


def test_exercises_are_to_say_not_attempted(problems):
    blank = verdict("cube: not attempted (cube is still ...)\n")
    assert problems("feedback", blank, folder="exercises") == []
    assert "not the one line cube: not attempted" in problems("feedback", folder="exercises")[0]
    assert problems("feedback", blank) != []


def test_chapters_hold_no_checks(problems):
    assert len(problems("feedback", folder="chapters")) == 1


def test_a_lesson_makes_a_lecture(problems):
    assert problems("lecture", lecture(20), folder="chapters") == []
    assert problems("lecture", lecture(14)) == []
    for change, found in [
        (lecture(14), "makes 14 slides"),
        (lecture(41), "makes 41 slides"),
        (lecture(20, first=1), "the first slide is the title"),
        (lecture(20, last="## The end"), "the last slide"),
    ]:
        (line,) = problems("lecture", change, folder="chapters")
        assert found in line


def test_form_that_is_not_canonical_is_found(problems, tmp_path):
    assert problems("canonical") == []
    path = tmp_path / "solutions" / "01-cubes.ipynb"
    text = path.read_text()
    for change in (text + "\n", text.replace("\n ", "\n  "), text.replace('"python3"', '"mine"', 1)):
        assert change != text
        path.write_text(change)
        assert "run `course refresh`" in next(RULES["canonical"](read(path), path))
