"""The figures of a calibration: the result of a run compared with the source's log of the same run."""

from collections.abc import Iterable
from datetime import UTC, datetime

from streamgauge.calibrate.truth import METRICS, Stream, quantile
from streamgauge.report.calibration import SCHEMA, Calibration, Figure, machine
from streamgauge.report.result import Result
from streamgauge.verdict.trust import JUDGED


class CalibrationError(Exception):
    """Raised if no calibration can be made from a run."""


def calibration_of(result: Result, streams: list[Stream], load: dict[str, float]) -> Calibration:
    """Make the calibration. Raises CalibrationError if the client and the log do not count the same chunks."""
    seen = sum(each["chunks"] for each in result["streams"])
    sent = sum(len(each.before_ns) for each in streams)
    if len(result["streams"]) != 1 or seen != sent or not sent:
        raise CalibrationError(f"the client received {seen} chunks, but the source sent {sent}")
    metrics = {metric: _figures(result, streams, metric) for metric in METRICS}
    lag = result["generator"]["lag"]
    return Calibration(
        schema=SCHEMA,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        load={**load, "streams": len(streams), "chunks": sent},
        metrics=metrics,
        floor={metric: max(abs(each["difference"]) for each in found.values()) for metric, found in metrics.items()},
        arrival_error=_spread(
            each.first_arrival_ns - each.before_ns[0] for each in streams if each.first_arrival_ns and each.before_ns
        ),
        asking=_spread(each.asked_ns - each.start_ns for each in streams),
        lag={"p50": lag["p50"], "p99": lag["p99"], "max": lag["max"]},
        cpu_max=result["generator"]["cpu_max"],
        trust=result["verdict"]["trust"],
        reasons=result["verdict"]["reasons"],
    )


def _figures(result: Result, streams: list[Stream], metric: str) -> dict[str, Figure]:
    found = {}
    for percentile, q in JUDGED.items():
        truth = METRICS[metric](streams, q)
        client_s: float | None = result["streams"][0][metric][percentile]  # type: ignore[literal-required]
        if truth is None or client_s is None:
            raise CalibrationError(f"the run was too short to measure a {metric}; raise --run-time")
        found[percentile] = Figure(
            client=client_s,
            log=truth.value_s,
            difference=client_s - truth.value_s,
            least=truth.least_s,
            most=truth.most_s,
        )
    return found


def _spread(values_ns: Iterable[int]) -> dict[str, float | None]:
    values = list(values_ns)
    found = {name: quantile(values, q) for name, q in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}
    return {name: None if value is None else value / 1e9 for name, value in found.items()}
