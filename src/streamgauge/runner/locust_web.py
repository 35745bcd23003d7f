"""A client of Locust's web UI, which uses the same requests as its page. Standard library only."""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

TIMEOUT_S = 10.0
#: The states of a master without a run.
IDLE = ("ready", "stopped")

#: Ignores the proxy settings of the environment.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

#: The fields of a form, in order; a name can occur more than once.
Form = list[tuple[str, str]]


class LocustWebError(Exception):
    """Raised if the master cannot be reached or refuses a request."""


class LocustWeb:
    """Locust's web UI at ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def ask(self, path: str, form: Form | None = None, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
        """Send GET, or POST with a form; return the JSON object of the answer. Raises LocustWebError."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            with _DIRECT.open(self.url + path, data, timeout_s) as reply:
                answer: dict[str, Any] = json.load(reply)
        except (OSError, ValueError) as error:
            raise LocustWebError(f"{self.url}{path}: {error}") from error
        if answer.get("success") is False:
            raise LocustWebError(str(answer.get("message")))
        return answer

    def start(self, form: Form) -> None:
        """Start a run with the values of the form."""
        self.ask("/swarm", form)

    def stop(self, grace_s: float) -> None:
        """Stop the run. Locust answers once its streams have ended."""
        self.ask("/stop", [], grace_s)

    def stats(self) -> dict[str, Any]:
        """Return the figures that Locust's own page shows."""
        return self.ask("/stats/requests")
