"""How far a worker's log was read, and which lines of a resumed stream are new. Pure, of bounded memory.

Two things are not known of the platform. Whether a stream resumes with the line of its cursor or behind it; and whether
an event's id tells two lines of the same second apart (the specification's text says that the id is the time, its
example shows a sequence number behind it). So a stream is resumed by the id where that tells more than the time, and
otherwise by a time a little earlier than the last line's; what comes again is recognised by time and text, each line as
often as it was read.
"""

from collections import Counter, deque
from datetime import UTC, datetime

from go_live.management.sse import LogLine

OVERLAP_S = 2.0
"""Lines of the last two seconds are kept in mind and asked for again: the platform's times may be whole seconds."""
KEPT = 20_000
"""The most lines that are kept in mind."""


class Cursor:
    """Where one worker's log stands."""

    def __init__(self) -> None:
        """Nothing was read."""
        self.last: LogLine | None = None
        self.by_id = True
        """Whether the platform takes ids to resume behind; it may refuse one that is no time."""
        self._latest: float | None = None
        self._recent: deque[tuple[float, str]] = deque(maxlen=KEPT)
        self._again: Counter[tuple[float, str]] = Counter()
        self._replaying = False

    @property
    def id(self) -> str | None:
        """``Last-Event-ID`` to resume with; None: use ``since``."""
        last = self.last
        return last.id if last is not None and self.by_id and last.id and last.id != last.ts else None

    @property
    def since(self) -> str | None:
        """The time to resume from; None: nothing was read yet."""
        if self._latest is None:
            return None
        return datetime.fromtimestamp(self._latest - OVERLAP_S, UTC).isoformat().replace("+00:00", "Z")

    def reopened(self) -> None:
        """The stream begins anew, at the cursor or wherever the platform likes."""
        self._replaying = self._latest is not None
        self._again = Counter(self._recent)

    def is_new(self, line: LogLine) -> bool:
        """Whether ``line`` was not read before; moves the cursor."""
        at = line.at
        if at is None or self._latest is None or not self._replaying:
            self._move(line, at)
            return True
        if at > self._latest:
            self._replaying = False
            self._move(line, at)
            return True
        key = at, line.line
        if at < self._latest - OVERLAP_S or self._again[key] > 0:
            self._again[key] -= 1
            return False
        self._recent.append(key)
        return True

    def _move(self, line: LogLine, at: float | None) -> None:
        self.last = line
        if at is None:
            return
        self._latest = at if self._latest is None else max(self._latest, at)
        self._recent.append((at, line.line))
        while self._recent and self._recent[0][0] < self._latest - OVERLAP_S:
            self._recent.popleft()
