"""What a measurement is made of: records, outcomes, histograms, clocks, and the verdict on the generator itself."""

from streamgauge.measure.histogram import Histogram
from streamgauge.measure.outcome import Outcome
from streamgauge.measure.record import StreamRecord

__all__ = ["Histogram", "Outcome", "StreamRecord"]
