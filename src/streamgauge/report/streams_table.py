"""The terminal's tables of a run: the client's streams by name, and the server's own view of them by route."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from streamgauge.report import sums
from streamgauge.report.agreement import side_by_side
from streamgauge.report.columns import Column, Table
from streamgauge.report.result import MetricSummary, Result
from streamgauge.report.server_view import ServerQuantiles, ServerView
from streamgauge.report.terminal import printable, styled
from streamgauge.report.units import bucket, duration, number, rate, share, size

if TYPE_CHECKING:
    from rich.text import Text

METRICS = {"time_to_first_chunk": "TTFC", "chunk_interval": "interval"}
PERCENTILES = ("p50", "p99")
#: The order of importance. Where the terminal is too narrow, the columns with the lowest number are dropped first.
_STREAMS = Column("streams", 11)
_VALUES = (
    Column("TTFC\np50", 6),
    Column("TTFC\np99", 8),
    Column("interval\np50", 7),
    Column("interval\np99", 9),
    Column("chunks\nper s", 5),
    Column("chunks", 4),
    Column("body", 2),
)
_CLIENT = (_STREAMS, Column("failed", 10), *_VALUES, Column("stalls", 3), Column("coalesced", 1))
_SERVER = (_STREAMS, Column("broken\noff", 10), *_VALUES)


def client_table(result: Result) -> Table:
    """One row for each name, and their totals."""
    table = Table("client", _CLIENT)
    for each in result["streams"]:
        table.add(
            printable(each["name"]),
            [
                *_started(each["started"], sums.failed(each["outcomes"])),
                *(cell for key in METRICS for cell in percentiles(each[key])),  # type: ignore[literal-required]
                *_sums(each["chunks"], each["bytes"], result),
                *_whole(number(each["stalls"]), share(each["coalesced_share"])),
            ],
            _outcomes(sums.failures(each["outcomes"]), "red"),
        )
    if not result["streams"]:
        table.add("no stream started")
    elif len(result["streams"]) > 1:
        _add_totals(table, result)
    return table


def server_table(server: ServerView, result: Result) -> Table:
    """One row for each route, in the order of the client's names."""
    table = Table("server's own view", _SERVER)
    for route, _ in side_by_side(result, server):
        broken_off = {outcome: times for outcome, times in route["finished"].items() if outcome != "completed"}
        table.add(
            printable(route["route"]),
            [
                *_whole(number(route["started"]), number(sum(broken_off.values()))),
                *(cell for key in METRICS for cell in _buckets(route[key])),  # type: ignore[literal-required]
                *_sums(route["chunks"], route["bytes"], result),
            ],
            _outcomes(broken_off, "yellow"),
        )
    if not server["routes"]:
        table.add("no stream counted")
    return table


def percentiles(found: MetricSummary) -> "list[Text]":
    """The median and the 99th, with a mark where coalesced reads leave them open."""
    return [_marked(each, found[each], found["uncertain"]) for each in PERCENTILES]  # type: ignore[literal-required]


def _marked(percentile: str, value_s: float | None, uncertain: Collection[str]) -> "Text":
    if value_s is not None and percentile in uncertain:
        return styled((f"≈{duration(value_s)}", "yellow"))
    return styled(duration(value_s))


def _buckets(found: ServerQuantiles) -> "list[Text]":
    return _whole(bucket(found["p50"]), bucket(found["p99"]))


def _add_totals(table: Table, result: Result) -> None:
    all_names = sums.totals(result["streams"])
    table.add_space()
    table.add(
        "all",
        [
            *_started(all_names["started"], sums.failed(all_names["outcomes"])),
            *_whole("", "", "", ""),
            *_sums(all_names["chunks"], all_names["bytes"], result),
            *_whole(number(all_names["stalls"]), share(all_names["coalesced_share"])),
        ],
    )


def _started(started: int, failed: int) -> "list[Text]":
    return [styled(number(started)), styled((number(failed), "bold red" if failed else ""))]


def _sums(chunks: int, body_bytes: int, result: Result) -> "list[Text]":
    return _whole(rate(sums.per_second(chunks, result)), number(chunks), size(body_bytes))


def _whole(*cells: str) -> "list[Text]":
    return [styled(cell) for cell in cells]


def _outcomes(outcomes: Mapping[str, int], style: str) -> "list[Text]":
    return [styled("  ", (f"{number(times)} {outcome}", style)) for outcome, times in outcomes.items()]
