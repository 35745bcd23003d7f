"""The sample app as a child process: its start, its metrics, its end."""

import http.client
import json
import time
from urllib.parse import urlsplit

from streamgauge.demo.demo_plan import Plan
from streamgauge.demo.sample import environment
from streamgauge.runner.interrupt import Interrupt, Interrupted
from streamgauge.runner.ports import HOST
from streamgauge.runner.process import Child, ChildError, Children
from streamgauge.runner.runs import discard

_START_S = 60.0
_REST_S = 15.0
_SCRAPE_S = 30.0
_ACTIVE = "stream_server_active"


class Service:
    """A service under test that exposes the metrics of ``streamgauge.asgi``."""

    def __init__(self, url: str, metrics_url: str) -> None:
        self.url = url
        self.metrics_url = metrics_url

    def scrape(self) -> str:
        """Its metrics. Raises OSError or HTTPException where they cannot be had."""
        return read(self.metrics_url)

    def scrape_at_rest(self) -> str:
        """Its metrics once no stream is active: where clients hung up, it takes a moment to see that."""
        deadline_s = time.monotonic() + _REST_S
        while _active(text := self.scrape()) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        return text


class SampleApp(Service):
    """The app, which listens once this is made."""

    def __init__(self, plan: Plan, children: Children, interrupt: Interrupt) -> None:
        ports = plan.ports
        arguments = ["--host", HOST, "--port", str(ports.app.number), "--metrics-port", str(ports.metrics.number)]
        self.process: Child = children.start("the app", "target_app", arguments, plan.log("app"), environment())
        super().__init__(*self._await_start(interrupt))

    def _await_start(self, interrupt: Interrupt) -> tuple[str, str]:
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s:
            if interrupt.asked:
                self.process.end()
                discard(self.process.log)
                raise Interrupted
            if not self.process.running:
                raise ChildError(f"the app ended at its start, with status {self.process.end()}", self.process)
            if (found := self._announcement()) and _answers(found["url"] + "/healthz"):
                return found["url"], found["metrics_url"]
            time.sleep(0.05)
        raise ChildError(f"the app was not ready after {_START_S:g} s", self.process)

    def _announcement(self) -> dict[str, str] | None:
        for line in self.process.log.read_text(errors="replace").splitlines():
            if line.startswith('{"event": "listening"'):
                found: dict[str, str] = json.loads(line)
                return found
        return None


def _active(metrics: str) -> float:
    lines = (line for line in metrics.splitlines() if line.startswith(_ACTIVE))
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def _answers(url: str) -> bool:
    try:
        read(url, 5.0)
    except (OSError, http.client.HTTPException):
        return False
    return True


def read(url: str, timeout_s: float = _SCRAPE_S) -> str:
    """Read a body, straight from its address and never through a proxy. Raises OSError or HTTPException."""
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
