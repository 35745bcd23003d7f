"""Keeps Locust's web UI polling while a run begins and while it ends.

The UI asks for statistics only while the state is ``spawning`` or ``running``. While streams drain, for up to the stop
timeout, the state is ``stopping``, or ``cleanup`` in one process: the UI would show this state until it is reloaded.
Users still run then, so we tell the UI ``running``.

Locust answers START before the run begins, which takes as long as listeners to its start do. By the state until then,
``ready`` or ``stopped``, the UI would assume that no run is under way and show the form again: we tell it ``spawning``.
It caches each answer on statistics for two seconds, which would hide the end of a run that is shorter.
"""

from collections.abc import Callable
from typing import Any

from flask import jsonify
from locust.env import Environment
from locust.runners import (
    STATE_CLEANUP,
    STATE_INIT,
    STATE_RUNNING,
    STATE_SPAWNING,
    STATE_STOPPED,
    STATE_STOPPING,
    MasterRunner,
)
from locust.web import WebUI

_STATISTICS, _SWARM, _STOP = "locust.request_stats", "locust.swarm", "locust.stop"
#: What the UI is told instead of a state of Locust's.
_ENDING = dict.fromkeys((STATE_STOPPING, STATE_CLEANUP), STATE_RUNNING)
_BEGINNING = dict.fromkeys((STATE_INIT, STATE_STOPPED), STATE_SPAWNING)


class _Beginning:
    """Whether START was pressed for a run that, as far as the UI knows, has not begun yet."""

    def __init__(self, environment: Environment) -> None:
        self._environment, self._asked = environment, False

    def is_asked(self) -> None:
        """Note that START was pressed."""
        self._asked = True

    def is_over(self) -> None:
        """Note that the UI was told of the run, or that there is none."""
        self._asked = False

    @property
    def lasts(self) -> bool:
        """Whether the run still has to begin. Without workers it never does."""
        runner = self._environment.runner
        return self._asked and not (isinstance(runner, MasterRunner) and not runner.worker_count)


def keep_polling(environment: Environment, web_ui: WebUI) -> None:
    """Keep the UI polling until the run has stopped."""
    assert web_ui.app is not None
    views, beginning = web_ui.app.view_functions, _Beginning(environment)
    statistics: Any = views[_STATISTICS]
    swarm, stop = views[_SWARM], views[_STOP]

    def start() -> Any:
        answer: Any = swarm()
        if getattr(answer, "is_json", False) and answer.json.get("success"):
            beginning.is_asked()
        statistics.clear_cache()
        return answer

    def is_over(**_: Any) -> None:
        beginning.is_over()
        statistics.clear_cache()

    def end() -> Any:
        answer = stop()
        is_over()
        return answer

    environment.events.test_stop.add_listener(is_over)
    views.update({_STATISTICS: _told(statistics, beginning), _SWARM: start, _STOP: end})


def _text(response: Any) -> bytes:
    return bytes(response.get_data()) if hasattr(response, "get_data") else b""


def _report(response: Any) -> dict[str, Any]:
    found = response.get_json(silent=True)
    return found if isinstance(found, dict) else {}


def _told(statistics: Callable[[], Any], beginning: _Beginning) -> Callable[[], Any]:
    def request_stats() -> Any:
        response = statistics()  # it may be cached, so read the state from its text and not from the runner
        told = _ENDING | _BEGINNING if beginning.lasts else _ENDING
        report = _report(response) if any(f'"{state}"'.encode() in _text(response) for state in told) else {}
        if report.get("state") in told:
            return jsonify({**report, "state": told[report["state"]]})
        beginning.is_over()
        return response

    return request_stats
