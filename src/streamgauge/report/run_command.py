"""How a program that starts Locust for its user says which command the result is to name."""

import os

#: The environment variable with that command.
COMMAND_VARIABLE = "STREAMGAUGE_COMMAND"


def given_command() -> str:
    """Return the command of the program that started this Locust; empty if the user started it."""
    return os.environ.get(COMMAND_VARIABLE, "")
