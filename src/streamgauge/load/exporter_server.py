"""The client metrics' own port: a server in a thread and an event loop of its own, so that no scrape runs on the loop
that measures.
"""

import logging
from collections.abc import Callable
from typing import Any

from gevent.monkey import get_original
from gevent.pywsgi import WSGIServer

from streamgauge.exporter.page import WsgiApp

logger = logging.getLogger(__name__)


class MetricsPortError(OSError):
    """The port cannot be had. Its text says why."""


def serve(host: str, port: int, make_app: Callable[[], WsgiApp]) -> int:
    """Serve on ``host`` and ``port`` for as long as the process lives; 0 takes a free port. Returns the port.

    ``make_app`` is called in the server's thread: locks that gevent has patched belong to one event loop. Raises
    ``MetricsPortError``.
    """
    ready: Any = get_original("threading", "Lock")()  # a thread of gevent's making would be a greenlet of this loop
    found: list[int | str] = []
    ready.acquire()

    def run() -> None:
        try:
            server = WSGIServer((host, port), make_app(), log=None, error_log=logger)
            server.start()
        except (OSError, OverflowError) as error:
            found.append(getattr(error, "strerror", None) or str(error))
            return
        else:
            found.append(server.server_port)
        finally:
            ready.release()
        server.serve_forever()

    get_original("_thread", "start_new_thread")(run, ())
    ready.acquire()
    (outcome,) = found
    if isinstance(outcome, str):
        raise MetricsPortError(outcome)
    return outcome
