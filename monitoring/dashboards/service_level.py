"""Panels on error budgets and alerts."""

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
    """List each objective: title, metric, bad share in a window, and required good share."""
    return [
        ("streams", SERVER_FINISHED, bad_share_of_streams(window), SUCCESS_OBJECTIVE),
        ("first chunks", SERVER_TTFC, late_share(SERVER_TTFC, "ttfc_slo", window), TTFC_SHARE),
        ("chunks", SERVER_INTERVAL, late_share(SERVER_INTERVAL, "interval_slo", window), INTERVAL_SHARE),
    ]


def budget_panels() -> list[core.Panel]:
    """Build panels on what is left of each error budget, and how fast it burns."""
    left = [
        stat(
            f"Budget left, {title}",
            f"`{metric}`: the share of the error budget that is left in the time range; the objective is "
            f"{objective * 100:.4g} %. 100 %: nothing was bad. 0 %: the budget is spent or overspent.",
            budget_left(bad_share, objective),
            "percentunit",
            BUDGET_LEFT,
        )
        for title, metric, bad_share, objective in _bad_shares("$__range")
    ]
    lines = [(burn_rate(bad_share, objective), title) for title, _, bad_share, objective in _bad_shares("5m")]
    burn = chart(
        "Burn rate, over 5 minutes",
        f"`{SERVER_FINISHED}`, `{SERVER_TTFC}`, `{SERVER_INTERVAL}`: how many times as fast as the objective allows "
        "each error budget is spent. The alerts use windows of an hour and more, and leave out sends to slow "
        "readers.",
        lines,
        "none",
        BURN_RATE,
    )
    return [*left, burn]


def alerts_table() -> Table:
    """Build the table of pending and firing alerts."""
    shown = "alertname, alertstate, severity, job, route, name"
    return table(
        "Alerts",
        f"`{ALERTS}`, `{ALERTS_SINCE}`: pending and firing alerts of the selected jobs. Pending: the condition holds, "
        "but not for long enough yet. Each alert has a page in docs/runbooks that says what to do; "
        "Prometheus's page /alerts links to it.",
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
