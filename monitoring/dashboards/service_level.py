"""Error budgets and alerts: whether the service may be worse for a while, and what has to be done now."""

from grafanalib import core

from monitoring.config import BUDGET_LEFT, BURN_RATE, NO_ALERT, OBJECTIVES, SUCCESS_OBJECTIVE
from monitoring.dashboards.families import SERVER_FINISHED, SERVER_INTERVAL, SERVER_TTFC
from monitoring.panels import Json, chart, stat
from monitoring.promql.panels import (
    ALERTS,
    ALERTS_SINCE,
    alerts_since,
    bad_share_of_streams,
    budget_left,
    burn_rate,
    late_share,
)
from monitoring.tables import Column, Table, table

TTFC_SHARE = OBJECTIVES["time_to_first_chunk"].share
INTERVAL_SHARE = OBJECTIVES["chunk_interval"].share


def _bad_shares(window: str) -> list[tuple[str, str, str, float]]:
    """Each objective: its title, its metric, what part was bad in a window, and the share that has to be good."""
    return [
        ("streams", SERVER_FINISHED, bad_share_of_streams(window), SUCCESS_OBJECTIVE),
        ("first chunks", SERVER_TTFC, late_share(SERVER_TTFC, "ttfc_slo", window), TTFC_SHARE),
        ("chunks", SERVER_INTERVAL, late_share(SERVER_INTERVAL, "interval_slo", window), INTERVAL_SHARE),
    ]


def budget_panels() -> list[core.Panel]:
    """What is left of each error budget, and how fast it is used up."""
    left = [
        stat(
            f"Budget left, {title}",
            f"`{metric}`: the part that is left of what may be bad in the time shown, where {objective * 100:.4g} % "
            "have to be good. 100 %: nothing was bad. 0 %: as much as the objective allows, or more.",
            budget_left(bad_share, objective),
            "percentunit",
            BUDGET_LEFT,
        )
        for title, metric, bad_share, objective in _bad_shares("$__range")
    ]
    lines = [(burn_rate(bad_share, objective), title) for title, _, bad_share, objective in _bad_shares("5m")]
    burn = chart(
        "Burn rate, over 5 minutes",
        f"`{SERVER_FINISHED}`, `{SERVER_TTFC}`, `{SERVER_INTERVAL}`: how many times as fast as its objective allows "
        "each error budget is used up. The alerts look at the same over an hour and more, sends to slow readers left "
        "out.",
        lines,
        "none",
        BURN_RATE,
    )
    return [*left, burn]


def alerts_table() -> Table:
    """What Prometheus's rules say now."""
    shown = "alertname, alertstate, severity, job, route, name"
    return table(
        "Alerts",
        f"`{ALERTS}`, `{ALERTS_SINCE}`: what Prometheus's rules say now, of the chosen jobs. Pending: the condition "
        "holds, but not for long enough yet. The page in docs/runbooks that has the alert's name says what to do; "
        "Prometheus's own page /alerts links to it.",
        {
            "alertname": "Alert",
            "alertstate": "State",
            "severity": "Severity",
            "job": "Job",
            "route": "Route",
            "name": "Name",
        },
        [
            Column(
                "Since",
                alerts_since(shown),
                "dateTimeAsIso",
            )
        ],
        sort_by="Since",
        largest_first=True,
        no_value=NO_ALERT,
        mappings={"Severity": _SEVERITIES, "State": _STATES},
    )


def _colours(of: dict[str, str]) -> list[Json]:
    options = {text: {"text": text, "color": name, "index": index} for index, (text, name) in enumerate(of.items())}
    return [{"type": "value", "options": options}]


_SEVERITIES = _colours({"page": "red", "ticket": "orange", "info": "blue"})
_STATES = _colours({"firing": "red", "pending": "orange"})
