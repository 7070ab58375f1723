"""While requests come: is a verdict certain already?

A soak may end whenever one likes, for it is judged at every look (:mod:`go_live.judge.eprocess`). A hopeless one is
ended as soon as FAIL is certain: a claim is refuted even if every request in flight comes back ok. It is not ended
before a tenth of it was served: a slow beginning is an episode, which the rest of the soak may outweigh, and a verdict
speaks of the whole. A healthy one is served to its end, because drift takes time to show; it may be asked to end once
every claim is decided.

A load level has a fixed size and is judged once, by exact tests. It is ended once every one of its claims is certain to
fail, whatever is still to come (:mod:`go_live.judge.curtailment`, :class:`LevelWatch`): the same tests on what was
served then say what they would have said of the whole. Any other level is served to its end, for its requests also
count for success and right answers over all.

All work is O(1) a request, and hardly any: an ok request multiplies E_pass by at most 1 / p0, and a miss E_fail by at
most 1 / (1 - p0), so that evidence is computed again only once enough have come to carry it over its threshold.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from go_live.judge import eprocess
from go_live.judge.curtailment import standing
from go_live.judge.dependence import demote
from go_live.judge.pace import MAX_GAP_S
from go_live.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.judge.asked import Asked
    from go_live.records import Record
    from go_live.table import Table

LEAST_SERVED = 0.1
"""Share of the planned duration before which no soak is ended."""

AGAIN = 0.05
"""A PASS that bursts take away is looked at again after so many more requests, as a share of those seen."""


class SoakWatch:
    """Fed one request of a soak as it ends; says when nothing is left to find out."""

    def __init__(
        self,
        asked: Sequence[Asked],
        *,
        planned_s: float,
        in_flight: int,
        when_decided: bool = False,
        before: Table | None = None,
    ) -> None:
        """Nothing seen yet.

        Args:
            asked: The claims, judged at every look.
            planned_s: How long the soak is to last.
            in_flight: The most requests that can be in flight when the end is asked for.
            when_decided: End, too, once every claim is decided.
            before: Requests outside the soak that count for the claims as well; None: none do.
        """
        self._shares = [_Share(one, in_flight) for one in asked]
        for record in before or ():
            self._count(record)
        self._planned_s = planned_s
        self._when_decided = when_decided
        self._begin = self._until = math.nan
        self._pauses_s = 0.0
        self._ended: str | None = None

    def add(self, record: Record) -> None:
        """One request ended."""
        end = record.wall + (record.done - record.due if record.done is not None else 0.0)
        if math.isnan(self._begin):
            self._begin, self._until = record.wall, end
        pause = record.wall - self._until
        self._pauses_s += pause if pause > MAX_GAP_S else 0.0
        self._until = max(self._until, end)
        self._count(record)

    @property
    def served_s(self) -> float:
        """Seconds under load so far, told from the requests that have ended; 0 without one."""
        return 0.0 if math.isnan(self._begin) else self._until - self._begin - self._pauses_s

    def ended(self) -> str | None:
        """Why the soak is to end now, in one sentence; None: it goes on. Once it is to end it stays so."""
        if self._ended is None and self.served_s >= LEAST_SERVED * self._planned_s:
            self._ended = self.failed() or (self.decided() if self._when_decided else None)
        return self._ended

    def failed(self) -> str | None:
        """A claim that is refuted even if all that is in flight comes back ok, and why."""
        return next((share.why() for share in self._shares if share.refuted()), None)

    def decided(self) -> str | None:
        """That every claim is shown or refuted, even if all that is in flight misses; None while one is open.

        Bursts among the requests in flight are not foreseen: if they come, they may take a PASS away at the end.
        """
        if all(share.shown() or share.refuted() for share in self._shares):
            return f"all {len(self._shares)} claims on shares of requests are decided"
        return None

    def _count(self, record: Record) -> None:
        for share in self._shares:
            share.add(ok=share.asked.holds(record))


class LevelWatch:
    """Fed one request of a load level as it ends; tells what is certain to fail, and when all of it is."""

    def __init__(self, asked: Sequence[Asked], *, level: str, planned: int) -> None:
        """``planned`` requests of ``level`` to come."""
        self._level = level
        self._standing = {one: standing(0, 0, planned, one.p0, one.rule.alpha, one.rule.alpha_fail) for one in asked}

    def add(self, record: Record) -> list[str]:
        """One request ended; a line for each claim that is now certain to fail (:mod:`go_live.judge.curtailment`)."""
        certain = []
        for one, before in self._standing.items():
            now = msgspec.structs.replace(before, misses=before.misses + (not one.holds(record)), seen=before.seen + 1)
            self._standing[one] = now
            if now.fail_certain and not before.fail_certain:
                certain.append(
                    f"{self._level}: {one.claim} is certain to fail: {now.misses} of {now.seen} requests "
                    f"{one.missed}, and {now.refuting} of the planned {now.planned} refute it"
                )
        return certain

    def failing(self) -> list[Asked]:
        """The claims that are certain to fail."""
        return [one for one, now in self._standing.items() if now.fail_certain]

    def ended(self) -> str | None:
        """Why the level is to end now, in half a sentence; None: it goes on. Once it is to end it stays so."""
        counts = list(self._standing.values())
        if not counts or not all(now.fail_certain for now in counts):
            return None
        now = counts[0]
        return f"after {now.seen} of {now.planned} requests all of its {len(counts)} claims are certain to fail"


class _Share:
    """One claim: its counts, and from which count on its evidence has to be looked at again."""

    def __init__(self, asked: Asked, in_flight: int) -> None:
        self.asked = asked
        self.ok = self.misses = 0
        self._in_flight = in_flight
        self._missed = bytearray()
        self._look_at_ok = self._look_at_misses = 1
        self._look_at_n = 0

    def add(self, *, ok: bool) -> None:
        self.ok += ok
        self.misses += not ok
        self._missed.append(not ok)

    def refuted(self) -> bool:
        """Whether the claim stays refuted if all that is in flight comes back ok."""
        if self.misses < self._look_at_misses:
            return False
        p0 = self.asked.p0
        against = float(eprocess.log_e(self.ok + self._in_flight, self.misses, p0)[1])
        missing = _missing(against, self.asked.rule.alpha_fail, -math.log1p(-p0))
        self._look_at_misses = self.misses + missing
        return missing == 0

    def shown(self) -> bool:
        """Whether the claim stays shown if all that is in flight misses, and no burst takes that away."""
        if self.ok < self._look_at_ok or len(self._missed) < self._look_at_n:
            return False
        p0, rule = self.asked.p0, self.asked.rule
        for_ = float(eprocess.log_e(self.ok, self.misses + self._in_flight, p0)[0])
        missing = _missing(for_, rule.alpha, -math.log(p0))
        self._look_at_ok = self.ok + missing
        if missing:
            return False
        missed = np.frombuffer(bytes(self._missed), dtype=np.bool_)
        shown = Verdict(claim=self.asked.claim, outcome=Outcome.PASS, reason="")
        if demote(shown, missed, p0=p0, rule=rule).outcome is Outcome.PASS:
            return True
        self._look_at_n = math.ceil((1 + AGAIN) * len(self._missed))
        return False

    def why(self) -> str:
        """The sentence for a refuted claim."""
        n, alpha = self.ok + self.misses, self.asked.rule.alpha_fail
        fewest = eprocess.failing_misses(n + self._in_flight, self.asked.p0, alpha)
        return (
            f"{self.asked.claim} is refuted, whatever comes of what is in flight: {self.misses} of {n} requests "
            f"{self.asked.missed}, and {fewest} are enough at {(1 - alpha) * 100:.3g} % confidence"
        )


def _missing(evidence: float, alpha: float, most: float) -> int:
    """How many more speaking requests it takes at the least to reach log(1 / alpha); 0: it is reached.

    Args:
        evidence: Logarithm of E so far; where a tail underflows it is some number below 1, for which 0 stands.
        alpha: Error rate.
        most: The most that one request adds.
    """
    gap = -math.log(alpha) - (evidence if math.isfinite(evidence) else 0.0)
    # The last bit of a logarithm must not skip a request.
    return max(1, math.ceil(gap / most - 1e-6)) if gap > 0 else 0
