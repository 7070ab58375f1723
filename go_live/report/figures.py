"""Records -> series (a load level, the soak) and their plain nearest-rank figures. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from go_live.config import Attribution
from go_live.judge import dependence
from go_live.judge.percentiles import percentiles
from go_live.records import Record
from go_live.report import text
from go_live.report.model import Table
from go_live.table import Floats
from go_live.table import Table as Due

FEWEST = 20
"""Requests from which on it is said how far neighbours resemble each other."""

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
    records: Due
    limits: Mapping[str, float]
    """Keys of golive.toml, e.g. ``total_ms_p95``; ``confidence`` where it is known."""
    attribution: Attribution | None = None
    """When the parts of a request's time add up; None: they are not shown."""

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
        return self.n - int(self.records.ok.sum())

    @property
    def timed(self) -> bool:
        """Whether the requests' times of day are known; recorded CSV files keep latencies only."""
        return bool(np.ptp(self.records.due) > 0)

    @property
    def seconds(self) -> float | None:
        """From the first due time to the last answer; None when times are not known."""
        taken = self.at + np.nan_to_num(self.records.done - self.records.due)
        return float(taken.max()) if self.timed and not np.isnan(self.records.done).all() else None

    @property
    def at(self) -> Floats:
        """When each request was due, seconds after the first; by the wall clock, since a resume has another clock."""
        wall = self.records.wall
        at: Floats = wall - wall[0]
        return at

    @property
    def rate(self) -> float | None:
        """Due requests a second; None when times are not known."""
        return self.n / self.seconds if self.seconds else None


def series_of(
    records: Iterable[Record],
    limits: Mapping[str, Mapping[str, float]],
    attribution: Attribution | None = None,
) -> tuple[Series, ...]:
    """Load levels in order of first appearance, then the soak; ``limits`` are by phase."""
    due = Due.of(records).of_phases(COUNTED_PHASES)
    return tuple(
        Series(
            phase=phase,
            level=level,
            records=due.where(phase=phase, level=level),
            limits=limits.get(phase, {}),
            attribution=attribution,
        )
        for phase, level in sorted(due.groups(), key=lambda group: COUNTED_PHASES.index(group[0]))
    )


def figure(series: Series, metric: str, q: float) -> str:
    """A nearest-rank percentile over all due requests, e.g. ``figure(series, "exec_ms", 50)``."""
    if metric == "tokens_per_s":
        known = bool((series.records.output_tokens > 0).any())
        # The share that gets at least so much: the q-th percentile from the top.
        value = -percentiles(-series.records.tokens_per_s, (q,))[0]
        return text.number(round(value, 1)) if known else text.NOTHING
    value = point(series, metric, q)
    if math.isfinite(value):
        return text.ms(value)
    if metric == "total_ms" or math.isinf(point(series, "total_ms", q)):
        return text.NO_ANSWER
    return text.NOTHING


def point(series: Series, metric: str, q: float) -> float:
    """The nearest-rank percentile itself; infinite where it falls on a request without a right answer."""
    return percentiles(getattr(series.records, metric), (q,))[0]


def failures(series: Series) -> str:
    """``deadline 9, empty 3``, or ``none``."""
    kinds = {kind: count for kind, count in series.records.errors().items() if kind != "ok"}
    return ", ".join(f"{kind} {count}" for kind, count in kinds.items()) or "none"


def resemblance(series: Series) -> str:
    """How far neighbouring requests resemble each other, as half a sentence; nothing for too few requests to tell."""
    if series.n < FEWEST:
        return ""
    latency = dependence.rank_autocorrelation(series.records.total_ms)
    said = f"; lag-1 autocorrelation of the latency {latency:.2f}"
    if not series.failed:
        return said
    found = dependence.measure(~series.records.ok)
    bursts = f"failures in {text.counted(found.bursts, 'burst')}, {found.mean_burst:.1f} long on average"
    return f"{said}; {bursts}, lag-1 autocorrelation {found.autocorrelation:.2f}"


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
