"""Styled lines on a terminal; the only module of the text output that imports rich."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from dockerslim_lint.output.interface import Line


def paint(lines: Sequence[Line], stream: TextIO) -> None:
    """Write the lines with their styles, whatever the environment says; text is never read as markup, nothing is wrapped or cut."""
    console = Console(
        file=stream,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )
    for line in lines:
        text = Text()
        for piece in line:
            text.append(piece.text, piece.style or None)
        console.print(text)
