"""A small sheet of exercises that the tests bend."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course import notebooks

CANARY = "kanarienvogel"
"""A word that stands in every part of the sheet that a student must not see, and nowhere else."""


def cells():
    facts = {
        "title": "A cube",
        "kind": "code",
        "points": 2,
        "minutes": 5,
        "difficulty": 1,
        "needs": ["[The lesson](../chapters/01-cubes.ipynb#cubes)"],
    }
    part = {"exercise": "cube"}
    return [
        new_markdown_cell("# Exercises", id="introduction"),
        new_code_cell("from gradlib import practice\nprint('ready')", id="setup"),
        new_markdown_cell(
            "Find $x^3$.", id="statement", metadata={"course": part | {"role": "exercise"} | facts}
        ),
        new_markdown_cell("Think.", id="hint-1", metadata={"course": part | {"role": "hint"}}),
        new_markdown_cell("Think of $x x^2$.", id="hint-2", metadata={"course": part | {"role": "hint"}}),
        new_code_cell(
            "def cube(x):\n"
            f"    ### BEGIN SOLUTION\n    {CANARY} = x**3\n    return {CANARY}\n    ### END SOLUTION",
            id="answer",
            metadata={
                "course": part | {"role": "answer"},
                "mystnb": {"image": {"alt": CANARY}},
                "tags": [CANARY],
            },
        ),
        new_code_cell(
            "@practice.check('cube', cube)\n"
            "def odd(cube):\n"
            "    assert cube(-2) == -cube(2) == -8, 'not the cube'",
            id="check",
            metadata={"course": part | {"role": "check"}},
        ),
        new_code_cell(
            f"practice.emit('{CANARY}', lambda: cube(1.7183))",
            id="hidden",
            metadata={"course": part | {"role": "hidden"}},
        ),
        new_markdown_cell(
            f"It is {CANARY}.", id="solution", metadata={"course": part | {"role": "solution"}}
        ),
        new_code_cell(
            f"print('{CANARY}', cube(3))",
            id="solution-run",
            metadata={"course": part | {"role": "solution"}},
        ),
    ]


def write(folder, sheet=None):
    """Write the sheet as `solutions/01-cubes.ipynb`."""
    path = folder / "solutions" / "01-cubes.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    notebooks.write(path, new_notebook(cells=cells() if sheet is None else sheet))
    return path
