"""The benchmarks run, at sizes that take no time; nothing here looks at a clock."""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks import autodiff, common, growth, large, linear, minimisers, multigrid, mutants, rules
from course.exercises import parse
from gradlib import cg, problems, show

ROOT = Path(__file__).parents[2]
SMALL = {
    "BFGS": partial(minimisers.per_iteration, [(2, 1, 3, 5.0)]),
    "evaluations": partial(minimisers.to_solution, [problems.beale], 1),
    "L-BFGS": partial(minimisers.limited_memory, [(2, 1, 3)], [(4, 1)]),
    "dense": partial(linear.dense, [2, 3], 1),
    "sparse": partial(linear.grids, [2], 1),
    "nonlinear": partial(linear.nonlinear, [2, 3], 3, 1),
    "nonlinear to solution": partial(minimisers.to_solution, [problems.beale], 1, linear.as_they_are, 3.0),
    "autodiff": partial(autodiff.table, [("tiny", autodiff.elementwise, np.linspace(0.1, 1.0, 3), 1)]),
}


@pytest.fixture(autouse=True)
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "TURN", 0.0)


def columns(table: show.Markdown) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.markdown.splitlines()]


@pytest.mark.parametrize("name", SMALL)
def test_every_table_has_a_value_in_each_cell(name: str) -> None:
    table = SMALL[name]()
    heading, _, *rows = columns(table)
    assert rows
    assert all(len(row) == len(heading) for row in rows)
    assert "nan" not in table.markdown


def test_bfgs_needs_at_most_a_tenth_more_evaluations_than_scipys() -> None:
    spent = np.array([[run().nfev for run in minimisers.dense(p)] for p in minimisers.PROBLEMS])
    assert spent[:, 1].sum() <= 1.1 * spent[:, 0].sum()
    assert np.median(spent[:, 1] / spent[:, 0]) <= 1.1


def test_measurements_use_one_thread_of_blas() -> None:
    program = """
import benchmarks, numpy, scipy.linalg, threadpoolctl
print({pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"})"""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == "{1}"


def test_growth_is_fitted_and_drawn(tmp_path: Path) -> None:
    table, picture = growth.table([4, 8], [4, 8], 1).values()
    assert isinstance(table, show.Markdown)
    assert isinstance(picture, common.Picture)
    assert len(picture.alt) > 40
    command.save(picture, tmp_path / "growth.svg")
    assert "<svg" in (tmp_path / "growth.svg").read_text(encoding="utf-8")


def test_an_exponent_is_that_of_the_power_law() -> None:
    sizes = [10, 20, 80]
    assert common.exponent(sizes, [3e-6 * n**1.5 for n in sizes]) == pytest.approx(1.5)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_every_way_to_the_compiled_step_does_the_same_steps(name: str) -> None:
    ours, theirs = rules.CONTESTANTS[name]
    with rules.jax.enable_x64(True):
        end = rules.numpys(ours, 7)()
        assert (end != 0).all()
        for prepare in rules.WAYS.values():
            np.testing.assert_allclose(rules.optaxs(theirs, 7, prepare)(), end, rtol=1e-9)
        for rule in (ours, theirs):
            np.testing.assert_allclose(rules.scanned(rule, 7)(), end, rtol=1e-9)


def test_the_rows_of_rules() -> None:
    with rules.jax.enable_x64(True):
        loops = rules.shown(rules.rows(("SGD",), rules.WAYS, 2, 1))
        scans = rules.shown(rules.scans(("SGD",), 2, 1))
    assert len(columns(loops)) == 2 + len(rules.WAYS)
    assert len(columns(scans)) == 3


@pytest.mark.parametrize("name", large.PROBLEMS)
def test_large_problems_are_solved_when_small(name: str) -> None:
    measured = large.PROBLEMS[name](4 if name.startswith("L-BFGS") else 7)
    assert measured["reached"] <= 1e-5
    assert large.peak() > 1


def test_a_large_problem_has_a_process_of_its_own() -> None:
    measured = large.alone(next(iter(large.PROBLEMS)), 4)
    assert set(measured) == {"n", "nit", "seconds", "reached", "peak"}


def test_the_v_cycle_is_a_preconditioner() -> None:
    m = 7
    M = np.array([multigrid.v_cycle(e.reshape(m, m)).ravel() for e in np.eye(m * m)])
    np.testing.assert_allclose(M, M.T, atol=1e-14)
    assert np.linalg.eigvalsh(M).min() > 0
    A = multigrid.poisson(m)
    z = np.arange(m * m, dtype=float)
    np.testing.assert_allclose(multigrid.laplace(z.reshape(m, m)).ravel(), A @ z, atol=1e-12)
    plain, faster = cg.solve(A, z), cg.solve(A, z, preconditioner=M)
    assert faster.nit < plain.nit / 2


@pytest.mark.parametrize(
    ("value", "at_least", "said"),
    [
        (2.0, True, "≥ 2: met"),
        (1.9, True, "≥ 2: NOT met"),
        (2.0, False, "≤ 2: met"),
        (2.1, False, "≤ 2: NOT met"),
    ],
)
def test_verdicts(value: float, at_least: bool, said: str) -> None:
    assert common.verdict(value, 2.0, at_least=at_least) == said


def test_the_command_writes_a_page_and_its_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "table", partial(growth.table, [4, 8], [4, 8], 1))
    page = tmp_path / "page.md"
    run = CliRunner().invoke(command.main, ["growth", "--page", str(page)])
    assert run.exit_code == 0, run.output
    assert "fitted exponent" in run.output
    text = page.read_text(encoding="utf-8")
    figure = re.search(r"```{figure} (\S+)\n:alt: (.+)\n", text)
    assert figure is not None
    assert (tmp_path / figure[1]).exists()
    assert text.startswith("# Benchmarks\n")
    assert "\n| method | n |" in text


def test_every_module_that_measures_is_on_the_page() -> None:
    package = Path(common.__file__).parent
    measuring = {
        path.stem for path in package.glob("*.py") if "def table(" in path.read_text(encoding="utf-8")
    }
    assert set(command.NAMES) == measuring


@pytest.mark.parametrize("module", [minimisers, linear, rules, growth, large, autodiff])
def test_the_page_says_what_the_benchmarks_say_of_themselves(module: Any) -> None:
    page = (ROOT / "chapters" / "benchmarks.md").read_text(encoding="utf-8")
    heading, explanation = command.described(module)
    assert f"## {heading}\n\n{explanation}\n" in page


def test_mutants_are_of_the_formulas_that_lessons_show() -> None:
    made = mutants.of_formulas([])
    broken = {str(mutant.formula) for mutant in made}
    assert {"cg.fletcher_reeves", "bfgs.update_inverse", "autodiff.rules.PARTIALS[np.tan][0]"} <= broken
    assert len({(mutant.formula, mutant.source) for mutant in made}) == len(made)
    for mutant in made:
        compile(mutant.source, mutant.change, "exec")


def test_answers_by_formulas_are_of_exercises_that_there_are() -> None:
    there = {
        (path.stem, exercise.id)
        for path in (ROOT / "solutions").glob("*.ipynb")
        for exercise in parse(path).exercises
    }
    assert {(each["sheet"], each["exercise"]) for each in mutants.LISTED["answer"]} <= there
    assert all(each["why"] for each in mutants.LISTED["equivalent"])


def test_a_mutant_takes_the_place_of_its_formula_and_gives_it_back() -> None:
    tools: dict[str, Any] = {}
    exec(mutants.TOOLS, tools)
    r, p = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    before = cg.direction(r, p, 2.0)
    other = "def direction(r, p, beta):\n    return p"
    with tools["_changed"]("gradlib.cg", "direction", "direction", other):
        assert (cg.direction(r, p, 2.0) == p).all()
    assert (cg.direction(r, p, 2.0) == before).all()
