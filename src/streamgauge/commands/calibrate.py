"""The command ``streamgauge calibrate`` and its options."""

from pathlib import Path

import click

from streamgauge.commands.option_values import NewFile, Problem, Rate, RunTime, Whole, need
from streamgauge.runner.interrupt import Interrupt
from streamgauge.verdict.exit_status import ExitStatus

_NEEDS = ("locust", "rich", "plotly", "jinja2", "hdrh")


#: A stream of the load lasts two seconds, and the source holds all its chunks in memory.
_SHORTEST_MS = 0.1


@click.command()
@click.option("--users", type=Whole(1, 20_000), default=100, show_default=True, help="Concurrent streams of the load.")
@click.option(
    "--interval-ms",
    type=Rate(least=_SHORTEST_MS),
    default=50.0,
    show_default=True,
    help="Interval between the chunks of a stream.",
)
@click.option("--run-time", type=RunTime(), default="10s", show_default=True, help="Length of the run.")
@click.option("--chunk-bytes", type=Whole(20, 1_000_000), default=100, show_default=True, help="Size of each chunk.")
@click.option("-o", "--output", type=NewFile(), help="Also write the figures to this file, as JSON.")
@click.option("--quiet", is_flag=True, help="Print only the figures, not the progress.")
def calibrate(
    users: int, interval_ms: float, run_time: int, chunk_bytes: int, output: Path | None, quiet: bool
) -> None:
    """Measure how exact this machine's figures are at the load that you plan.

    Runs the load generator against a paced source that logs each send, and prints the difference between the client's
    figures and the log. Results of later runs on this machine include the last calibration, which is stored in
    $STREAMGAUGE_CALIBRATION, or in streamgauge/calibration.json below $XDG_STATE_HOME or ~/.local/state.

    Exit status: 0 done, 1 failed, 2 usage, 3 the measurement cannot be trusted, 130 interrupted.
    """
    need(_NEEDS, "load")
    if interval_ms * 2 > run_time * 1000:
        raise Problem(
            f"--interval-ms {interval_ms:g}: expected at most {run_time * 500}, for two chunks in a run of {run_time} s"
        )
    with Interrupt() as interrupt:
        from streamgauge.calibrate.calibration_run import Plan
        from streamgauge.calibrate.calibration_run import calibrate as run

        found = run(Plan(users, interval_ms, run_time, chunk_bytes), interrupt, quiet=quiet)
    if isinstance(found, int):
        raise SystemExit(found)

    from streamgauge.report.calibration import FILE_VARIABLE, kept_at, write_calibration
    from streamgauge.report.calibration_text import print_calibration

    print_calibration(found)
    for path, option in ((output, "--output"), (kept_at(), f"${FILE_VARIABLE}")):
        if path is not None:
            try:
                click.echo(f"  {write_calibration(found, path)}")
            except OSError as error:
                raise Problem(f"{option} {str(path)!r} cannot be written: {error.strerror or error}") from None
    raise SystemExit(ExitStatus.UNTRUSTED if found["trust"] == "invalid" else ExitStatus.PASSED)
