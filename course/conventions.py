"""What every notebook of the course keeps to, each rule a function that lists where it is broken.

That no cell takes over 10 s is kept elsewhere, by `course refresh`.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin
from nbformat import NotebookNode

from course.lessons import LESSON
from course.notebooks import dumps, normalise, read
from course.slides import choice

Rule = Callable[[NotebookNode, Path], Iterator[str]]

SPEAKING = re.compile(r"[a-z]+\d{0,2}(-([a-z]+\d{0,2}|\d{1,4}))*")
TEXT_NOBODY_WANTS = {
    "a warning": re.compile(r"\b\w*Warning\b"),
    "a memory address": re.compile(r"\b0x[0-9a-fA-F]{6,}"),
    "a timing": re.compile(r"CPU times|Wall time|\d ?([munµμ]?s|min) ± |\bper loop\b"),
    "an absolute path": re.compile(
        r"(?<![\w.:/])/(home|Users|root|tmp|work|usr|var|opt|mnt|content)/|\b[A-Z]:\\"
    ),
}
ASSERTION = re.compile(r"^\s*assert\b", re.M)
OPTION = re.compile(r"<details><summary>.+?</summary>(.*?)</details>", re.S)
SEEDS = {"default_rng", "SeedSequence", "PCG64", "Philox"}


def canonical(nb: NotebookNode, path: Path) -> Iterator[str]:
    """Have the bytes that `course refresh` writes."""
    if path.read_text(encoding="utf-8") != dumps(normalise(nb)):
        yield "the file is not in canonical form; run `course refresh`"


def speaking_ids(nb: NotebookNode, path: Path) -> Iterator[str]:
    """Each cell has an id of its own, in words: `secant-equation`, not `3f2a9c1e`."""
    for id_, times in Counter(cell.id for cell in nb.cells).items():
        if times > 1:
            yield f"{times} cells have the id `{id_}`"
        if not SPEAKING.fullmatch(id_):
            yield f"cell `{id_}`: give it a speaking id, lower-case words with hyphens"


def executed(nb: NotebookNode, path: Path) -> Iterator[str]:
    """All code was run once, from the top."""
    for count, cell in enumerate(_code(nb), 1):
        if not cell.source.strip():
            yield f"cell `{cell.id}`: is empty"
        elif cell.execution_count != count:
            yield f"cell `{cell.id}`: was not run in its order"


def quiet(nb: NotebookNode, path: Path) -> Iterator[str]:
    """No output is an error, went to stderr, or changes from run to run and from machine to machine."""
    for cell in _code(nb):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"cell `{cell.id}`: raises {output.ename}"
            if output.get("name") == "stderr":
                yield f"cell `{cell.id}`: writes to stderr"
            for what, pattern in TEXT_NOBODY_WANTS.items():
                if pattern.search(_text(output)):
                    yield f"cell `{cell.id}`: its output holds {what}"


def no_paths(nb: NotebookNode, path: Path) -> Iterator[str]:
    """No cell names a place on the author's machine."""
    for cell in nb.cells:
        if TEXT_NOBODY_WANTS["an absolute path"].search(cell.source):
            yield f"cell `{cell.id}`: names an absolute path"


def seeded(nb: NotebookNode, path: Path) -> Iterator[str]:
    """Random numbers come from `np.random.default_rng(seed)`."""
    for cell in _code(nb):
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            yield f"cell `{cell.id}`: is not plain Python (the course uses no magics)"
            continue
        for node in ast.walk(tree):
            if what := _unseeded(node):
                yield f"cell `{cell.id}`: uses {what}; take rng = np.random.default_rng(seed)"


def _unseeded(node: ast.AST) -> str | None:
    match node:
        case ast.Import(names=names) if {alias.name for alias in names} & {"random", "numpy.random"}:
            return "a module with a global generator"
        case ast.ImportFrom(module="random"):
            return "a module with a global generator"
        case ast.ImportFrom(module="numpy", names=names) if "random" in {alias.name for alias in names}:
            return "a module with a global generator"
        case ast.ImportFrom(module="numpy.random", names=names) if {alias.name for alias in names} - SEEDS:
            return "a module with a global generator"
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id=module), attr="random"), attr=name):
            return None if module == "jax" or name in {*SEEDS, "Generator"} else f"{module}.random.{name}"
        case ast.Call(
            func=ast.Attribute(attr=name) | ast.Name(id=name),
            args=[] | [ast.Constant(value=None)],
            keywords=[] | [ast.keyword(value=ast.Constant(value=None))],
        ) if name in SEEDS:
            return f"{name} without a seed"
    return None


def alt_texts(nb: NotebookNode, path: Path) -> Iterator[str]:
    """Each figure says in words what a sighted reader sees."""
    for cell in _code(nb):
        drawn = any(mime.startswith("image/") for output in cell.outputs for mime in output.get("data", {}))
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if drawn and len(alt.strip()) < 40:
            yield f"cell `{cell.id}`: needs metadata.mystnb.image.alt of 40 characters or more"


def no_network(nb: NotebookNode, path: Path) -> Iterator[str]:
    """No output loads anything: `to_jshtml` fetches a stylesheet."""
    for cell in _code(nb):
        if "to_jshtml" in cell.source:
            yield f"cell `{cell.id}`: to_jshtml fetches a stylesheet; draw frames in one figure"


def no_semicolons(nb: NotebookNode, path: Path) -> Iterator[str]:
    """No cell hides its value behind a semicolon: where nbval runs it, that has no effect."""
    for cell in _code(nb):
        if cell.source.rstrip().endswith(";"):
            yield f"cell `{cell.id}`: ends with a semicolon; assign the value instead, ax = …"


def links(nb: NotebookNode, path: Path) -> Iterator[str]:
    """Each local link leads to a file, and to a section that this file has."""
    for cell in nb.cells:
        if cell.cell_type != "markdown":
            continue
        for target in _targets(cell.source):
            url = urlsplit(target)
            if url.scheme or url.netloc:
                continue
            file = path.parent / unquote(url.path) if url.path else path
            if not file.is_file():
                yield f"cell `{cell.id}`: links to {target}, but there is no such file"
            elif url.fragment and url.fragment not in _anchors(file):
                yield f"cell `{cell.id}`: links to {target}, but there is no such section"


def feedback(nb: NotebookNode, path: Path) -> Iterator[str]:
    """Print one line a check: passed in a solution, not attempted in an exercise."""
    wanted = {"solutions": "passed", "exercises": "not attempted"}.get(path.parent.name, "")
    for cell in _code(nb):
        facts = cell.metadata.get("course", {})
        if facts.get("role") != "check":
            continue
        printed = "".join(_text(output) for output in cell.outputs)
        line = rf"{re.escape(facts['exercise'])}: {wanted}( \(.+\))?\n"
        if not wanted or not re.fullmatch(line, printed):
            yield f"cell `{cell.id}`: prints {printed!r}, not the one line {facts['exercise']}: {wanted}"


def claimed(nb: NotebookNode, path: Path) -> Iterator[str]:
    """Each check of a chapter says in a sentence what it proves, and each assertion is part of a check."""
    if path.parent.name != "chapters":
        return
    for cell in _code(nb):
        tagged = "check" in cell.metadata.get("tags", [])
        claim = cell.metadata.get("course", {}).get("claim", "")
        asserts = bool(ASSERTION.search(cell.source))
        if tagged and not asserts:
            yield f"cell `{cell.id}`: is tagged check, but asserts nothing"
        if asserts and not tagged:
            yield f"cell `{cell.id}`: asserts something; tag it check"
        if tagged and not (claim[:1].strip() and claim.endswith(".")):
            yield f"cell `{cell.id}`: needs metadata.course.claim, a whole sentence that the cell proves"


def self_check(nb: NotebookNode, path: Path) -> Iterator[str]:
    """End a lesson with three to six questions, each option explained, and one of each question right."""
    if path.parent.name != "chapters" or not LESSON.fullmatch(path.stem):
        return
    texts = [cell.source for cell in nb.cells if cell.source.startswith("## Check yourself")]
    questions = re.split(r"^\*\*Question \d+\.\*\*", "".join(texts), flags=re.M)[1:]
    if not 3 <= len(questions) <= 6:
        yield f"has {len(questions)} questions under `## Check yourself`; wanted are 3 to 6"
    for number, question in enumerate(questions, 1):
        answers = [answer.strip() for answer in OPTION.findall(question)]
        if len(answers) < 2 or not all(answers):
            yield f"question {number}: wanted are two options or more, each explained"
        if sum(bool(re.match(r"Right\b", answer)) for answer in answers) != 1:
            yield f"question {number}: exactly one option's explanation starts with `Right`"


def slide_types(nb: NotebookNode, path: Path) -> Iterator[str]:
    """Say what a cell is in the lecture in Jupyter's words, a slide first."""
    begun = False
    for cell in nb.cells:
        kind = choice.kind(cell)
        begun = begun or kind == "slide"
        if "slideshow" not in cell.metadata:
            continue
        if set(cell.metadata.slideshow) != {"slide_type"} or kind not in choice.KINDS:
            yield f"cell `{cell.id}`: in slideshow wanted is a slide_type alone, of {', '.join(choice.KINDS)}"
        elif not begun and kind != "skip":
            yield f"cell `{cell.id}`: is a {kind} before the first slide"


def lecture(nb: NotebookNode, path: Path) -> Iterator[str]:
    """Make of a lesson a lecture of 45 minutes, from its title to what is to be remembered."""
    if path.parent.name != "chapters" or not LESSON.fullmatch(path.stem):
        return
    if not 15 <= (slides := choice.count(nb)) <= 40:
        yield f"makes {slides} slides; wanted are 15 to 40"
    shown = choice.on_the_wall(nb)
    if not (shown and shown[0] is nb.cells[0]):
        yield "the first slide is the title, the first cell; give it the slide type `slide`"
    if not (shown and shown[-1].source.startswith("## To remember")):
        yield "the last slide is the cell `## To remember`"


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        canonical,
        speaking_ids,
        executed,
        quiet,
        no_paths,
        seeded,
        alt_texts,
        no_network,
        no_semicolons,
        links,
        feedback,
        claimed,
        self_check,
        slide_types,
        lecture,
    )
}


def _code(nb: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def _text(output: NotebookNode) -> str:
    data = output.get("data", {})
    words = [
        value if isinstance(value, str) else json.dumps(value)
        for mime, value in data.items()
        if "image" not in mime
    ]
    return "\n".join([output.get("text", ""), *output.get("traceback", []), *words])


def _targets(markdown: str) -> Iterator[str]:
    for block in MarkdownIt().parse(markdown):
        for token in block.children or []:
            if target := token.attrGet("href") or token.attrGet("src"):
                yield str(target)


def _anchors(file: Path) -> set[str]:
    if file.suffix == ".ipynb":
        text = "\n\n".join(cell.source for cell in read(file).cells if cell.cell_type == "markdown")
    else:
        text = file.read_text(encoding="utf-8")
    tokens = MarkdownIt().use(anchors_plugin, max_level=6).parse(text)
    headings = {str(token.attrGet("id")) for token in tokens if token.type == "heading_open"}
    return headings | set(re.findall(r"^\(([\w-]+)\)=$", text, re.M))
