"""What dead processes have left in the metrics directory: their totals are folded into one set of files.

The counters and histograms of a dead process must stay in the sum, so that totals never go backwards, and its files
must go, so that a service that restarts its workers for years does not fill the disk and slow down its scrapes. So
their values are added to files of process 0, an id that no process has.

1. Only a process whose lock file shows that it is dead is folded. Its lock is held meanwhile, so that a new process
   with its id waits.
2. Readers hold a shared lock on ``fold.lock`` and the folding process an exclusive one, so no scrape sees a value
   twice.
3. A crash loses nothing and counts nothing twice: new totals are written beside the old ones, then a journal names
   the files to be removed, then the new totals replace the old ones, and the files and the journal go.
4. A process that was killed because it did not end soon enough after a signal has cut its active streams: they are
   counted as ``shutdown``. Those of a process that died of anything else are counted as started only.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

from streamgauge.asgi.worker_liveness import (
    LOCK_FILE,
    METRIC_FILE,
    hold_dead,
    pid_exists,
    remove_live_gauges,
    was_ending,
)

#: The process id in the names of the totals' files.
FOLDED_PID = 0
_FOLD_LOCK = "fold.lock"
_JOURNAL = "fold.journal"
_NEW = ".new"
_Value = tuple[float, float]


def _sum(one: _Value, other: _Value) -> _Value:
    return one[0] + other[0], max(one[1], other[1])


def _latest(one: _Value, other: _Value) -> _Value:
    return max(one, other, key=lambda value: value[1])


#: How the values of two processes become one, by what precedes ``_PID.db`` in a file's name. Gauges of the mode ``all``
#: have the process id as a label, so they stay.
_MERGES: dict[str, Callable[[_Value, _Value], _Value]] = {
    "counter": _sum,
    "histogram": _sum,
    "summary": _sum,
    "gauge_sum": _sum,
    "gauge_min": min,
    "gauge_max": max,
    "gauge_mostrecent": _latest,
}


@contextmanager
def reading(directory: Path) -> Iterator[None]:
    """Keep other processes from folding files of ``directory`` while this one reads them."""
    with _locked(directory, fcntl.LOCK_SH):
        yield


def fold_dead_processes(directory: Path) -> None:
    """Add the totals of dead processes to those of process 0, and remove their files, live gauges and locks."""
    _remove_gauges_without_lock(directory)
    if not (directory / _JOURNAL).exists() and not any(_lock_files(directory)):
        return
    with _locked(directory, fcntl.LOCK_EX), ExitStack() as held:
        _finish(directory)
        dead = [pid for pid in _lock_files(directory) if hold_dead(directory, pid, held)]
        if dead:
            _fold(directory, dead)


def _fold(directory: Path, dead: list[int]) -> None:
    removed = []
    for kind, merge in _MERGES.items():
        files = [file for pid in dead if (file := directory / f"{kind}_{pid}.db").exists()]
        if files:
            cut = _cut_streams(directory, dead) if kind == "counter" else {}
            _write_totals(directory / f"{kind}_{FOLDED_PID}.db", files, merge, cut)
            removed += files
    for pid in dead:
        remove_live_gauges(directory, pid)
    removed += [directory / f"alive_{pid}.lock" for pid in dead]
    journal = directory / (_JOURNAL + _NEW)
    journal.write_text(json.dumps([file.name for file in removed]))
    journal.rename(directory / _JOURNAL)
    _finish(directory)


def _finish(directory: Path) -> None:
    """Finish the folding that the journal names; without a journal, drop new totals that a crash has left."""
    journal = directory / _JOURNAL
    new_totals = list(directory.glob(f"*_{FOLDED_PID}.db{_NEW}"))
    if not journal.exists():
        for file in new_totals:
            file.unlink()
        return
    for file in new_totals:
        file.rename(file.with_suffix(""))
    for name in json.loads(journal.read_text()):
        (directory / name).unlink(missing_ok=True)
    journal.unlink()


def _cut_streams(directory: Path, dead: list[int]) -> dict[tuple[str, str], float]:
    """Return how many streams of each route and protocol were active in processes that were ending when they died."""
    found: dict[tuple[str, str], float] = {}
    for pid in dead:
        if was_ending(directory / f"alive_{pid}.lock"):
            for key, (value, _) in _values_in(directory / f"gauge_livesum_{pid}.db"):
                _, name, labels, _ = json.loads(key)
                if name == "stream_server_active" and value > 0:
                    series = labels["route"], labels["protocol"]
                    found[series] = found.get(series, 0.0) + value
    return found


def _cut_in(key: str, cut: dict[tuple[str, str], float]) -> float:
    """Return how many of the streams of ``cut`` the counter ``key`` has to count."""
    _, name, labels, _ = json.loads(key)
    if name != "stream_server_finished_total" or labels["outcome"] != "shutdown":
        return 0.0
    return cut.get((labels["route"], labels["protocol"]), 0.0)


def _write_totals(
    totals: Path,
    files: Iterable[Path],
    merge: Callable[[_Value, _Value], _Value],
    cut: dict[tuple[str, str], float],
) -> None:
    merged: dict[str, _Value] = {}
    for file in (totals, *files):
        for key, read in _values_in(file):
            merged[key] = merge(merged[key], read) if key in merged else read
    new = totals.with_name(totals.name + _NEW)
    new.unlink(missing_ok=True)
    written = MmapedDict(str(new))  # type: ignore[no-untyped-call]
    for key, (value, timestamp) in merged.items():
        more = _cut_in(key, cut) if cut else 0.0
        written.write_value(key, value + more, timestamp)  # type: ignore[no-untyped-call]
    written.close()  # type: ignore[no-untyped-call]


def _values_in(file: Path) -> Iterator[tuple[str, _Value]]:
    if file.exists() and file.stat().st_size:  # a process may have died while it made the file
        for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
            yield key, (value, timestamp)


def _remove_gauges_without_lock(directory: Path) -> None:
    """Remove the live gauges of processes that have neither a lock file nor, in this container, a process id."""
    for file in directory.glob("gauge_live*.db"):
        found = METRIC_FILE.fullmatch(file.name)
        if found and not (directory / f"alive_{found[1]}.lock").exists() and not pid_exists(int(found[1])):
            remove_live_gauges(directory, int(found[1]))


def _lock_files(directory: Path) -> Iterator[int]:
    for file in directory.glob("alive_*.lock"):
        if found := LOCK_FILE.fullmatch(file.name):
            yield int(found[1])


@contextmanager
def _locked(directory: Path, how: int) -> Iterator[None]:
    file = os.open(directory / _FOLD_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, how)
        yield
    finally:
        with suppress(OSError):
            os.close(file)
