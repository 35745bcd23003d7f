"""What the words of a panel promise: for each title, legend or heading the unit, and the number in made-up series."""

import re

from tests.monitoring.made_up import (
    ABOUT,
    ALERT,
    BASE,
    BURN_S,
    CALM,
    FIRED_S,
    NEW,
    NOW_S,
    RANGE_S,
    RATE_S,
    SHIFT_S,
    STARTED_S,
    TARGETS,
    TRUST,
    Data,
    less,
    ratio,
)

DATA = Data()
FAILED = {
    "server": {"error", "deadline"},
    "client": {
        *("incomplete", "truncated", "in_band_error", "check_failed", "stalled", "protocol_error"),
        *("http_error", "connect_error"),
    },
}
ANYWHERE = {}
MAY_BE_BAD = {"success": 0.001, "time_to_first_chunk": 0.01, "chunk_interval": 0.01}
SLO_S = {"time_to_first_chunk": "0.25", "chunk_interval": "0.5"}
SECONDS, SHARE, BYTES = "s", "percentunit", "bytes"
STREAMS, CHUNKS, TOKENS = "count:streams/s", "count:chunks/s", "count:tokens/s"
PER_STREAM = "none"


def ended(side, window_s, by, where, failed=None):
    """Streams that ended a second: all, those that failed, or those that did not. A censored one never counts."""
    every = {each.labels["outcome"] for each in DATA.picked(f"stream_{side}_finished_total")} - {"censored"}
    chosen = every if failed is None else every & FAILED[side] if failed else every - FAILED[side]
    return DATA.rate(f"stream_{side}_finished_total", by, {**where, "outcome": chosen}, window_s)


def share_of_ended(side, by=(), window_s=RATE_S, where=ANYWHERE, *, failed):
    return ratio(ended(side, window_s, by, where, failed), ended(side, window_s, by, where))


def in_time(side, what, window_s=RATE_S, where=ANYWHERE):
    name = f"stream_{side}_{what}_seconds"
    within = DATA.rate(f"{name}_bucket", (), {**where, "le": SLO_S[what]}, window_s)
    return ratio(within, DATA.rate(f"{name}_count", (), where, window_s))


def burnt(what, window_s, where=ANYWHERE):
    """How much of the budget is used up: bad streams for each one that may be bad."""
    if what == "success":
        (bad,) = share_of_ended("server", (), window_s, where, failed=True).values()
    else:
        bad = 1 - in_time("server", what, window_s, where)[frozenset()]
    return bad / MAY_BE_BAD[what]


def burn_rate(what):
    return lambda w: {frozenset(): burnt(what, BURN_S)}


def budget_left(what):
    left = 1 - burnt(what, RANGE_S, {"job": CALM["job"]})
    assert 0.1 < left < 0.9
    return lambda w: {frozenset(): left}


def statistic(name, words):
    """The percentile or mean that the words say; the bound of a bucket where they say "at most"."""
    if "mean" in words.text:
        return ratio(*(DATA.rate(f"{name}_{part}", words.by, words.where) for part in ("sum", "count")))
    q = int(re.search(r"\bp(\d+)", words.text)[1]) / 100
    if "≤" in words.text:
        return DATA.bound(q, name, words.by)
    by = words.by
    if "server" in name and "name" in by:  # a table of both sides shows a route under the name that it has on the other
        by = tuple("route" if label == "name" else label for label in by)
    found = DATA.quantile(q, name, by, words.where, words.ago_s)
    return {
        frozenset(("name" if k == "route" and by != words.by else k, v) for k, v in key): found[key] for key in found
    }


def distribution(name):
    """A heatmap's buckets, or the statistic that is named."""
    return lambda w: DATA.rate(f"{full(name, w)}_bucket", w.by) if "le" in w.by else statistic(full(name, w), w)


def full(name, words):
    return name.replace("SIDE", words.side)


def rate(name):
    return lambda w: DATA.rate(full(name, w), w.by, w.where, ago_s=w.ago_s)


def level(name):
    return lambda w: DATA.level(full(name, w), w.by, w.where, ago_s=w.ago_s)


def of_process(name, per=""):
    """What a process uses, of those alone that the panel's side has."""

    def answer(w):
        where = {"instance": [each["instance"] for each in TARGETS[w.side]]}
        found = DATA.rate(name, w.by, where) if name.endswith("_total") else DATA.level(name, w.by, where)
        return ratio(found, DATA.level(per, w.by, where)) if per else found

    return answer


def path(name):
    """What the client sees less what the server sees."""
    return lambda w: less(*(statistic(f"stream_{side}_{name}_seconds", w) for side in ("client", "server")))


def each_run(values):
    return lambda w: {frozenset(ABOUT[run].items()): value for run, value in values.items()}


def coalesced(w):
    return ratio(*(DATA.rate(f"stream_client_{name}_total", w.by) for name in ("coalesced_chunks", "chunks")))


def stalls_per_stream(w):
    return ratio(*(DATA.rate(f"stream_client_{name}_total", w.by) for name in ("stalls", "started")))


def alerts(w):
    return {frozenset((ALERT | {"alertstate": "firing"}).items()): 1000 * FIRED_S}


#: The first whose words begin the text of a chart's line, a stat or a column; then its unit and its number.
MEANT = [
    (r"Measurement", "none", lambda w: each_run(TRUST)(w) if w.by else {frozenset(): min(TRUST.values())}),
    (r"Started", "dateTimeAsIso", each_run({run: 1000 * time_s for run, time_s in STARTED_S.items()})),
    (r"Run length", SECONDS, each_run({run: NOW_S - time_s for run, time_s in STARTED_S.items()})),
    (r"Since", "dateTimeAsIso", alerts),
    (r"First chunks in time", SHARE, lambda w: in_time(w.side, "time_to_first_chunk")),
    (r"Chunks in time", SHARE, lambda w: in_time(w.side, "chunk_interval")),
    (r"Failed", SHARE, lambda w: share_of_ended(w.side, w.by, failed=True)),
    (r"Streams that did not fail", SHARE, lambda w: share_of_ended(w.side, w.by, failed=False)),
    (r"Budget left, streams", SHARE, budget_left("success")),
    (r"Budget left, first chunks", SHARE, budget_left("time_to_first_chunk")),
    (r"Budget left, chunks", SHARE, budget_left("chunk_interval")),
    (r"Burn rate, over 5 minutes, streams", "none", burn_rate("success")),
    (r"Burn rate, over 5 minutes, first chunks", "none", burn_rate("time_to_first_chunk")),
    (r"Burn rate, over 5 minutes, chunks", "none", burn_rate("chunk_interval")),
    (r"Measured event loops", "short", level("stream_server_recorders")),
    (r"Users and active streams, users|Users$", "short", level("stream_client_users")),
    (r"Users and active streams, wanted", "short", level("stream_client_wanted_users")),
    (r"Users and active streams, active|Active streams", "short", level("stream_SIDE_active")),
    (r"State", "none", lambda w: DATA.lowest("stream_client_slo_passed", w.by)),
    (r"Workers", "short", level("stream_client_workers")),
    (r"Names above the limit", "short", level("stream_client_names_left_out")),
    (r"Streams (started|/s)|Streams/s", STREAMS, rate("stream_SIDE_started_total")),
    (r"Streams finished", STREAMS, rate("stream_SIDE_finished_total")),
    (r"Streams rejected", STREAMS, rate("stream_SIDE_rejected_total")),
    (r"Arrivals of the open model, scheduled", STREAMS, rate("stream_client_scheduled_arrivals_total")),
    (r"Arrivals of the open model, wanted", STREAMS, level("stream_client_wanted_arrivals_per_second")),
    (r"Arrivals of the open model, late", STREAMS, rate("stream_client_late_starts_total")),
    (r"Arrivals of the open model, dropped", STREAMS, rate("stream_client_dropped_arrivals_total")),
    (r"Start delay", SECONDS, distribution("stream_client_start_delay_seconds")),
    (r"The path: time to first chunk", SECONDS, path("time_to_first_chunk")),
    (r"The path: chunk interval", SECONDS, path("chunk_interval")),
    (r"Output tokens", TOKENS, rate("stream_client_output_tokens_total")),
    (r"Prompt tokens", TOKENS, rate("stream_client_prompt_tokens_total")),
    (r"Time per output token", SECONDS, distribution("stream_client_time_per_output_token_seconds")),
    (r"Time to first (chunk|token)|TTFC", SECONDS, distribution("stream_SIDE_time_to_first_chunk_seconds")),
    (r"Chunk interval|Interval", SECONDS, distribution("stream_SIDE_chunk_interval_seconds")),
    (r"Stream duration|Duration", SECONDS, distribution("stream_SIDE_duration_seconds")),
    (r"Chunk delay|Delay", SECONDS, distribution("stream_client_chunk_delay_seconds")),
    (r"Chunk size", BYTES, distribution("stream_SIDE_chunk_size_bytes")),
    (r"(Three lags.*, )?[Ss]end time", SECONDS, distribution("stream_server_chunk_send_seconds")),
    (r"(Three lags.*, )?[Ee]vent loop lag", SECONDS, distribution("event_loop_lag_seconds")),
    (r"(Three lags.*, )?[Gg]enerator lag", SECONDS, distribution("stream_client_generator_lag_seconds")),
    (r"Request duration", SECONDS, distribution("http_server_request_duration_seconds")),
    (r"Requests", "reqps", rate("http_server_request_duration_seconds_count")),
    (r"Coalesced chunks", SHARE, coalesced),
    (r"Chunks", CHUNKS, rate("stream_SIDE_chunks_total")),
    (r"Body bytes", "binBps", rate("stream_SIDE_body_bytes_total")),
    (r"Heartbeats", "count:heartbeats/s", rate("stream_server_heartbeats_total")),
    (r"Stalls/stream", PER_STREAM, stalls_per_stream),
    (r"Stalls", "count:stalls/s", rate("stream_client_stalls_total")),
    (r"CPU", SHARE, of_process("process_cpu_seconds_total")),
    (r"Memory", BYTES, of_process("process_resident_memory_bytes")),
    (r"Open file descriptors", SHARE, of_process("process_open_fds", "process_max_fds")),
]


class Words:
    """What a line's or a column's words say: of which side, run and labels it is."""

    def __init__(self, board, text, labels):
        self.text = text
        self.by = tuple(labels)
        said = re.search(r"\b(server|client)\b", text.removeprefix("The path"))
        compares = board in ("streamgauge-load-test", "streamgauge-compare-runs", "streamgauge-client-against-server")
        self.side = said[1] if said else "client" if compares else "server"
        run = re.search(r"(base|new) \$", text)
        self.ago_s = SHIFT_S if run and run[1] == "base" else 0
        target = TARGETS["client"][0 if run and run[1] == "base" else 1]["instance"]
        self.where = {"instance": target} if run else {}


def meant(board, text, labels):
    """The unit and the numbers that these words promise."""
    words = Words(board, text, labels)
    unit, number = next((unit, number) for start, unit, number in MEANT if re.match(start, text))
    return unit, number(words)


def result(name, run, by, **where):
    """A finished run's values, by these labels."""
    return DATA.level(f"stream_client_result_{name}", by, {"run_id": run} | where)


def compared(name, by, heading):
    """What a column of two runs shows."""
    base, new = (result(name, run, by) for run in (BASE, NEW))
    return {"Base": base, "New": new, "Difference": less(new, base), "Ratio": ratio(new, base)}[heading]


def finished(heading):
    """What the table of finished runs shows, of each run."""
    name, where = {
        "Users": ("users", {}),
        "Run length": ("duration_seconds", {}),
        "Warm-up": ("warm_up_seconds", {}),
        "Steady": ("steady_seconds", {}),
        "Streams": ("counts", {"metric": "streams_started"}),
        "Failed": ("counts", {"metric": "streams_failed"}),
        "Chunks/s": ("per_second", {"metric": "chunks"}),
        "Names left out": ("names_left_out", {}),
    }[heading]
    found = {}
    for run in (BASE, NEW):
        (info,) = DATA.picked("stream_client_result_info", {"run_id": run})
        labels = ABOUT[run] | {"trust": info.labels["trust"]}
        ((_, value),) = result(name, run, (), **where).items()
        found[frozenset(labels.items())] = value
    return found
