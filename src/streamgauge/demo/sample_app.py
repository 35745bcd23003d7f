"""The sample app as a child process."""

import http.client
import json
from pathlib import Path

from streamgauge.demo.sample import environment
from streamgauge.runner.interrupt import Interrupt
from streamgauge.runner.ports import HOST, Port
from streamgauge.runner.process import Child, Children, python_module
from streamgauge.runner.service import Service, read


class SampleApp(Service):
    """The running sample app; it listens when the constructor returns."""

    def __init__(self, app: Port, metrics: Port, log: Path, children: Children, interrupt: Interrupt) -> None:
        """Start the app on these ports. Raises ChildError and Interrupted."""
        options = ("--host", HOST, "--port", app.number, "--metrics-port", metrics.number)
        self.process: Child = children.start("the app", python_module("target_app", *options), log, environment())
        found = self.process.until_ready(self._announcement, interrupt)
        super().__init__(found["url"], found["metrics_url"])

    def _announcement(self) -> dict[str, str] | None:
        """Return the addresses that the app has printed, or None until it answers there."""
        for line in self.process.output.splitlines():
            if line.startswith('{"event": "listening"'):
                found: dict[str, str] = json.loads(line)
                return found if _answers(found["url"] + "/healthz") else None
        return None


def _answers(url: str) -> bool:
    try:
        read(url, 5.0)
    except (OSError, http.client.HTTPException):
        return False
    return True
