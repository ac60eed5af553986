"""Docstrings say what goes in and what comes out, and show it; doctest checks what they show."""

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import gradlib
from gradlib import practice


def public() -> Iterator[Any]:
    for info in pkgutil.walk_packages(gradlib.__path__, "gradlib."):
        if "._" not in info.name:
            module = importlib.import_module(info.name)
            for name in module.__all__:
                thing = getattr(module, name)
                if inspect.isroutine(thing) or inspect.isclass(thing):
                    yield pytest.param(thing, id=f"{info.name}.{name}")


def sections(thing: Any) -> dict[str, str]:
    """Return the sections of a docstring by their headings."""
    _, *rest = re.split(r"^(\w[\w ]*)\n-+$", inspect.getdoc(thing) or "", flags=re.MULTILINE)
    return dict(zip(rest[::2], rest[1::2], strict=True))


PUBLIC = pytest.mark.parametrize("thing", list(public()))


@PUBLIC
def test_every_public_name_says_what_it_takes_and_gives_and_shows_it(thing: Any) -> None:
    said = sections(thing)
    assert ">>> " in said["Examples"]
    if inspect.isroutine(thing):
        heads = re.findall(r"^(\S.*?)(?: : .*)?$", said.get("Parameters", ""), flags=re.MULTILINE)
        documented = {name.strip().lstrip("*") for head in heads for name in head.split(",")}
        assert documented == set(inspect.signature(thing).parameters)
        returns_something = inspect.signature(thing).return_annotation not in (None, "None")
        assert ("Returns" in said or "Yields" in said) == returns_something
        around = sys.modules[thing.__module__].__doc__ or ""
        silent = thing is practice.check or re.search("checks? nothing", thing.__doc__ + around)
        assert "Raises" in said or not documented or silent


@PUBLIC
def test_a_formula_that_is_displayed_has_a_source(thing: Any) -> None:
    own = thing.__module__ == "gradlib.practice"  # what exercises ask for is the course's own
    if ".. math::" in (inspect.getdoc(thing) or "") and not own:
        assert sections(thing).keys() & {"References", "See Also"}
