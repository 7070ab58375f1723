"""What was scraped, for as long as it is kept: bounded, and without the resets of counters. No clock of its own."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from go_live.monitor.live.exposition import COUNTED
from go_live.monitor.queries import Key, Look, Samples, Span


class Row(NamedTuple):
    """One scrape of one endpoint."""

    at: float
    """Seconds on the scraper's clock."""
    samples: Samples
    """Counters count from the first scrape on, and go on when the gateway was started again."""


class History:
    """The rows of every endpoint."""

    def __init__(self, *, keep_s: float, every_s: float) -> None:
        """Keep ``keep_s``; scrapes come every ``every_s``."""
        self._keep_s = keep_s
        self._most = int(keep_s / every_s) + 2
        self._rows: dict[str, list[Row]] = {}
        self._raw: dict[str, Samples] = {}
        self._sums: dict[str, Samples] = {}

    def add(self, at: float, scraped: Mapping[str, Samples]) -> None:
        """One scrape; ``at`` never goes back."""
        for endpoint, samples in scraped.items():
            rows = self._rows.setdefault(endpoint, [])
            before, sums = self._raw.get(endpoint, {}), self._sums.get(endpoint, {})
            row = Row(at, {key: _went_on(key, value, before, sums) for key, value in samples.items()})
            rows.append(row)
            self._raw[endpoint], self._sums[endpoint] = {**before, **samples}, {**sums, **row.samples}
        for rows in self._rows.values():
            old = bisect_left(rows, at - self._keep_s, key=lambda row: row.at)
            del rows[: max(old, len(rows) - self._most)]

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Endpoints that were told of, the first one first."""
        return tuple(self._rows)

    def rows(self, endpoint: str) -> Sequence[Row]:
        """The endpoint's rows, oldest first; none where it was never told of."""
        return self._rows.get(endpoint, [])


def _went_on(key: Key, value: float, before: Samples, sums: Samples) -> float:
    """A gauge as it is; a counter by what it grew, of which a restart hides what came before its next scrape."""
    if not key[0].endswith(COUNTED):
        return value
    if key not in before:
        return 0.0
    grown = value - before[key]
    return sums.get(key, 0.0) + (grown if grown >= 0 else value)


def looking_from(rows: Sequence[Row], index: int) -> Look:
    """Windows that end at the row of this ``index``: as much of them as was scraped."""
    last = rows[index]

    def look(window_s: int) -> Span:
        first = rows[bisect_left(rows, last.at - window_s, hi=index, key=lambda row: row.at)]
        return Span(first.samples, last.samples, last.at - first.at)

    return look
