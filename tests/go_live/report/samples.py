"""Fixed runs to report on: a rehearsal that ends in GO, a production run that ends in NO-GO, a soak of 2,000."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from go_live import checklist, config
from go_live.checklist import Plan, Repository, Target
from go_live.decide import ItemResult, combine, decide
from go_live.outcome import Outcome, Verdict
from go_live.records import ErrorClass, Record
from go_live.report.model import View
from go_live.report.view import run_view, soak_view

ROOT = Path(__file__).parents[3]

CHECKLIST = """\
## CODE: the worker's code

| id | claim | phase | required by | evidence age |
|---|---|---|---|---|
| CODE-3 | Prompts of 1 to 1024 characters are accepted | before-tag | rehearsal, production | 7 d |

## PERF: performance under load

| id | claim | phase | required by | evidence age |
|---|---|---|---|---|
| PERF-3 | Half of the requests are answered within total_ms_p50 | before-tag | rehearsal, production | 7 d |
| PERF-4 | 95 % of the requests are answered within total_ms_p95 | before-tag | rehearsal, production | 7 d |
| PERF-6 | At least success_rate of all due requests succeed | before-tag | rehearsal, production | 7 d |

## SOAK: steady load

| id | claim | phase | required by | evidence age |
|---|---|---|---|---|
| SOAK-2 | 95 % of the soak's requests are answered in time | before-tag | rehearsal, production | 7 d |

## MON: monitoring

| id | claim | phase | required by | evidence age |
|---|---|---|---|---|
| MON-5 | Somebody is on call (manual) | before-tag | production | 30 d |

## ROL: rollout

| id | claim | phase | required by | evidence age |
|---|---|---|---|---|
| ROL-2 | 24 hours of watch passed within the limits | after-tag | production | 30 d |
"""

SLO = config.Slo(
    confidence=0.95,
    exec_ms_p50=3000,
    exec_ms_p95=5000,
    total_ms_p50=5000,
    total_ms_p95=8000,
    queue_ms_p50=2000,
    tokens_per_s_p50=40,
    success_rate=0.99,
    burst_length=1,
)
DRIFT = config.Drift(
    batches=12, alpha=0.01, max_change=0.2, ok_rate_max_drop=0.01, rss_max_growth=0.1, worker_restarts_max=1
)
SOAK = config.Soak(concurrency=2, minutes=60, total_ms_p50=4000, total_ms_p95=6000, success_rate=0.99, drift=DRIFT)
FAILED = {"error": ErrorClass.DEADLINE}
FACTS = {"image": "sha256:ab12", "engine": {"max_model_len": 4096, "enforce_eager": False, "devices": ["RTX 4090"]}}


def settings() -> config.Config:
    """The project's own golive.toml with the figures of these tests."""
    return msgspec.structs.replace(
        config.load(ROOT / "golive.toml"),
        slo=SLO,
        soak=SOAK,
        load=config.Load(concurrency=(1, 2), requests_per_level=124, warmup_requests=4, max_tokens=150),
        client=config.Client(concurrency_cap=2, timeout_s=45, lag_ms_p99_max=100, offered_min=0.95),
    )


def record(seq: int, total_ms: float, **changes: Any) -> Record:
    """A request that was answered after ``total_ms``."""
    due = float(changes.pop("due", seq))
    queue = changes.pop("queue_ms", 600.0)
    fields: dict[str, Any] = {
        "phase": "load",
        "level": "c=1",
        "wall": 1.7e9 + due,
        "sent": due + 0.0005,
        "done": due + total_ms / 1000,
        "http_status": 200,
        "job_status": "COMPLETED",
        "delay_ms": queue,
        "execution_ms": total_ms - queue - 10,
        "output_tokens": 150,
    }
    return Record(seq=seq, due=due, **fields | changes)


def level(name: str, n: int = 124, *, base: float = 3400, failed: Sequence[int] = (), **changes: Any) -> list[Record]:
    """A level's records: total times rise by 1 ms from request to request."""
    return [
        record(seq, base + seq, due=seq * 3.5, level=name, **changes | FAILED if seq in failed else changes)
        for seq in range(n)
    ]


def slow_soak(n: int = 2000) -> list[Record]:
    """A soak at c=2 whose first fifth, and a second episode, are often slow."""
    rng = random.Random(20251010)  # noqa: S311 - a seeded sample, no secret
    records = []
    for seq in range(n):
        slow = (seq < n * 0.2 and rng.random() < 0.75) or (n * 0.7 <= seq < n * 0.9 and rng.random() < 0.35)
        queue = rng.gauss(4000 if slow else 640, 60)
        records.append(
            record(seq, queue + rng.gauss(2790, 40), due=seq * 1.8, queue_ms=queue, phase="soak", level="c=2")
        )
    return records


def verdict(outcome: Outcome, claim: str, reason: str, **fields: Any) -> Verdict:
    """A verdict in the form in which the judge writes them."""
    return Verdict(outcome=outcome, claim=claim, reason=reason, **fields)


def latency(scope: str, q: int, measured: float | None, limit: float, outcome: Outcome, **fields: Any) -> Verdict:
    """A verdict on a percentile of the total time."""
    shown = "infinite" if measured is None else f"{measured:g} ms"
    fields = {"n": 124, "misses": 0} | fields
    return verdict(
        outcome,
        f"{scope}: total p{q} is at most {limit:g} ms",
        f"total p{q} {shown}, with {fields['misses']} of {fields['n']} requests over {limit:g} ms",
        scope=scope,
        measured=measured,
        limit=limit,
        unit="ms",
        **fields,
    )


def success(share: float, n: int, misses: int, outcome: Outcome = Outcome.PASS) -> Verdict:
    """The verdict on success over everything."""
    return verdict(
        outcome,
        "success rate is at least 99 %",
        f"{n - misses} of {n} requests were answered",
        measured=share,
        limit=0.99,
        unit="share",
        n=n,
        misses=misses,
        points={"share_lower": 0.9912},
    )


def plan(profile: config.ProfileName, **changes: Any) -> Plan:
    """The plan of a run."""
    items = checklist.parse(CHECKLIST)
    required = checklist.required_ids(items, profile)
    live = profile == "production"
    made = Plan(
        run_id=f"20261123T101500Z-{profile}",
        profile=profile,
        created_at="2026-11-23T10:15:00Z",
        target=Target(
            kind="runpod" if live else "local",
            endpoint_id="4cqta56swdioxi",
            job_api="https://api.runpod.ai/v2" if live else "http://127.0.0.1:40321/v2",
            device="live" if live else "cpu",
        ),
        repository=Repository(commit="3389986f0d" * 4, tree="9" * 40, branch="main", dirty=not live, shallow=False),
        items=items,
        required=required,
        selected=required,
        soak_s=3600.0 if live else 60.0,
        config=settings(),
        digests={"golive.toml": "ab" * 32},
        versions={"golive": "0.1.0", "python": "3.11.7"},
    )
    return msgspec.structs.replace(made, **changes)


def report(planned: Plan, verdicts: Mapping[str, Sequence[Verdict]], records: Sequence[Record], **changes: Any) -> View:
    """The view of a run that came to ``verdicts``."""
    results: list[ItemResult] = [combine(item.id, verdicts.get(item.id, ())) for item in planned.items]
    decision = decide(
        run_id=planned.run_id,
        profile=planned.profile,
        required=planned.required,
        selected=planned.selected,
        results=results,
    )
    fields: dict[str, Any] = {
        "facts": FACTS,
        "notes": (),
        "started": "2026-11-23T10:15:00Z",
        "finished": "2026-11-23T10:21:41Z",
        "released": (),
    }
    return run_view(plan=planned, results=results, decision=decision, records=records, **fields | changes)


GOOD: dict[str, Sequence[Verdict]] = {
    "CODE-3": [verdict(Outcome.PASS, "prompts are bounded", "200 examples, none of them wrong", n=200, misses=0)],
    "PERF-3": [latency("c=1", 50, 3461, 5000, Outcome.PASS), latency("c=2", 50, 3561, 5000, Outcome.PASS)],
    "PERF-4": [latency("c=1", 95, 3517, 8000, Outcome.PASS), latency("c=2", 95, 3617, 8000, Outcome.PASS)],
    "PERF-6": [success(1.0, 548, 0)],
    "SOAK-2": [latency("soak", 95, 3584, 6000, Outcome.PASS, n=300)],
}

BAD: dict[str, Sequence[Verdict]] = GOOD | {
    "PERF-4": [
        latency("c=1", 95, 3517, 8000, Outcome.PASS),
        latency("c=2", 95, 3617, 8000, Outcome.INCONCLUSIVE, misses=3, needed=458),
    ],
    "PERF-6": [success(0.9988, 2248, 3)],
    "SOAK-2": [latency("soak", 95, 6929, 6000, Outcome.FAIL, n=2000, misses=452)],
    "MON-5": [verdict(Outcome.ATTESTED, "Somebody is on call (manual)", "P. Rao on 2026-11-01: rota llm-serving")],
}


def good_report(**changes: Any) -> View:
    """A rehearsal that ends in GO."""
    records = [*level("c=1"), *level("c=2", base=3500), *level("c=2", 300, base=3300, phase="soak")]
    told = {"notes": ["the tree has uncommitted changes"], "released": ["refs/rehearsal/v1.0-production -> 3389986f0d"]}
    return report(plan("rehearsal"), GOOD, records, **told | changes)


def bad_report(**changes: Any) -> View:
    """A production run whose soak was slow."""
    records = [*level("c=1"), *level("c=2", base=3500, failed=(40, 77, 90)), *slow_soak()]
    return report(plan("production"), BAD, records, **changes)


def judged_soak() -> View:
    """A soak judged outside a checklist, of which only latencies are known."""
    records = [
        msgspec.structs.replace(r, due=0.0, sent=None, done=(r.done or 0) - r.due, delay_ms=None, execution_ms=None)
        for r in slow_soak()
    ]
    return soak_view(
        title="A soak",
        subtitle="2,000 requests at c=2",
        source_note="A reconstruction.",
        verdicts=[latency("soak", 95, 6929, 6000, Outcome.FAIL, n=2000, misses=452), success(1.0, 2000, 0)],
        records=records,
        limits={"total_ms_p50": 4000, "total_ms_p95": 6000},
        answer="NO-GO",
        reason="1 of 2 claims is shown not to hold",
    )
