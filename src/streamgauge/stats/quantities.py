"""What is counted of streams, declared: a counter or a distribution says once how it is exposed, stored and shown.

A class of statistics annotates each of its fields with a ``Counter`` or a ``Distribution``, and everything else derives
from that: merging, what workers send, ``result.json``, tables, reports and the exporter. A quantity that is scraped
names its metric of the catalog, which has its help and its unit.
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
    """What it is, in a sentence; empty if the catalog's help says it."""
    heading: str = ""
    """How tables call it, with soft hyphens; empty if they leave it out."""
    by_second: bool = False
    """The timeline has it for each second."""
    internal: bool = False
    """The verdict or other figures need it: results leave it out."""

    @property
    def help(self) -> str:
        """What it is, in a sentence."""
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
    """It grows at the end of each stream, by the field of the same name of its record."""
    share_of: str = ""
    """Results hold it as a share of this other counter."""
    rank: int = 0
    """If a terminal is too narrow, the columns of the lowest rank are left out first."""
    greatest: bool = False
    """Values do not add up: of several, the greatest counts."""
    alarming: bool = False
    """Reports mark a value other than 0."""
    remark: str = ""
    """How reports say it in words if it is not 0; ``{number}`` stands for it, ``{times}`` for ``3 times``."""
    topic: str = ""
    """What the remarks of several counters have in common, which is said first and once."""

    @property
    def key(self) -> str:
        """Its key in ``result.json``."""
        return f"{self.field}_share" if self.share_of else self.field


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution(_Quantity):
    """Times or sizes, of which there are counts by value."""

    title: str = ""
    """Its name in reports."""
    renamed: str = ""
    """Its key in ``result.json``, if that is not its field's name."""
    optional: bool = False
    """A result holds None if there are no values."""
    charted: bool = False
    """The report has its percentiles by name, in a table and as curves."""
    aligned: bool = False
    """Its values hold the offset between two clocks until a whole run is aligned: they do not merge before that."""

    @property
    def key(self) -> str:
        """Its key in ``result.json``."""
        return self.renamed or self.field


def quantities_of(kind: type) -> list[Counter | Distribution]:
    """Find the quantities that the fields of a class declare, in their order. Raises KeyError for an unknown metric."""
    found: list[Counter | Distribution] = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for each in getattr(hint, "__metadata__", ()):
            if isinstance(each, Counter | Distribution):
                if each.metric:
                    CATALOG[each.metric]
                found.append(replace(each, field=name))
    return found
