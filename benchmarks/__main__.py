"""Print the tables of all benchmarks, or write them as a page of the book."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from platform import machine, python_version
from typing import Any

import click
import numpy as np

import benchmarks
from gradlib import show

NAMES = sorted(
    module.name for module in iter_modules(benchmarks.__path__) if not module.name.startswith("__")
)

INTRODUCTION = f"""# Benchmarks

gradlib beside the libraries that you would import instead, measured in one process with one BLAS thread by
`python -m benchmarks` (Python {python_version()}, NumPy {np.__version__}, {machine()}). The contestants take
turns and the medians are shown: your machine will differ in the times, less in their ratios.
"""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Write a Markdown page there.")
def main(names: tuple[str, ...], page: Path | None) -> None:
    """Measure and print the tables of the modules NAMES, of all if none is given."""
    parts = [INTRODUCTION]
    for name in names or NAMES:
        module = import_module(f"benchmarks.{name}")
        if not hasattr(module, "table"):
            continue
        heading, _, explanation = (module.__doc__ or name).partition("\n\n")
        parts.append(f"## {heading.strip()}\n\n{explanation.strip()}")
        for title, part in sections(module.table()):
            click.echo(f"{title or heading}\n{part}\n")
            parts.append(f"### {title}\n\n{part.markdown}" if title else part.markdown)
    if page is not None:
        page.write_text("\n\n".join(part.strip() for part in parts if part.strip()) + "\n", encoding="utf-8")


def sections(measured: Any) -> list[tuple[str, show.Markdown]]:
    """Return a module's tables with their titles: it has one, several by title, or rows with named fields."""
    if isinstance(measured, show.Markdown):
        return [("", measured)]
    if isinstance(measured, Mapping):
        return list(measured.items())
    columns = {name: [cell(getattr(row, name)) for row in measured] for name in type(measured[0])._fields}
    return [("", show.table({name: (values, "") for name, values in columns.items()}))]


def cell(value: Any) -> str:
    """Return how a table shows a value."""
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
