"""What reports show, by its label: a table of an HTML page or of the terminal as rows of cells under their headings."""

import re
from html.parser import HTMLParser

Row = dict[str, str]


class Shown(HTMLParser):
    """The tables of a page by their headings, its terms with what is said of each, and its tooltips."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[Row]] = []
        self.terms: dict[str, list[str]] = {}
        #: What each tile at the top says, by its title.
        self.tiles: dict[str, list[str]] = {}
        self._tile: list[str] = []
        self.tooltips: list[str] = []
        self._rows: list[list[tuple[int, int]]] = []
        self._texts: list[list[str]] = []
        self._headings = 0
        self._open: list[str] | None = None
        self._term = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("title"):
            self.tooltips.append(str(found["title"]))
        if tag in ("h2", "p"):
            self._open = []
        elif tag == "table":
            self._rows, self._texts, self._headings = [], [], 0
        elif tag == "tr":
            self._rows.append([])
            self._texts.append([])
        elif tag in ("td", "th", "dt", "dd"):
            self._open = []
            if tag in ("td", "th"):
                self._rows[-1].append((int(found.get("rowspan") or 1), int(found.get("colspan") or 1)))
        elif self._open is not None:
            self._open.append(" ")

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open.append(data.replace("\N{SOFT HYPHEN}", ""))

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._open or ()).split())
        if tag == "h2":
            self._tile = self.tiles[text] = []
        elif tag in ("p", "dt", "dd"):
            self._tile.append(text)
        elif tag == "section":
            self._tile = []
        if tag in ("td", "th"):
            self._texts[-1].append(text)
        elif tag == "dt":
            self._term = text
        elif tag == "dd":
            self.terms.setdefault(self._term, []).append(text)
        elif tag == "thead":
            self._headings = len(self._rows)
        elif tag == "table":
            self._add_table()
        if tag in ("td", "th", "dt", "dd", "h2", "p"):
            self._open = None

    def _add_table(self) -> None:
        cells: dict[tuple[int, int], str] = {}
        for y, (row, texts) in enumerate(zip(self._rows, self._texts, strict=True)):
            x = 0
            for (height, width), text in zip(row, texts, strict=True):
                while (y, x) in cells:
                    x += 1
                cells |= {(y + down, x + right): text for down in range(height) for right in range(width)}
        columns = max(x for _, x in cells) + 1
        names = [
            " ".join(dict.fromkeys(cells[y, x] for y in range(self._headings) if cells[y, x])) for x in range(columns)
        ]
        body = range(self._headings, len(self._rows))
        self.tables.append([{name: cells[y, x] for x, name in enumerate(names)} for y in body])


def columns_of(text: str) -> list[Row]:
    """The first table in ``text`` that the terminal shows: its columns are flush right, their headings stand above."""
    lines = text.splitlines()
    rule = next(at for at, line in enumerate(lines) if line.startswith("──"))
    headings: dict[int, str] = {}
    for line in lines[:rule]:
        for end, words in _cells(line):
            headings[end] = f"{headings.get(end, '')} {words}".strip()
    rows = []
    end = next((at for at in range(rule + 1, len(lines)) if lines[at].startswith("──")), len(lines))
    while end < len(lines) and lines[end]:  # the heading of the next table
        end -= 1
    for line in lines[rule + 1 : end]:
        name, *cells = _cells(line) or [(0, "")]
        if cells:
            rows.append({"": name[1]} | {headings[end]: words for end, words in cells})
        elif line and not line.startswith(" "):
            break
    return rows


def _cells(line: str) -> list[tuple[int, str]]:
    """The words of each cell, and where it ends."""
    return [(found.end(), found[0]) for found in re.finditer(r"\S+(?: \S+)*", line)]


def ms(value_s: float) -> str:
    """A duration from 100 ms to 1 s as reports write it."""
    return f"{value_s * 1000:.0f} ms"


def joined(text: str) -> str:
    """Prose, which is wrapped, as one line."""
    return " ".join(text.split())
