"""The command line: what each command does, and how it fails."""

import subprocess
import sys

import pytest
import sheets
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

from course.__main__ import main
from course.browser import BrowserError
from course.build import BuildError
from course.notebooks import read, write


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sheets.write(tmp_path)
    write_chapter(tmp_path, "print(1 + 1)")
    return tmp_path


def write_chapter(folder, source):
    (folder / "chapters").mkdir(exist_ok=True)
    write(folder / "chapters" / "01-cubes.ipynb", new_notebook(cells=[new_code_cell(source, id="sum")]))


def run(*arguments):
    return CliRunner().invoke(main, arguments)


def outputs(path):
    return [
        "".join(output.get("text", "") for output in cell.outputs)
        for cell in read(path).cells
        if "outputs" in cell
    ]


def test_refresh_runs_everything_and_releases(course):
    assert run("refresh").exit_code == 0
    assert outputs(course / "chapters/01-cubes.ipynb") == ["2\n"]
    assert "cube: passed\n" in outputs(course / "solutions/01-cubes.ipynb")
    assert "cube: not attempted (cube is still ...)\n" in outputs(course / "exercises/01-cubes.ipynb")
    assert run("release", "--check").exit_code == 0


def test_refresh_of_one_notebook_leaves_the_others(course):
    assert run("refresh", "chapters/01-cubes.ipynb").exit_code == 0
    assert outputs(course / "chapters/01-cubes.ipynb") == ["2\n"]
    assert "".join(outputs(course / "solutions/01-cubes.ipynb")) == ""
    assert not (course / "exercises").exists()


def test_refresh_says_which_cell_fails(course):
    write_chapter(course, "1 / 0")
    result = run("refresh")
    assert result.exit_code == 1
    assert "chapters/01-cubes.ipynb: cell `sum` raises ZeroDivisionError" in result.output
    assert isinstance(result.exception, SystemExit)


def test_release_check_lists_differences_and_writes_nothing(course):
    result = run("release", "--check")
    assert result.exit_code == 1
    assert "exercises/01-cubes.ipynb: is missing" in result.output
    assert not (course / "exercises").exists()
    assert run("release").exit_code == 0
    assert run("release", "--check").exit_code == 0
    target = course / "exercises/01-cubes.ipynb"
    target.write_text(target.read_text().replace("Think.", "Do not think."))
    before = target.read_bytes()
    result = run("release", "--check")
    assert result.exit_code == 1
    assert "cell `hint-1` differs in source" in result.output
    assert "Run `course release`." in result.output
    assert target.read_bytes() == before


@pytest.mark.parametrize("arguments", [["release"], ["release", "--check"]])
def test_exercises_without_a_source_fail(course, arguments):
    run("release")
    (course / "exercises/02-stray.ipynb").touch()
    result = run(*arguments)
    assert result.exit_code == 1
    assert "exercises/02-stray.ipynb: has no source" in result.output
    assert (course / "exercises/02-stray.ipynb").exists()


@pytest.mark.parametrize("arguments", [["refresh"], ["release"], ["release", "--check"]])
def test_elsewhere_nothing_is_done_and_the_reason_is_told(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 1
    assert "run this in the folder of the course" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flag", "solutions"), [([], True), (["--solutions"], True), (["--no-solutions"], False)]
)
def test_build_passes_its_options_on(flag, solutions, monkeypatch, tmp_path):
    calls = []

    def build(source, *, solutions):
        calls.append((source, solutions))
        return source / "index.html"

    monkeypatch.setattr("course.build.build", build)
    result = run("build", "--source", str(tmp_path), *flag)
    assert result.output == f"{tmp_path}/index.html\n"
    assert calls == [(tmp_path, solutions)]


def test_browser_prints_the_path(monkeypatch, tmp_path):
    monkeypatch.setattr("course.browser.find_or_install", lambda: tmp_path / "chrome")
    assert run("browser").output == f"{tmp_path}/chrome\n"


@pytest.mark.parametrize(
    ("command", "place", "error"),
    [
        ("build", "course.build.build", BuildError("no _toc.yml")),
        ("browser", "course.browser.find_or_install", BrowserError("no browser")),
    ],
)
def test_fault_is_told_without_a_traceback(command, place, error, monkeypatch):
    def fail(*args, **options):
        raise error

    monkeypatch.setattr(place, fail)
    result = run(command)
    assert result.exit_code == 1
    assert result.output == f"Error: {error}\n"


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 1)])
def test_test_fails_when_a_step_fails(passed, code, monkeypatch):
    monkeypatch.setattr("course.suite.run_suite", lambda root: passed)
    assert run("test").exit_code == code


def test_help_imports_nothing_heavy():
    script = (
        "import sys; from click.testing import CliRunner; from course.__main__ import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "print({'nbformat', 'nbclient', 'jupyter_client', 'rich', 'numpy', 'sphinx'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
