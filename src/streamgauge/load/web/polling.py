"""Keeps Locust's web UI polling while a run ends.

The UI asks for statistics only while the state is ``spawning`` or ``running``. While streams drain, for up to the stop
timeout, the state is ``stopping``, or ``cleanup`` in one process: the UI would show this state until it is reloaded.
Users still run then, so we tell the UI ``running``.

Locust answers START before the run begins, and caches each answer on statistics for two seconds. With an answer from
before the run, the UI would assume that no run is under way and show the form again.
"""

import time
from collections.abc import Callable
from typing import Any

import gevent
from flask import jsonify
from locust.env import Environment
from locust.runners import (
    STATE_CLEANUP,
    STATE_INIT,
    STATE_RUNNING,
    STATE_STOPPED,
    STATE_STOPPING,
    MasterRunner,
)
from locust.web import WebUI

_STATISTICS, _SWARM = "locust.request_stats", "locust.swarm"
_ENDING = (STATE_STOPPING, STATE_CLEANUP)
_IDLE = (STATE_INIT, STATE_STOPPED)
#: Longest time that the answer to START waits for the run to begin, in seconds. Listeners of its start may take long.
START_S = 30.0


def keep_polling(environment: Environment, web_ui: WebUI) -> None:
    """Keep the UI polling until the run has stopped."""
    assert web_ui.app is not None
    views = web_ui.app.view_functions
    statistics: Any = views[_STATISTICS]
    swarm = views[_SWARM]
    views[_STATISTICS] = _while_ending(statistics)

    def start() -> Any:
        answer: Any = swarm()
        if getattr(answer, "is_json", False) and answer.json.get("success"):
            _wait_for_start(environment)
        statistics.clear_cache()
        return answer

    views[_SWARM] = start


def _wait_for_start(environment: Environment) -> None:
    """Wait until the run has begun, but at most ``START_S``; not at all without workers, since it never begins then."""
    runner, deadline_s = environment.runner, time.monotonic() + START_S
    while runner is not None and runner.state in _IDLE and time.monotonic() < deadline_s:
        if isinstance(runner, MasterRunner) and not runner.worker_count:
            return
        gevent.sleep(0.01)


def _while_ending(statistics: Callable[[], Any]) -> Callable[[], Any]:
    def request_stats() -> Any:
        response = statistics()  # it may be cached, so read the state from its text and not from the runner
        text = response.get_data() if hasattr(response, "get_data") else b""
        if not any(f'"{state}"'.encode() in text for state in _ENDING):
            return response
        report = response.get_json(silent=True)
        if not isinstance(report, dict) or report.get("state") not in _ENDING:
            return response
        return jsonify({**report, "state": STATE_RUNNING})

    return request_stats
