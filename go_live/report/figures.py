"""Records -> series (a load level, the soak) and their plain nearest-rank figures. Pure."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from go_live.judge.percentiles import percentiles
from go_live.records import Record
from go_live.report import text
from go_live.report.model import Table

COUNTED_PHASES = ("load", "soak")
"""Warm-up and smoke requests are no part of any latency claim."""

HEAD = (
    "level",
    "n",
    "not ok",
    "total p50",
    "total p95",
    "total p99",
    "exec p50",
    "exec p95",
    "queue p50",
    "tokens/s p50",
    "requests/s",
    "failures",
)


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """All due requests of one phase and level, in due order, with the limits that are drawn beside them."""

    phase: str
    level: str
    records: tuple[Record, ...]
    limits: Mapping[str, float]
    """Keys of golive.toml, e.g. ``total_ms_p95``."""

    @property
    def title(self) -> str:
        """``c=2``, or ``soak, c=2``."""
        return self.level if self.phase == "load" else f"{self.phase}, {self.level}"

    @property
    def n(self) -> int:
        """Due requests."""
        return len(self.records)

    @property
    def failed(self) -> int:
        """Due requests without a right answer."""
        return sum(not record.ok for record in self.records)

    @property
    def timed(self) -> bool:
        """Whether the requests' times of day are known; recorded CSV files keep latencies only."""
        return len({record.due for record in self.records}) > 1

    @property
    def seconds(self) -> float | None:
        """From the first due time to the last answer; None when times are not known."""
        ends = [record.done for record in self.records if record.done is not None]
        return max(ends) - self.records[0].due if self.timed and ends else None

    @property
    def rate(self) -> float | None:
        """Due requests a second; None when times are not known."""
        return self.n / self.seconds if self.seconds else None


def series_of(records: Sequence[Record], limits: Mapping[str, Mapping[str, float]]) -> tuple[Series, ...]:
    """Load levels in order of first appearance, then the soak; ``limits`` are by phase."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.phase in COUNTED_PHASES:
            groups.setdefault((record.phase, record.level), []).append(record)
    return tuple(
        Series(
            phase=phase,
            level=level,
            records=tuple(sorted(group, key=lambda record: (record.due, record.seq))),
            limits=limits.get(phase, {}),
        )
        for (phase, level), group in sorted(groups.items(), key=lambda pair: COUNTED_PHASES.index(pair[0][0]))
    )


def tokens_per_s(record: Record) -> float:
    """Output tokens divided by the total time of the request; 0 when no right answer came."""
    return (record.output_tokens or 0) * 1000 / record.total_ms if record.ok and record.total_ms > 0 else 0.0


def figure(series: Series, metric: str, q: float) -> str:
    """A nearest-rank percentile over all due requests, e.g. ``figure(series, "exec_ms", 50)``."""
    if metric == "tokens_per_s":
        known = any(record.output_tokens for record in series.records)
        # The share that gets at least so much: the q-th percentile from the top.
        value = -percentiles([-tokens_per_s(record) for record in series.records], (q,))[0]
        return text.number(round(value, 1)) if known else text.NOTHING
    value = point(series, metric, q)
    if math.isfinite(value):
        return text.ms(value)
    if metric == "total_ms" or math.isinf(point(series, "total_ms", q)):
        return text.NO_ANSWER
    return text.NOTHING


def point(series: Series, metric: str, q: float) -> float:
    """The nearest-rank percentile itself; infinite where it falls on a request without a right answer."""
    return percentiles([getattr(record, metric) for record in series.records], (q,))[0]


def failures(series: Series) -> str:
    """``deadline 9, empty 3``, or ``none``."""
    kinds = Counter(record.error.value if record.error else "unfinished" for record in series.records if not record.ok)
    return ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "none"


def table(groups: Sequence[Series]) -> Table:
    """Key figures, one row a level; every percentile stands beside its n."""
    return Table(
        head=HEAD,
        rows=tuple(
            (
                series.title,
                f"{series.n:,}",
                f"{series.failed:,}",
                *(figure(series, "total_ms", q) for q in (50, 95, 99)),
                *(figure(series, "exec_ms", q) for q in (50, 95)),
                figure(series, "queue_ms", 50),
                figure(series, "tokens_per_s", 50),
                text.number(round(series.rate, 2)) if series.rate else text.NOTHING,
                failures(series),
            )
            for series in groups
        ),
    )
