"""The ports of a demo: the app's, its metrics', and Locust's."""

from dataclasses import dataclass

from streamgauge.runner.locust_ports import LocustPorts
from streamgauge.runner.ports import Port, PortChooser


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that the demo's processes listen on."""

    app: Port
    metrics: Port
    locust: LocustPorts

    def chosen_again(self) -> "Ports":
        """Keep the ports that the user gave, and replace those that another process took since they were chosen."""
        given = [port.number if port and port.asked_for else None for port in (self.app, self.metrics, self.locust.web)]
        return choose_ports(*given, web=self.locust.web is not None, workers=self.locust.workers is not None)

    @property
    def notices(self) -> list[str]:
        """A sentence for each port that is not the usual one."""
        return [*(port.notice for port in (self.app, self.metrics) if port.notice), *self.locust.notices]


def choose_ports(app: int | None, metrics: int | None, web_port: int | None, *, web: bool, workers: bool) -> Ports:
    """Choose the ports of a demo: the given ones, else the usual ones, else free ones. Raises PortError."""
    chooser = PortChooser()
    return Ports(
        app=chooser.choose("app", 8000, "--app-port", app),
        metrics=chooser.choose("app's metrics", 9101, "--metrics-port", metrics),
        locust=LocustPorts.chosen(chooser, web_port, web=web, workers=workers),
    )
