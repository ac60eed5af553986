"""A lecture for each lesson: slides made from its built page, so that nothing is written twice.

The cells of the notebook say what they are, in Jupyter's own words, ``metadata.slideshow.slide_type``:

``slide``
    starts a slide;
``fragment``
    comes to the slide before at a press of a key;
``-``
    is on the slide before from the start;
``notes``
    is for the speaker only.

Cells that say nothing, or ``skip``, are no part of the lecture. A heading inside a cell starts a slide too.

The wall shows what has to be seen: headings, numbered formulas, definitions and theorems, lists, tables,
figures, outputs, and of a check the claim that it proves. Code is shown where it prints without a claim, and
where the cell has the tag ``show-code``. Sentences are the speaker's: paragraphs, proofs and the formulas
without a number go to the notes.
"""
