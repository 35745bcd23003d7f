"""Exit status 0 when the Locust master counts this worker as connected: the health check of the worker's container.

A process that runs, or a connection that is open, can belong to a worker that the master gave up long ago; so the
master is asked. Standard library only.
"""

import json
import os
import socket
import sys
import urllib.request

TIMEOUT_S = 3.0
MISSING = "missing"


def complaint(workers: list[dict[str, str]], hostname: str) -> str | None:
    """Why the worker on ``hostname`` is not ready, or None. Locust names a worker after its host, then a number."""
    states = [worker["state"] for worker in workers if worker["id"].startswith(f"{hostname}_")]
    if not states:
        return f"the master does not know a worker on {hostname}"
    if all(state == MISSING for state in states):
        return f"the master misses the worker on {hostname}"
    return None


def main() -> str | None:
    """The complaint, for sys.exit."""
    url = os.environ["LOCUST_MASTER_WEB"] + "/stats/requests"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as reply:
            return complaint(json.load(reply).get("workers", []), socket.gethostname())
    except OSError as error:
        return f"{url}: {error}"


if __name__ == "__main__":
    sys.exit(main())
