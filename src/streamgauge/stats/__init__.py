"""What a measurement is made of: records, outcomes, histograms, and clocks."""

from streamgauge.stats.histogram import Histogram
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord

__all__ = ["Histogram", "Outcome", "StreamRecord"]
