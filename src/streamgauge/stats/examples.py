"""One reason for all streams of a name that failed alike, although each of them quotes its own data."""

from streamgauge.stats.reasons import ReasonNames
from streamgauge.stats.record import StreamRecord

#: How many reasons with a quote one process remembers.
_MAX_EXAMPLES = 1_000


class Examples:
    """Gives streams that failed alike the same reason, so that tables count them together."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], str] = {}
        self._names = ReasonNames()

    def reason_of(self, record: StreamRecord) -> str:
        """Return ``outcome: sentence``, with the quote of the first stream of this name that failed so."""
        if not record.quoted:
            return f"{record.outcome}: {self._names.of(record.reason)}"
        reason = f"{record.outcome}: {record.reason}"
        sentence = reason.removesuffix(record.quoted)
        key = record.name, sentence
        if key not in self._first and len(self._first) >= _MAX_EXAMPLES:
            return sentence
        return self._first.setdefault(key, reason)
