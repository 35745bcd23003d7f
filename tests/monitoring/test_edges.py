"""Each alert just below and just above its threshold, just before and after its wait, and the numbers that it says."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import yaml

RULES = Path(__file__).parents[2] / "monitoring" / "prometheus" / "rules"
STREAM = {"route": "/a", "protocol": "sse"}
NAMED = {"name": "/a", "protocol": "sse"}
#: Ten thousand streams, or what else is counted, each ten seconds.
ALL = 10_000


def grows(by):
    """A counter that grows by this each ten seconds, from far above zero."""
    return f"1000000+{by}x800"


def stays(at):
    return f"{at}+0x800"


def finished(side, outcome, bad, every=ALL):
    """``bad`` of all streams end so, the others well; those that the run's end cut off are of no account."""
    name, labels = f"stream_{side}_finished_total", STREAM if side == "server" else NAMED
    censored = {series(name, labels, outcome="censored"): grows(5 * ALL)} if side == "client" else {}
    return censored | {
        series(name, labels, outcome="completed"): grows(every - bad),
        series(name, labels, outcome=outcome): grows(bad),
    }


def refused(reason, bad, every=ALL):
    return {
        series("stream_server_started_total", STREAM): grows(every - bad),
        series("stream_server_rejected_total", STREAM, reason=reason): grows(bad),
    }


def longer(name, labels, le, beyond, long):
    """Of a histogram, ``long`` in ten thousand fall between the bound and the one above it."""
    return {
        series(f"{name}_bucket", labels, le=le): grows(ALL - long),
        series(f"{name}_bucket", labels, le=beyond): grows(ALL),
        series(f"{name}_bucket", labels, le="+Inf"): grows(ALL),
        series(f"{name}_count", labels): grows(ALL),
    }


def lags(le, beyond, long, late_s):
    return longer("event_loop_lag_seconds", {"instance": "i"}, le, beyond, long) | {
        series("event_loop_lag_seconds_sum", {"instance": "i"}): grows(10 * late_s)
    }


def paused(long, waited=500, active=10):
    """Pauses, and how many of them were the reader's own."""
    return {
        **longer("stream_server_chunk_interval_seconds", STREAM, "1.0", "2.5", long + waited),
        **longer("stream_server_chunk_send_seconds", STREAM, "1.0", "2.5", waited),
        series("stream_server_active", STREAM): stays(active),
    }


def client_paused(times, active=10):
    return {
        series("stream_client_stalls_total", NAMED): grows(times),
        series("stream_client_active", NAMED): stays(active),
    }


def series(name, *labels, **more):
    pairs = {"job": "j"} | {key: value for each in (*labels, more) for key, value in each.items()}
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in pairs.items()) + "}"


ERRORED = "of the streams of this route that finished in the last 5m ended in error or deadline: cut"
REFUSED = "of the streams requested in the last 5m were refused by a limit or a rate limit."
SENT = "One send in a hundred waited for 104.5ms or longer in the last 5m"
TIMED = "One timer in a hundred ran at least 52.27ms late in the last 5m"
LATE = "Over the last 5m timers were 262.5ms late per second, all workers together, and some by more than 0.05 s."
PAUSED = "each open stream paused 0.105 times a minute for more than 1 s, not counting waits for its reader."
CUT = "of the streams that finished in the last 1m were truncated or incomplete"
FAILED = (
    "of the streams that finished in the last 1m ended in in_band_error, check_failed, protocol_error, http_error or "
    "connect_error."
)
GIVEN_UP = "of the streams that finished in the last 1m stalled"
GONE = "5.1 streams were ended in the last 5m because their readers read nothing"
SILENT = "At least 5 streams were open for the last 2m, and none sent a chunk or a heartbeat."
CLIENT_PAUSED = "Over the last 1m each stream paused 0.105 times a minute for more than 1 s. 0.1 are allowed."

#: How long each waits, and within how long its window is full: before, the rates of so few would be too low.
FULL_S = {"quick": 40, "1m": 100, "5m": 340}


@dataclass(frozen=True)
class Edge:
    alert: str
    sign: str
    wait_s: int
    full: str
    fed: Callable[[float], dict[str, str]]
    few: float
    enough: float
    says: tuple[str, str]

    @property
    def labels(self):
        return {"sign": self.sign} if self.sign else {}


def ends(side, outcome, every=ALL):
    return lambda bad: finished(side, outcome, bad, every)


def sends(long):
    return longer("stream_server_chunk_send_seconds", STREAM, "0.1", "0.15", long)


def lag_of(long):
    return lags("0.05", "0.075", long, 0)


def silent(active):
    return {series("stream_server_active", STREAM): stays(active)}


ERRORS = ("StreamsErrored", "", 600)
REFUSALS = ("StreamsRefused", "", 600)
BLOCKED = ("EventLoopLag", "late_seconds", 600)
EDGES = {
    "errors": Edge(*ERRORS, "quick", ends("server", "error"), 95, 105, ("1.05%", ERRORED)),
    "deadlines": Edge(*ERRORS, "quick", ends("server", "deadline"), 95, 105, ("1.05%", ERRORED)),
    "number of errors": Edge(*ERRORS, "5m", ends("server", "error", 1), 0.16, 0.17, ("17%", ERRORED)),
    **{
        reason: Edge(*REFUSALS, "quick", partial(refused, reason), 95, 105, ("1.05%", REFUSED))
        for reason in ("full", "client_full", "rate_limit")
    },
    "number of refusals": Edge(*REFUSALS, "5m", partial(refused, "full", every=1), 0.16, 0.17, ("17%", REFUSED)),
    "pauses": Edge("StreamsStalled", "", 600, "5m", paused, 95 / 600, 105 / 600, ("0.105 times", PAUSED)),
    "sends": Edge("SlowReaders", "send_time", 600, "quick", sends, 90, 110, ("104.5ms", SENT)),
    "gone": Edge("SlowReaders", "send_timeout", 0, "5m", ends("server", "send_timeout"), 0.16, 0.17, ("5.1 ", GONE)),
    "timers": Edge("EventLoopLag", "p99", 600, "quick", lag_of, 90, 110, ("52.27ms", TIMED)),
    "late seconds": Edge(*BLOCKED, "5m", partial(lags, "0.05", "0.075", 1), 0.2375, 0.2625, ("262.5ms", LATE)),
    "silence": Edge("StreamsSilent", "", 60, "quick", silent, 4, 5, ("5 ", SILENT)),
    **{
        outcome: Edge("ClientStreamsTruncated", "", 0, "quick", ends("client", outcome), 9.5, 10.5, ("0.105%", CUT))
        for outcome in ("truncated", "incomplete")
    },
    **{
        outcome: Edge("ClientStreamsFailed", "", 0, "quick", ends("client", outcome), 9.5, 10.5, ("0.105%", FAILED))
        for outcome in ("in_band_error", "check_failed", "protocol_error", "http_error", "connect_error")
    },
    "given up": Edge(
        "ClientStreamsStalled", "outcome", 0, "quick", ends("client", "stalled"), 9.5, 10.5, ("0.105%", GIVEN_UP)
    ),
    "client pauses": Edge(
        "ClientStreamsStalled", "pause", 0, "1m", client_paused, 95 / 600, 105 / 600, ("0.105 times", CLIENT_PAUSED)
    ),
}
#: One for each text.
TEXTS = {edge.says: (name, edge) for name, edge in EDGES.items()}.values()


@pytest.fixture
def promtool_test(promtool, tmp_path):
    """Runs a rule test whose files and series are given."""

    def run(files, *tests, evaluation="10s"):
        document = {"rule_files": [str(RULES / name) for name in files], "evaluation_interval": evaluation}
        path = tmp_path / "test.yml"
        path.write_text(yaml.safe_dump(document | {"tests": list(tests)}))
        return subprocess.run(
            [promtool, "test", "rules", path], capture_output=True, text=True, check=False, timeout=120
        )

    return run


def fed(values, interval="10s", **checks):
    given = [{"series": name, "values": each} for name, each in values.items()]
    return {"interval": interval, "input_series": given, "external_url": "http://p"} | checks


def firing(alert, at_s, number, **labels):
    """Asks how many alerts with these labels fire at a time."""
    matchers = ", ".join(f'{label}="{value}"' for label, value in ({"alertname": alert} | labels).items())
    samples = [{"labels": "{}", "value": number}] if number else []
    return {
        "expr": f'count(ALERTS{{{matchers}, alertstate="firing"}})',
        "eval_time": f"{at_s}s",
        "exp_samples": samples,
    }


@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES)
def test_an_alert_fires_from_its_threshold_on_once_it_has_waited(promtool_test, edge):
    few = [firing(edge.alert, edge.wait_s + 600, 0, **edge.labels)]
    enough = [firing(edge.alert, edge.wait_s + FULL_S[edge.full], 1, **edge.labels)]
    if edge.wait_s:
        enough.append(firing(edge.alert, edge.wait_s - 10, 0, **edge.labels))
    done = promtool_test(
        ("recording.yml", "alerts.yml"),
        fed(edge.fed(edge.few), promql_expr_test=few),
        fed(edge.fed(edge.enough), promql_expr_test=enough),
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("edge", [edge for _, edge in TEXTS], ids=[name for name, _ in TEXTS])
def test_an_alert_says_its_number_in_a_unit_that_a_reader_knows(promtool_test, edge):
    nothing = {"alertname": edge.alert, "eval_time": "16m", "exp_alerts": []}
    done = promtool_test(("recording.yml", "alerts.yml"), fed(edge.fed(edge.enough), alert_rule_test=[nothing]))
    said = " ".join((done.stdout + done.stderr).split())  # promtool shows what it did not expect
    assert f"{edge.says[0].strip()} " in said
    assert edge.says[1] in said


def test_many_short_lags_alone_are_no_blocked_loop(promtool_test):
    asked = [firing("EventLoopLag", 1200, 0)]
    values = lags("0.05", "0.075", 0, 0.9)
    done = promtool_test(("recording.yml", "alerts.yml"), fed(values, promql_expr_test=asked))
    assert done.returncode == 0, done.stdout + done.stderr


def test_silence_begins_two_minutes_after_the_last_chunk_or_heartbeat(promtool_test):
    for name in ("stream_server_chunks_total", "stream_server_heartbeats_total"):
        values = {series("stream_server_active", STREAM): stays(9), series(name, STREAM): "1000+1x30 1030+0x200"}
        asked = [firing("StreamsSilent", 465, 0), firing("StreamsSilent", 520, 1)]
        done = promtool_test(("recording.yml", "alerts.yml"), fed(values, promql_expr_test=asked))
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("alert", "up"),
    [("StreamAppDown", {"a": 0, "b": 0}), ("StreamAppDown", {}), ("StreamInstanceDown", {"a": 0, "b": 1})],
)
def test_a_target_is_down_once_it_was_so_for_a_minute(promtool_test, alert, up):
    values = {f'up{{job="streamgauge-app", instance="{name}"}}': stays(value) for name, value in up.items()}
    other = {"StreamAppDown": "StreamInstanceDown", "StreamInstanceDown": "StreamAppDown"}[alert]
    asked = [firing(alert, 50, 0), firing(alert, 70, 1), firing(other, 200, 0)]
    done = promtool_test(("recording.yml", "alerts.yml"), fed(values or {"x": "1+0x9"}, promql_expr_test=asked))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ["ClientStreamsTruncated", "ClientStreamsFailed"])
def test_an_alert_of_a_load_test_stays_for_five_minutes(promtool_test, alert):
    outcome = {"ClientStreamsTruncated": "truncated", "ClientStreamsFailed": "http_error"}[alert]
    values = finished("client", outcome, 100)
    values[series("stream_client_finished_total", NAMED, outcome=outcome)] = "1000+100x30 4000+0x200"
    asked = [firing(alert, 640, 1), firing(alert, 690, 0)]  # five minutes of failures, a window of one, and five more
    done = promtool_test(("recording.yml", "alerts.yml"), fed(values, promql_expr_test=asked))
    assert done.returncode == 0, done.stdout + done.stderr


BURNS = {"1h": 14.4, "6h": 6, "1d": 3, "3d": 1}
WAITS_S = {"1h": 120, "6h": 900, "1d": 3600, "3d": 10_800}


def budgets(job, burn):
    """A job each of whose objectives burns its budget so many times too fast."""

    def late(name, le):
        return {
            series(f"{name}_bucket", job=job, le=le): f"0+{1e5 - 1e3 * burn}x300",
            series(f"{name}_count", job=job): f"0+{1e5}x300",
        }

    sent = "stream_server_chunk_send_seconds"
    return (
        late("stream_server_time_to_first_chunk_seconds", "0.25")
        | late("stream_server_chunk_interval_seconds", "0.5")
        | {series(f"{sent}_bucket", job=job, le="0.5"): "0+9x300", series(f"{sent}_count", job=job): "0+9x300"}
        | {
            series("stream_server_finished_total", job=job, outcome="completed"): f"0+{1e6 - 1e3 * burn}x300",
            series("stream_server_finished_total", job=job, outcome="error"): f"0+{1e3 * burn}x300",
        }
    )


def test_a_budget_that_burns_fires_the_windows_that_its_pace_is_for(promtool_test):
    paces = {f"j{burn}-{factor}": burn * factor for burn in BURNS.values() for factor in (0.95, 1.05)}
    values, asked = budgets("all", 20), []
    for job, pace in paces.items():
        values |= budgets(job, pace)
    for alert in ("StreamSuccessBudgetBurn", "StreamFirstChunkBudgetBurn", "StreamChunkIntervalBudgetBurn"):
        for window, least in BURNS.items():
            for job, pace in paces.items():
                asked.append(firing(alert, 4 * 3600, int(pace > least), job=job, window=window))
            asked.append(firing(alert, WAITS_S[window] - 60, 0, job="all", window=window))
            asked.append(firing(alert, WAITS_S[window] + 300, 1, job="all", window=window))
    done = promtool_test(("slo.yml",), fed(values, "1m", promql_expr_test=asked), evaluation="1m")
    assert done.returncode == 0, done.stdout + done.stderr
