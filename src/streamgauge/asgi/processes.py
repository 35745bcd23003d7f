"""What several processes that are one service use of the machine: CPU time, memory and file descriptors of each."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import Metric as Sampled
from prometheus_client.registry import Collector

from streamgauge.asgi.worker_liveness import living


class Processes(Collector):
    """The families that prometheus_client has for a process alone, with a label ``pid``. Linux only, as there."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def collect(self) -> Iterable[Sampled]:
        """One sample of each family for each process that lives."""
        families: dict[str, Sampled] = {}
        for pid in living(self._place):
            for family in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                kept = families.setdefault(family.name, Sampled(family.name, family.documentation, family.type))
                for sample in family.samples:
                    kept.add_sample(sample.name, {"pid": str(pid)}, sample.value)
        return families.values()
