"""Where runs start and end, marked on every chart: asked of Prometheus, so that no token is needed to write them."""

from monitoring.config import GENERATOR_METRIC, SCRAPE_INTERVAL_S
from monitoring.panels import DATASOURCE, Json
from monitoring.promql import family

RUN_INFO = family("stream_client_run_info", "gauge").name
RUN_START = family("stream_client_run_start_timestamp_seconds", "gauge").name

#: The runs that the variable selects, of every load generator: a server's dashboard selects no generator's job.
_CHOSEN = '{run_id=~"$run"}'


def run_start() -> str:
    """When each run started, in milliseconds; kept for a window, so that a short run meets a step of the query."""
    return f"last_over_time({RUN_START}{_CHOSEN}[$__rate_interval]) * 1000"


def run_end() -> str:
    """When each run last had users, in milliseconds, once it has none any more."""
    under_way = f"{GENERATOR_METRIC} > 0"
    last = f"timestamp({under_way}) * on (job, instance) group_left (run_id, scenario, host) {RUN_INFO}{_CHOSEN}"
    return (
        f"max_over_time(({last})[$__rate_interval:{SCRAPE_INTERVAL_S}s]) * 1000 unless on (job, instance) ({under_way})"
    )


def run_annotations() -> list[Json]:
    """The marks at the starts and ends of runs. The series' value is the time, so the mark is exact at any zoom."""
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
