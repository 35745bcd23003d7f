"""The service under test as its own metrics show it, where it has any."""

import http.client
import socket
from urllib.parse import urlsplit, urlunsplit

from streamgauge.report.live_display import Display
from streamgauge.runner.service import Service, read

SAMPLE_METRICS = "http://app:9101/metrics"


class Target(Service):
    """A service of one or more replicas, each of which has its metrics at one address of the same name."""

    @classmethod
    def of(cls, url: str, metrics_url: str, display: Display) -> "Target | None":
        """The service, or None where there are no metrics to be had, which is said."""
        if not metrics_url:
            display.say("No server's own view: TARGET_METRICS names no metrics of the service.")
            return None
        target = cls(url, metrics_url)
        try:
            target.scrape()
        except (OSError, http.client.HTTPException) as error:
            display.warn(f"No server's own view: {metrics_url} cannot be read: {error}")
            return None
        return target

    def scrape(self) -> str:
        """The metrics of all replicas, one after another."""
        parts = urlsplit(self.metrics_url)
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, socket.AF_INET, socket.SOCK_STREAM)
        addresses = sorted({f"{host}:{port}" for *_, (host, port) in found})
        return "".join(read(urlunsplit(parts._replace(netloc=address))) for address in addresses)
