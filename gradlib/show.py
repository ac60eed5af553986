"""What a lesson displays: the library's own source, and tables of numbers."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Markdown", "source", "table"]


@dataclass(frozen=True)
class Markdown:
    """Markdown that a notebook renders; elsewhere it prints as plain text.

    Attributes
    ----------
    markdown, text : str
        What a notebook renders, and what is printed.

    Examples
    --------
    >>> Markdown("*so*", "so")
    so
    """

    markdown: str
    text: str

    def _repr_markdown_(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        return self.text


def source(function: Callable[..., Any]) -> Markdown:
    """Show the source of a function, without its docstring.

    Parameters
    ----------
    function : callable
        A function that is written in Python.

    Returns
    -------
    Markdown
        The code as a listing.

    Raises
    ------
    ValueError
        If `function` is not a function that is written in Python.

    Examples
    --------
    >>> from gradlib import convergence, show
    >>> show.source(convergence.observed_order)  # doctest: +ELLIPSIS
    def observed_order(...
    """
    if not inspect.isfunction(function):
        raise ValueError(f"function must be a function written in Python, not {type(function).__name__}")
    try:
        code = textwrap.dedent(inspect.getsource(function))
        definition = ast.parse(code).body[0]
    except (OSError, SyntaxError):
        definition = None
    if not isinstance(definition, ast.FunctionDef) or definition.name != function.__name__:
        raise ValueError("function must be a function written in Python by def, in a file or a cell")
    if ast.get_docstring(definition) is not None:
        docstring = definition.body[0]
        lines = code.splitlines()
        code = "\n".join(lines[: docstring.lineno - 1] + lines[docstring.end_lineno :])
    code = code.rstrip()
    return Markdown(f"```python\n{code}\n```", code)


def table(columns: Mapping[str, tuple[Iterable[Any], str]]) -> Markdown:
    """Show columns of numbers as a table.

    Parameters
    ----------
    columns : mapping of str to (values, format)
        For each heading (Markdown, maths between dollars) its values and the format that prints them.
        Print no digit that another machine would not reproduce.

    Returns
    -------
    Markdown
        The table.

    Raises
    ------
    ValueError
        If the columns differ in length.

    Examples
    --------
    >>> show_me = table({"k": ([0, 1], "d"), "$x_k$": ([2.0, 2.1], ".3f")})
    >>> print(show_me.markdown)
    | k | $x_k$ |
    |--:|--:|
    | 0 | 2.000 |
    | 1 | 2.100 |
    """
    if not isinstance(columns, Mapping) or not all(map(_is_column, columns.items())):
        raise ValueError("columns must map each heading to a pair (values, format)")
    cells = [[format(value, spec) for value in values] for values, spec in columns.values()]
    if len({len(column) for column in cells}) > 1:
        lengths = ", ".join(f"{name}: {len(column)}" for name, column in zip(columns, cells, strict=True))
        raise ValueError(f"columns must all have the same number of values, but {lengths}")
    rows = [list(columns), *map(list, zip(*cells, strict=True))]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "--:|" * len(cells))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    return Markdown("\n".join(lines), "\n".join("  ".join(row) for row in padded))


def _is_column(item: tuple[object, object]) -> bool:
    match item:
        case (str(), tuple((Iterable(), str()))):
            return True
    return False
