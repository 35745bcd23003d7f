"""The data of a measurement: records, outcomes, histograms, and clocks."""

from streamgauge.stats.histogram import Histogram
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord

__all__ = ["Histogram", "Outcome", "StreamRecord"]
