"""Drop the style rules that can never apply to a page of the site."""

from collections.abc import Iterator
from typing import Any

import tinycss2
from tinycss2.ast import AtRule, ParseError, QualifiedRule

Tokens = list[Any]  # tinycss2's component values; the library has no types

GROUPS = {"media", "supports", "layer", "container"}  # at-rules that hold rules


def purge(css: str, names: set[str]) -> str:
    """Keep the rules whose selectors ask for nothing but `names`.

    Parameters
    ----------
    css
        A stylesheet.
    names
        Tags, classes and ids that the pages have or that a script may give them. What a selector asks for in
        another way (attributes, pseudo-classes and their arguments) counts as given.

    Returns
    -------
    str
        The stylesheet without the other rules and without comments.

    Raises
    ------
    ValueError
        If the stylesheet cannot be parsed; the message names the line.

    Examples
    --------
    >>> purge("a, b.c { x: y } @media print { .d { x: y } } a:not(.d) > i[e] { x: y }", {"a", "i"})
    'a{ x: y }a:not(.d) > i[e]{ x: y }'
    """
    return "".join(_kept(_rules(css), names))


def _rules(css: str | Tokens) -> Tokens:
    parse = tinycss2.parse_stylesheet if isinstance(css, str) else tinycss2.parse_rule_list
    rules: Tokens = parse(css, skip_comments=True, skip_whitespace=True)
    for rule in rules:
        if isinstance(rule, ParseError):
            raise ValueError(f"css: {rule.message} in line {rule.source_line}")
    return rules


def _kept(rules: Tokens, names: set[str]) -> Iterator[str]:
    for rule in rules:
        if isinstance(rule, QualifiedRule):
            selectors = [part for part in _selectors(rule.prelude) if _asks(part) <= names]
            if selectors:
                prelude = ",".join(tinycss2.serialize(part).strip() for part in selectors)
                yield f"{prelude}{{{tinycss2.serialize(rule.content)}}}"
        elif isinstance(rule, AtRule) and rule.content is not None and rule.lower_at_keyword in GROUPS:
            body = "".join(_kept(_rules(rule.content), names))
            if body:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{body}}}"
        else:
            yield rule.serialize()


def _selectors(prelude: Tokens) -> Iterator[Tokens]:
    """Split a list of selectors at its commas."""
    part: Tokens = []
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _asks(selector: Tokens) -> set[str]:
    """Return the tags, classes and ids that a selector asks for."""
    asked = set()
    before = ""
    for token in selector:
        if token.type == "hash" or (token.type == "ident" and before != ":"):
            asked.add(token.value)
        before = token.value if token.type == "literal" else ""
    return asked


def drop_idle_fonts(css: str, text: str) -> str:
    """Drop each ``@font-face`` whose family is not mentioned in `text`.

    Parameters
    ----------
    css
        A stylesheet.
    text
        The words of the site's styles outside such rules, see `words`.
    """
    return "".join(rule.serialize() for rule in _rules(css) if not _is_face(rule) or _family(rule) in text)


def words(css: str) -> str:
    r"""Return the identifiers and strings of a stylesheet outside ``@font-face``, a space between them.

    Examples
    --------
    >>> words(r'@font-face{font-family: Odd} i{font-family: Awesome\ 6 Free; content: "x"}')
    'i font-family Awesome 6 Free content x'
    """
    return _words([rule for rule in _rules(css) if not _is_face(rule)])


def font_files(css: str) -> list[str]:
    """Return the addresses in a stylesheet's ``@font-face`` rules.

    Examples
    --------
    >>> font_files("@font-face{font-family: A; src: url(a.woff2), url('a.ttf')} i{background: url(i.png)}")
    ['a.woff2', 'a.ttf']
    """
    return _urls([rule for rule in _rules(css) if _is_face(rule)])


def urls(css: str) -> list[str]:
    """Return every address in a stylesheet."""
    return _urls(_rules(css))


def characters(css: str) -> set[str]:
    """Return the characters of a stylesheet's strings: every glyph that a rule may put on a page."""
    return {c for token in _flat(_rules(css)) if token.type == "string" for c in token.value}


def _is_face(rule: Any) -> bool:
    return isinstance(rule, AtRule) and rule.lower_at_keyword == "font-face"


def _family(face: AtRule) -> str:
    declarations = tinycss2.parse_declaration_list(face.content, skip_comments=True, skip_whitespace=True)
    return _words(next(d.value for d in declarations if d.lower_name == "font-family"))


def _words(nodes: Tokens) -> str:
    return " ".join(token.value for token in _flat(nodes) if token.type in ("ident", "string"))


def _urls(nodes: Tokens) -> list[str]:
    found = []
    for token in _flat(nodes):
        if token.type == "url":
            found.append(token.value)
        elif token.type == "function" and token.lower_name == "url":
            found += [argument.value for argument in token.arguments if argument.type == "string"]
    return found


def _flat(nodes: Tokens) -> Iterator[Any]:
    """Walk through rules, blocks and functions, down to the last token."""
    for node in nodes:
        yield node
        for inner in ("prelude", "content", "arguments"):
            yield from _flat(getattr(node, inner, None) or [])
