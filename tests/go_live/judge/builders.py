"""Records and limits for the judge's tests."""

from collections.abc import Sequence
from typing import Any

from go_live.config import Client, Drift, Slo, Soak
from go_live.records import ErrorClass, Record

SLO = Slo(
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
DRIFT = Drift(batches=12, alpha=0.01, max_change=0.2, ok_rate_max_drop=0.01, rss_max_growth=0.1, worker_restarts_max=1)
SOAK = Soak(concurrency=2, minutes=60, total_ms_p50=4000, total_ms_p95=6000, success_rate=0.99, drift=DRIFT)
CLIENT = Client(concurrency_cap=3, timeout_s=45, lag_ms_p99_max=100, offered_min=0.95)


def record(seq: int, **changes: Any) -> Record:
    """One healthy request of the load phase at c=2: execution 2788 ms, total about 3450 ms; ``changes`` on top."""
    due = seq * 1.75
    fields: dict[str, Any] = {
        "seq": seq,
        "phase": "load",
        "level": "c=2",
        "due": due,
        "wall": 1_760_000_000 + due,
        "sent": due + 0.001,
        "done": due + 3.45 + (seq * 37 % 100) / 1e4,
        "execution_ms": 2788 + seq * 37 % 60,
        "delay_ms": 5 + seq % 3,
        "output_tokens": 150,
        "worker": "w1",
    }
    return Record(**{**fields, **changes})


def records(n: int, *, bad: Sequence[int] = (), **changes: Any) -> list[Record]:
    """``n`` healthy records; those numbered in ``bad`` FAILED."""
    failed = {"error": ErrorClass.FAILED, "execution_ms": None, "output_tokens": None}
    return [record(seq, **{**changes, **(failed if seq in bad else {})}) for seq in range(n)]
