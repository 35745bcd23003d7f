"""Results of invented runs, made with the real histogram, and scrapes made with the real exposition."""

import itertools
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Counter as PrometheusCounter
from prometheus_client import Histogram as PrometheusHistogram

from streamgauge.catalog import CATALOG
from streamgauge.report.result import (
    SCHEMA,
    Generator,
    MetricSummary,
    NamedPoint,
    NamedStreams,
    Result,
    Run,
    TimelinePoint,
    Verdict,
)
from streamgauge.report.summary import summary
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.run_stats import MOST_LINES, OTHER
from streamgauge.stats.uncertainty import QUANTILES

MixOf = tuple[str, str, float, float]
#: Name, protocol, time to first chunk and chunk interval in seconds.
MIX: tuple[MixOf, ...] = (
    ("/stream/sse", "sse", 0.004, 0.05),
    ("/stream/ndjson", "ndjson", 0.009, 0.02),
    ("/stream/file/{name}", "raw", 0.0007, 0.0004),
    ("chat completion, long answers", "openai", 0.31, 0.031),
)
REASONS = {
    "truncated": "the connection ended inside a chunk of 512 bytes, 200 of which had come",
    "stalled": "no chunk within the idle limit of 5 s",
    "http_error": "status 503 Service Unavailable",
}


def ample(found: MetricSummary) -> MetricSummary:
    """A distribution whose percentiles count as resting on enough values."""
    return {**found, "samples_needed": {}}


class InventedRun:
    """Streams of several names, second by second."""

    def __init__(self, mix: tuple[MixOf, ...], seconds: int, per_second: int, failing: float, seed: int) -> None:
        self.random = random.Random(seed)
        self.mix, self.seconds, self.per_second, self.failing = mix, seconds, per_second, failing
        self.lag = Histogram()
        self.timeline = [self._empty(second) for second in range(seconds)]
        self.streams = [self._name(position, *each) for position, each in enumerate(mix)]

    @staticmethod
    def _empty(second: int) -> TimelinePoint:
        quiet: dict[str, float | None] = {"p50": None, "p99": None}
        return TimelinePoint(
            t_s=float(second), active=0, started=0, finished=0, failed=0, chunks=0, bytes=0,
            time_to_first_chunk=dict(quiet), chunk_interval=dict(quiet), streams=[],
        )  # fmt: skip

    def _spread(self, histogram: Histogram, middle_s: float, times: int) -> None:
        for _ in range(min(times, 40)):
            value_s = middle_s * self.random.lognormvariate(0, 0.25)
            if self.random.random() < 0.02:
                value_s *= 8
            histogram.record_ns(int(value_s * 1e9), max(1, times // 40 + self.random.randint(-1, 1)))

    def _outcome(self, position: int) -> str:
        failed = self.failing and self.random.random() < self.failing
        return self.random.choice(list(REASONS)[: 1 + position % 3]) if failed else "completed"

    def _name(self, position: int, name: str, protocol: str, first_s: float, interval_s: float) -> NamedStreams:
        first, interval, lasted = Histogram(), Histogram(), Histogram()
        outcomes: Counter[str] = Counter()
        chunks = 0
        for point in self.timeline:
            slow = 1.6 if self.seconds > 10 and 0.5 < point["t_s"] / self.seconds < 0.6 else 1.0
            started = max(1, self.per_second + self.random.randint(-2, 2))
            ended = Counter(self._outcome(position) for _ in range(started))
            outcomes.update(ended)
            at_once, between = Histogram(), Histogram()
            self._spread(at_once, first_s * slow, ended["completed"])
            self._spread(between, interval_s * slow, started * 20)
            self._spread(lasted, interval_s * 20, ended["completed"])
            self._spread(self.lag, 0.00008, 40)
            first.merge(at_once)
            interval.merge(between)
            chunks += between.count
            self._count(point, ended, at_once, between)
            self._count_name(point, position, ended, at_once, between)
        outcomes["censored"] += 2
        ranges = {"p50": (interval_s * 0.8, interval_s * 1.1)} if position == 2 else None
        return NamedStreams(
            name=name, protocol=protocol, started=sum(outcomes.values()), outcomes=dict(outcomes),
            time_to_first_chunk=ample(summary(first)),
            chunk_interval=ample(summary(interval, ranges)),
            chunk_delay=None, duration=ample(summary(lasted)), chunks=chunks, bytes=chunks * 900, heartbeats=0,
            stalls=position, coalesced_share=0.31 if position == 2 else 0.004,
            reasons={f"{key}: {REASONS[key]}": n for key, n in outcomes.most_common() if key in REASONS},
        )  # fmt: skip

    def _count(self, point: TimelinePoint, ended: "Counter[str]", first: Histogram, interval: Histogram) -> None:
        point["active"] += min(int(point["t_s"]) + 1, 10) * self.per_second // 2
        point["started"] += sum(ended.values())
        point["finished"] += sum(ended.values())
        point["failed"] += sum(ended.values()) - ended["completed"]
        point["chunks"] += interval.count
        point["bytes"] += interval.count * 900
        for key, histogram in (("time_to_first_chunk", first), ("chunk_interval", interval)):
            p50, p99 = histogram.quantiles_s((0.5, 0.99))
            if p99 is not None:
                point[key] = {"p50": p50, "p99": max(p99, point[key]["p99"] or 0)}  # type: ignore[literal-required]

    def _count_name(
        self, point: TimelinePoint, position: int, ended: "Counter[str]", first: Histogram, interval: Histogram
    ) -> None:
        """As a real timeline has it: a line for each of the first names, one for all others."""
        name, protocol = self.mix[position][:2] if position < MOST_LINES else OTHER
        found = NamedPoint(
            name=name, protocol=protocol, started=ended.total(), finished=ended.total(),
            failed=ended.total() - ended["completed"], chunks=interval.count, bytes=interval.count * 900,
            time_to_first_chunk=dict(zip(("p50", "p99"), first.quantiles_s((0.5, 0.99)), strict=True)),
            chunk_interval=dict(zip(("p50", "p99"), interval.quantiles_s((0.5, 0.99)), strict=True)),
        )  # fmt: skip
        last = point["streams"][-1] if position > MOST_LINES else None
        for count in ("started", "finished", "failed", "chunks", "bytes") if last else ():
            last[count] += found[count]
        if last is None:
            point["streams"].append(found)


@pytest.fixture(scope="session")
def make_result() -> Callable[..., Result]:
    """A function that invents a run."""

    def make(
        mix: tuple[MixOf, ...] = MIX, seconds: int = 30, per_second: int = 5, failing: float = 0.03, seed: int = 7
    ) -> Result:
        run = InventedRun(mix, seconds, per_second, failing, seed)
        return Result(
            schema=SCHEMA,
            run=Run(
                id="20260301-101500-3f2a", started_at="2026-03-01T10:15:00.123456+00:00", duration_s=seconds + 0.2,
                host="http://127.0.0.1:8000", locustfile="loadtests/locustfile.py", users=100, spawn_rate=50.0,
                workers=2, load_model="closed", interrupted=False,
                versions={"streamgauge": "0.1.0", "locust": "2.47.0", "python": "3.11.9"},
            ),
            verdict=Verdict(
                trust="trusted", reasons=[], slo=[], exit_code=1 if any(p["failed"] for p in run.timeline) else 0
            ),
            streams=run.streams,
            generator=Generator(
                timestamps="kernel", lag=summary(run.lag), cpu_max=0.42, late_starts=0,
                dropped_arrivals=0, clock_steps=0,
            ),
            timeline=run.timeline,
        )  # fmt: skip

    return make


@pytest.fixture
def make_older(make_result: Callable[..., Result]) -> Callable[..., Result]:
    """A function that invents a run as older versions wrote it: its timeline knows no names."""

    def make(**options: Any) -> Result:
        result = make_result(**options)
        for point in result["timeline"]:
            del point["streams"]
        return result

    return make


class Distinct:
    """Fills a result so that no two of its figures are alike, not even as the reports write them."""

    def __init__(self) -> None:
        self.numbers = itertools.count(101)

    def duration_s(self) -> float:
        return (next(self.numbers) + 1 / 7) / 1000

    def summary(self) -> dict[str, Any]:
        histogram = Histogram()
        histogram.record_ns(round(self.duration_s() * 1e9), next(self.numbers))
        statistics = {name: self.duration_s() for name in ("mean", "min", "max", *QUANTILES)}
        uncertain = {name: (self.duration_s(), self.duration_s()) for name in ("p50", "p99")}
        return {
            **summary(histogram),
            "count": next(self.numbers),
            **statistics,
            "uncertain": uncertain,
            "samples_needed": {},
        }

    def streams(self, values: Any) -> None:
        for count in ("started", "chunks", "bytes", "heartbeats", "stalls", "lost", "repeated", "out_of_order"):
            values[count] = next(self.numbers)
        for count in (
            *(
                "beyond_window",
                "reconnects",
                "prompt_tokens",
                "tokens",
                "without_chunks",
                "accepted_refusals",
                "slowed",
            ),
        ):
            values[count] = next(self.numbers)
        values["coalesced_share"] = next(self.numbers) / 1000
        values["outcomes"] = {outcome.value: next(self.numbers) for outcome in Outcome}
        values["tokens_per_second"] = {rate: next(self.numbers) / 7 for rate in ("in_all", "p50", "p10", "p1")}
        for metric in ("time_to_first_chunk", "chunk_interval", "chunk_delay", "duration", "time_per_output_token"):
            values[metric] = self.summary()

    def point(self, figures: Any) -> None:
        for count in ("started", "finished", "failed", "chunks", "bytes", "tokens"):
            figures[count] = next(self.numbers)
        for metric in ("time_to_first_chunk", "chunk_interval", "time_per_output_token"):
            figures[metric] = {"p50": self.duration_s(), "p99": self.duration_s()}
        least_s, most_s = self.duration_s(), self.duration_s()
        figures["uncertain"] = {"chunk_interval": {"p99": (least_s / 1000, most_s)}}

    def generator(self, values: Any) -> None:
        values |= {"lag": self.summary(), "hub_lag": self.summary(), "longest_pause_s": self.duration_s()}
        values |= {"cpu_max": next(self.numbers) / 1000, "cpu_taken": next(self.numbers) / 1000}
        for count in ("late_starts", "dropped_arrivals", "clock_steps", "refusal_pauses"):
            values[count] = next(self.numbers)
        values["refusal_pause_s"] = self.duration_s()


@pytest.fixture
def distinct(make_result: Callable[..., Result]) -> Result:
    """A result in which no two figures are alike."""
    fill = Distinct()
    result = make_result(mix=(("a,b", "sse", 0.01, 0.05), ('say "x"', "raw", 0.02, 0.06)), seconds=3)
    result["run"].update(duration_s=8.0, counted_s=4.0)
    for each in result["streams"]:
        fill.streams(each)
    for point in result["timeline"]:
        point["active"] = next(fill.numbers)
        for count in ("scheduled_arrivals", "late_starts", "dropped_arrivals"):
            point[count] = next(fill.numbers)
        for figures in (point, *point["streams"]):
            fill.point(figures)
    fill.generator(result["generator"])
    return result


class InventedServer:
    """A server's metrics, with the catalog's names, as the real exposition writes them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._families = {
            name: self._family(name, metric.type)
            for name, metric in CATALOG.items()
            if metric.side == "server" and metric.type != "gauge"
        }

    def _family(self, name: str, kind: str) -> Any:
        metric = CATALOG[name]
        if kind == "counter":
            return PrometheusCounter(name, metric.help, metric.labels, registry=self.registry)
        return PrometheusHistogram(name, metric.help, metric.labels, buckets=metric.buckets, registry=self.registry)

    def count(self, name: str, times: float, **labels: str) -> None:
        self._families[name].labels(**labels).inc(times)

    def observe(self, name: str, value_s: float, **labels: str) -> None:
        self._families[name].labels(**labels).observe(value_s)

    def streamed(
        self, route: str, protocol: str, streams: int, chunks: int, size: int, outcome: str = "completed"
    ) -> None:
        """Count ``streams`` that ended alike, with ``chunks`` and ``size`` bytes between them."""
        labels = {"route": route, "protocol": protocol}
        self.count("stream_server_started_total", streams, **labels)
        self.count("stream_server_finished_total", streams, **labels, outcome=outcome, status_code="200")
        self.count("stream_server_chunks_total", chunks, **labels)
        self.count("stream_server_body_bytes_total", size, **labels)

    def scrape(self) -> str:
        return generate_latest(self.registry).decode()

    def serve(self, result: Result) -> None:
        """Count what ``result`` says that the client saw, every stream completed."""
        for each in result["streams"]:
            labels = {"route": each["name"], "protocol": each["protocol"]}
            self.streamed(*labels.values(), sum(each["outcomes"].values()), each["chunks"], each["bytes"])
            for metric in ("time_to_first_chunk", "chunk_interval"):
                for percentile in ("p50", "p50", "p90", "p99"):
                    value_s = each[metric][percentile]  # type: ignore[literal-required]
                    if value_s is not None:
                        self.observe(f"stream_server_{metric}_seconds", value_s, **labels)


@pytest.fixture
def server() -> InventedServer:
    return InventedServer()
