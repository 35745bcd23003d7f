"""The settings of a set of rules: jobs, windows, waits and limits, each with its reason."""

from dataclasses import dataclass, field

from monitoring.config import FAILED_OUTCOMES, LIMITS, OBJECTIVES, RUNBOOKS_URL, SUCCESS_OBJECTIVE, Objective

_UNITS_S = (("d", 86_400.0), ("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001))


def span(seconds: float) -> str:
    """Write a duration in PromQL in its largest whole unit: ``5m``, ``90s``, ``1500ms``."""
    for unit, unit_s in _UNITS_S:
        count = round(seconds / unit_s, 9)
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    return f"{max(1, round(seconds * 1000))}ms"


@dataclass(frozen=True, slots=True)
class Burn:
    """An alert on an error budget that burns ``rate`` times as fast as thirty days allow.

    The long window shows that it matters, the short one that it continues
    (https://sre.google/workbook/alerting-on-slos/).
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
    """The settings of one set of rules. ``shorter`` divides every window and wait; only tests set it above 1."""

    shorter: float = 1.0
    scrape_s: float = 2.0
    app_job: str = "streamgauge-app"
    """The job whose targets must be up: a name or a regular expression. Rules on streams apply to every job."""
    runbooks_url: str = RUNBOOKS_URL

    objectives: dict[str, Objective] = field(default_factory=lambda: dict(OBJECTIVES))
    success: float = SUCCESS_OBJECTIVE
    failed_outcomes: tuple[str, ...] = FAILED_OUTCOMES
    """Server outcomes that spend the budget. Readers that stop reading have their own alert instead."""
    least_events: int = 5
    """With fewer bad events in a window, no alert fires."""

    window_s: float = 300
    """The window of alerts on causes."""
    wait_s: float = 600
    """How long a cause must last. It exceeds the window, since one bad moment shows for a whole window."""
    run_window_s: float = 60
    """The window of alerts on a load test, which lasts a minute."""
    run_memory_s: float = 300
    """How long an alert on a load test stays after the run."""

    errored_share: float = LIMITS["stream_server_finished_total"].bad
    stall_s: float = 1.0
    """A longer interval is a stall, on both sides; must be a bound of the buckets."""
    stalls_per_minute: float = 0.1
    """Stalls per minute that each stream may have: one in ten minutes."""
    silence_s: float = 120
    """The longest silence: proxies close a silent connection after a minute or two."""
    loop_lag_s: float = LIMITS["event_loop_lag_seconds"].bad
    loop_late_share: float = 0.25
    """Seconds per second by which the timers of all event loops behind one metrics port may be late. A loop that is
    blocked for long runs few timers, so the p99 may miss it. Four idle loops reach 0.03 on a busy machine."""
    send_s: float = LIMITS["stream_server_chunk_send_seconds"].bad
    refusals: tuple[str, ...] = ("full", "client_full", "rate_limit")
    """Reasons of refusals that mean "full"; a missing key or a large body is the client's fault."""
    refusal_statuses: tuple[str, ...] = ("429",)
    """Statuses that mean "full", of streams whose refusal the app has not counted as one."""
    refused_share: float = 0.01
    client_failed_share: float = LIMITS["stream_client_finished_total"].warn
    down_s: float = 60

    def window(self, seconds: float) -> str:
        """Write a window, shortened but at least four scrapes long."""
        return span(max(seconds / self.shorter, 4 * self.scrape_s))

    def wait(self, seconds: float) -> str:
        """Write a ``for`` or ``keep_firing_for``, shortened."""
        return span(seconds / self.shorter)

    def interval(self, seconds: float) -> str:
        """Write the evaluation interval of a group, shortened but at least the scrape interval."""
        return span(max(seconds / self.shorter, self.scrape_s))

    def share(self, objective: str) -> float:
        """Find the required share of good events of ``success`` or a key of ``objectives``."""
        return self.success if objective == "success" else self.objectives[objective].share
