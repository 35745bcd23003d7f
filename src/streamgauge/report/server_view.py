"""Computes what the server counted during a run: the difference between two scrapes of its metrics."""

import math
from collections.abc import Iterable, Mapping
from typing import TypedDict

from streamgauge.catalog import CATALOG

#: Explains the sign before the server's percentiles to people who compare them with the client's.
AT_MOST = (
    "≤ 75 ms means at most 75 ms: the server counts durations in histogram buckets, so only the upper bound of a "
    "percentile's bucket is known. A lower percentile of the client does not contradict it."
)
_STARTED = CATALOG["stream_server_started_total"]
_FINISHED = CATALOG["stream_server_finished_total"]
_CHUNKS = CATALOG["stream_server_chunks_total"]
_BYTES = CATALOG["stream_server_body_bytes_total"]
_TIME_TO_FIRST_CHUNK = CATALOG["stream_server_time_to_first_chunk_seconds"]
_CHUNK_INTERVAL = CATALOG["stream_server_chunk_interval_seconds"]
_WANTED = frozenset(
    series
    for metric in (_STARTED, _FINISHED, _CHUNKS, _BYTES, _TIME_TO_FIRST_CHUNK, _CHUNK_INTERVAL)
    for series in metric.series
)

#: One (route, protocol).
_Place = tuple[str, str]
#: Place → series name and its last label's value (outcome, or a bucket's upper bound) → value.
_Scrape = dict[_Place, dict[tuple[str, str], float]]


#: A histogram's bucket in seconds: lower and upper bound; the upper bound of the last bucket is None.
Bucket = tuple[float, float | None]


class ServerQuantiles(TypedDict):
    """One histogram of the server: the bucket in which each percentile lies, None without values."""

    count: int
    p50: Bucket | None
    p99: Bucket | None


class ServerRoute(TypedDict):
    """The server's counts of one route and protocol."""

    route: str
    protocol: str
    started: int
    finished: dict[str, int]
    """Streams that ended, by the server's outcome."""
    chunks: int
    bytes: int
    time_to_first_chunk: ServerQuantiles
    chunk_interval: ServerQuantiles


class Agreement(TypedDict):
    """One total, counted on both sides."""

    name: str
    """The name, which is also a route of the server; empty for the sum over all names."""
    subject: str
    client: int
    server: int
    equal: bool
    text: str
    """``chunks: client 12,345 = server 12,345 ✓``, or the difference."""
    why: str
    """Sentences that say why the totals may differ; empty if they are equal."""


class ServerView(TypedDict):
    """A run as the server saw it, and its comparison with the client."""

    routes: list[ServerRoute]
    agreement: list[Agreement]
    """Filled by :func:`streamgauge.report.agreement.agreement`."""


class ScrapeError(ValueError):
    """A text is not a scrape of Prometheus metrics."""


def server_view(before: str, after: str) -> ServerView:
    """Return the server's counts between two scrapes in Prometheus' text format, without the comparison.

    A series that is absent before counts from zero; so does a series that fell, because its process was restarted.
    Raises ScrapeError if a text cannot be parsed.
    """
    earlier, later = _scrape(before), _scrape(after)
    grown = {place: _grown(earlier.get(place, {}), series) for place, series in sorted(later.items())}
    routes = [_route(place, series) for place, series in grown.items() if any(series.values())]
    return ServerView(routes=routes, agreement=[])


def quantile_bucket(q: float, cumulative: Iterable[tuple[float, float]]) -> Bucket | None:
    """Return the bucket of the quantile ``q``, among buckets (upper bound, cumulative count); None without values.

    A histogram does not tell where in the bucket the quantile lies.
    """
    buckets = sorted(cumulative)
    rank = q * buckets[-1][1] if buckets else 0.0
    if rank <= 0:
        return None
    above = 0.0
    for bound, count in buckets:
        if count >= rank:
            return above, None if math.isinf(bound) else bound
        above = bound
    return None


def _scrape(text: str) -> _Scrape:
    from prometheus_client.parser import text_string_to_metric_families

    found: _Scrape = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name in _WANTED:
                    labels = sample.labels
                    place = found.setdefault((labels.get("route", ""), labels.get("protocol", "")), {})
                    key = (sample.name, labels.get("le") or labels.get("outcome", ""))
                    place[key] = place.get(key, 0.0) + sample.value
    except (ValueError, KeyError, IndexError) as error:
        raise ScrapeError(f"expected metrics in Prometheus' text format, got {text[:40]!r}: {error}") from None
    return found


def _grown(
    before: Mapping[tuple[str, str], float], after: Mapping[tuple[str, str], float]
) -> dict[tuple[str, str], float]:
    return {
        key: value - before.get(key, 0.0) if value >= before.get(key, 0.0) else value for key, value in after.items()
    }


def _route(place: _Place, series: Mapping[tuple[str, str], float]) -> ServerRoute:
    def count(name: str) -> int:
        return round(series.get((name, ""), 0.0))

    finished = {label: round(value) for (name, label), value in series.items() if name == _FINISHED.name and value}
    return ServerRoute(
        route=place[0],
        protocol=place[1],
        started=count(_STARTED.name),
        finished=finished,
        chunks=count(_CHUNKS.name),
        bytes=count(_BYTES.name),
        time_to_first_chunk=_quantiles(_TIME_TO_FIRST_CHUNK.name, series),
        chunk_interval=_quantiles(_CHUNK_INTERVAL.name, series),
    )


def _quantiles(histogram: str, series: Mapping[tuple[str, str], float]) -> ServerQuantiles:
    buckets = [(float(label), value) for (name, label), value in series.items() if name == f"{histogram}_bucket"]
    return ServerQuantiles(
        count=round(series.get((f"{histogram}_count", ""), 0.0)),
        p50=quantile_bucket(0.5, buckets),
        p99=quantile_bucket(0.99, buckets),
    )
