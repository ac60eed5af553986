import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import gradlib


def loaded_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    return set(
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout.split()
    )


HEAVY = ("matplotlib", "jax", "autograd", "scipy", "IPython")


@pytest.mark.parametrize(
    "code",
    [
        "import gradlib",
        "from gradlib import convergence, linesearch, newton, problems",
        "import gradlib; gradlib.newton.root(lambda x: x**2 - 2, 1.0, lambda x: 2 * x)",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_used(code: str) -> None:
    assert loaded_after(code).isdisjoint(HEAVY)


def test_what_is_used_is_loaded() -> None:
    assert "autograd" in loaded_after("import gradlib; gradlib.newton.root(lambda x: x - 1, 0.0)")
    assert "matplotlib" in loaded_after("import gradlib; gradlib.plots.setup()")


def test_modules_are_attributes() -> None:
    assert gradlib.newton.root is not None
    assert {"newton", "plots", "problems", "Result"} <= set(dir(gradlib))
    with pytest.raises(AttributeError, match="no_such_module"):
        _ = gradlib.no_such_module


def test_version() -> None:
    assert gradlib.__version__ == version("gradlib")


def test_no_module_takes_a_private_name_from_another() -> None:
    package = Path(gradlib.__file__).parent
    taken = [
        f"{path.relative_to(package)}: {alias.name}"
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gradlib.")
        for alias in node.names
        if alias.name.startswith("_")
    ]
    assert taken == []


def test_dependencies_point_one_way() -> None:
    """Formulas and line searches know no driver, drivers know no other driver, and nothing knows plots."""
    package = Path(gradlib.__file__).parent
    imports = [
        node
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom | ast.Import)
    ]
    known = {
        f"{getattr(node, 'module', '') or ''}.{alias.name}".removeprefix(".")
        for node in imports
        for alias in node.names
    }
    assert any(name.startswith("gradlib.linesearch.") for name in known)
    above = ("newton", "descent", "broyden", "bfgs", "lbfgs", "cg", "sgd", "plots")
    assert [name for name in known for module in above if f"{name}.".startswith(f"gradlib.{module}.")] == []
