"""A soak reconstructed from published figures: none of its rows was measured. Pure and seeded.

What the recorded soak of 2025-10-10 is known by: 2,000 requests at c=2, 150 tokens each, p50 3449 ms, p95 6929 ms,
452 requests over 6000 ms, 299 of them in a slow beginning (the first 400 rows) and 138 in a second episode (rows 1400
to 1800). Latencies lie in equal steps between values that make exactly these figures come out, and a seeded shuffle
deals them to the rows. Execution and queue time were not kept in the original and are not invented here.
"""

import random

from go_live.config import Drift, Slo, Soak
from go_live.records import Record

NAME = "a seeded reconstruction from a recorded soak's figures; no row of it was measured"

REQUESTS = 2000
CONCURRENCY = 2
TOKENS = 150
P50_MS, P95_MS = 3449.0, 6929.0
SLOW_MS, SLOW = 6000.0, 452
EPISODES = ((0, 320, 299), (1048, 1163, 15), (1506, 1656, 138))
"""Rows [low, high) and how many of them are slow: the slow beginning, a few strays, the second episode."""

SEED = 20251010
BEGIN = 1_760_098_452.0
"""Unix time of the first request: 2025-10-10T12:14:12Z."""

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
"""The limits the team had set itself for a load level (readiness summary of 2025-10-10)."""

SOAK = Soak(
    concurrency=CONCURRENCY,
    minutes=60,
    total_ms_p50=4000,
    total_ms_p95=6000,
    success_rate=0.99,
    drift=Drift(
        batches=12, alpha=0.01, max_change=0.2, ok_rate_max_drop=0.01, rss_max_growth=0.1, worker_restarts_max=1
    ),
)
"""The team's own pass criteria for the soak, and this gate's for drift."""


def latencies_ms() -> list[float]:
    """The soak's total times in row order; p50, p95 and the count above :data:`SLOW_MS` are exact."""
    source = random.Random(SEED)  # noqa: S311 - reproducible, not secret
    fast, slow = _fast(), _slow()
    source.shuffle(fast)
    source.shuffle(slow)
    is_slow = _slow_rows(source)
    return [slow.pop() if late else fast.pop() for late in is_slow]


def records() -> list[Record]:
    """The soak as records of a closed loop at c=2: each client sends its next request when it has its answer."""
    free = [0.0] * CONCURRENCY
    made = []
    for seq, total in enumerate(latencies_ms()):
        client = free.index(min(free))
        due = free[client]
        free[client] = due + total / 1000
        made.append(
            Record(
                seq=seq,
                phase="soak",
                level=f"c={CONCURRENCY}",
                due=due,
                wall=BEGIN + due,
                sent=due,
                done=free[client],
                http_status=200,
                output_tokens=TOKENS,
            )
        )
    return made


def _fast() -> list[float]:
    """The 1,548 requests within 6000 ms: rank 1000 of the whole lies exactly at the median."""
    below = _spread(3100.0, P50_MS, REQUESTS // 2)
    above = _spread(P50_MS + 0.5, 3990.0, 488)
    late = _spread(4010.0, 5990.0, REQUESTS - SLOW - len(below) - len(above))
    return below + above + late


def _slow() -> list[float]:
    """The 452 requests over 6000 ms: rank 1900 of the whole lies exactly at p95, 100 above it."""
    over_p95 = REQUESTS * 5 // 100
    return _spread(6300.0, P95_MS, SLOW - over_p95) + _spread(P95_MS + 1, 7400.0, over_p95)


def _spread(low: float, high: float, count: int) -> list[float]:
    """``count`` values in equal steps from ``low`` to ``high``, both included."""
    return [low + (high - low) * i / (count - 1) for i in range(count)]


def _slow_rows(source: random.Random) -> list[bool]:
    """Which rows are slow: so many of each stretch, drawn by ``source``."""
    rows = [False] * REQUESTS
    for low, high, count in EPISODES:
        for row in source.sample(range(low, high), count):
            rows[row] = True
    return rows
