"""The panels on the open model: what its schedule asked for, and what started late or never."""

from grafanalib import core

from monitoring.dashboards import families as m
from monitoring.panels import chart, per_second
from monitoring.promql.panels import above_zero, gauge_sum, median_and_p99, rate


def arrivals() -> list[core.Panel]:
    """Return the panels."""
    return [
        chart(
            "Arrivals of the open model",
            f"`{m.SCHEDULED}`, `{m.WANTED_ARRIVALS}`, `{m.LATE_STARTS}`, `{m.DROPPED}`: what the schedule asks for, "
            "what the shape of the rate wants where it has one, and what started late, or never. Late of one worker "
            "alone: it has too little CPU. Of all workers, or dropped: the service is slow at this rate, or the limit "
            "of streams under way too low.",
            [
                (above_zero(rate(m.SCHEDULED)), "scheduled"),
                (gauge_sum(m.WANTED_ARRIVALS), "wanted"),
                *((above_zero(rate(each, ("worker",))), f"{what} {{{{worker}}}}") for each, what in m.LATE_OR_DROPPED),
            ],
            per_second("streams"),
        ),
        chart(
            "Start delay",
            f"`{m.START_DELAY}`: how much later than scheduled streams of an open model began; their other times "
            "contain it. More than a few milliseconds mean a busy generator, or no free user.",
            median_and_p99(m.START_DELAY, m.BY_NAME, m.NAME_LEGEND),
            "s",
        ),
    ]
