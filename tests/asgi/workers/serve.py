"""Serve the app with several workers: ``python serve.py PARSER WORKERS``. Print the addresses as one line of JSON."""

import json
import socket
import sys
from pathlib import Path

import uvicorn
from uvicorn.supervisors import Multiprocess

from streamgauge.asgi import prepare_multiprocess, serve_metrics

if __name__ == "__main__":
    parser, workers = sys.argv[1:]
    prepare_multiprocess()
    sys.path.insert(0, str(Path(__file__).parent))
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    config = uvicorn.Config("measured:app", http=parser, workers=int(workers), log_level="critical")
    config.timeout_graceful_shutdown = 1
    # Long enough for a worker on a busy machine. uvicorn waits that long in vain if a worker is killed meanwhile.
    config.timeout_worker_healthcheck = 15
    with serve_metrics(0, "127.0.0.1") as metrics:
        print(json.dumps({"port": listener.getsockname()[1], "metrics": metrics.url}), flush=True)
        Multiprocess(config, [listener]).run()
