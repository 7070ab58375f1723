"""A whole sweep judged: each setting's cap, the best setting, and what turned a level from NO-GO to GO. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from go_live.outcome import Outcome
from go_live.table import Table
from go_live.tuning.cells import QUEUE_POINTS, Level, judge_level
from go_live.tuning.plan import DEFAULT, DEPLOYED, TuningPlan, Where
from go_live.tuning.recommend import Onset, Recommendation, none_passes, onset, recommend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = 1
"""Of the form of ``tuning.json`` and of an adopted record."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker told of itself by the probe, before it was measured."""

    max_concurrency: int | None = None
    """Jobs that it takes at a time."""
    commit: str | None = None
    image: str | None = None
    """``sha256:…``"""


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """One setting at every level."""

    setting: str
    """MAX_CONCURRENCY as it was set."""
    told: Told
    levels: tuple[Level, ...]
    onsets: tuple[Onset, ...]
    """Where queueing begins, at p50 and p95."""
    recommended: Recommendation

    @property
    def name(self) -> str:
        """``MAX_CONCURRENCY=1``, ``MAX_CONCURRENCY default (32)``."""
        number = self.told.max_concurrency
        if self.setting in {DEFAULT, DEPLOYED}:
            return f"MAX_CONCURRENCY {self.setting}" + (f" ({number})" if number is not None else "")
        return f"MAX_CONCURRENCY={self.setting}"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that one setting fails and another meets."""

    claim: str
    before: float | None
    """Measured; None: infinite."""
    after: float | None
    limit: float | None
    unit: str | None
    n_before: int
    n_after: int


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A level that is a NO-GO with one setting and a GO with another, both measured in this sweep."""

    concurrency: int
    before: str
    after: str
    claims: tuple[Claim, ...]


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep concludes (tuning.json)."""

    outcome: Outcome
    reason: str
    cap: int | None
    """The recommended client cap; None: none is."""
    setting: str | None
    """MAX_CONCURRENCY with which it was measured."""
    throughput: float | None
    """Right answers a second at the cap."""
    needed: int | None
    """``--runs`` of a newly planned sweep that would decide what is open."""
    sweeps: tuple[Sweep, ...]
    turned: tuple[Turn, ...]
    run_id: str
    measured_at: str
    where: Where
    model: str
    commit: str
    """Of the project that measured."""
    timed: bool
    """Whether the timed engine answered: then nothing of it is evidence."""
    complete: bool
    """Whether the sweep came to its end."""
    version: int = VERSION
    evidence: dict[str, str] = {}
    """sha256 of the files it was computed from."""


def judge(
    plan: TuningPlan, records: Mapping[str, Table], told: Mapping[str, Told], *, evidence: dict[str, str]
) -> Tuning:
    """Judge the requests of each setting.

    Args:
        plan: What was frozen before the first request.
        records: Requests by setting; a setting that was not begun is missing.
        told: What the workers of each setting told.
        evidence: Digests of the files that all of this was read from.
    """
    nothing = Table.of(())
    sweeps = tuple(
        _sweep(plan, setting, records.get(setting, nothing), told.get(setting, Told())) for setting in plan.settings
    )
    best = _best(sweeps)
    timed = plan.timed or any(table.timed.any() for table in records.values())
    if best is None:
        outcome, reason = none_passes([sweep.recommended for sweep in sweeps])
    else:
        outcome, reason = Outcome.PASS, best.recommended.reason
    cap = best.recommended.cap if best else None
    needs = [sweep.recommended.needed for sweep in ([best] if best else sweeps) if sweep.recommended.needed]
    return Tuning(
        outcome=outcome,
        reason=reason,
        cap=cap,
        setting=best.setting if best else None,
        throughput=next((one.throughput for one in best.levels if one.concurrency == cap), None) if best else None,
        needed=max(needs, default=None),
        sweeps=sweeps,
        turned=turned(sweeps),
        run_id=plan.run_id,
        measured_at=plan.created_at,
        where=plan.where,
        model=plan.config.model.name,
        commit=plan.commit,
        timed=bool(timed),
        complete=all(_whole(sweep) for sweep in sweeps),
        evidence=evidence,
    )


def turned(sweeps: Sequence[Sweep]) -> tuple[Turn, ...]:
    """Every level that one setting fails and another, the one with the highest cap first, meets."""
    ranked = sorted(sweeps, key=lambda sweep: -(sweep.recommended.cap or 0))
    found = []
    for before in sweeps:
        for level in before.levels:
            if level.outcome is not Outcome.FAIL:
                continue
            for after in ranked:
                other = next(one for one in after.levels if one.concurrency == level.concurrency)
                if other.outcome is Outcome.PASS:
                    found.append(_turn(before, level, after, other))
                    break
    return tuple(sorted(found, key=lambda turn: turn.concurrency))


def _sweep(plan: TuningPlan, setting: str, records: Table, told: Told) -> Sweep:
    levels = tuple(judge_level(plan, records, level) for level in plan.levels)
    return Sweep(
        setting=setting,
        told=told,
        levels=levels,
        onsets=tuple(onset(levels, plan.config, index) for index in range(len(QUEUE_POINTS))),
        recommended=recommend(levels, plan.config),
    )


def _whole(sweep: Sweep) -> bool:
    """Whether all was measured that was planned; a level that fails ends itself and those above it."""
    for level in sweep.levels:
        if level.outcome is Outcome.FAIL:
            return True
        if level.n != level.planned:
            return False
    return True


def _best(sweeps: Sequence[Sweep]) -> Sweep | None:
    """The setting with the highest cap; of equal ones the worker's default, then the first."""
    able = [sweep for sweep in sweeps if sweep.recommended.cap is not None]
    return min(able, key=lambda sweep: (-(sweep.recommended.cap or 0), sweep.setting != DEFAULT), default=None)


def _turn(before: Sweep, bad: Level, after: Sweep, good: Level) -> Turn:
    """Verdicts of the same cell stand in the same order (:func:`go_live.judge.asked.of_level`)."""
    pairs = list(zip(bad.verdicts, good.verdicts, strict=False))[: len(good.counts)]
    return Turn(
        concurrency=bad.concurrency,
        before=before.setting,
        after=after.setting,
        claims=tuple(
            Claim(
                claim=one.claim,
                before=one.measured,
                after=other.measured,
                limit=one.limit,
                unit=one.unit,
                n_before=one.n or 0,
                n_after=other.n or 0,
            )
            for one, other in pairs
            if one.outcome is Outcome.FAIL
        ),
    )
