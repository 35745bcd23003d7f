"""The ports of a demo: the app's, its metrics', the web UI's and the workers'."""

from dataclasses import dataclass, replace

from streamgauge.runner.ports import Port, PortChooser


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that the demo's processes listen on; None if the demo has no such process.

    Locust's workers find their master at ``workers``.
    """

    app: Port
    metrics: Port
    web: Port | None
    workers: Port | None

    def chosen_again(self) -> "Ports":
        """Keep the ports that the user gave, and replace those that another process took since they were chosen."""
        given = [port.number if port and port.asked_for else None for port in (self.app, self.metrics, self.web)]
        return choose_ports(*given, web=self.web is not None, workers=self.workers is not None)

    def locust_chosen_again(self) -> "Ports":
        """Replace those of Locust's ports that another process took since they were chosen.

        Raises PortError if the user gave one of them.
        """
        chooser = PortChooser()
        return replace(
            self,
            web=self.web and chooser.checked(self.web, "Locust's web UI", "--web-port"),
            workers=self.workers and chooser.checked(self.workers, "Locust's workers"),
        )


def choose_ports(app: int | None, metrics: int | None, web_port: int | None, *, web: bool, workers: bool) -> Ports:
    """Choose the ports of a demo: the given ones, else the usual ones, else free ones. Raises PortError."""
    chooser = PortChooser()
    return Ports(
        app=chooser.choose("app", 8000, "--app-port", app),
        metrics=chooser.choose("app's metrics", 9101, "--metrics-port", metrics),
        web=chooser.choose("Locust's web UI", 8089, "--web-port", web_port) if web else None,
        workers=chooser.choose("Locust's workers", 5557) if workers else None,
    )
