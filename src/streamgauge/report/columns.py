"""Fits a table to a terminal: shortens names in their middle, then drops whole columns, and never cuts a number."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.text import Text

#: Drop a column before shortening names below this many cells.
_SHORTEST_NAME = 20
#: Share of a shortened name that is its beginning; the later values are tried if names would look alike.
_BEGINNINGS = (0.6, 0.8, 0.4, 0.2)
#: Blanks between columns: two, or one if that saves a column.
_GAPS = (2, 1)


class Column(NamedTuple):
    """A column whose values are shown whole or not at all."""

    heading: str
    """May have several lines."""
    importance: int
    """The column with the smallest importance is dropped first."""
    left: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """A table at one width."""

    lines: "list[Text]"
    dropped: list[str]
    """The headings of the columns that had no room, in the order in which they were dropped."""


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    below: "Sequence[Text]"
    cells: "Sequence[Text]"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Widths, in the terminal's cells."""

    name: int
    kept: list[tuple[int, int]]
    """The positions of the shown columns, with their widths."""
    gap: int

    @property
    def width(self) -> int:
        return self.name + sum(self.gap + width for _, width in self.kept)


class Table:
    """Rows of a name, with lines below it that are never shortened, and one cell for each column."""

    def __init__(self, heading: str, columns: Sequence[Column]) -> None:
        self._heading = heading
        self._columns = columns
        self._rows: list[_Row | None] = []

    def add(self, name: str, cells: "Sequence[Text]" = (), below: "Sequence[Text]" = ()) -> None:
        """Add a row; a row without cells is a remark."""
        self._rows.append(_Row(name, below, cells))

    def add_space(self) -> None:
        """Add an empty line before the next row."""
        self._rows.append(None)

    def fit(self, width: int) -> Fitted:
        """Lay the table out in ``width`` cells of the terminal."""
        widths = [self._width(at) for at in range(len(self._columns))]
        order = sorted(range(len(self._columns)), key=lambda at: self._columns[at].importance)
        longest, least = self._name_widths(width)
        for count in range(len(order)):
            kept = sorted(order[count:])
            for gap in _GAPS:
                room = width - sum(widths[at] + gap for at in kept)
                if room >= least:
                    layout = _Layout(min(longest, room), [(at, widths[at]) for at in kept], gap)
                    return self._fitted(layout, order[:count])
        return self._fitted(_Layout(min(longest, max(least, width)), [], 0), order)

    def _width(self, at: int) -> int:
        from rich.cells import cell_len

        cells = [row.cells[at].cell_len for row in self._rows if row and row.cells]
        return max([*map(cell_len, self._columns[at].heading.split("\n")), *cells])

    def _name_widths(self, width: int) -> tuple[int, int]:
        """Return the width that shows all names whole, and the smallest that tells them apart (up to half of it)."""
        from rich.cells import cell_len

        rows = [row for row in self._rows if row]
        fixed = max([cell_len(self._heading), *(line.cell_len for row in rows for line in row.below)])
        names = {row.name for row in rows}
        longest = max([fixed, *map(cell_len, names)])
        least = min(_SHORTEST_NAME, longest)
        while least < min(longest, width // 2) and len(set(self._shortened(least).values())) < len(names):
            least += 1
        return longest, max(fixed, least)

    def _shortened(self, width: int) -> dict[str, str]:
        """Shorten each name to at most ``width`` cells, in the way that makes the fewest names look alike."""
        names = {row.name for row in self._rows if row}
        ways = ({name: shortened(name, width, beginning) for name in names} for beginning in _BEGINNINGS)
        return max(ways, key=lambda way: len(set(way.values())))

    def _fitted(self, layout: _Layout, dropped: Sequence[int]) -> Fitted:
        from rich.text import Text

        names = self._shortened(layout.name)
        lines = [*self._head(layout), Text("─" * layout.width)]
        for row in self._rows:
            if row is None:
                lines.append(Text())
            else:
                lines += [self._line(layout, names[row.name], row.cells), *row.below]
        return Fitted(lines, [self._columns[at].heading.replace("\n", " ") for at in dropped])

    def _head(self, layout: _Layout) -> "list[Text]":
        from rich.text import Text

        kept = {at for at, _ in layout.kept}
        headings = [each.heading if at in kept else "" for at, each in enumerate(self._columns)]
        # Align headings at the bottom line.
        upwards = [reversed(heading.split("\n")) for heading in (self._heading, *headings)]
        rows = [*zip_longest(*upwards, fillvalue="")][::-1]
        return [self._line(layout, name, [Text(cell, "bold") for cell in cells], "bold") for name, *cells in rows]

    def _line(self, layout: _Layout, name: str, cells: "Sequence[Text]", style: str = "") -> "Text":
        from rich.text import Text

        line = Text().append(name, style)
        filled = line.cell_len
        line.append(" " * (layout.name - filled))
        for at, width in layout.kept if cells else ():
            blanks = " " * (width - cells[at].cell_len)
            left = self._columns[at].left
            line.append(" " * layout.gap + ("" if left else blanks)).append_text(cells[at]).append(
                blanks if left else ""
            )
        line.rstrip()
        return line


def shortened(name: str, width: int, beginning: float = _BEGINNINGS[0]) -> str:
    """Return ``name`` in at most ``width`` cells of the terminal; replace its middle by an ellipsis if it is longer."""
    from rich.cells import cell_len

    if cell_len(name) <= width:
        return name
    head = tail = ""
    head_width = int((width - 1) * beginning)
    for each in name:
        if cell_len(head + each) > head_width:
            break
        head += each
    for each in reversed(name[len(head) :]):
        if cell_len(f"{head}…{each}{tail}") > width:
            break
        tail = each + tail
    return f"{head}…{tail}"
