"""The commands of ``streamgauge``: their options and their errors. What they do is imported when they run."""

import click

from streamgauge.commands.calibrate import calibrate
from streamgauge.commands.demo import demo
from streamgauge.commands.report import report


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="streamgauge", message="%(package)s %(version)s")
def streamgauge() -> None:
    """Load testing and performance monitoring for streaming HTTP, with numbers that say how right they are."""


streamgauge.add_command(calibrate)
streamgauge.add_command(demo)
streamgauge.add_command(report)

__all__ = ["streamgauge"]
