"""Panels on the resources of processes, for two dashboards."""

from grafanalib import core

from monitoring.config import NO_PROCESS
from monitoring.dashboards.families import CPU, MAX_DESCRIPTORS, MEMORY, OPEN_DESCRIPTORS
from monitoring.panels import chart
from monitoring.promql.panels import cpu_of, descriptors_of, memory_of
from monitoring.variables import GENERATORS, SERVERS

_LEGEND = "{{instance}} {{pid}}"


def of_the_app() -> list[core.Panel]:
    """Build the panels on the app's processes, each with its own event loop."""
    return _panels(
        "the app",
        SERVERS,
        "A process streams on one event loop: near 100 % its core is full and chunks are late; add workers. More than "
        "100 % means that other threads run too.",
    )


def of_the_generator() -> list[core.Panel]:
    """Build the panels on the load generator's reporting process."""
    return _panels(
        "the load generator",
        GENERATORS,
        "It is Locust's single process or its master; the verdict includes the CPU of each worker. Near 100 % the "
        "measurement is not trusted: add workers.",
    )


def _panels(who: str, series: str, advice: str) -> list[core.Panel]:
    """Build panels on CPU, memory and descriptors of the processes whose targets expose ``series``."""
    return [
        chart(
            "CPU",
            f"`{CPU}`: the share of a core that each process of {who} uses. {advice}",
            [(cpu_of(series), _LEGEND)],
            "percentunit",
            noValue=NO_PROCESS,
        ),
        chart(
            "Memory",
            f"`{MEMORY}`: resident memory of each process of {who}. It follows the open streams and their buffers; "
            "a line that rises under a steady load means a leak, or readers that do not keep up.",
            [(memory_of(series), _LEGEND)],
            "bytes",
            noValue=NO_PROCESS,
        ),
        chart(
            "Open file descriptors",
            f"`{OPEN_DESCRIPTORS}`, `{MAX_DESCRIPTORS}`: the share of its file descriptors that each process of {who} "
            "has open; every connection needs one. Raise the limit (ulimit -n) before it is reached.",
            [(descriptors_of(series), _LEGEND)],
            "percentunit",
            OPEN_DESCRIPTORS,
            noValue=NO_PROCESS,
        ),
    ]
