"""Says in one line what is missing, when this Python cannot make the .venv. Runs on any Python 3."""

import sys

MINIMUM = (3, 11)


def complaint():
    """The reason why this interpreter cannot serve, or None."""
    found = sys.version.split()[0]
    if sys.version_info < MINIMUM:
        return "streamgauge needs Python 3.11 or newer; {} is {}. Try: make PYTHON=python3.13".format(  # noqa: UP032
            sys.executable, found
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return "Python's venv module is missing. Try: apt-get install python3-venv"
    return None


if __name__ == "__main__":
    reason = complaint()
    if reason:
        sys.exit("make: " + reason)
