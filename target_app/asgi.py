"""The app for any server's command line, such as ``uvicorn target_app.asgi:app``. Its settings are the variables.

The server has the address, the number of workers, and the limits on buffers and sends of a connection: their settings
have no effect. With several workers, set ``PROMETHEUS_MULTIPROC_DIR`` to an empty directory, so that one page has the
metrics of all.
"""

from target_app.app import create_app
from target_app.instrumented import instrumented
from target_app.metrics_port import WithMetricsPort
from target_app.settings import read_settings

_settings = read_settings([])
app = WithMetricsPort(instrumented(create_app(_settings), _settings), _settings.metrics_port, _settings.metrics_host)
