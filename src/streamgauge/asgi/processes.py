"""The CPU time, memory and file descriptors of each process of a service that has several."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from streamgauge.asgi.worker_liveness import measuring_processes


class WorkerProcessCollector(Collector):
    """The families of prometheus_client's ``ProcessCollector``, with a label ``pid``. Linux only, like those.

    ``directory``: the metrics directory of the service.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        """Return one sample of each family for each live process that measures streams."""
        families: dict[str, Metric] = {}
        for pid in measuring_processes(self._directory):
            for family in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                kept = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    kept.add_sample(sample.name, {"pid": str(pid)}, sample.value)
        return families.values()
