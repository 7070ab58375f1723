"""What the dashboards ask of the metrics, said once: as PromQL for Grafana, answered here for the local page. Pure.

A query is a small tree. ``promql`` writes it for Prometheus, ``value`` answers it from what two scrapes of /metrics
differ in. The harness's tests put every query to a real Prometheus and compare the answers.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from go_live.monitor.alerts import number, one_of
from go_live.monitor.metrics import ENDPOINT_LABEL, RequestOutcome

VARIABLE = "$endpoint"
"""Grafana's place-holder for the endpoint that is looked at."""
MINUTE, HOUR, DAY = 60, 3600, 86_400
_UNITS = {DAY: "d", HOUR: "h", MINUTE: "m", 1: "s"}
Key = tuple[str, str]
"""A sample of one endpoint: its name, and its outcome or its bucket's end (``""``: neither)."""
Samples = Mapping[Key, float]


class Span(NamedTuple):
    """Two moments of one endpoint: its samples at both, counters without their resets; and the seconds between."""

    first: Samples
    last: Samples
    seconds: float


Look = Callable[[int], Span]
"""For a window in seconds: as much of it as is known."""


class Query(Protocol):
    """A question with one answer, or none where there is nothing to tell."""

    def promql(self, endpoint: str = VARIABLE) -> str:
        """The question about ``endpoint``, for Prometheus."""

    def value(self, look: Look) -> float | None:
        """The answer, from what was scraped here."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A gauge as it stands: the sum over gateways, or the ``most`` of them."""

    metric: str
    most: bool = False

    def promql(self, endpoint: str = VARIABLE) -> str:
        """As ``Query``."""
        return f"{'max' if self.most else 'sum'} by ({ENDPOINT_LABEL}) ({self.metric}{_selector(endpoint)})"

    def value(self, look: Look) -> float | None:
        """As ``Query``."""
        return look(0).last.get((self.metric, ""))


@dataclass(frozen=True, slots=True)
class Growth:
    """How much a counter, a histogram's ``_count`` or its ``_sum`` has grown within a window."""

    series: str
    window_s: int
    outcomes: tuple[RequestOutcome, ...] = ()
    """Only of these; only for the counter that has outcomes."""
    per_s: bool = False
    """Divided by the window: a rate."""

    def promql(self, endpoint: str = VARIABLE) -> str:
        """As ``Query``."""
        chosen = one_of(self.outcomes) if self.outcomes else ""
        return _grown("rate" if self.per_s else "increase", self.series + _selector(endpoint, chosen), self.window_s)

    def value(self, look: Look) -> float | None:
        """As ``Query``; of no time there is no rate."""
        span = look(self.window_s)
        if self.per_s and span.seconds <= 0:
            return None
        added = [_added(span, (self.series, outcome)) for outcome in (self.outcomes or ("",))]
        known = [one for one in added if one is not None]
        return sum(known) / (span.seconds if self.per_s else 1) if known else None


@dataclass(frozen=True, slots=True)
class Within:
    """How many observations of a histogram within a window were at most ``limit_s``, which is the end of a bucket."""

    histogram: str
    limit_s: float
    window_s: int

    def promql(self, endpoint: str = VARIABLE) -> str:
        """As ``Query``. Prometheus 2 keeps an end as it was told ("8.0", by others "8"), Prometheus 3 writes "8.0"."""
        whole = float(self.limit_s).is_integer()
        end = f'le=~"{number(self.limit_s)}([.]0)?"' if whole else f'le="{number(self.limit_s)}"'
        return _grown("increase", f"{self.histogram}_bucket{_selector(endpoint, end)}", self.window_s)

    def value(self, look: Look) -> float | None:
        """As ``Query``."""
        return _added(look(self.window_s), (f"{self.histogram}_bucket", number(self.limit_s)))


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile of a histogram's observations within a window, interpolated as Prometheus does it."""

    q: int
    histogram: str
    window_s: int

    def promql(self, endpoint: str = VARIABLE) -> str:
        """As ``Query``."""
        buckets = f"rate({self.histogram}_bucket{_selector(endpoint)}[{duration(self.window_s)}])"
        return f"histogram_quantile({self.q / 100}, sum by ({ENDPOINT_LABEL}, le) ({buckets}))"

    def value(self, look: Look) -> float | None:
        """As ``Query``."""
        span, name = look(self.window_s), f"{self.histogram}_bucket"
        ends = sorted(float(end) for series, end in span.last if series == name)
        return quantile(self.q / 100, ends, [_added(span, (name, number(end))) or 0.0 for end in ends])


@dataclass(frozen=True, slots=True)
class Ratio:
    """One by the other; nothing where the other is 0."""

    upper: Query
    lower: Query

    def promql(self, endpoint: str = VARIABLE) -> str:
        """As ``Query``."""
        return f"{_bracketed(self.upper, endpoint)} / {_bracketed(self.lower, endpoint)}"

    def value(self, look: Look) -> float | None:
        """As ``Query``."""
        upper, lower = self.upper.value(look), self.lower.value(look)
        return upper / lower if upper is not None and lower else None


@dataclass(frozen=True, slots=True)
class Less:
    """A number less a query."""

    number: float
    query: Query

    def promql(self, endpoint: str = VARIABLE) -> str:
        """As ``Query``."""
        return f"{number(self.number)} - {_bracketed(self.query, endpoint)}"

    def value(self, look: Look) -> float | None:
        """As ``Query``."""
        taken = self.query.value(look)
        return None if taken is None else self.number - taken


@dataclass(frozen=True, slots=True)
class Times:
    """A query times a number."""

    query: Query
    number: float

    def promql(self, endpoint: str = VARIABLE) -> str:
        """As ``Query``."""
        return f"{_bracketed(self.query, endpoint)} * {number(self.number)}"

    def value(self, look: Look) -> float | None:
        """As ``Query``."""
        scaled = self.query.value(look)
        return None if scaled is None else scaled * self.number


@dataclass(frozen=True, slots=True)
class Prometheus:
    """What only Prometheus itself can answer: its alerts."""

    expr: str

    def promql(self, endpoint: str = VARIABLE) -> str:  # noqa: ARG002 - as Query
        """As ``Query``."""
        return self.expr

    def value(self, look: Look) -> float | None:  # noqa: ARG002 - as Query
        """Nothing: no alert is evaluated here."""
        return None


def series_in(expr: str) -> set[str]:
    """Names of the golive series that a PromQL expression reads, as /metrics tells them."""
    return set(re.findall(r"\bgolive_\w+", expr))


def duration(seconds: int) -> str:
    """A window in PromQL's notation: ``5m``, ``30d``."""
    unit = next(unit for unit in _UNITS if seconds % unit == 0)
    return f"{seconds // unit}{_UNITS[unit]}"


def quantile(share: float, ends: Sequence[float], counts: Sequence[float]) -> float | None:
    """As Prometheus' ``histogram_quantile``: linear within a bucket; beyond all finite ends, the last of them.

    ``ends`` ascend to infinity; ``counts`` are cumulative. None: nothing was observed.
    """
    if not ends or not math.isinf(ends[-1]) or counts[-1] <= 0:
        return None
    rank = share * counts[-1]
    index = next(index for index, count in enumerate(counts) if count >= rank)
    if index == len(ends) - 1:
        return ends[-2] if len(ends) > 1 else None
    low, below = (ends[index - 1], counts[index - 1]) if index else (0.0, 0.0)
    inside = counts[index] - below
    return low + (ends[index] - low) * ((rank - below) / inside if inside else 1.0)


def _selector(endpoint: str, more: str = "") -> str:
    return "{" + ",".join(part for part in (f'{ENDPOINT_LABEL}="{endpoint}"', more) if part) + "}"


def _grown(function: str, series: str, window_s: int) -> str:
    return f"sum by ({ENDPOINT_LABEL}) ({function}({series}[{duration(window_s)}]))"


def _bracketed(query: Query, endpoint: str) -> str:
    text = query.promql(endpoint)
    return f"({text})" if isinstance(query, Ratio | Less | Times) else text


def _added(span: Span, key: Key) -> float | None:
    """What one sample has grown by; None where it is no longer there."""
    return span.last[key] - span.first.get(key, 0.0) if key in span.last else None
