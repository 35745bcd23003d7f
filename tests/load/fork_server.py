"""Loads Locust once, then forks a process that runs it for each command line on standard input.

``import locust`` and what stands below ``streamgauge.load`` take most of the CPU time of a short run. A process that
is forked here is Locust as ``python -m locust`` starts it, with its own arguments, environment, directory, group and
output. ``streamgauge.load`` and the exporter are not loaded: they are imported in each process, as by any locustfile.
Requests and answers are lines of JSON: ``start`` gives a ``pid``, and ``reap`` the ``status`` of that process.
"""

import contextlib
import gc
import inspect
import json
import os
import random
import runpy
import signal
import sys

import gevent.os
import locust.main  # noqa: F401
from gevent import monkey

import streamgauge.client.session
import streamgauge.verdict.slo.judgement
import streamgauge.verdict.steady.measured_run
import streamgauge.wire.formats  # noqa: F401
from streamgauge.report import html

#: gevent's own waits for children in its event loop, which must not exist before a fork.
_wait = monkey.get_original("os", "waitpid")


def become_locust(asked):
    """Make this process what a new one would be, and run Locust to its end."""
    os.setsid()
    for descriptor, path, flags in ((0, os.devnull, os.O_RDONLY), (1, asked["log"], os.O_WRONLY)):
        opened = os.open(path, flags)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.dup2(1, 2)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    random.seed()
    sys.argv = ["locust", *asked["arguments"]]
    runpy.run_module("locust", run_name="__main__", alter_sys=True)


def main():
    """Answer until standard input ends; then kill what still runs."""
    for what_each_run_would_do in (html._template, html._plotly, html._plotly_hash, inspect.stack, gc.freeze):
        what_each_run_would_do()
    running = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if "reap" in asked:
            _, status = _wait(asked["reap"], 0)
            running.remove(asked["reap"])
            answer = {"status": os.waitstatus_to_exitcode(status)}
        elif pid := gevent.os.fork_gevent():
            running.add(pid)
            answer = {"pid": pid}
        else:
            return become_locust(asked["start"])
        print(json.dumps(answer), flush=True)
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return None


if __name__ == "__main__":
    main()
