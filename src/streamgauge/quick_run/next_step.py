"""Says in plain words what a quick run found, and which command to try next."""

import re
from dataclasses import dataclass, field

from streamgauge.report.result import Result
from streamgauge.report.sums import counted_s, totals
from streamgauge.report.units import number, some
from streamgauge.stats.outcome import NOT_FAILED, Outcome
from streamgauge.verdict.exit_status import ExitStatus
from streamgauge.verdict.late_arrivals import waited_for_users

_RATE = re.compile(r"(\d+(?:\.\d+)?)/s")
_STATUS = re.compile(r"status (\d{3})")
_SETTLED = frozenset(outcome.value for outcome in NOT_FAILED)
#: A passed run with fewer users than this shows that the load works, not what the service can do.
_FEW_USERS = 50
#: A run of this length shows whether a service sends anything at all.
_LONG_S = 60


@dataclass(frozen=True, slots=True)
class Step:
    """What to say, and the options to change in the command; without any there is no command to try."""

    words: str
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asked for, as far as the next step depends on it."""

    host: str
    users: int | None
    run_time_s: int | None
    processes: int
    cores: int
    """Of this machine."""
    rules: bool
    rate: str
    shape: bool
    recorded: bool
    saved: bool
    body: bool
    reached_by: tuple[str, ...] = ()
    """The options that lead connections elsewhere than the URL says."""


def next_step(result: Result, asked: Asked) -> Step:
    """Choose what to say about ``result``: what went wrong, or else what the user can learn next."""
    outcomes = totals(result["streams"])["outcomes"]
    bad = {name: times for name, times in outcomes.items() if times and name not in _SETTLED}
    if bad and sum(bad.values()) == sum(outcomes.values()) - outcomes.get(Outcome.CENSORED, 0):
        return _all_failed(result, asked, max(bad, key=lambda name: bad[name]))
    if not sum(outcomes.values()) - outcomes.get(Outcome.CENSORED, 0):
        return _none_ended(result, asked)
    if bad:
        return _some_failed(result, asked, sum(bad.values()), sum(outcomes.values()))
    if not totals(result["streams"])["chunks"]:
        return Step(
            "Every response was empty: no chunk came. Check the query and the body (-d) of the request, and --chunk if "
            "you gave it."
        )
    if _is_no_stream(result):
        return _no_stream(asked)
    return _measured(result, asked)


def _reason(result: Result, outcome: str) -> str:
    """Return the most frequent reason of an outcome."""
    found = [(times, why) for each in result["streams"] for why, times in each["reasons"].items()]
    return max((each for each in found if each[1].startswith(outcome)), default=(0, ""))[1]


def _all_failed(result: Result, asked: Asked, outcome: str) -> Step:
    reason = _reason(result, outcome)
    if outcome == Outcome.CONNECT_ERROR:
        return _not_connected(reason, asked)
    if outcome == Outcome.HTTP_ERROR:
        return _refused(reason, asked)
    if outcome == Outcome.INCOMPLETE and not totals(result["streams"])["chunks"]:
        return Step(
            "Responses came, but no whole chunk: this may be no stream of this format. Leave out --protocol to take "
            "the format from the response, and --end to accept any clean end."
        )
    if outcome == Outcome.STALLED:
        return Step(
            "The service accepted the requests and then sent nothing for too long. If its streams may be quiet for "
            "that long, set a higher limit in the locustfile: --save FILE.py writes it.",
            _one_user(asked),
        )
    return Step(f"Every stream failed ({reason.partition(':')[0]}). Try one user: is it the load, or each stream?",
                _one_user(asked))  # fmt: skip


def _not_connected(reason: str, asked: Asked) -> Step:
    lower = reason.lower()
    if "resolve" in lower:
        return Step(f"The host name in {asked.host} is not known. Check how it is spelt.")
    if "certificate" in lower or "self-signed" in lower:
        return Step("The server's certificate is not trusted. For a test server, accept any certificate:",
                    {"--insecure": ""})  # fmt: skip
    if "tls" in lower:
        return Step(f"TLS failed at {asked.host}. Check the scheme: does the service speak http:// or https://?")
    if asked.reached_by:
        way = " and ".join(asked.reached_by)
        return Step(
            f"Nothing answers at {asked.host} by way of {way}. Check that the service runs, and what {way} says."
        )
    return Step(f"Nothing answers at {asked.host}. Check that the service runs, and its host and port.")


#: What to do about a status with which every request was refused.
_REFUSALS = {
    400: "The server refuses the request as it is. Check the body (-d) and the headers (-H).",
    401: "The server asks for credentials. Give them: -H 'Authorization: Bearer …', or http://user:password@host.",
    403: "The server forbids this request. Check the credentials (-H 'Authorization: …') and the Origin header.",
    404: "The server has nothing at this path. Check the path in the URL.",
    405: "The server does not accept this method here. Streams of language models need a body: "
    '-d \'{"model": "…", "stream": true, "messages": […]}\', which is sent with POST.',
    415: "The server does not accept this type of body. Say which it is: -H 'Content-Type: application/json'.",
    422: "The server understands the request, but not its values. Check the query and the body (-d).",
    426: "This address is a WebSocket. Begin the URL with ws:// or wss://.",
}


def _refused(reason: str, asked: Asked) -> Step:
    found = _STATUS.search(reason)
    status = int(found[1]) if found else 0
    if status in _REFUSALS:
        return Step(f"Every request was answered with status {status}. {_REFUSALS[status]}")
    if status in (429, 503):
        return Step(f"The server refuses every request with status {status}: it is overloaded, or limits this client.",
                    _fewer(asked))  # fmt: skip
    if status >= 500:
        return Step(f"The server fails on every request, with status {status}. Its log says why.")
    if 300 <= status < 400:
        return Step(f"The server redirects in a circle, or too often (status {status}). Use the URL that it leads to.")
    return Step(
        "The server answers, but not with the format that was asked for. Leave out --protocol to take the format from "
        "the response."
    )


def _one_user(asked: Asked) -> dict[str, str]:
    return {"--users": "1"} if (asked.users or 0) > 1 and not asked.rate and not asked.shape else {}


def _fewer(asked: Asked) -> dict[str, str]:
    """Return the options of a quarter of the load; none if that cannot be said."""
    if asked.shape:
        return {}
    if asked.rate:
        quarter = _RATE.sub(lambda found: f"{float(found[1]) / 4:g}/s", asked.rate)
        return {"--rate": quarter} if quarter != asked.rate else {}
    return {"--users": str(max(1, (asked.users or 1) // 4))} if (asked.users or 1) > 1 else {}


def _none_ended(result: Result, asked: Asked) -> Step:
    found = totals(result["streams"])
    started = sum(each["started"] for each in result["streams"])
    if not found["chunks"]:
        longer_s = max(_LONG_S, (asked.run_time_s or 0) * 3)  # streams under way had 15 s more than the run
        longer = {"--run-time": f"{longer_s}s"} if asked.run_time_s is not None else {}
        return Step("No chunk came before the run ended. Give the service more time:", longer)
    if asked.recorded:
        return Step(
            'No stream ended by itself. If they have no end, give each an end="chunks:N" in the locustfile:',
            {} if asked.saved else {"--save": "session.py"},
        )
    count = float(f"{max(1, found['chunks'] // max(1, 2 * started)):.1g}")
    return Step("No stream ended by itself. If the service's streams have no end, read each a number of chunks long:",
                {"--end": f"chunks:{count:.0f}"})  # fmt: skip


def _some_failed(result: Result, asked: Asked, bad: int, ended: int) -> Step:
    less = "less load" if asked.rate or asked.shape else "fewer users"
    words = f"{number(bad)} of {some(ended, 'stream')} failed. Try {less}: do they still fail?"
    if any(_STATUS.search(why) and "429" in why for each in result["streams"] for why in each["reasons"]):
        words = f"The server refused {number(bad)} of {some(ended, 'stream')} with status 429: it limits this client."
    return Step(words, _fewer(asked))


def _is_no_stream(result: Result) -> bool:
    """Whether each response came as one piece, in a format that is none of streams."""
    return all(each["protocol"] == "raw" and each["chunks"] <= each["started"] for each in result["streams"])


def _no_stream(asked: Asked) -> Step:
    ask = (
        'Does its body ask for a stream, as "stream": true does?'
        if asked.body
        else "Is this the address of a stream, and does it need a body (-d) or a header (-H)?"
    )
    return Step(
        "This is no stream: each response came in one piece, in a format that is none of streams (such as plain JSON "
        f"or HTML). {ask} If it should stream, something on the way may hold it back: compare with curl -N."
    )


def _measured(result: Result, asked: Asked) -> Step:
    verdict = result["verdict"]
    if verdict["trust"] != "trusted":
        return _disturbed(verdict["reasons"], asked)
    if verdict["exit_code"] == ExitStatus.FAILED:
        return Step("A rule failed at this load. Find a load at which it holds:", _fewer(asked))
    if asked.users is not None and asked.users < _FEW_USERS and not asked.rate and not asked.shape:
        return Step("It works. Now load it:", {"--users": str(asked.users * 10), "--run-time": "30s"})
    if not asked.rules and not verdict.get("slo") and (limit := _limit(result)):
        return Step("Let a rule decide whether the run passes:", {"--slo": f"time_to_first_chunk.p99 < {limit}"})
    if not asked.rate and not asked.shape and (rate := _rate(result)):
        return Step("Start streams at a fixed rate, whether or not the service keeps up:", {"--rate": rate})
    if not asked.saved:
        return Step("Keep this load as a locustfile that you can change:", {"--save": "load.py"})
    return Step("Locust runs the saved file as well, over any number of machines: locust -f FILE.py --master")


def _disturbed(reasons: list[str], asked: Asked) -> Step:
    lacked_cpu = any("CPU" in reason for reason in reasons)
    if not lacked_cpu and any(waited_for_users(reason) for reason in reasons):
        return Step(
            "The service was slow at this rate, so streams had to wait for a free user. Start fewer per second, or let "
            "more be under way with a higher -u:",
            _fewer(asked),
        )
    if not lacked_cpu:
        longer = {"--run-time": f"{asked.run_time_s * 3}s"} if asked.run_time_s is not None else {}
        return Step("The figures are not exact, for the reasons above. Try a longer run on a quiet machine:", longer)
    if asked.processes * 2 <= asked.cores:
        return Step("The load generator lacked CPU. Share its load between processes:",
                    {"--processes": str(asked.processes * 2)})  # fmt: skip
    return Step("The load generator lacked CPU. Try less load, or a machine that does nothing else:", _fewer(asked))


def _limit(result: Result) -> str:
    """Return twice the largest p99 of the time to first chunk, with one digit; empty if there is none."""
    found = [p99 for each in result["streams"] if (p99 := each["time_to_first_chunk"]["p99"]) is not None]
    return f"{float(f'{max(found) * 2000:.1g}'):g}ms" if found else ""


def _rate(result: Result) -> str:
    """Return one and a half times the streams that ended per second, with two digits."""
    ended = sum(totals(result["streams"])["outcomes"].values())
    lasted_s = counted_s(result["run"])
    return f"{float(f'{1.5 * ended / lasted_s:.2g}'):g}/s" if ended and lasted_s else ""
