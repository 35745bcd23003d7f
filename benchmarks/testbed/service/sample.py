"""Serves the sample app with the middleware or without it: ``python -m benchmarks.testbed.service.sample INSTRUMENT``.

Prints its port in the first line. All else is the same in both: guards, connections, compression.
"""

import sys
from typing import Any
from urllib.parse import urlsplit

from benchmarks.testbed.service import BARE
from target_app import serving, worker


def print_port(**event: Any) -> None:
    if event.get("event") == "listening":
        print(urlsplit(event["url"]).port, flush=True)


def without(app: Any, **_: Any) -> Any:
    return app


if __name__ == "__main__":
    vars(worker)["print_event"] = print_port
    if sys.argv[1] == BARE:
        vars(worker)["StreamMetrics"] = without
    sys.exit(serving.main(["--port", "0", "--metrics-port", "0", "--log-level", "warning"]))
