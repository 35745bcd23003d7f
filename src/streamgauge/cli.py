"""The console script's entry: it says what is missing where only a part of streamgauge is installed."""

import sys

from streamgauge.verdict.exit_status import ExitStatus

#: What the commands of the instrument need.
INSTALL = "pip install 'streamgauge[demo]'"


def main() -> None:
    """Run the command line and leave with its exit status."""
    try:
        from streamgauge.commands import streamgauge
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write(f"streamgauge: the command line needs more than is installed: {INSTALL}\n")
        sys.exit(ExitStatus.USAGE)
    except KeyboardInterrupt:
        sys.exit(ExitStatus.INTERRUPTED)
    streamgauge(prog_name="streamgauge")
