"""The claims on what the workers' logs say. Pure.

A log that says nothing has not said that nothing happened. So how much of it was read is measured where it can be: by
the share of the answered requests whose ``end`` line was found. Without it no claim on the log passes: trouble that was
read is a FAIL all the same, and "no trouble" in a part of a log is INCONCLUSIVE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from go_live.judge.shares import at_most, cannot
from go_live.judge.tally import Rule
from go_live.outcome import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from go_live.config import Slo

GPU_TROUBLE = {
    "CUDA out of memory": r"CUDA out of memory|OutOfMemoryError|CUDA_ERROR_OUT_OF_MEMORY",
    "a GPU error": r"CUDA error|cudaError|\bXid\b|ECC error|device-side assert",
    "an NCCL error": r"NCCL (?:error|WARN)|nccl(?:Unhandled|System|Internal|Remote)\w*Error",
    "a traceback": r"Traceback \(most recent call last\)",
    "a dead engine": r"EngineDeadError|EngineCore (?:died|encountered)|\"class\": \"engine_dead\"",
    "a killed process": r"\boom-kill|Out of memory: Killed|\bOOMKilled\b|exit(?:ed)?(?: with)? code 137\b",
}
"""Names of what no log may say -> how it is said, in any case."""
TIME_OUTS = {"a time-out": r"TimeoutError|timed out|executionTimeout exceeded|Read timed"}
SHARE_JOINED = 0.99
"""The least share of answered requests whose line has to be found: a claim on a part is no claim on the whole."""
SHOWN_CHARS = 160
KINDS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in (GPU_TROUBLE | TIME_OUTS).items()}
NO_LINES = "not one line of the workers' log was read"


@dataclass(slots=True)
class Hits:
    """How often one kind of trouble was said, and the line that said it first."""

    count: int
    line: str


@dataclass(slots=True)
class WorkerLog:
    """What was read of the workers' logs, line by line; the lines themselves are not kept."""

    why_empty: str = ""
    """What is known of why nothing could be read."""
    lines: int = 0
    trouble: dict[str, Hits] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    """``exec_ms`` of each job that ended well, by its id."""
    ready: list[Mapping[str, Any]] = field(default_factory=list)
    """The ``ready`` lines: what each worker said of itself when it began."""

    @classmethod
    def of(cls, lines: Iterable[str], why_empty: str = "") -> WorkerLog:
        """Read all ``lines``."""
        read = cls(why_empty=why_empty)
        for line in lines:
            read.add(line)
        return read

    def add(self, line: str) -> None:
        """Read one line."""
        if not line.strip():
            return
        self.lines += 1
        for name, pattern in KINDS.items():
            if pattern.search(line):
                self.trouble.setdefault(name, Hits(0, line.strip())).count += 1
        if line.startswith("{") and '"event"' in line:
            self._event(line)

    def _event(self, line: str) -> None:
        """A structured line of the worker."""
        try:
            told = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError:
            return
        exec_ms = told.get("exec_ms")
        if told.get("event") == "ready":
            self.ready.append(told)
        elif told.get("event") == "end" and told.get("ok") is True and _is_number(exec_ms):
            self.ends[str(told.get("request_id"))] = float(exec_ms)


@dataclass(frozen=True, slots=True)
class Join:
    """The answered requests of the load, and those whose line was found."""

    asked: int
    exec_ms: tuple[float, ...]

    @classmethod
    def of(cls, jobs: Iterable[str | None], read: WorkerLog) -> Join:
        """Join ``jobs``, the ids of answered requests in due order, with the log."""
        asked, found = 0, []
        for job in jobs:
            asked += 1
            if job is not None and job in read.ends:
                found.append(read.ends[job])
        return cls(asked, tuple(found))

    @property
    def share(self) -> float:
        """Of the answered requests; 0 where there are none, because nothing was shown."""
        return len(self.exec_ms) / self.asked if self.asked else 0.0

    @property
    def whole(self) -> bool:
        """Whether so many lines were found that the log can be taken for all of it."""
        return self.share >= SHARE_JOINED

    def told(self) -> str:
        """``123 of 124 requests found their end line (99.2 %)``."""
        return f"{len(self.exec_ms)} of {self.asked} requests found their end line ({self.share * 100:.3g} %)"


def free_of(read: WorkerLog, join: Join, kinds: Iterable[str], *, claim: str) -> Verdict:
    """Not one of ``kinds`` stands in the log; what does is shown with its line."""
    if not read.lines:
        return cannot(claim, f"{NO_LINES}{f': {read.why_empty}' if read.why_empty else ''}", n=0)
    found = {name: read.trouble[name] for name in kinds if name in read.trouble}
    if found:
        outcome, reason = Outcome.FAIL, "; ".join(_shown(name, hits) for name, hits in found.items())
    elif not join.whole:
        outcome = Outcome.INCONCLUSIVE
        reason = f"none in {read.lines:,} lines, but only {join.told()}: what was not read may say otherwise"
    else:
        outcome, reason = Outcome.PASS, f"none in {read.lines:,} lines; {join.told()}"
    return Verdict(
        claim=claim,
        outcome=outcome,
        reason=reason,
        n=read.lines,
        misses=sum(hits.count for hits in found.values()),
        points={"share_joined": join.share},
    )


def logged_exec(read: WorkerLog, join: Join, slo: Slo) -> list[Verdict]:
    """p50 and p95 of the logged ``exec_ms``, joined by job id to the requests that succeeded."""
    claim = "exec_ms in the log meets the execution limits"
    if not read.lines:
        return [cannot(claim, f"{NO_LINES}{f': {read.why_empty}' if read.why_empty else ''}", n=0)]
    if not join.whole:
        return [cannot(claim, f"only {join.told()}; {SHARE_JOINED:.0%} are needed", n=join.asked)]
    need = Rule(slo.confidence, family=2, anytime=True, burst_length=slo.burst_length)
    return [
        _stated(at_most(join.exec_ms, q=q, limit=limit, need=need, what="logged exec_ms", scope=SCOPE), join)
        for q, limit in ((50, slo.exec_ms_p50), (95, slo.exec_ms_p95))
    ]


SCOPE = "levels and soak"


def _stated(verdict: Verdict, join: Join) -> Verdict:
    """``verdict`` with the share it rests on."""
    return msgspec.structs.replace(
        verdict,
        reason=f"{verdict.reason}; {join.told()}",
        points={**verdict.points, "share_joined": join.share},
    )


def headroom(told: Sequence[tuple[str, Mapping[str, Any]]], limit: float, *, claim: str) -> Verdict:
    """Every device has memory left.

    Args:
        told: who told it (``the probe``, ``a ready line``), and what: ``device_memory_used_mib`` and ``..._total_mib``.
        limit: the largest share in use.
        claim: the sentence.
    """
    shares = []
    for who, facts in told:
        used, total = facts.get("device_memory_used_mib"), facts.get("device_memory_total_mib")
        if not _is_number(used) or not _is_number(total) or not total > 0:
            return cannot(claim, f"{who} does not tell the device's memory in use and in all", n=len(told))
        shares.append((used / total, f"{used:.0f} of {total:.0f} MiB are in use, {who} says"))
    if not shares:
        return cannot(claim, "nobody told of the device's memory", n=0)
    most, said = max(shares)
    return Verdict(
        claim=claim,
        outcome=Outcome.PASS if most <= limit else Outcome.FAIL,
        reason=f"{said} ({len(shares)} were told)",
        measured=most,
        limit=limit,
        unit="share",
        n=len(shares),
        misses=sum(share > limit for share, _ in shares),
    )


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _shown(name: str, hits: Hits) -> str:
    times = f", {hits.count} lines" if hits.count > 1 else ""
    return f"{name}{times}: {hits.line[:SHOWN_CHARS]!r}"
