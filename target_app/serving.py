"""The command: settings, the listening socket, and one worker in this process or several below a supervisor."""

import socket
import sys
from collections.abc import Sequence

from target_app.listener import listen
from target_app.settings import Settings, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C. The exit status is 2 for a wrong setting or a port in use."""
    settings = read_settings(arguments)
    try:
        listener = listen(settings)
    except OSError as error:
        return _refuse(f"--port {settings.port} on --host {settings.host}: {error.strerror or error}")
    with listener:
        return _serve(settings, listener)


def _serve(settings: Settings, listener: socket.socket) -> int:
    # Imported late: it is slow, and a wrong setting is reported before.
    from streamgauge.asgi import MetricsPortError, MultiprocessError
    from target_app.supervisor import WorkerError, supervise
    from target_app.worker import serve_alone

    try:
        (serve_alone if settings.workers == 1 else supervise)(settings, listener)
    except MetricsPortError as error:
        return _refuse(f"--metrics-port {settings.metrics_port}: {error}")
    except MultiprocessError as error:
        return _refuse(f"--workers {settings.workers}: {error}")
    except WorkerError as error:
        sys.stderr.write(f"target_app: {error}\n")
        return 1
    return 0


def _refuse(reason: str) -> int:
    sys.stderr.write(f"target_app: {reason}\n")
    return 2
