"""Instruments for any ASGI app: middleware that measures its streams, and a separate port that exposes the metrics.

Imports ``prometheus_client`` and the catalog, never a web framework. Two lines instrument an app::

    app = StreamMetrics(app)
    serve_metrics(port=9101)
"""

from streamgauge.asgi.app_marks import count_rejected, mark_outcome
from streamgauge.asgi.exposition import MetricsPortError, MetricsServer, serve_metrics
from streamgauge.asgi.hangup import HangUpError
from streamgauge.asgi.instruments import Instruments
from streamgauge.asgi.metrics_directory import MultiprocessError
from streamgauge.asgi.middleware import StreamMetrics
from streamgauge.asgi.multiprocess import prepare_multiprocess

__all__ = [
    "HangUpError",
    "Instruments",
    "MetricsPortError",
    "MetricsServer",
    "MultiprocessError",
    "StreamMetrics",
    "count_rejected",
    "mark_outcome",
    "prepare_multiprocess",
    "serve_metrics",
]
