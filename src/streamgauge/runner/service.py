"""Read the metrics of a service under test."""

import http.client
import time
from urllib.parse import urlsplit

from streamgauge.runner.ports import HOST

_REST_S = 15.0
_SCRAPE_S = 30.0
_ACTIVE = "stream_server_active"


class Service:
    """A service under test that exposes the metrics of ``streamgauge.asgi``."""

    def __init__(self, url: str, metrics_url: str) -> None:
        self.url = url
        self.metrics_url = metrics_url

    def scrape(self) -> str:
        """Return the metrics. Raises OSError or HTTPException if they cannot be read."""
        return read(self.metrics_url)

    def scrape_at_rest(self) -> str:
        """Return the metrics once no stream is active: a service needs a moment to notice disconnected clients."""
        deadline_s = time.monotonic() + _REST_S
        while _active(text := self.scrape()) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        return text


def _active(metrics: str) -> float:
    lines = (line for line in metrics.splitlines() if line.startswith(_ACTIVE))
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def read(url: str, timeout_s: float = _SCRAPE_S) -> str:
    """Read a body directly, never through a proxy. Raises OSError or HTTPException."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or HOST, parts.port, timeout=timeout_s)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        body = response.read().decode()
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise http.client.HTTPException(f"{url} answered {response.status}")
    return body
