"""The commands of ``streamgauge``: their options and their errors. What they do is imported when they run."""

import click

from streamgauge.commands.calibrate import calibrate
from streamgauge.commands.demo import demo
from streamgauge.commands.report import report


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="streamgauge", message="%(package)s %(version)s")
def streamgauge() -> None:
    """Load testing and performance monitoring for streaming HTTP, with numbers that say how right they are."""


for _command in (calibrate, demo, report):
    # The first sentence of its own help, whole; click would cut it off.
    _command.short_help = (_command.help or "").partition("\n\n")[0]
    streamgauge.add_command(_command)

__all__ = ["streamgauge"]
