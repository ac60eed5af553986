"""What runs the checks: every step, its outcome kept, the same on every machine."""

import re
from pathlib import Path

import yaml

from course import suite

ROOT = Path(__file__).parents[2]
GOOD = ["json.tool", "--help"]
BAD = ["json.tool", "no-such-file"]


def test_one_failed_step_fails_the_suite_and_the_rest_still_runs(monkeypatch, capfd):
    monkeypatch.setattr(suite, "STEPS", {"first": BAD, "second": GOOD})
    assert not suite.run_suite(ROOT)
    error = capfd.readouterr().err
    assert "failed: first" in error
    assert "second: " in error
    assert "failed: second" not in error


def test_the_suite_passes_when_every_step_does(monkeypatch):
    monkeypatch.setattr(suite, "STEPS", {"first": GOOD, "second": GOOD})
    assert suite.run_suite(ROOT)


def test_ci_runs_the_command_of_the_readme():
    assert re.search(r"^exec make test$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert re.search(r"^make test\b", (ROOT / "README.md").read_text(), re.MULTILINE)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text())
    assert "bash .ci/run" in [step.get("run") for step in workflow["jobs"]["test"]["steps"]]
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
