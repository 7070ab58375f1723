"""The claims on samples of the recorded CSV format, which keeps less than a record does.

A sample has a total time and a token count; there is no execution time, no queue time, no start time and no job
status. What cannot be judged is left out and named, never assumed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge import soak
from go_live.judge.shares import NO_REQUESTS, at_least, at_most, cannot, scoped, share_ok
from go_live.judge.stability import Series, claim, soak_trends
from go_live.judge.tally import Rule
from go_live.judge.validity import hollow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.config import Drift, Slo, Soak
    from go_live.outcome import Verdict

MISSING_FOR_LOAD = ("exec_ms", "queue", "job status")
"""What the SLO table of a load level asks for and the format does not keep."""

MISSING_FOR_SOAK = ("exec_ms", "job status (timeouts)", "start times (duration)")
"""What the soak's criteria ask for and the format does not keep."""

OK_MEANS = "ok means HTTP 200 with output here; the job's status was not kept"

FAMILY = 4
"""Claims on shares that such a file answers: total p50, total p95, success, throughput."""


class Sample(msgspec.Struct, frozen=True):
    """One row."""

    row: int
    """From 1, the header not counted."""
    ok: bool
    """HTTP 200 and an answer with tokens."""
    latency_ms: float
    tokens: int

    @property
    def total_ms(self) -> float:
        """Latency, ms; infinite unless ok."""
        return self.latency_ms if self.ok else float("inf")

    @property
    def tokens_per_s(self) -> float:
        """Output tokens by the total time of the request; 0 unless ok."""
        return self.tokens / (self.latency_ms / 1000) if self.ok else 0.0


def load_verdicts(slo: Slo, samples: Sequence[Sample]) -> list[Verdict]:
    """Total p50, total p95, success and throughput of one load level, against the SLO table."""
    totals = [sample.total_ms for sample in samples]
    return [
        _total(totals, 50, slo.total_ms_p50, slo.confidence, None),
        _total(totals, 95, slo.total_ms_p95, slo.confidence, None),
        _success(samples, slo.success_rate, slo.confidence, None),
        _rate(samples, slo),
    ]


def soak_verdicts(limits: Soak, slo: Slo, samples: Sequence[Sample]) -> list[Verdict]:
    """Total p50, total p95 and success of a soak, and whether it stays as it began, against the soak's criteria."""
    totals, first = [sample.total_ms for sample in samples], samples[0].row if samples else 1
    p50 = _total(totals, 50, limits.total_ms_p50, slo.confidence, soak.SCOPE)
    p95 = _total(totals, 95, limits.total_ms_p95, slo.confidence, soak.SCOPE)
    return [
        soak.located(p50, totals, first=first),
        soak.located(p95, totals, first=first),
        _success(samples, limits.success_rate, slo.confidence, soak.SCOPE),
        *_trends(limits.drift, samples),
    ]


def _total(totals: Sequence[float], q: int, limit: float, confidence: float, scope: str | None) -> Verdict:
    fault = hollow(totals)
    if fault:
        claim = scoped(scope, f"total p{q} is at most {limit:g} ms")
        return cannot(claim, fault, scope=scope, limit=limit, unit="ms", n=len(totals))
    return at_most(totals, q=q, limit=limit, need=Rule(confidence, family=FAMILY), what="total", scope=scope)


def _success(samples: Sequence[Sample], rate: float, confidence: float, scope: str | None) -> Verdict:
    oks = [sample.ok for sample in samples]
    verdict = share_ok(oks, rate=rate, need=Rule(confidence, family=FAMILY), scope=scope)
    return msgspec.structs.replace(verdict, reason=f"{verdict.reason} ({OK_MEANS})")


def _rate(samples: Sequence[Sample], slo: Slo) -> Verdict:
    rates = [sample.tokens_per_s for sample in samples]
    return at_least(
        rates,
        share=0.5,
        limit=slo.tokens_per_s_p50,
        need=Rule(slo.confidence, family=FAMILY),
        what="throughput",
        unit="tokens/s",
    )


def _trends(limits: Drift, samples: Sequence[Sample]) -> list[Verdict]:
    """Total time, tokens/s and right answers, as one family; without times of day, places are told by row."""
    fault = hollow([sample.total_ms for sample in samples]) if samples else NO_REQUESTS
    rows = np.array([sample.row for sample in samples], dtype=np.intp)
    ok = np.array([sample.ok for sample in samples], dtype=np.bool_)
    totals = np.array([sample.total_ms for sample in samples], dtype=np.float64)
    rates = np.array([sample.tokens_per_s for sample in samples], dtype=np.float64)
    series = {
        soak.TOTAL: Series(values=totals[ok], worse="up", floor=limits.max_change, numbers=rows[ok], each="rows"),
        soak.TOKENS: Series(values=rates, worse="down", floor=limits.max_change, numbers=rows, each="rows"),
        soak.RIGHT: Series(
            values=ok.astype(np.float64),
            worse="down",
            floor=limits.ok_rate_max_drop,
            base=1.0,
            numbers=rows,
            each="rows",
        ),
    }
    if fault:
        said = {name: claim(name, one, soak.SCOPE) for name, one in series.items()}
        return [cannot(sentence, fault, scope=soak.SCOPE, n=len(samples)) for sentence in said.values()]
    return soak_trends(series, limits, scope=soak.SCOPE)
