"""What a set of rules is made for: jobs, windows, waits and limits, each with its reason; and their shortening."""

from dataclasses import dataclass, field

from monitoring.config import FAILED_OUTCOMES, LIMITS, OBJECTIVES, RUNBOOKS_URL, SUCCESS_OBJECTIVE, Objective

_UNITS_S = (("d", 86_400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))


def span(seconds: float) -> str:
    """A duration as PromQL writes it, in its largest whole unit: ``5m``, ``90s``, ``1500ms``."""
    for unit, unit_s in _UNITS_S:
        count = round(seconds / unit_s, 9)
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    return f"{max(1, round(seconds * 1000))}ms"


@dataclass(frozen=True, slots=True)
class Burn:
    """An alert on a budget that burns ``rate`` times as fast as thirty days allow, over a long window and a short one.

    The long window says that it matters, the short one that it still goes on (https://sre.google/workbook/alerting-on-slos/).
    """

    rate: float
    long_s: float
    short_s: float
    wait_s: float
    severity: str


#: 2 % of the budget in an hour, 5 % in six, 10 % in a day or in three.
BURNS = (
    Burn(14.4, 3600, 300, 120, "page"),
    Burn(6, 6 * 3600, 1800, 900, "page"),
    Burn(3, 86_400, 7200, 3600, "ticket"),
    Burn(1, 3 * 86_400, 6 * 3600, 3 * 3600, "ticket"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of one set of rules. ``shorter`` divides every window and wait, and is above 1 in tests alone."""

    shorter: float = 1.0
    scrape_s: float = 2.0
    app_job: str = "streamgauge-app"
    """The job whose targets have to be up: a name or a regular expression. Other jobs' streams are watched as well."""
    runbooks_url: str = RUNBOOKS_URL

    objectives: dict[str, Objective] = field(default_factory=lambda: dict(OBJECTIVES))
    success: float = SUCCESS_OBJECTIVE
    failed_outcomes: tuple[str, ...] = FAILED_OUTCOMES
    """Server outcomes that use up the budget. A reader that stopped reading is its own doing, and has its own alert."""
    least_events: int = 5
    """Fewer bad events in a window are an incident to read about, and not one to be woken by."""

    window_s: float = 300
    """What an alert on a cause looks at."""
    wait_s: float = 600
    """How long that has to hold. One bad moment is seen for a whole window, so that one of a minute is none yet."""
    run_window_s: float = 60
    """The same for what the load generator says: a load test lasts a minute."""
    run_memory_s: float = 300
    """An alert of a load test stays this long, for its reader may look after the run."""

    errored_share: float = LIMITS["stream_server_finished_total"].bad
    stall_s: float = 1.0
    """An interval longer than this is a stall, on both sides; a bound of the buckets."""
    stalls_per_minute: float = 0.1
    """Stalls that each stream may have a minute: whoever watches for ten minutes sees one."""
    silence_s: float = 120
    """Neither a chunk nor a heartbeat for so long: proxies give such a connection up in a minute or two."""
    loop_lag_s: float = LIMITS["event_loop_lag_seconds"].bad
    loop_late_share: float = 0.25
    """Seconds in each second by which the timers of all event loops of one page may be late. One that is blocked for
    long runs few of them, and the p99 is then that of the others; four idle loops come to 0.03 on a busy machine."""
    send_s: float = LIMITS["stream_server_chunk_send_seconds"].bad
    refusals: tuple[str, ...] = ("full", "client_full", "rate_limit")
    """Reasons of refusals that mean "full"; a missing key or a body too large are the client's."""
    refused_share: float = 0.01
    client_failed_share: float = LIMITS["stream_client_finished_total"].warn
    down_s: float = 60

    def window(self, seconds: float) -> str:
        """A range: shortened, and never so short that fewer than four scrapes fall into it."""
        return span(max(seconds / self.shorter, 4 * self.scrape_s))

    def wait(self, seconds: float) -> str:
        """A ``for`` or a ``keep_firing_for``, shortened."""
        return span(seconds / self.shorter)

    def interval(self, seconds: float) -> str:
        """How often a group is evaluated: shortened, and never more often than what it reads changes."""
        return span(max(seconds / self.shorter, self.scrape_s))

    def share(self, objective: str) -> float:
        """The share of good events that an objective asks for: ``success``, or a key of ``objectives``."""
        return self.success if objective == "success" else self.objectives[objective].share
