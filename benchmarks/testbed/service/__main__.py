"""Serves the app on a free port, printed in the first line. Several workers write their metrics to one directory."""

import os
import socket
import sys
import tempfile

import uvicorn
from uvicorn.supervisors import Multiprocess

from benchmarks.testbed.service import VARIABLE

if __name__ == "__main__":
    os.environ[VARIABLE], workers = sys.argv[1], int(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
    config = uvicorn.Config("benchmarks.testbed.service.app:app", workers=workers, log_level="error", access_log=False)
    config.timeout_graceful_shutdown = 1
    with tempfile.TemporaryDirectory() as directory:
        print(listener.getsockname()[1], flush=True)
        if workers == 1:
            uvicorn.Server(config).run([listener])
        else:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
            Multiprocess(config, [listener]).run()
