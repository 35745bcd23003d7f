"""Serves the live page of a run below Locust's web UI: charts, the files of the result, and the report."""

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import gevent
from flask import Blueprint, Response, jsonify, render_template_string, request
from locust.web import WebUI

from streamgauge import report
from streamgauge.load.run.reporting import ReportingRun
from streamgauge.load.web.live_charts import live_charts
from streamgauge.load.web.live_data import charts_data, rows, state_of
from streamgauge.load.web.streaming_tab import COLUMNS, KEY
from streamgauge.report.result import Result, json_text
from streamgauge.report.tables import STREAMS, TIMELINE, streams_csv, timeline_csv

logger = logging.getLogger(__name__)

_ROOM = Path(__file__).parent
#: The browser may keep plotly.js: its address has the version.
_DAY_S = 86_400
#: The page runs our own scripts only, and asks no other host for anything.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)
_NO_RUN = "No run has started yet. Start one on Locust's page, and load this page again.\n"
_FILES = {
    "live.js": (_ROOM / "live.js", "text/javascript"),
    "live.css": (_ROOM / "live.css", "text/css"),
    "report.css": (Path(report.__file__).with_name("report.css"), "text/css"),
}


def add_live_page(web_ui: WebUI, run: ReportingRun) -> None:
    """Serve the page at ``streaming/`` below the UI's own address, behind its login if it has one."""
    assert web_ui.app is not None
    ours, page = Blueprint("streamgauge", __name__), _LivePage(run)
    routes: dict[str, Callable[..., Any]] = {
        "/": page.page,
        "/data": page.data,
        "/verdict": page.verdict,
        f"/{STREAMS}": page.streams,
        f"/{TIMELINE}": page.timeline,
        "/result.json": page.result,
        "/report.html": page.report,
        "/static/<file>": page.file,
    }
    for path, view in routes.items():
        ours.add_url_rule(path, view.__name__, web_ui.auth_required_if_enabled(view))
    base = web_ui.app.blueprints["locust"].url_prefix or ""
    web_ui.app.register_blueprint(ours, url_prefix=f"{base.rstrip('/')}/{KEY}")


class _LivePage:
    """The views. Each shows the run under way, or else the last one."""

    def __init__(self, run: ReportingRun) -> None:
        self._run = run
        #: The report of the last run, and the run that it is about.
        self._report = ("", "")

    def page(self) -> Response:
        text = render_template_string(
            (_ROOM / "live.html.j2").read_text(encoding="utf-8"),
            charts=live_charts(),
            columns=COLUMNS,
            files=(STREAMS, TIMELINE, "result.json"),
            plotly=_plotly_version(),
        )
        return Response(text, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})

    def data(self) -> Response:
        shown = self._run.shown
        state = state_of(shown)
        if shown is None:
            return jsonify({"state": state})
        asked = request.args
        same = asked.get("run") == shown.run_id
        numbers = (asked.get(name, 0, int) if same else 0 for name in ("since", "step", "width"))
        charts = charts_data(shown, asked.get("name", ""), *numbers)
        return jsonify({"state": state, "rows": rows(shown), "charts": charts})

    def verdict(self) -> Response:
        return jsonify(state_of(self._run.shown))

    def streams(self) -> Response:
        return self._text(streams_csv, "text/csv", STREAMS)

    def timeline(self) -> Response:
        return self._text(timeline_csv, "text/csv", TIMELINE)

    def result(self) -> Response:
        return self._text(json_text, "application/json", "result.json")

    def report(self) -> Response:
        """Return the report of the run so far; the last one of a finished run is made once."""
        shown, result = self._run.shown, self._found()
        if shown is None or result is None:
            return Response(_NO_RUN, 404, content_type="text/plain; charset=utf-8")
        if self._report[0] == shown.run_id:
            return Response(self._report[1])
        from streamgauge.report.html import render  # plotly takes a while to import

        # In a thread of its own: the page takes a second, in which streams are read.
        page = gevent.get_hub().threadpool.apply(render, (result,))
        if shown.closed:
            self._report = shown.run_id, page
        return Response(page)

    def file(self, file: str) -> Response:
        """Return a script or style of the page; plotly.js comes from the installed package."""
        if file == "plotly.js":
            headers = {"Cache-Control": f"private, max-age={_DAY_S}"}
            return Response(_plotly(), content_type="text/javascript; charset=utf-8", headers=headers)
        if file not in _FILES:
            return Response("There is no such file.\n", 404, content_type="text/plain; charset=utf-8")
        path, kind = _FILES[file]
        return Response(path.read_bytes(), content_type=f"{kind}; charset=utf-8", headers={"Cache-Control": "no-cache"})

    def _found(self) -> Result | None:
        """Return the result of the last run, or what it would be if the run under way ended now."""
        shown = self._run.shown
        if shown is None or not shown.counted:
            return None
        return self._run.result if shown.closed else shown.result_so_far()

    def _text(self, write: Callable[[Result], str], kind: str, name: str) -> Response:
        result, shown = self._found(), self._run.shown
        if result is None or shown is None:
            return Response(_NO_RUN, 404, content_type="text/plain; charset=utf-8")
        headers = {"Content-Disposition": f'attachment; filename="{shown.run_id}-{name}"'}
        return Response(write(result), content_type=f"{kind}; charset=utf-8", headers=headers)


@cache
def _plotly() -> bytes:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).encode()


@cache
def _plotly_version() -> str:
    from importlib.metadata import version

    return version("plotly")
