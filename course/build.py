"""Build the site with Jupyter Book in strict mode: no warning survives."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
STRICT = ["-W", "-n", "--keep-going", "--all", "-q"]  # q: of Sphinx, warnings only


class BuildError(RuntimeError):
    """The site was not built, or was built with warnings."""


def build(source: Path, *, solutions: bool = True, output: Path | None = None) -> Path:
    """Build the site from the stored outputs, executing nothing.

    Every build starts from an empty folder, so that no page of an earlier one is left.

    Parameters
    ----------
    source
        The folder with ``_config.yml`` and ``_toc.yml``.
    solutions
        Whether exercises pages carry hints and solutions; without, no file of the site has a trace of them.
    output
        Where ``_build`` goes; `source` itself by default.

    Returns
    -------
    Path
        The site's first page, ``_build/html/index.html``.

    Raises
    ------
    BuildError
        If Jupyter Book fails or warns; its messages are on the standard error stream.
    """
    source = source.resolve()
    for name in ("_config.yml", "_toc.yml"):
        if not (source / name).exists():
            raise BuildError(f"source: {source} has no {name}; call from the folder that holds the book")
    output = source if output is None else output.resolve()
    shutil.rmtree(output / "_build", ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch, "_config.yml")
        config.write_text(_config(source, solutions=solutions), encoding="utf-8")
        command = [*JUPYTER_BOOK, "build", str(source), *STRICT, "--config", str(config)]
        done = subprocess.run([*command, "--path-output", str(output)], check=False)
    if done.returncode != 0:
        raise BuildError("the site is not fit to be read: see the errors and warnings above, and build again")
    return output / "_build" / "html" / "index.html"


def _config(source: Path, *, solutions: bool) -> str:
    """Return the book's configuration with the switch for solutions set."""
    config = yaml.safe_load((source / "_config.yml").read_text(encoding="utf-8"))
    settings = config.setdefault("sphinx", {}).setdefault("config", {})
    settings["course_solutions"] = solutions
    # Jupyter Book drops what it knows of buttons when a book sets options of the theme itself.
    options = settings.setdefault("html_theme_options", {})
    options["repository_url"] = config.get("repository", {}).get("url", "")
    options["launch_buttons"] = config.get("launch_buttons", {})
    return yaml.safe_dump(config, sort_keys=False)
