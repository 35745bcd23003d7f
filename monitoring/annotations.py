"""Marks on every chart where runs start and end: queried from Prometheus, so that no token is needed to write them."""

from monitoring.config import SCRAPE_INTERVAL_S
from monitoring.panels import DATASOURCE, Json
from monitoring.promql.runs import run_end, run_start


def run_annotations() -> list[Json]:
    """Build the marks. The series' value is the time, so the mark is exact at any zoom."""
    return [
        _annotation("Run starts", run_start(), "green", "{{run_id}} starts"),
        _annotation("Run ends", run_end(), "purple", "{{run_id}} ends"),
    ]


def _annotation(name: str, expression: str, colour: str, title: str) -> Json:
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "expr": expression,
        "step": f"{SCRAPE_INTERVAL_S}s",
        "titleFormat": title,
        "textFormat": "{{scenario}} against {{host}}",
        "tagKeys": "run_id",
        "useValueForTime": True,
    }
