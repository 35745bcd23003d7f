"""Prints the reports' tables and wrapped prose to standard output, or to standard error."""

import io
import os
import re
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

#: Width of a terminal that does not tell its width.
_USUAL_WIDTH = 80
#: Width of a pipe or a file: tables are as wide as they need to be.
_NO_LIMIT = 10_000
#: Prose in longer lines is hard to read, however wide the terminal is.
_WIDEST_PROSE = 100
#: Break lines between words, but neither between a number and its unit nor inside ``2 min 05 s``.
_BREAK = re.compile(
    r"(?!(?<=\d) +(?:[µm]?s|min|h|%|[kMGTP]?B)(?!\w))(?!(?<=\d min) +\d\d s(?!\w)|(?<=\d h) +\d\d min(?!\w)) +"
)
_MARK_STYLES = {"≈": "yellow", "°": "yellow", "✗": "red", "≠": "red", "✓": "green", "!": "yellow"}

#: A mark in the margin, and the text beside it.
Line = tuple[str, "Text"]


def standard_output() -> "Console":
    """Return a console on standard output. Its width has no limit without a terminal and without ``COLUMNS``.

    A character that the encoding lacks is printed as a question mark instead of an error at the end of a long run.
    """
    return _console_on(sys.stdout)


def standard_error() -> "Console":
    """Return the same on standard error, for runs whose standard output is for another program."""
    return _console_on(sys.stderr)


def _console_on(stream: TextIO) -> "Console":
    from rich.console import Console

    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")
    unknown = _USUAL_WIDTH if stream.isatty() else _NO_LIMIT
    width = _columns(stream) or shutil.get_terminal_size((unknown, 0)).columns
    return Console(file=stream, highlight=False, width=width)


def _columns(stream: TextIO) -> int:
    """Return the width of the terminal that ``stream`` writes to; 0 for the one of standard output or ``COLUMNS``."""
    if stream is sys.stdout or os.environ.get("COLUMNS") or not stream.isatty():
        return 0
    return os.get_terminal_size(stream.fileno()).columns


def unlimited() -> "Console":
    """Return a console that captures text for a file."""
    from rich.console import Console

    return Console(file=io.StringIO(), highlight=False, width=_NO_LIMIT)


def printable(text: str) -> str:
    """Return ``text`` with control characters escaped, so that a server's text cannot control the terminal."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def styled(*parts: "str | tuple[str, str]") -> "Text":
    """Join words, each with an optional style; nothing in them is read as markup."""
    from rich.text import Text

    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((printable(words), style) for words, style in pairs))


def print_lines(console: "Console", lines: Iterable["Text"]) -> None:
    """Print lines unchanged; a line that is wider than the terminal is neither cut nor broken."""
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=True)


def print_marked(console: "Console", lines: Iterable[Line]) -> None:
    """Print prose, wrapped, with a mark in its margin."""
    width = min(console.width, _WIDEST_PROSE) - 2
    for mark, words in lines:
        first, *others = wrapped(words, width)
        head = styled((f"{mark or ' '} ", _MARK_STYLES.get(mark, "")))
        print_lines(console, [head + first, *(styled("  ") + other for other in others)])


def wrapped(words: "Text", width: int) -> "list[Text]":
    """Break ``words`` into lines between its words. A word is never broken, even if it is wider than ``width``."""
    from rich.cells import cell_len

    plain, lines, start, end = words.plain, [], 0, 0
    for word_start, word_end in _words(plain):
        if end > start and cell_len(plain[start:word_end]) > width:
            lines.append(words[start:end])
            start = word_start
        end = word_end
    return [*lines, words[start:end]]


def _words(plain: str) -> list[tuple[int, int]]:
    """Return where each word begins and ends."""
    breaks = [found.span() for found in _BREAK.finditer(plain)]
    starts = [0, *(end for _, end in breaks)]
    ends = [*(start for start, _ in breaks), len(plain)]
    return list(zip(starts, ends, strict=True))
