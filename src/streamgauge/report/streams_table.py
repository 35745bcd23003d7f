"""Makes the terminal's tables of a run: the client's streams by name, and the server's own view by route."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from streamgauge.report import sums
from streamgauge.report.agreement import side_by_side
from streamgauge.report.columns import Column, Table
from streamgauge.report.counter_text import COLUMNS, counted
from streamgauge.report.enough_text import mark
from streamgauge.report.lines import name_of
from streamgauge.report.result import MetricSummary, Result
from streamgauge.report.server_view import ServerQuantiles, ServerRoute, ServerView
from streamgauge.report.summary import summary_of
from streamgauge.report.terminal import printable, styled
from streamgauge.report.units import bucket, estimate, number, rate
from streamgauge.stats.quantities import Counter, Distribution
from streamgauge.stats.stream_quantities import COUNTERS, DISTRIBUTIONS

if TYPE_CHECKING:
    from rich.text import Text

#: The distributions that have columns.
TIMES = tuple(each for each in DISTRIBUTIONS.values() if each.heading and not each.whole)
PERCENTILES = ("p50", "p99")
#: If the terminal is too narrow, the columns of the lowest rank are dropped first: single counters, the rate of
#: chunks, p50 and then p99 of the times, and last the numbers of streams and of failures.
_RATE_RANK, _TIMES_RANK, _FAILED_RANK, _STREAMS_RANK = 100, 101, 998, 999
_STREAMS = Column("streams", _STREAMS_RANK)
_RATE = Column("chunks\nper s", _RATE_RANK)


def _columns(times: Sequence[Distribution], counters: Sequence[Counter]) -> list[Column]:
    return [
        *(
            Column(f"{each.heading}\n{percentile}", _TIMES_RANK + of * len(times) + at)
            for at, each in enumerate(times)
            for of, percentile in enumerate(PERCENTILES)
        ),
        _RATE,
        *(Column(each.heading.replace("\N{SOFT HYPHEN}", ""), each.rank) for each in counters),
    ]


_CLIENT = [_STREAMS, Column("failed", _FAILED_RANK), *_columns(TIMES, COLUMNS)]
#: The quantities that the server counts too.
_SERVER_TIMES = [each for each in TIMES if each.key in ServerRoute.__annotations__]
_SERVER_COUNTERS = [each for each in COLUMNS if each.key in ServerRoute.__annotations__]
_SERVER = [_STREAMS, Column("broken\noff", _FAILED_RANK), *_columns(_SERVER_TIMES, _SERVER_COUNTERS)]


def client_table(result: Result) -> Table:
    """Make the table with a row for each name, and their totals."""
    table = Table("client", _CLIENT)
    for each in result["streams"]:
        table.add(
            printable(name_of(each, result)),
            [
                *_started(each["started"], sums.failed(each["outcomes"])),
                *(cell for time in TIMES for cell in percentiles(summary_of(time, each))),
                *_counters(COLUMNS, each, result),
            ],
            _outcomes(sums.failures(each["outcomes"]), "red"),
        )
    if not result["streams"]:
        table.add("no stream started")
    elif len(result["streams"]) > 1:
        _add_totals(table, result)
    return table


def server_table(server: ServerView, result: Result) -> Table:
    """Make the table with a row for each route, in the order of the client's names."""
    table = Table("server's own view", _SERVER)
    for route, _ in side_by_side(result, server):
        broken_off = {outcome: times for outcome, times in route["finished"].items() if outcome != "completed"}
        table.add(
            printable(route["route"]),
            [
                *_cells(number(route["started"]), number(sum(broken_off.values()))),
                *(cell for time in _SERVER_TIMES for cell in _buckets(route[time.key])),  # type: ignore[literal-required]
                *_counters(_SERVER_COUNTERS, route, result),
            ],
            _outcomes(broken_off, "yellow"),
        )
    if not server["routes"]:
        table.add("no stream counted")
    return table


def percentiles(found: MetricSummary | None) -> "list[Text]":
    """Return p50 and p99, with a mark if they are known only as a range, and one if they rest on too few values."""
    if found is None:
        return [_marked(None, None, "") for _ in PERCENTILES]
    return [_marked(found[each], found["uncertain"].get(each), mark(found, each)) for each in PERCENTILES]  # type: ignore[literal-required]


def _marked(value_s: float | None, between: Sequence[float] | None, scarce: str) -> "Text":
    return styled((scarce + estimate(value_s, between).replace("≈ ", "≈"), "yellow" if between or scarce else ""))


def _buckets(found: ServerQuantiles) -> "list[Text]":
    return _cells(bucket(found["p50"]), bucket(found["p99"]))


def _add_totals(table: Table, result: Result) -> None:
    all_names = sums.totals(result["streams"])
    table.add_space()
    table.add(
        "all",
        [
            *_started(all_names["started"], sums.failed(all_names["outcomes"])),
            *_cells(*("" for _ in TIMES for _ in PERCENTILES)),
            *_counters(COLUMNS, all_names, result),
        ],
    )


def _started(started: int, failed: int) -> "list[Text]":
    return [styled(number(started)), styled((number(failed), "bold red" if failed else ""))]


def _counters(counters: Iterable[Counter], found: Mapping[str, object], result: Result) -> "list[Text]":
    """Return the cells of chunks per second and of each counter."""
    chunks = sums.count_of(COUNTERS["chunks"], found)
    return _cells(rate(sums.per_second(chunks, result)), *(counted(each, found) for each in counters))


def _cells(*cells: str) -> "list[Text]":
    return [styled(cell) for cell in cells]


def _outcomes(outcomes: Mapping[str, int], style: str) -> "list[Text]":
    return [styled("  ", (f"{number(times)} {outcome}", style)) for outcome, times in outcomes.items()]
