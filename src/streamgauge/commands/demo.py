"""``streamgauge demo``: its options."""

from pathlib import Path

import click

from streamgauge.commands.option_values import Existing, NewDirectory, Port, Problem, Rate, RunTime, Whole, need
from streamgauge.runner.interrupt import Interrupt

_NEEDS = ("fastapi", "uvicorn", "prometheus_client", "locust", "rich", "plotly", "jinja2", "hdrh")
#: Beyond it, one host runs out of ephemeral ports to one address.
_MOST_USERS = 20_000


@click.command()
@click.option("--users", type=Whole(1, _MOST_USERS), default=100, show_default=True, help="Concurrent users.")
@click.option("--spawn-rate", type=Rate(), help="Users started per second.  [default: all within 3 s]")
@click.option("--run-time", type=RunTime(), default="30s", show_default=True, help="Length of the run.")
@click.option(
    "--processes",
    type=Whole(1, 64),
    default=1,
    show_default=True,
    help="Locust processes that drive the streams.",
)
@click.option("--locustfile", type=Existing("a locustfile"), help="Scenario.  [default: the mix]")
@click.option("--app-port", type=Port(), help="The app's port.  [default: 8000, or a free one]")
@click.option("--metrics-port", type=Port(), help="The port of its metrics.  [default: 9101, or a free one]")
@click.option("--web", is_flag=True, help="With Locust's web UI, which stays open after the run until Ctrl-C.")
@click.option("--web-port", type=Port(), help="Its port.  [default: 8089, or a free one]")
@click.option(
    "--result-dir",
    type=NewDirectory(),
    default="results",
    show_default=True,
    help="Where each run gets a directory of its own.",
)
@click.option("--quiet", is_flag=True, help="No progress: only the table, the verdict and the paths.")
def demo(
    users: int,
    spawn_rate: float | None,
    run_time: int,
    processes: int,
    locustfile: Path | None,
    app_port: int | None,
    metrics_port: int | None,
    web: bool,
    web_port: int | None,
    result_dir: Path,
    quiet: bool,
) -> None:
    """Load the sample app with concurrent streams and say what was found.

    Starts the app and a Locust run on it, shows how it goes, then prints the table, the generator's lag, the server's
    own view of the same run and the verdict, and writes result.json and report.html. Ctrl-C ends the run early and
    keeps what was measured; a second Ctrl-C kills everything at once.

    Exit status: 0 passed, 1 a stream failed, 2 usage, 3 the measurement cannot be trusted, 130 interrupted.
    """
    need(_NEEDS, "demo")
    if web_port is not None and not web:
        raise Problem(f"--web-port {web_port}: there is no web UI without --web")
    with Interrupt() as interrupt:
        from streamgauge.demo.demo_ports import choose_ports
        from streamgauge.demo.demo_run import Plan, run_demo
        from streamgauge.demo.sample import default_locustfile
        from streamgauge.runner.ports import PortError

        try:
            ports = choose_ports(app_port, metrics_port, web_port, web=web, workers=processes > 1)
            locustfile = locustfile or default_locustfile()
        except (PortError, FileNotFoundError) as error:
            raise Problem(str(error)) from None
        plan = Plan(
            users=users,
            spawn_rate=spawn_rate or max(1.0, users / 3),
            run_time_s=run_time,
            processes=processes,
            locustfile=locustfile.absolute(),
            ports=ports,
            result_dir=result_dir,
        )
        status = run_demo(plan, interrupt, quiet=quiet)
    raise SystemExit(status)
