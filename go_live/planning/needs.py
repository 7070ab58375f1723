"""What each claim on a share of requests needs, and whether the planned run can show it. Pure.

Fixed plans (load levels) are judged once, by :mod:`go_live.judge.binomial`; what a soak is part of is judged at every
look, by :mod:`go_live.judge.eprocess`. How many requests a soak will have follows from its duration and from the mean
total time that the profile assumes: ``concurrency * duration / total``.

Where the plan declares bursts of mean length L above 1, a PASS also has to hold on one request in 3L
(:mod:`go_live.judge.dependence`); so it takes 3L times the requests.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from go_live.config import ProfileName
from go_live.judge import binomial, eprocess
from go_live.judge.asked import Asked, of_answers, of_level, of_soak
from go_live.judge.claims import pooled_rule
from go_live.judge.dependence import SPACING
from go_live.judge.pace import HOUR_S, MINUTE_S
from go_live.tuning.effective import effective_cap

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from go_live.checklist import Plan
    from go_live.config import Config, ExpectedEndpoint
    from go_live.judge.tally import Rule, Test

LEVEL_ITEMS = {
    "exec_p50": "PERF-1",
    "exec_p95": "PERF-2",
    "total_p50": "PERF-3",
    "total_p95": "PERF-4",
    "queue_p50": "PERF-5",
    "throughput": "PERF-8",
}
SOAK_ITEMS = {"total_p50": "SOAK-1", "total_p95": "SOAK-2"}
POOLED_ITEMS = {"success": "PERF-6", "correct": "PERF-7"}
"""The item that each share decides, asked of a level, of the soak, of both together."""

SOAK, POOLED = "soak", "levels and soak"


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the planned run."""

    scope: str
    """``c=2``, ``soak``."""
    requests: int
    """Due requests, the warm-up left out."""
    seconds: float
    """How long it takes, its warm-up included."""
    requests_per_s: float
    workers: int
    dollars: float
    required: bool
    """Whether it decides: above the client cap levels are only reported."""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """One claim of the planned run."""

    item: str
    scope: str
    """``c=2``, ``soak``, ``levels and soak``."""
    key: str
    """``total_p95``: the same in every scope."""
    claim: str
    planned: int
    """Requests that it will rest on."""
    allowed: int | None
    """The most misses with which it is shown, among one request in three burst lengths where bursts are declared; None:
    the run is too short to show it at all."""
    least: int
    """Requests that show it without a miss."""
    seconds: float
    """How long these take."""
    dollars: float
    """What these cost; 0 for a local target."""
    asked: Asked

    @property
    def shown(self) -> bool:
        """Whether the planned run is long enough to show it."""
        return self.allowed is not None


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a run that is under load."""

    profile: ProfileName
    local: bool
    """Whether the target is on this machine, and costs nothing."""
    total_ms: float
    """Assumed mean total time of a request."""
    burst_length: int
    phases: tuple[Phase, ...]
    needs: tuple[Need, ...]

    @property
    def seconds(self) -> float:
        """How long all of it takes."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def dollars(self) -> float:
        """What all of it costs: the workers' time under load, without cold starts and idle time."""
        return sum(phase.dollars for phase in self.phases)

    def phase(self, scope: str) -> Phase:
        """The phase with that scope."""
        return next(phase for phase in self.phases if phase.scope == scope)


def planned(config: Config, profile: ProfileName, *, soak_s: float | None = None) -> Planned:
    """What a run of ``profile`` will do under load, and what its claims need.

    Args:
        config: All limits.
        profile: One of ``config.profile``.
        soak_s: How long the soak lasts; None: as the profile says.
    """
    chosen = config.profile[profile]
    phases = _phases(config, profile, chosen.soak_minutes * MINUTE_S if soak_s is None else soak_s)
    levels, soak = [phase for phase in phases[:-1] if phase.required], phases[-1]
    slo = config.slo
    answers = of_answers(slo.success_rate, config.golden.correct_rate, pooled_rule(slo, anytime=True))
    pooled = sum(level.requests for level in levels) + soak.requests
    needs = [
        *(_need(one, level, LEVEL_ITEMS, level.scope) for level in levels for one in of_level(slo)),
        *(_need(one, soak, SOAK_ITEMS, SOAK) for one in of_soak(config.soak, slo)),
        *(_need(one, soak, POOLED_ITEMS, POOLED, pooled) for one in answers),
    ]
    return Planned(
        profile=profile,
        local=chosen.target == "local",
        total_ms=chosen.assumed_total_ms,
        burst_length=slo.burst_length,
        phases=tuple(phases),
        needs=tuple(needs),
    )


def undecidable(plan: Plan) -> list[str]:
    """One sentence for each claim that the run of ``plan`` is too short to show; those of several levels are one."""
    found = planned(plan.config, plan.profile, soak_s=plan.soak_s)
    return too_short(found, items=plan.selected)


def too_short(found: Planned, *, items: Collection[str] | None = None) -> list[str]:
    """As :func:`undecidable`, for claims of ``items`` (None: of all)."""
    grouped: dict[tuple[str, str, int, int], list[str]] = {}
    for need in found.needs:
        if not need.shown and (items is None or need.item in items):
            grouped.setdefault((need.item, need.claim, need.planned, need.least), []).append(need.scope)
    assumed = f" at {found.total_ms:g} ms a request"
    return [
        f"this plan cannot show {item} ({claim}) for {listed(scopes)}: {number:,} requests are planned"
        f"{'' if scopes[0].startswith('c=') else assumed}, and without a miss it takes {least:,}"
        for (item, claim, number, least), scopes in grouped.items()
    ]


def judged_by(rule: Rule) -> Test:
    """The test that a rule asks for."""
    return eprocess if rule.anytime else binomial


def spaced(requests: int, burst_length: int) -> int:
    """How many of ``requests`` are far enough apart for bursts of that length."""
    return requests if burst_length == 1 else -(-requests // (SPACING * burst_length))


def least_requests(asked: Asked) -> int:
    """Requests that show a claim without a miss."""
    rule = asked.rule
    alone = judged_by(rule).requests_for(0, asked.p0, rule.alpha)
    return alone if rule.burst_length == 1 else (alone - 1) * SPACING * rule.burst_length + 1


def listed(names: Iterable[str]) -> str:
    """``c=1, c=2 and c=3``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _need(asked: Asked, phase: Phase, items: dict[str, str], scope: str, number: int | None = None) -> Need:
    """One claim; requests beyond the planned ones come at the pace and price of ``phase``."""
    number, least, rule = phase.requests if number is None else number, least_requests(asked), asked.rule
    among = spaced(number, rule.burst_length)
    seconds = least / phase.requests_per_s
    return Need(
        item=items[asked.key],
        scope=scope,
        key=asked.key,
        claim=asked.claim,
        planned=number,
        allowed=judged_by(rule).allowed_misses(among, asked.p0, rule.alpha) if among else None,
        least=least,
        seconds=seconds,
        dollars=phase.dollars * seconds / phase.seconds,
        asked=asked,
    )


def _phases(config: Config, profile: ProfileName, soak_s: float) -> list[Phase]:
    """The load levels, then the soak."""
    load, total_s = config.load, config.profile[profile].assumed_total_ms / 1000
    local = config.profile[profile].target == "local"

    def one(scope: str, concurrency: int, requests: int, seconds: float, *, required: bool) -> Phase:
        workers = workers_for(concurrency, config.endpoint.expected)
        took = seconds + load.warmup_requests / concurrency * total_s
        hourly = 0.0 if local else workers * config.price.dollars_per_worker_hour
        return Phase(
            scope=scope,
            requests=requests,
            seconds=took,
            requests_per_s=concurrency / total_s,
            workers=workers,
            dollars=hourly * took / HOUR_S,
            required=required,
        )

    number, cap = load.requests_per_level, effective_cap(config)
    levels = [one(f"c={c}", c, number, number / c * total_s, required=c <= cap) for c in load.concurrency]
    slots = config.soak.concurrency
    return [*levels, one(SOAK, slots, math.floor(slots * soak_s / total_s), soak_s, required=True)]


def workers_for(concurrency: int, expected: ExpectedEndpoint) -> int:
    """Workers that are paid for at so many requests in flight, as the scaler starts them, within its limits."""
    wanted = math.ceil(concurrency / expected.scaler_value) if expected.scaler_type == "REQUEST_COUNT" else 1
    return min(max(wanted, expected.workers_min), expected.workers_max)
