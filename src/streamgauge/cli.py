"""The console script's entry point: it says what to install if only a part of streamgauge is installed."""

import sys

from streamgauge.verdict.exit_status import ExitStatus

#: The command that installs all that the commands need.
INSTALL = "pip install 'streamgauge[demo]'"


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        from streamgauge.commands import streamgauge
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write(f"streamgauge: the command line needs packages that are not installed: {INSTALL}\n")
        sys.exit(ExitStatus.USAGE)
    except KeyboardInterrupt:
        sys.exit(ExitStatus.INTERRUPTED)
    streamgauge(prog_name="streamgauge")
