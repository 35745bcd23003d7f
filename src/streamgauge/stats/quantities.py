"""Declare quantities: each counter or distribution states once how it is exposed, stored and shown.

A class of statistics annotates each of its fields with a ``Counter`` or a ``Distribution``. All else derives from that:
merging, the messages of workers, ``result.json``, tables, reports and the exporter. A quantity that is scraped names
its metric of the catalog, which holds its help and unit.
"""

from dataclasses import dataclass, replace
from typing import get_type_hints

from streamgauge.catalog import CATALOG


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantity:
    field: str = ""
    """The field that holds it: ``quantities_of`` fills this in."""
    metric: str = ""
    """Its name in the catalog; empty if it is not scraped."""
    meaning: str = ""
    """A sentence that explains it; empty if the catalog's help does so."""
    heading: str = ""
    """Its column heading in tables, with soft hyphens; empty if tables leave it out."""
    by_second: bool = False
    """Whether the timeline has it for each second."""
    optional: bool = False
    """Whether only some streams have it: reports leave it out if none has, and a result holds None instead of a
    distribution without values."""
    whole: bool = False
    """Whether it is known once a stream has ended: the terminal shows it in the table of whole streams."""
    internal: bool = False
    """Whether results leave it out, because only the verdict or other figures need it."""

    @property
    def help(self) -> str:
        """A sentence that explains the quantity."""
        return self.meaning or CATALOG[self.metric].help

    @property
    def unit(self) -> str:
        """``bytes`` or ``seconds``; empty for a plain number."""
        if self.metric:
            return CATALOG[self.metric].unit
        return "seconds" if self.field.endswith("_s") else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter(_Quantity):
    """A number that only grows."""

    of_record: bool = False
    """Whether it grows at the end of each stream, by the field of the same name of the stream's record."""
    share_of: str = ""
    """The counter of which results show it as a share; empty if they show its value."""
    rated: bool = False
    """Whether tables show it per second too."""
    rank: int = 0
    """If a terminal is too narrow, the columns of the lowest rank are left out first."""
    greatest: bool = False
    """Whether merging keeps the greatest value instead of the sum."""
    alarming: bool = False
    """Whether reports mark a value other than 0."""
    remark: str = ""
    """The text in reports if it is not 0; ``{number}`` stands for the value, ``{times}`` for ``3 times``."""
    topic: str = ""
    """The common beginning of the remarks of several counters, which reports show once."""

    @property
    def key(self) -> str:
        """Its key in ``result.json``."""
        return f"{self.field}_share" if self.share_of else self.field


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution(_Quantity):
    """Times or sizes, counted by value."""

    title: str = ""
    """Its name in reports."""
    renamed: str = ""
    """Its key in ``result.json``, if it differs from the field's name."""
    tabled: bool = False
    """Whether the report shows its percentiles by name, in its table."""
    charted: bool = False
    """Whether it shows them as curves too."""
    aligned: bool = False
    """Whether its values contain the offset between two clocks; they merge only after the run is aligned."""

    @property
    def key(self) -> str:
        """Its key in ``result.json``."""
        return self.renamed or self.field


def quantities_of(kind: type) -> list[Counter | Distribution]:
    """Return the quantities that the fields of a class declare, in order. Raises KeyError for an unknown metric."""
    found: list[Counter | Distribution] = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for each in getattr(hint, "__metadata__", ()):
            if isinstance(each, Counter | Distribution):
                if each.metric:
                    CATALOG[each.metric]
                found.append(replace(each, field=name))
    return found
