"""Raise the limit of open files of a process, since each stream needs one, and tell runs that need more."""

#: Files of a process beside those of its streams: libraries, the event loop, Locust's own connections.
SPARE_FILES = 200


def raise_limit() -> int | None:
    """Raise the limit of this process as far as it may itself; return it. None if the system has no limit."""
    try:
        import resource
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return None
    if soft < hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):  # macOS allows less than it says
            return soft
    return hard


def shortage(users: int) -> str:
    """Say why ``users`` of one process cannot all have a stream open; empty if they can."""
    limit = raise_limit()
    if limit is None or users + SPARE_FILES <= limit:
        return ""
    return (
        f"{users} users in one process need {users + SPARE_FILES} open files, and {limit} are allowed; "
        "raise the limit with ulimit -n, or spread the users over more worker processes (--processes)"
    )
