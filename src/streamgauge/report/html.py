"""Writes the HTML report of a run: one file with its charts, styles and scripts inside, so it needs no network."""

import base64
import hashlib
import heapq
import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamgauge.report import calibration_text, slo_text, sums, units, verdict_text
from streamgauge.report.agreement import agreement, side_by_side
from streamgauge.report.arrival_text import fate, rates
from streamgauge.report.charts import over_time
from streamgauge.report.chunk_delay import clock_words
from streamgauge.report.counter_text import COLUMNS, WHOLE_COLUMNS, counted, counted_in, generator_rows, remarks
from streamgauge.report.distribution import distributions
from streamgauge.report.downloads import FILES, carried, packed
from streamgauge.report.enough_text import SCARCE_MEANS, mark, scarce_notes
from streamgauge.report.headline import tiles
from streamgauge.report.history_charts import history_charts
from streamgauge.report.lines import name_of
from streamgauge.report.result import SCHEMA, SLOW_BY, NamedStreams, Result
from streamgauge.report.server_view import AT_MOST, ServerView
from streamgauge.report.spans import spans_words
from streamgauge.report.steady_text import steady_words, warm_up_words
from streamgauge.report.summary import summary_of
from streamgauge.report.tokens import token_words
from streamgauge.stats.stream_quantities import DISTRIBUTIONS

if TYPE_CHECKING:
    from jinja2 import Template

FILE_NAME = "report.html"
_ROOM = Path(__file__).parent
#: So many names have their slowest streams on the page; ``result.json`` has all.
_MOST_SLOW_NAMES = 8
#: What each measure of slowness is called in a slow stream.
_SLOW_BY_FIELD = dict(zip(SLOW_BY, ("time_to_first_chunk", "longest_interval"), strict=True))
_METRICS = tuple(each for each in DISTRIBUTIONS.values() if each.tabled)


def write_report(result: Result, directory: Path, server: ServerView | None = None) -> Path:
    """Write ``report.html`` below ``directory``, whole or not at all, and return its path."""
    page = render(result, server)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / FILE_NAME
    unfinished = path.with_suffix(".html.part")
    unfinished.write_text(page, encoding="utf-8", errors="replace")  # the name of a locustfile need not be valid text
    return unfinished.rename(path)


def render(result: Result, server: ServerView | None = None) -> str:
    """Return the report as one HTML document; ``server`` adds the server's own view of the run.

    Raises ResultError if a histogram of the result cannot be decoded.
    """
    time_charts, percentile_charts = [*over_time(result), *history_charts(result)], distributions(result)
    charts = [*time_charts, *percentile_charts]
    files = carried(result)
    figures = {chart["key"]: chart["figure"] for chart in charts}
    drawing = {"plotly.js": _plotly(), "figures.json": packed(_json(figures))} if charts else {}
    script = _read("report.js")
    return _template().render(
        result=result,
        with_slowest=_with_slowest(result["streams"]),
        totals=sums.totals(result["streams"]),
        metrics=_shown_metrics(result),
        counters=counted_in(result, (*COLUMNS, *WHOLE_COLUMNS)),
        server=server,
        routes=side_by_side(result, server) if server else [],
        agreement=(server["agreement"] or agreement(result, server)) if server else [],
        time_charts=time_charts,
        percentile_charts=percentile_charts,
        tiles=tiles(result),
        packed=_json({**drawing, **files}),
        downloads={name: name in files for name in FILES},
        script=script,
        script_hashes=[_hash(script), *([_plotly_hash()] if charts else [])],
        style=_read("report.css"),
        schema=SCHEMA,
    )


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(_ROOM),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bucket": units.bucket,
        "bytes": units.size,
        "duration": units.duration,
        "estimate": units.estimate,
        "failed": sums.failed,
        "failure_ratio": sums.failure_ratio,
        "floors": calibration_text.floors,
        "load_of": calibration_text.load_of,
        "number": units.number,
        "ordered": sums.ordered,
        "rate": units.rate,
        "ago": calibration_text.age,
        "share": units.share,
        "when": _when,
    }
    environment.globals |= {
        "clock_words": clock_words,
        "counted": counted,
        "remarks": remarks,
        "any_uncertain": _any_uncertain,
        "mark": mark,
        "scarce_means": SCARCE_MEANS,
        "scarce_notes": scarce_notes,
        "spans_words": spans_words,
        "steady_words": steady_words,
        "warm_up_words": warm_up_words,
        "uncertain_means": verdict_text.UNCERTAIN_MEANS,
        "arrival_fate": fate,
        "arrival_rates": rates,
        "at_most": AT_MOST,
        "failures": sums.FAILURES,
        "generator_rows": generator_rows,
        "interval": units.interval,
        "judgement": verdict_text.judgement,
        "judgement_reason": verdict_text.judgement_reason,
        "per_second": sums.per_second,
        "slow_by": {"time_to_first_chunk": "time to first chunk", "chunk_interval": "longest interval"},
        "name_of": name_of,
        "slo": slo_text,
        "some": units.some,
        "token_words": token_words,
        "trust_means": verdict_text.TRUST_MEANS,
    }
    return environment.get_template("report.html.j2")


@cache
def _plotly() -> str:
    return packed(_plotly_source())


@cache
def _plotly_hash() -> str:
    return _hash(_plotly_source())


def _plotly_source() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _read(name: str) -> str:
    return (_ROOM / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """Return the script's hash for the content security policy, so that the page runs only the scripts inside it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _json(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def _shown_metrics(result: Result) -> dict[str, str]:
    """Return the metrics that have a column: all but optional ones that no stream has."""
    return {
        each.key: each.title
        for each in _METRICS
        if not each.optional or any(summary_of(each, streams) for streams in result["streams"])
    }


def _with_slowest(streams: Sequence[NamedStreams]) -> list[NamedStreams]:
    """Return the names to which the slowest streams of the run belong, by either measure, in the order of the table."""
    known = [each for each in streams if any(each.get("slowest", {}).values())]
    rank = {id(each): len(known) for each in known}
    for key, field in _SLOW_BY_FIELD.items():
        slow = [(found[0][field] or 0.0, each) for each in known if (found := each["slowest"][key])]  # type: ignore[literal-required]
        for at, (_, each) in enumerate(sorted(slow, key=lambda item: -item[0])):
            rank[id(each)] = min(rank[id(each)], at)
    shown = heapq.nsmallest(_MOST_SLOW_NAMES, known, key=lambda each: rank[id(each)])
    return [each for each in known if each in shown]


def _any_uncertain(result: Result) -> bool:
    """Whether the tables mark any percentile."""
    every = (summary_of(each, streams) for streams in result["streams"] for each in _METRICS)
    return any(found and found["uncertain"] for found in every)


def _when(moment: str) -> str:
    """Return an ISO 8601 time for people: ``2026-03-01 10:15:00 UTC``."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    zone = " UTC" if parsed.utcoffset() is not None and not parsed.utcoffset() else parsed.strftime(" %z").rstrip()
    return f"{parsed:%Y-%m-%d %H:%M:%S}{zone}"
