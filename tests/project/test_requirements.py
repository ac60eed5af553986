"""The pinned requirements: complete, hashed, one file for every supported Python, no address in it."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = {"requirements.txt": ["book", "lessons", "grade", "paper", "test"], "requirements-lab.txt": ["lab"]}
PYTHONS = ["3.11", "3.12", "3.13"]


def entries(name: str) -> list[str]:
    """Return the logical lines of a requirements file."""
    return (ROOT / name).read_text().replace("\\\n", " ").strip().splitlines()


def pins(name: str) -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for line in entries(name):
        requirement = Requirement(line.split(" --hash")[0])
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def direct(extras: list[str]) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return [Requirement(text) for texts in wanted for text in texts]


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_one_pin_with_hashes_and_no_address(name):
    for line in entries(name):
        assert re.match(r"[\w.-]+==[\w.]+ ( *; [^@]+?)?( +--hash=sha256:[0-9a-f]{64})+$", line), line


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_every_direct_requirement_is_pinned_at_a_version_it_allows(name, python):
    pinned = pins(name)
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    for requirement in direct(LOCKS[name]):
        fitting = [
            pin
            for pin in pinned[canonicalize_name(requirement.name)]
            if pin.marker is None or pin.marker.evaluate(environment)
        ]
        (pin,) = fitting
        (version,) = pin.specifier
        assert requirement.specifier.contains(version.version), f"{pin} does not satisfy {requirement}"


def test_the_lab_shares_the_versions_of_the_course():
    course = pins("requirements.txt")
    shared = {name: pin for name, pin in pins("requirements-lab.txt").items() if name in course}
    assert "numpy" in shared
    for name, pin in shared.items():
        assert {str(p.specifier) for p in pin} == {str(p.specifier) for p in course[name]}
