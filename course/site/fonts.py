"""Cut fonts down to the glyphs that the site shows."""

import logging
from pathlib import Path

from fontTools import subset

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of each table

FLAVOURS = {".woff": "woff", ".woff2": "woff2"}


def cut(path: Path, characters: set[str]) -> None:
    """Rewrite a font file, in its own format, with no other glyphs than those of `characters`.

    A font that has none of them is a fallback that does its work by being empty, and stays as it is.
    """
    options = subset.Options()
    options.flavor = FLAVOURS.get(path.suffix)
    options.hinting = False
    options.drop_tables += ["FFTM"]  # the font editor's time stamp
    with subset.load_font(str(path), options) as font:
        if not characters & {chr(code) for code in font.getBestCmap()}:
            return
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=[ord(c) for c in characters])
        subsetter.subset(font)
        subset.save_font(font, str(path), options)
