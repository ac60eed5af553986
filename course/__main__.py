"""The instructor's commands, run in the folder of the course."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

T = TypeVar("T")
ROOT = Path()


# What a command needs is imported inside it: `course --help` answers at once.


@contextmanager
def _plainly(error: type[Exception]) -> Iterator[None]:
    """Tell what an author or a machine is at fault for in its own words, without a traceback."""
    try:
        yield
    except error as told:
        raise click.ClickException(str(told)) from told


def _each(items: Iterable[T], doing: str) -> Iterable[T]:
    from rich.progress import track

    return track(list(items), description=doing)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Build, refresh, release and test the course."""


@main.command()
@click.option("--solutions/--no-solutions", default=True, help="With solutions (the default) or without.")
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT,
    help="Folder of the course.",
)
def build(source: Path, solutions: bool) -> None:
    """Build the site from the stored outputs."""
    from course.build import BuildError, build

    with _plainly(BuildError):
        click.echo(build(source, solutions=solutions))


@main.command()
def slides() -> None:
    """Make a deck of slides for each lesson of the built site."""
    from course.slides.deck import SlidesError, make

    with _plainly(SlidesError):
        click.echo(make(ROOT / "_build" / "html"))


@main.command()
def offline() -> None:
    """Zip the built site into one file, which works from the folder where it is unpacked."""
    from course.offline import OfflineError, pack

    with _plainly(OfflineError):
        click.echo(pack(ROOT / "_build" / "html", ROOT / "_build" / "gradient-methods.zip"))


@main.command()
def pdf() -> None:
    """Print the built site into one PDF file."""
    from course.paper import PaperError, print_book

    with _plainly(PaperError):
        click.echo(print_book(ROOT / "_build" / "html", ROOT / "_build" / "gradient-methods.pdf"))


@main.command()
@click.argument("notebooks", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def refresh(notebooks: tuple[Path, ...]) -> None:
    """Execute NOTEBOOKS from the top and store them in canonical form.

    Without arguments: those of chapters/ and solutions/, and the exercises released from them.
    """
    from course.notebooks import NotebookError, find
    from course.refresh import refresh

    with _plainly(NotebookError):
        for path in _each(notebooks or find(ROOT, "chapters", "solutions"), "Executing"):
            refresh(path)
        if not notebooks:
            _release()


@main.command()
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; list differences, and fail if there are any.")
def release(directory: Path | None, check: bool) -> None:
    """Write exercises/ from solutions/, or a whole repository for students into DIRECTORY."""
    from course.notebooks import NotebookError
    from course.release import differences, orphans, pairs

    with _plainly(NotebookError):
        if directory:
            from course.student import hand_out, say

            say(hand_out(ROOT, directory), directory)
            return
        if not check:
            _release()
            return
        lines = [line for pair in _each(pairs(ROOT), "Comparing") for line in differences(*pair)]
        if lines := lines + orphans(ROOT):
            raise click.ClickException("\n".join([*lines, "Run `course release`."]))


def _release() -> None:
    from course.release import orphans, pairs, release

    for source, target in _each(pairs(ROOT), "Releasing"):
        release(source, target)
    if lines := orphans(ROOT):
        raise click.ClickException("\n".join(lines))


@main.command()
@click.argument("submissions", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("grades"), show_default=True
)
@click.option(
    "--sheet", "sheets", multiple=True, help="Grade this one, 01-newton; may be given several times."
)
@click.option("--due", type=click.DateTime(), help="Mark as late what was changed afterwards.")
@click.option("--jobs", type=click.IntRange(1), help="Notebooks at a time; one more than cores by default.")
@click.option(
    "--scheduler", metavar="ADDRESS", help="Run on the dask cluster with this scheduler, tcp://HOST:8786."
)
@click.option(
    "--shard", metavar="K/N", default="1/1", help="Run the K-th of N parts; outcomes can be put together."
)
@click.option("--trusted", is_flag=True, help="Without the sandbox: for notebooks that you wrote yourself.")
def grade(
    submissions: Path,
    out: Path,
    sheets: tuple[str, ...],
    due: Any,
    jobs: int | None,
    scheduler: str | None,
    shard: str,
    trusted: bool,
) -> None:
    """Grade SUBMISSIONS, a folder with one folder, zip file or notebook for each student."""
    from course.grading.console import grade

    grade(
        ROOT, submissions, out, sheets, due=due, jobs=jobs, scheduler=scheduler, shard=shard, trusted=trusted
    )


@main.command()
def sandbox() -> None:
    """Tell whether untrusted notebooks can be graded here; install bubblewrap if there is none."""
    from course.grading.sandbox import SandboxError, install, require

    try:
        install()
        require()
    except SandboxError as told:
        click.echo(f"{told}\nThe tests of grading that need it are left out.")
    else:
        click.echo("bubblewrap works: untrusted notebooks can be graded here")


@main.command()
def browser() -> None:
    """Print the path of the browser for the site's tests, installing one if there is none."""
    from course.browser import BrowserError, find_or_install

    with _plainly(BrowserError):
        click.echo(find_or_install())


@main.command()
def lock() -> None:
    """Pin the newest versions that pyproject.toml allows."""
    from course.lock import lock

    lock(ROOT)


@main.command()
def test() -> None:
    """Run every check: linters, types, tests, notebooks, the site in a browser."""
    from course.suite import run_suite

    if not run_suite(ROOT):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
