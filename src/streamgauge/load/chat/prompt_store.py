"""Reads each file of prompts once per process, and again if it has changed."""

import sys
from functools import lru_cache
from pathlib import Path

import gevent
from gevent.lock import RLock

from streamgauge.load.chat.prompt_files import read_prompts
from streamgauge.load.chat.prompts import FilePrompts

#: Files from this size on take seconds to read, which the user is told.
LARGE_BYTES = 30_000_000
#: Of many users that begin at once, one reads the file.
_reading = RLock()


def prompts_in(name: str) -> FilePrompts:
    """Return the prompts of a file. Raises ValueError that names the file, the line and what was expected.

    Options are parsed before Locust forks its processes, which then share what was read.
    """
    try:
        found = Path(name).stat()
    except OSError as error:
        raise ValueError(f"cannot read {name!r}: {error.strerror}") from None
    except ValueError:  # the name contains a NUL
        raise ValueError(f"cannot read {name!r}: not a file name") from None
    with _reading:
        return _read(name, found.st_mtime_ns, found.st_size)


@lru_cache(2)
def _read(name: str, changed_ns: int, size_bytes: int) -> FilePrompts:  # noqa: ARG001 - of the cache
    if size_bytes >= LARGE_BYTES:
        sys.stderr.write(f"Reading prompts from {name} ({size_bytes / 1e6:.0f} MB)\n")
    # In a thread, so that a worker's heartbeats go on.
    found: FilePrompts | ValueError = gevent.get_hub().threadpool.apply(_read_or_error, (name,))
    if isinstance(found, ValueError):
        raise found
    return found


def _read_or_error(name: str) -> FilePrompts | ValueError:
    """Return the error, since gevent prints one that is raised in a thread."""
    try:
        return read_prompts(name)
    except ValueError as error:
        return error
