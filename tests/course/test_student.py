"""The repository that students get works, and holds no answer."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import sheets
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

from course.__main__ import main
from course.exercises import REGION, parse
from course.grading.values import shown
from course.notebooks import find, write
from course.release import pairs, release
from course.student import hand_out

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def handout(tmp_path_factory):
    """Hand out the small sheet, with the real gradlib."""
    root = tmp_path_factory.mktemp("course")
    sheets.write(root)
    release(*pairs(root)[0])
    (root / "chapters").mkdir()
    write(root / "chapters" / "01-cubes.ipynb", new_notebook(cells=[new_code_cell("1 + 1", id="sum")]))
    shutil.copytree(ROOT / "gradlib", root / "gradlib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    target = tmp_path_factory.mktemp("students") / "repository"
    hand_out(root, target)
    return target


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Hand out the real course."""
    target = tmp_path_factory.mktemp("real") / "repository"
    hand_out(ROOT, target)
    return target


def texts(folder):
    return {path: path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()}


def test_everything_is_there(handout):
    names = {str(path.relative_to(handout)) for path in texts(handout)}
    assert names >= {
        *(
            "README.md",
            "pyproject.toml",
            ".gitignore",
            ".github/workflows/check.yml",
            "exercises/conftest.py",
        ),
        *("exercises/01-cubes.ipynb", "chapters/01-cubes.ipynb", "gradlib/practice.py", "gradlib/newton.py"),
    }
    assert not [name for name in names if name.startswith(("solutions", "course", "tests"))]


def test_canary_of_the_solution_is_nowhere(handout):
    for path, text in texts(handout).items():
        assert sheets.CANARY not in text, path


def test_no_solution_and_no_hidden_check_of_the_real_course_is_in_it(real):
    exercises = {path.name: text for path, text in texts(real / "exercises").items()}
    everything = "\n".join(texts(real).values())
    for path in find(ROOT, "solutions"):
        for part in parse(path).parts:
            if part.role in ("hidden", "solution"):
                assert f'"{part.cell.id}"' not in everything
            if part.role == "hidden":
                assert json.dumps(part.cell.source)[1:-1] not in everything
                for value in shown(part.cell.outputs).values():
                    for digits in re.findall(r"\d\.\d{6,}", value):
                        assert digits not in exercises.get(path.name, "")
            if part.role == "answer":
                for region in REGION.findall(part.cell.source):
                    assert json.dumps(region[1].strip("\n"))[1:-1] not in exercises.get(path.name, "")
    assert "BEGIN SOLUTION" not in "".join(exercises.values())


def test_links_of_the_exercises_lead_somewhere(real):
    for path in (real / "exercises").glob("*.ipynb"):
        for target in re.findall(r"\]\((\.\./[^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_readme_begins_with_two_commands(handout):
    readme = (handout / "README.md").read_text()
    block = re.search(r"```\n(.*?)```", readme, re.S)
    assert block
    assert [line.split("#")[0].strip() for line in block[1].splitlines()] == [
        "python -m pip install -e .",
        "python -m jupyter lab exercises",
    ]


def test_project_needs_what_the_notebooks_need(handout):
    project = tomllib.loads((handout / "pyproject.toml").read_text())["project"]
    names = {re.match(r"[\w-]+", requirement)[0] for requirement in project["dependencies"]}
    assert names >= {"numpy", "autograd", "matplotlib", "scipy", "ipykernel", "jupyterlab", "pytest", "nbval"}


def test_workflow_is_one_that_github_reads(handout):
    command = ["check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run(
        [sys.executable, "-m", *command, handout / ".github/workflows/check.yml"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("answer", "passes"),
    [
        (None, True),
        ("def cube(x):\n    return x**3\n", True),
        ("def cube(x):\n    return x**2\n", False),
        ("def cube(x):\n    return x / 0\n", False),
    ],
    ids=["blank", "right", "wrong", "raises"],
)
def test_workflow_runs_the_public_checks(answer, passes, handout, tmp_path):
    folder = tmp_path / "repository"
    shutil.copytree(handout, folder)
    path = folder / "exercises" / "01-cubes.ipynb"
    nb = json.loads(path.read_text())
    for cell in nb["cells"]:
        if cell["id"] == "answer" and answer:
            cell["source"] = answer
        if cell["cell_type"] == "code":  # as a student may leave it
            cell["outputs"], cell["execution_count"] = [], None
    path.write_text(json.dumps(nb))
    run = re.search(r"run: python (-m pytest .+)", (folder / ".github/workflows/check.yml").read_text())
    assert run
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, *run[1].split(), "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert (done.returncode == 0) is passes, done.stdout
    assert passes or "1 failed" in done.stdout


def test_folder_with_something_in_it_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(main, ["release", str(tmp_path / "full")])
    assert result.exit_code == 1
    assert "is not empty" in result.output
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["diary.txt"]
    assert CliRunner().invoke(main, ["release", str(tmp_path / "new")]).exit_code == 0
    assert (tmp_path / "new" / "README.md").exists()
