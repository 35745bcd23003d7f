"""Computes the figures of one trial, compared with the source's log of the same trial.

Durations are in seconds. An error is the client's time of a chunk minus the time right before the source sent it. It
includes the way through the kernel, so a true error is never below zero.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.engine.trial import Trial
from benchmarks.testbed.rounds import summary, value_at
from benchmarks.testbed.server import Log, quantile_s

QUANTILES = {"p50": 0.5, "p99": 0.99}
#: The output of a client that times reads, for each: chunks so far, coalesced ones among them, arrival, read time.
_READ_FIELDS = 4


def quantiles(values_ns: list[int]) -> dict[str, float]:
    """Return the percentiles in seconds; none without values."""
    return {name: quantile_s(values_ns, q) for name, q in QUANTILES.items()} if values_ns else {}


def cost(trial: Trial) -> dict[str, Any]:
    """Return CPU time per chunk and related figures. Raises ValueError if the client did not get all events."""
    chunks = trial.load.chunks * trial.load.streams
    check_counts(trial)
    found: dict[str, Any] = {
        "cpu_s_per_chunk": trial.cpu_ns / chunks / 1e9,
        "cpu_s": trial.cpu_ns / 1e9,
        "wall_s": trial.wall_ns / 1e9,
        "chunks": chunks,
    }
    if trial.load.backlog:
        return found | {"undisturbed": True}
    found |= {
        "cpu_share": trial.cpu_ns / trial.wall_ns,
        "chunks_per_s": chunks / trial.wall_ns * 1e9,
        "drained_s": trial.drained_s,
        "source": source(trial),
        "undisturbed": undisturbed(trial),
    }
    if trial.result is not None:
        found["trust"] = trial.result["verdict"]["trust"]
    return found | (by_arrivals(trial) if trial.client.times_events and trial.result is None else {})


def source(trial: Trial) -> dict[str, Any]:
    """Return how well the source kept to its schedule."""
    phase = trial.main_phase
    late = {name: value_ns / 1e9 for name, value_ns in phase["late_ns"].items()}
    return {"late": late, "blocked": phase["blocked"]}


def undisturbed(trial: Trial) -> bool:
    """Whether the source was on time, or late only because the client left no room in sockets."""
    interval_s = trial.load.streams / trial.load.rate
    phase = trial.main_phase
    return bool(phase["blocked"] or phase["late_ns"]["p99"] / 1e9 < interval_s / 2)


def check_counts(trial: Trial) -> None:
    """Raise ValueError unless the client got everything that was sent, stream by stream."""
    sent = {name: len(sends) for name, sends in trial.sends.items()}
    output = trial.output
    if "bytes" in output:
        sent = trial.sent_bytes
        seen = {int(name): count for name, count in output["bytes"].items()}
    elif "chunks" in output:
        seen, sent = {-1: output["chunks"]}, {-1: sum(sent.values())}
    else:
        seen = {int(name): len(times) for name, times in output["streams"].items()}
    if seen != sent:
        name = next(name for name in sent if seen.get(name) != sent[name])
        where = "all streams" if name < 0 else f"stream {name}"
        raise ValueError(f"{trial.client.name}, {where}: expected {sent[name]}, got {seen.get(name)}")


def by_arrivals(trial: Trial) -> dict[str, Any]:
    """Return the intervals and errors in the steady phase, from a client's arrivals."""
    steady = trial.steady
    sent = [sends[steady] for _, sends in sorted(trial.sends.items())]
    times = {int(name): times for name, times in trial.output["streams"].items()}
    seen = [times[name][steady] for name in sorted(times)]
    errors_ns = [
        came_ns - sent_ns for each in zip(sent, seen, strict=True) for sent_ns, came_ns in zip(*each, strict=True)
    ]
    return {
        "interval": {"log": quantiles(Log(0, sent).intervals_ns), "seen": quantiles(Log(0, seen).intervals_ns)},
        "read_error": spread(errors_ns),
    }


def spread(errors_ns: list[int]) -> dict[str, float]:
    """Return percentiles, minimum and maximum, in seconds."""
    return quantiles(errors_ns) | {"min": min(errors_ns) / 1e9, "max": max(errors_ns) / 1e9} if errors_ns else {}


def accuracy(trial: Trial) -> dict[str, Any]:
    """Compare streamgauge's figures with the log, for a trial without pauses in which it noted its reads.

    ``arrival_error`` is of the last chunk of each read, to which the stamp belongs; ``read_error`` is of all chunks,
    as if they had been timed when they were read.
    """
    check_counts(trial)
    arrivals_ns: list[int] = []
    reads_ns: list[int] = []
    for name, sends in trial.sends.items():
        first = 0
        for chunks, _, arrival_ns, read_ns in reads(trial.output["streams"][str(name)]):
            arrivals_ns.append(arrival_ns - sends[chunks - 1])
            reads_ns.extend(read_ns - sent_ns for sent_ns in sends[first:chunks])
            first = chunks
    assert trial.result is not None
    stream = trial.result["streams"][0]
    own = stream["chunk_interval"]
    return {
        "interval": {
            "log": quantiles(Log(0, list(trial.sends.values())).intervals_ns),
            "seen": {name: own[name] for name in QUANTILES},  # type: ignore[literal-required]
        },
        "arrival_error": spread(arrivals_ns),
        "read_error": spread(reads_ns),
        "coalesced_share": stream["coalesced_share"],
        "trust": trial.result["verdict"]["trust"],
        "reasons": trial.result["verdict"]["reasons"],
        "source": source(trial),
        "undisturbed": undisturbed(trial),
    }


def reads(flat: Sequence[int]) -> Iterable[tuple[int, ...]]:
    """Return the reads that a client wrote."""
    return zip(*(flat[at::_READ_FIELDS] for at in range(_READ_FIELDS)), strict=True)


def difference(rounds: Sequence[dict[str, Any] | None], quantile: str) -> dict[str, float] | None:
    """Return a client's interval percentile minus the log's, over the rounds."""
    pairs = [
        (value_at(each, "interval", "seen", quantile), value_at(each, "interval", "log", quantile)) for each in rounds
    ]
    return summary(seen - log for seen, log in pairs if seen is not None and log is not None)
