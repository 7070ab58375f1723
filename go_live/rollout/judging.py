"""The judge of a step: what has been shown, what follows, and what is missing. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from go_live.outcome import SEVERITY, Outcome, Verdict
from go_live.rollout import claims
from go_live.rollout.seen import SETTLED_MARGIN_S, Arm, Patience, Request, Seen, see

if TYPE_CHECKING:
    from collections.abc import Iterable

    from go_live.config import Config

ALL = 100
ROW = "the candidate answers"
"""The claim that a row of failures refutes."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What an arm was given in a step."""

    exposed: int
    """User requests, whatever became of them."""
    said: int
    """Of those, the ones that say something about the endpoint."""
    failed: int
    refused: int = 0
    gone: int = 0
    rejected: int = 0


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """What a step still waits for."""

    what: str
    arm: Literal["current", "candidate"] | None = None
    requests: int | None = None
    """How many more of that arm."""
    seconds: float | None = None
    """About how long that takes at the present rate; None: it cannot be told."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A step at one look."""

    percent: int
    outcome: Outcome
    reason: str
    """One sentence."""
    verdicts: tuple[Verdict, ...]
    missing: tuple[Missing, ...]
    candidate: Count
    current: Count


def patience(config: Config) -> Patience:
    """How long requests may take, by golive.toml."""
    timeout_s = config.client.timeout_s
    return Patience(gone_ms=min(config.slo.total_ms_p95, 900 * timeout_s), timeout_s=timeout_s)


def judge(requests: Iterable[Request], *, percent: int, elapsed_s: float, config: Config) -> Judged:
    """What ``requests``, those of one step at ``percent`` that lasts ``elapsed_s`` so far, show.

    PASS: every claim is shown, and the step had its least time and requests. FAIL: one claim is refuted, or a row of
    requests failed. INCONCLUSIVE: neither; ``missing`` says what for. ERROR: a figure is not told.
    """
    patient = patience(config)
    seen = see(requests, patient)
    settled = seen.settled(patient)
    need, untold = claims.rule(config), config.attribution.unattributed_max
    shares = claims.absolute(seen, settled, config)
    beside = percent < ALL
    if beside:
        shares += claims.compared(settled, percent, config)
    verdicts = [claims.verdict(share, need, untold) for share in shares]
    verdicts += claims.not_lower(seen, settled, need, config) if beside else []
    if row := claims.in_a_row(seen.candidate, config.rollout.consecutive_failures_max):
        verdicts.insert(0, Verdict(claim=ROW, outcome=Outcome.FAIL, reason=row, n=seen.candidate.n))
    missing = _missing(verdicts, seen, settled, elapsed_s, config)
    outcome, reason = _concluded(verdicts, missing)
    return Judged(
        percent=percent,
        outcome=outcome,
        reason=reason,
        verdicts=tuple(verdicts),
        missing=tuple(missing),
        candidate=count(seen.candidate),
        current=count(seen.current),
    )


def count(arm: Arm) -> Count:
    """What an arm was given."""
    return Count(
        exposed=arm.exposed,
        said=arm.n,
        failed=arm.failures,
        refused=len(arm.refused),
        gone=arm.gone,
        rejected=arm.rejected,
    )


def _concluded(verdicts: list[Verdict], missing: list[Missing]) -> tuple[Outcome, str]:
    worst = min(verdicts, key=lambda one: SEVERITY.index(one.outcome))
    if worst.outcome in {Outcome.FAIL, Outcome.ERROR}:
        return worst.outcome, f"{worst.claim}: {worst.reason}"
    if missing:
        return Outcome.INCONCLUSIVE, "; ".join(one.what for one in missing)
    return Outcome.PASS, f"all {len(verdicts)} claims are shown"


def _missing(verdicts: list[Verdict], seen: Seen, settled: Seen, elapsed_s: float, config: Config) -> list[Missing]:
    """What keeps a step that is not refuted from its PASS."""
    least_s, least = 60 * config.rollout.step_minutes_min, config.rollout.step_requests_min
    found = []
    if elapsed_s < least_s:
        left = least_s - elapsed_s
        found.append(Missing(what=f"the step lasts at least {least_s / 60:g} min", seconds=left))
    pace = seen.candidate.n / elapsed_s if elapsed_s > 0 else 0.0
    open_ = [one for one in verdicts if one.outcome is Outcome.INCONCLUSIVE]
    if not seen.current.n and any(one.unit == "ratio" for one in open_):
        found.append(Missing(what="requests of the current endpoint to compare with", arm="current"))
    if not settled.candidate.n:
        wait_s = config.client.timeout_s + SETTLED_MARGIN_S
        found.append(Missing(what=f"the first to settle, {wait_s:g} s after they came", arm="candidate"))
        return found
    want = [(one.needed, one.claim) for one in open_ if one.needed is not None]
    if settled.candidate.n < least:
        want.append((least, f"at least {least} requests in a step"))
    if want:
        needed, why = max(want)
        more = max(needed - settled.candidate.n, 1)
        seconds = more / pace if pace else None
        found.append(
            Missing(what=f"{more} more of the candidate ({why})", arm="candidate", requests=more, seconds=seconds)
        )
    elif open_:
        found.append(Missing(what=f"{open_[0].claim}: {open_[0].reason}"))
    return found
