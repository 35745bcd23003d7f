"""The command ``streamgauge demo`` and its options."""

from pathlib import Path

import click

from streamgauge.commands.option_values import Existing, NewDirectory, Port, Problem, Rate, RunTime, Whole, need
from streamgauge.runner.interrupt import Interrupt

_NEEDS = ("fastapi", "uvicorn", "prometheus_client", "locust", "rich", "plotly", "jinja2", "hdrh")
#: With more users, a host may run out of ephemeral ports to one address.
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
    help="Locust processes to share the users.",
)
@click.option(
    "--locustfile", type=Existing("a locustfile"), help="Scenario to run.  [default: a mix of the sample scenarios]"
)
@click.option("--app-port", type=Port(), help="Port of the app.  [default: 8000, or a free port]")
@click.option("--metrics-port", type=Port(), help="Port of the app's metrics.  [default: 9101, or a free port]")
@click.option("--web", is_flag=True, help="Start Locust's web UI and keep it open after the run until Ctrl-C.")
@click.option("--web-port", type=Port(), help="Port of Locust's web UI.  [default: 8089, or a free port]")
@click.option(
    "--result-dir",
    type=NewDirectory(),
    default="results",
    show_default=True,
    help="Directory in which each run creates its own directory.",
)
@click.option("--quiet", is_flag=True, help="Print only the table, the verdict and the paths, not the progress.")
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
    """Load the sample app with concurrent streams and report the results.

    Starts the app, runs Locust on it and shows the progress. Then prints the table, the generator's lag, the server's
    own view of the run and the verdict, and writes result.json and report.html. Ctrl-C ends the run early and keeps
    the results so far; a second Ctrl-C kills everything at once.

    Exit status: 0 passed, 1 a stream failed, 2 usage, 3 the measurement cannot be trusted, 130 interrupted.
    """
    need(_NEEDS, "demo")
    if web_port is not None and not web:
        raise Problem(f"--web-port {web_port} needs --web, which starts the web UI")
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
