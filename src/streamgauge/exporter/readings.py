"""The content of a scrape: label values and numbers by metric, and the labels of a run."""

from typing import NamedTuple

from streamgauge.exporter.counts import Buckets

Value = int | float | Buckets
LabelledValues = list[tuple[tuple[str, ...], Value]]
#: The values of each metric's label sets, by metric.
Readings = dict[str, LabelledValues]


class RunLabels(NamedTuple):
    """The labels of a run, in the catalog's order."""

    run_id: str
    scenario: str
    host: str
