"""Adds a Streaming tab to Locust's web UI, a bar with the verdict above it, and downloads.

Locust asks for its statistics every two seconds while a run goes on; the rows of the tab come with the answer.
"""

from collections.abc import Callable
from typing import Any

from flask import jsonify
from locust.web import WebUI

from streamgauge.load.run.reporting import ReportingRun
from streamgauge.load.web.live_charts import SHOWN_TIMES
from streamgauge.load.web.live_data import rows
from streamgauge.load.web.page_scripts import add_script

KEY = "streaming"
_STATISTICS = "locust.request_stats"
#: The columns of the tab; keys are those of ``live_data.rows``.
COLUMNS = (
    ("name", "Name"),
    ("protocol", "Protocol"),
    ("started", "Started"),
    ("active", "Under way"),
    ("outcomes", "Outcomes"),
    ("failed", "Failed"),
    *((f"{each.key}_{p}", f"{each.heading or each.title} {p}") for each in SHOWN_TIMES for p in ("p50", "p99")),
    ("start_delay_p99", "Start delay p99"),
    ("chunks_per_s", "Chunks/s"),
    ("chunks", "Chunks"),
    ("body", "Body"),
    ("stalls", "Stalls"),
)
#: The files of the downloads tab, below the live page.
_FILES = (
    ("streams.csv", "Download streams CSV (streamgauge)"),
    ("timeline.csv", "Download streams by second CSV (streamgauge)"),
    ("result.json", "Download result.json (streamgauge)"),
    ("report.html", "Open the streaming report (streamgauge)"),
)


def add_streaming_tab(web_ui: WebUI, run: ReportingRun) -> None:
    """Add the tab to ``web_ui``; it shows the run under way, or the last one."""
    assert web_ui.app is not None
    web_ui.template_args["extendedTabs"] = [
        *web_ui.template_args.get("extendedTabs", ()),
        {"title": "Streaming", "key": KEY},
    ]
    web_ui.template_args["extendedTables"] = [
        *web_ui.template_args.get("extendedTables", ()),
        {"key": KEY, "structure": [{"key": key, "title": title} for key, title in COLUMNS]},
    ]
    web_ui.template_args["extendedCsvFiles"] = [
        *web_ui.template_args.get("extendedCsvFiles", ()),
        *({"href": f"./{KEY}/{file}", "title": title} for file, title in _FILES),
    ]
    views = web_ui.app.view_functions
    views[_STATISTICS] = _with_rows(views[_STATISTICS], run)
    add_script(web_ui, "locust_page.js")


def _with_rows(statistics: Callable[[], Any], run: ReportingRun) -> Callable[[], Any]:
    def request_stats() -> Any:
        response = statistics()
        report = response.get_json(silent=True) if getattr(response, "is_json", False) else None
        if not isinstance(report, dict):
            return response
        shown = {"key": KEY, "data": rows(run.shown) if run.shown is not None else []}
        return jsonify({**report, "extended_stats": [*report.get("extended_stats", ()), shown]})

    request_stats.clear_cache = getattr(statistics, "clear_cache", lambda: None)  # type: ignore[attr-defined]
    return request_stats
