"""What tests of grading share: the small sheet, executed, and the state of the sandbox on this machine."""

import copy
import json
import os

import pytest
import sheets

from course.exercises import parse, student
from course.grading.sandbox import SandboxError, require
from course.refresh import refresh


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """Give the folder of a course with the small sheet, whose values are stored."""
    root = tmp_path_factory.mktemp("small-course")
    refresh(sheets.write(root))
    return root


@pytest.fixture(scope="session")
def sheet(course):
    """Give the small sheet, parsed."""
    return parse(course / "solutions" / "01-cubes.ipynb")


@pytest.fixture
def handed_in(sheet):
    """Give a function that makes the student's notebook, as plain data, with an answer in it."""
    pristine = json.loads(json.dumps(student(sheet)))

    def make(answer=None):
        nb = copy.deepcopy(pristine)
        if answer is not None:
            next(cell for cell in nb["cells"] if cell["id"] == "answer")["source"] = answer
        return nb

    return make


@pytest.fixture(scope="session")
def sandbox():
    """Skip what needs a sandbox where there is none; with COURSE_SANDBOX=required, fail instead."""
    try:
        require()
    except SandboxError as error:
        if os.environ.get("COURSE_SANDBOX") == "required":
            raise
        pytest.skip(str(error).splitlines()[0])
