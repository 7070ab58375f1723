"""Traffic that never was: the lines that a gateway would keep of requests to two endpoints of known quality. Pure.

For simulations of a rollout: a day of requests in a second, drawn in order from a seed.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Line = dict[str, Any]
Pick = Callable[[], str]
"""The arm of the next request: ``current`` or ``candidate``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How an endpoint answers. Times are ms."""

    exec_ms: float = 2000.0
    spread: float = 0.1
    """Half the width of the execution time's (uniform) distribution, as a share of it."""
    network_ms: float = 600.0
    tokens: int = 150
    """Of a usual answer; one varies by a tenth of it."""
    fails: float = 0.0
    """Share of requests that fail."""
    refuses: float = 0.0
    dies_after: float | None = None
    """Seconds after which nothing is answered any more; None: it lives."""
    worsens_per_hour: float = 0.0
    """Share of ``exec_ms`` by which it grows in an hour, in a straight line."""


def requests(
    qualities: dict[str, Quality],
    pick: Pick,
    *,
    begin: float,
    seconds: float,
    per_second: float,
    seed: int,
    more: Line | None = None,
    since_s: float = 0.0,
) -> Iterator[Line]:
    """Lines of a gateway's record, in the order in which the requests came.

    Args:
        qualities: of ``current`` and ``candidate``.
        pick: gives each request its arm.
        begin: Unix time of the first moment.
        seconds: how long requests come.
        per_second: how many come a second, at random (Poisson).
        seed: of all that is drawn.
        more: what each line says as well.
        since_s: how old the endpoints are at the first moment: what ages and dies does so by that.
    """
    draw = random.Random(seed)  # noqa: S311 - a simulation, no secret
    at = 0.0
    while (at := at + draw.expovariate(per_second)) < seconds:
        arm = pick()
        yield {
            "wall": begin + at,
            "endpoint": arm,
            "caller": f"caller-{draw.randrange(20)}",
            "arm": arm,
            **_answer(qualities[arm], draw, since_s + at),
            **(more or {}),
        }


def _answer(quality: Quality, draw: random.Random, at: float) -> Line:
    """What became of one request."""
    place, size, luck = draw.random(), draw.random(), draw.random()
    if quality.dies_after is not None and at >= quality.dies_after:
        return {"outcome": "failed", "error": "connection", "total_ms": 2.0, "wait_ms": 0.0}
    if luck < quality.refuses:
        return {"outcome": "refused", "error": "refused", "total_ms": quality.network_ms, "wait_ms": 0.0}
    grown = 1 + quality.worsens_per_hour * at / 3600
    exec_ms = quality.exec_ms * grown * (1 + quality.spread * (2 * place - 1))
    took = {"exec_ms": exec_ms, "delay_ms": 20.0, "wait_ms": 0.0, "total_ms": exec_ms + 20.0 + quality.network_ms}
    if luck > 1 - quality.fails:
        return {"outcome": "failed", "error": "failed", **took}
    return {"outcome": "ok", "tokens": round(quality.tokens * (0.9 + 0.2 * size)), **took}
