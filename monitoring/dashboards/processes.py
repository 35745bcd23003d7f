"""What processes use of their machine, which two dashboards show."""

from grafanalib import core

from monitoring.config import NO_PROCESS
from monitoring.dashboards.families import CPU, MAX_DESCRIPTORS, MEMORY, OPEN_DESCRIPTORS
from monitoring.panels import chart
from monitoring.promql.panels import cpu_of, descriptors_of, memory_of
from monitoring.variables import GENERATORS, SERVERS

_LEGEND = "{{instance}} {{pid}}"


def of_the_app() -> list[core.Panel]:
    """Those of the app, each with its own event loop."""
    return _panels(
        "the app",
        SERVERS,
        "A process streams on one event loop: near 100 % its core is full, chunks come late, and more workers are the "
        "remedy. Above it other threads take part.",
    )


def of_the_generator() -> list[core.Panel]:
    """That of the load generator which reports runs."""
    return _panels(
        "the load generator",
        GENERATORS,
        "It is Locust's single process or its master; the CPU of each worker is in the verdict. Near 100 % the "
        "measurement is not trusted: give the load test workers.",
    )


def _panels(who: str, series: str, advice: str) -> list[core.Panel]:
    """CPU, memory and descriptors of the processes of targets that expose ``series``."""
    return [
        chart(
            "CPU",
            f"`{CPU}`: how much of a core each process of {who} uses. {advice}",
            [(cpu_of(series), _LEGEND)],
            "percentunit",
            noValue=NO_PROCESS,
        ),
        chart(
            "Memory",
            f"`{MEMORY}`: memory that each process of {who} holds. It follows the open streams and what is buffered "
            "for them; a line that climbs under a steady load is a leak, or readers that do not keep up.",
            [(memory_of(series), _LEGEND)],
            "bytes",
            noValue=NO_PROCESS,
        ),
        chart(
            "Open file descriptors",
            f"`{OPEN_DESCRIPTORS}`, `{MAX_DESCRIPTORS}`: the share of its file descriptors that each process of {who} "
            "has open; every connection is one. Raise the limit (ulimit -n) before it is reached.",
            [(descriptors_of(series), _LEGEND)],
            "percentunit",
            OPEN_DESCRIPTORS,
            noValue=NO_PROCESS,
        ),
    ]
