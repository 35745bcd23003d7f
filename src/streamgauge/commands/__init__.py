"""The commands of ``streamgauge``: their options and errors. Each imports its implementation when it runs."""

import click

from streamgauge.commands.calibrate import calibrate
from streamgauge.commands.demo import demo
from streamgauge.commands.locust_options import options
from streamgauge.commands.report import report
from streamgauge.commands.run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="streamgauge", message="%(package)s %(version)s")
def streamgauge() -> None:
    """Load testing and performance monitoring for streaming HTTP, with the uncertainty of each number."""


for _command in (run, demo, calibrate, options, report):
    # The whole first sentence of the command's help, which click would truncate.
    _command.short_help = (_command.help or "").partition("\n\n")[0]
    streamgauge.add_command(_command)

__all__ = ["streamgauge"]
