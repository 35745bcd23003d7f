"""What a scrape is made of: label values and numbers by metric, and the labels of a run."""

from typing import NamedTuple

from streamgauge.exporter.counts import Buckets

Value = int | float | Buckets
LabelledValues = list[tuple[tuple[str, ...], Value]]
#: By metric, the values of its label sets.
Readings = dict[str, LabelledValues]


class RunLabels(NamedTuple):
    """Which run it is, in the catalog's order of labels."""

    run_id: str
    scenario: str
    host: str
