"""The ports that Locust listens on: the web UI's, and the one at which its workers find their master."""

from dataclasses import dataclass

from streamgauge.runner.ports import Port, PortChooser

_WEB, _WORKERS = "Locust's web UI", "Locust's workers"


@dataclass(frozen=True, slots=True)
class LocustPorts:
    """Locust's ports; None for a run without a web UI, or without workers."""

    web: Port | None
    workers: Port | None

    @classmethod
    def chosen(cls, chooser: PortChooser, web_port: int | None, *, web: bool, workers: bool) -> "LocustPorts":
        """Choose the given port of the web UI, else the usual ports, else free ones. Raises PortError."""
        return cls(
            web=chooser.choose(_WEB, 8089, "--web-port", web_port) if web else None,
            workers=chooser.choose(_WORKERS, 5557) if workers else None,
        )

    def chosen_again(self) -> "LocustPorts":
        """Replace the ports that another process took since they were chosen.

        Raises PortError if the user gave one of them.
        """
        chooser = PortChooser()
        return LocustPorts(
            web=self.web and chooser.checked(self.web, _WEB, "--web-port"),
            workers=self.workers and chooser.checked(self.workers, _WORKERS),
        )

    @property
    def notices(self) -> list[str]:
        """A sentence for each port that is not the usual one."""
        return [port.notice for port in (self.web, self.workers) if port is not None and port.notice]
