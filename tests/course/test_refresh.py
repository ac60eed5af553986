"""A refreshed notebook is the same, whoever refreshes it and however often."""

import json
import sys

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course import refresh as module
from course.notebooks import read, write
from course.refresh import ExecutionError, execute, refresh

FIGURE = """
import matplotlib.pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats

plt.rcParams["svg.hashsalt"] = "course"
set_matplotlib_formats("svg", metadata={"Date": None})
fig, ax = plt.subplots()
ax.plot([1, 2], [3, 4], "o-")
area = ax.fill_between([1, 2], [3, 4])
"""


def notebook(*sources):
    return new_notebook(cells=[new_code_cell(source, id=f"cell-{k}") for k, source in enumerate(sources, 1)])


def printed(nb):
    return [output.text for cell in nb.cells for output in cell.outputs]


def test_refreshing_twice_changes_no_byte(tmp_path):
    path = tmp_path / "a.ipynb"
    write(path, notebook(FIGURE, "for k in range(3):\n    print(k, flush=True)", "{'b', 'a'}, hash('x')"))
    refresh(path)
    first = path.read_bytes()
    nb = read(path)
    assert "image/svg+xml" in nb.cells[0].outputs[0].data
    assert nb.cells[1].outputs == [{"name": "stdout", "output_type": "stream", "text": "0\n1\n2\n"}]
    assert [cell.execution_count for cell in nb.cells] == [1, 2, 3]
    refresh(path)
    assert path.read_bytes() == first


def test_cells_run_from_the_top_in_a_fresh_kernel(tmp_path):
    nb = notebook("n = 1", "n += 1\nprint(n)")
    nb.cells[1].outputs = [new_output("stream", name="stdout", text="old\n")]
    for _ in range(2):
        assert printed(execute(nb, tmp_path / "a.ipynb")) == ["2\n"]
    assert printed(nb) == ["old\n"]


def test_failing_cell_is_named_and_nothing_is_written(tmp_path):
    path = tmp_path / "a.ipynb"
    write(path, notebook("x = 1", "x / 0"))
    before = path.read_bytes()
    with pytest.raises(
        ExecutionError, match=r"a\.ipynb: cell `cell-2` raises ZeroDivisionError: division by"
    ):
        refresh(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_endless_cell_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 1)
    with pytest.raises(ExecutionError, match="cell `cell-2` did not end within 1 s"):
        execute(notebook("1", "while True:\n    pass"), tmp_path / "a.ipynb")


def test_dead_kernel_is_told(tmp_path):
    with pytest.raises(ExecutionError, match="the kernel died in cell `cell-1`"):
        execute(notebook("import os\nos._exit(1)"), tmp_path / "a.ipynb")


def test_slow_cell_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.ipynb"
    write(path, notebook("1"))
    before = path.read_bytes()
    monkeypatch.setattr(module, "LONGEST", 0.0)
    with pytest.raises(ExecutionError, match=r"cell `cell-1` took .+ s; the rule is 0 s at most"):
        refresh(path)
    assert path.read_bytes() == before


def test_kernel_is_the_running_interpreter_whatever_is_installed(tmp_path, monkeypatch):
    spec = {"argv": ["/nowhere/python", "{connection_file}"], "display_name": "other", "language": "python"}
    folder = tmp_path / "jupyter" / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    nb = notebook("import sys\nprint(sys.executable)")
    nb.metadata.kernelspec = {"name": "no-such-kernel", "display_name": "none"}
    assert printed(execute(nb, tmp_path / "a.ipynb")) == [f"{sys.executable}\n"]


def test_kernel_has_the_fixed_environment_and_the_folder_of_the_notebook(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("MPLBACKEND", "agg")
    names = sorted(module.ENVIRONMENT)
    nb = notebook(f"import os\nfor name in {names}:\n    print(os.environ[name])\nprint(os.getcwd())")
    wanted = [module.ENVIRONMENT[name] for name in names] + [str(tmp_path)]
    assert printed(execute(nb, tmp_path / "a.ipynb")) == ["\n".join(wanted) + "\n"]


def test_start_up_files_of_the_user_take_no_part(tmp_path, monkeypatch):
    folder = tmp_path / "ipython" / "profile_default" / "startup"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text("mine = 1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    assert printed(execute(notebook("print('mine' in globals())"), tmp_path / "a.ipynb")) == ["False\n"]
