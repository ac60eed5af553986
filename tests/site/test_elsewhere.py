"""Elsewhere in one click: one setting turns the buttons on, and a notebook brings its library along.

The slow test here is the proof. It runs two notebooks in an environment that has a kernel and nothing else:
COURSE_SLOW=1 pytest tests/site/test_elsewhere.py -k empty
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from conftest import BOOK, ROOT, Site, copy_book

import gradlib
from course.build import build
from course.notebooks import dumps, normalise, read
from course.site.elsewhere import installing, requirement

ADDRESS = "https://github.com/someone/some-course"
COPY = "someone/some-course/blob/notebooks/lesson.ipynb"


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stress book's site with an address in its settings."""
    book = copy_book(tmp_path_factory.mktemp("launched") / "book")
    settings = yaml.safe_load((book / "_config.yml").read_text(encoding="utf-8"))
    settings["repository"]["url"] = ADDRESS
    (book / "_config.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return build(book).parent


def buttons(page: Path) -> dict[str, str]:
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    links = soup.select(".article-header-buttons a[href^=http]")
    return {link.get_text().strip(): str(link["href"]) for link in links}


def test_buttons_are_off_without_an_address(stress: Site) -> None:
    assert buttons(stress.folder / "lesson.html") == {}


def test_one_setting_turns_the_buttons_on(launched: Path) -> None:
    shown = buttons(launched / "lesson.html")
    assert shown == {
        "Colab": f"https://colab.research.google.com/github/{COPY}",
        "Binder": "https://mybinder.org/v2/gh/someone/some-course/notebooks?urlpath=lab/tree/lesson.ipynb",
        "Repository": ADDRESS,
        "Open issue": shown["Open issue"],
    }
    assert shown["Open issue"].startswith(f"{ADDRESS}/issues/new?title=")
    assert "Colab" not in buttons(launched / "formulas.html")  # no notebook
    assert (launched / "_static" / "images" / "logo_colab.png").is_file()


@pytest.mark.parametrize("name", ["lesson", "exercises/01-lesson"])
def test_copies_install_gradlib_first_and_are_otherwise_as_stored(launched: Path, name: str) -> None:
    copy = read(launched / "_sources" / f"{name}.ipynb")
    first, *others = copy.cells
    assert f'%pip install --quiet "gradlib @ git+{ADDRESS}@v{gradlib.__version__}"' in first.source
    assert others == read(BOOK / f"{name}.ipynb").cells


def test_requirement_is_this_state_of_the_repository_or_its_version(tmp_path: Path) -> None:
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    if head:
        assert requirement(f"{ADDRESS}/", ROOT) == f"gradlib @ git+{ADDRESS}@{head}"
    assert requirement(ADDRESS, tmp_path) == f"gradlib @ git+{ADDRESS}@v{gradlib.__version__}"


def test_only_what_the_notebook_imports_is_installed() -> None:
    code = nbformat.v4.new_code_cell("from sklearn.svm import SVC\nif x:\n    import jax.numpy as jnp\n")
    prose = nbformat.v4.new_markdown_cell("import optax\n")
    first = installing(nbformat.v4.new_notebook(cells=[code, prose]), "gradlib").cells[0].source
    assert first.endswith('%pip install --quiet "gradlib" jax scikit-learn')


def test_first_cell_does_nothing_at_home() -> None:
    first = installing(nbformat.v4.new_notebook(), "gradlib").cells[0].source
    *guard, install = first.split("\n")
    assert install.startswith("    %pip")
    exec("\n".join([*guard, "    raise AssertionError"]), {})


@pytest.mark.skipif(not os.environ.get("COURSE_SLOW"), reason="installs for minutes; set COURSE_SLOW=1")
@pytest.mark.parametrize("name", ["chapters/01-newton", "exercises/01-newton"])
def test_notebook_runs_alone_in_an_empty_environment(name: str, tmp_path: Path) -> None:
    def run(*command: Any, **options: Any) -> str:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    source = tmp_path / "source"  # not the checkout, where a build would find more than the wheel holds
    for part in ("gradlib", "course"):
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, source)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, source)
    (wheel,) = tmp_path.glob("gradlib-*.whl")

    python = tmp_path / "empty" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(sys.executable, "-m", "venv", tmp_path / "empty")
    run(python, "-m", "pip", "install", "--quiet", "ipykernel", "nbconvert")
    alone = tmp_path / "alone"
    alone.mkdir()
    notebook = installing(read(ROOT / f"{name}.ipynb"), f"gradlib @ {wheel.as_uri()}")
    notebook.cells.append(nbformat.v4.new_code_cell("import gradlib; print(gradlib.__file__)", id="where"))
    (alone / "it.ipynb").write_text(dumps(notebook), encoding="utf-8")
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL"))
    }
    environment |= {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "JUPYTER_PATH": ""}
    execute = ("nbconvert", "--to", "notebook", "--execute", "--inplace", "it.ipynb")
    run(python, "-m", *execute, cwd=alone, env=environment)
    ran = normalise(nbformat.read(alone / "it.ipynb", as_version=4))
    assert str(tmp_path / "empty") in ran.cells[-1].outputs[0].text
    stored = [cell for cell in read(ROOT / f"{name}.ipynb").cells if cell.cell_type == "code"]
    again = [cell for cell in ran.cells[1:-1] if cell.cell_type == "code"]
    for before, after in zip(stored, again, strict=True):
        said = [
            [output.text for output in cell.outputs if output.output_type == "stream"]
            for cell in (before, after)
        ]
        assert said[0] == said[1], before.id
