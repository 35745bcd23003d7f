"""Follows the CPU time and the memory of a process and of all its descendants."""

import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

_INTERVAL_S = 0.2


@dataclass(slots=True)
class Use:
    """What a tree of processes has used: samples of its CPU time in s, by monotonic ns, and its most memory."""

    at_ns: list[int] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    most_bytes: int = 0
    """The proportional set size (PSS) of all processes together: shared pages count once."""

    def cpu_between_s(self, begin_ns: int, end_ns: int) -> float:
        """Return the CPU time from ``begin_ns`` to ``end_ns``, interpolated between samples."""
        return self._cpu_at(end_ns) - self._cpu_at(begin_ns)

    def _cpu_at(self, moment_ns: int) -> float:
        after = bisect_right(self.at_ns, moment_ns)
        if after in (0, len(self.at_ns)):
            return self.cpu_s[min(after, len(self.at_ns) - 1)] if self.at_ns else 0.0
        (begin_ns, end_ns), (low_s, high_s) = self.at_ns[after - 1 : after + 1], self.cpu_s[after - 1 : after + 1]
        return low_s + (high_s - low_s) * (moment_ns - begin_ns) / (end_ns - begin_ns)


@contextmanager
def watched(pid: int) -> Iterator[Use]:
    """Sample the tree of ``pid`` until the block ends."""
    use, stop = Use(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(psutil.Process(pid), use, stop), daemon=True)
    watcher.start()
    try:
        yield use
    finally:
        stop.set()
        watcher.join()


def _watch(root: psutil.Process, use: Use, stop: threading.Event) -> None:
    cpu_s: dict[int, float] = {}
    while not stop.wait(_INTERVAL_S):
        try:
            tree = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in tree:
            try:
                cpu_s[process.pid] = sum(process.cpu_times()[:2])
            except psutil.NoSuchProcess:
                continue
        use.at_ns.append(time.monotonic_ns())
        use.cpu_s.append(sum(cpu_s.values()))
        if len(use.at_ns) % 5 == 0:  # the kernel walks all pages for it
            use.most_bytes = max(use.most_bytes, sum(map(_bytes_of, tree)))


def _bytes_of(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
