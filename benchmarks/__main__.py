"""Print the tables of all benchmarks, or write them as a page of the book."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from platform import machine, processor, python_version, system
from types import ModuleType

import click
import jax
import matplotlib as mpl
import numpy as np
import optax
import scipy
from threadpoolctl import threadpool_info

from benchmarks.common import TURN, Part, Picture
from gradlib import plots, show

NAMES = ("minimisers", "linear", "rules", "growth", "large", "autodiff")  # in the order of the page

INTRODUCTION = """# Benchmarks

gradlib beside the libraries that you would import instead: `make bench` measures, and writes this page.

- One process, one thread of BLAS, no JAX accelerator. {kernels}
- The contestants take turns; a turn repeats a run for at least {turn:.0f} ms. Times are medians over the
  turns, ratios are medians of each round's ratio, so that what else the machine did meets both.
- What is timed is the processor's time for the thread that works; beside JAX, which has threads of its own,
  and of large problems, time as it passes.
- Ratios are the other library's time over gradlib's: above 1, gradlib is faster. "bar" says what was
  asked for, and whether it was met here.
- Your machine will differ in the times, less in the ratios.

Measured on {date}: {cpu} ({machine}, {system}), Python {python}, NumPy {numpy}, SciPy {scipy}, JAX {jax},
optax {optax}.
"""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Write a Markdown page there.")
def main(names: tuple[str, ...], page: Path | None) -> None:
    """Measure and print the tables of the modules NAMES, of all if none is given."""
    chosen = names or NAMES
    modules = {name: import_module(f"benchmarks.{name}") for name in chosen}
    paragraphs = [introduction()]
    for name, module in modules.items():
        heading, explanation = described(module)
        paragraphs += [f"## {heading}", explanation]
        for title, part in parts(module):
            click.echo(f"{heading}{f': {title}' if title else ''}\n{part if part_is_table(part) else ''}\n")
            paragraphs += [f"### {title}"] * bool(title) + [markdown(part, name, page)]
    if page is not None:
        page.write_text("\n\n".join(text.strip() for text in paragraphs) + "\n", encoding="utf-8")


def introduction() -> str:
    """Return how, where and with what was measured."""
    libraries = {
        f"{info['prefix']} {info['version']}": f"{info['architecture']} kernels, {info['num_threads']} thread"
        for info in threadpool_info()
        if info["user_api"] == "blas"
    }
    kernels = "; ".join(f"{library}: {setting}" for library, setting in sorted(libraries.items()))
    return INTRODUCTION.format(
        kernels=f"BLAS is {kernels}." if kernels else "",
        turn=1e3 * TURN,
        date=datetime.now(UTC).date().isoformat(),
        cpu=cpu(),
        machine=machine(),
        system=system(),
        python=python_version(),
        numpy=np.__version__,
        scipy=scipy.__version__,
        jax=jax.__version__,
        optax=optax.__version__,
    )


def cpu() -> str:
    """Return the processor's name, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = re.search(r"^model name\s*:\s*(.+)$", info.read_text(encoding="utf-8"), re.MULTILINE)
        if named:
            return named[1]
    return processor() or "unknown processor"


def described(module: ModuleType) -> tuple[str, str]:
    """Return a module's docstring as a heading and an explanation."""
    heading, _, explanation = (module.__doc__ or "").partition("\n\n")
    return heading.strip().rstrip("."), explanation.strip()


def parts(module: ModuleType) -> Iterator[tuple[str, Part]]:
    """Return what a module measures, with titles: one table, or several by title."""
    measured = module.table()
    yield from measured.items() if isinstance(measured, Mapping) else [("", measured)]


def part_is_table(part: Part) -> bool:
    return isinstance(part, show.Markdown)


def markdown(part: Part, name: str, page: Path | None) -> str:
    """Return a part as the page has it; a picture is written beside the page."""
    if isinstance(part, show.Markdown):
        return part.markdown
    if page is None:
        return ""
    file = page.with_name(f"{page.stem}-{name}.svg")
    save(part, file)
    return f"```{{figure}} {file.name}\n:alt: {part.alt}\n\n{part.caption}\n```"


def save(picture: Picture, file: Path) -> None:
    with mpl.rc_context(plots.STYLE):
        picture.figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main()
