"""The record of a stream that the scenario judges in a ``with`` block before it counts, as Locust's clients do it."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Self

from locust.exception import (
    CatchResponseError,
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    ResponseError,
    StopUser,
)

from streamgauge.client.plan import StreamFailed
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.frame import MAX_QUOTED, one_line

#: What a scenario raises to leave its task, which is no failure of the stream.
LEAVING = (StopUser, InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately)


@dataclass(slots=True)
class _Judgement:
    """What became of a record so far: ``settle`` gets it as it counts."""

    record: StreamRecord
    settle: Callable[[StreamRecord], None]
    entered: bool = False
    settled: bool = False


class CaughtRecord(StreamRecord):
    """A record with Locust's ``failure`` and ``success``, the last of which wins. It counts when its block ends.

    Raising in the block fails the stream too: ``StreamFailed``, and Locust's ``ResponseError`` and
    ``CatchResponseError``, do only that; any other exception goes on to Locust.
    """

    _judgement: _Judgement

    @classmethod
    def of(cls, record: StreamRecord, settle: Callable[[StreamRecord], None]) -> Self:
        """Return a record like ``record`` that can be judged; ``settle`` gets the record as it counts."""
        caught = cls(**{each.name: getattr(record, each.name) for each in fields(record)})
        caught.__dict__["_judgement"] = _Judgement(record, settle)
        return caught

    @property
    def waits(self) -> bool:
        """Whether the record has not counted, and no ``with`` block will make it count."""
        return not (self._judgement.entered or self._judgement.settled)

    def settle(self) -> None:
        """Count the record as it stands. May be called twice."""
        if not self._judgement.settled:
            self._judgement.settled = True
            self._judgement.settle(self._judgement.record)

    def __enter__(self) -> Self:
        """See ``StreamRecord``."""
        self._judgement.entered = True
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        """See ``StreamRecord``."""
        told = isinstance(error, StreamFailed | ResponseError | CatchResponseError)
        if isinstance(error, Exception) and not isinstance(error, LEAVING):
            self.failure(error if told else repr(error))
        self.settle()
        return told

    def failure(self, why: object) -> None:
        """See ``StreamRecord``. A stream that failed before keeps its outcome; its own reason follows."""
        reason = one_line(str(why) or type(why).__name__, MAX_QUOTED)
        if self.failed:
            self._judgement.record = replace(self._measured, reason=f"{reason} ({self.reason})", quoted="")
        else:
            self._judgement.record = replace(self._measured, outcome=Outcome.CHECK_FAILED, reason=reason)

    def success(self) -> None:
        """See ``StreamRecord``."""
        measured = self._measured
        if self.failed:
            measured = replace(measured, outcome=Outcome.COMPLETED, reason=f"accepted: {self.outcome}, {self.reason}")
        self._judgement.record = measured

    @property
    def _measured(self) -> StreamRecord:
        """The record as the stream ended."""
        return StreamRecord(**{each.name: getattr(self, each.name) for each in fields(self)})
