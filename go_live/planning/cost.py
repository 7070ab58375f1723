"""What a run is expected to cost, before it starts. Pure.

Of the items that are asked, the load that they need: levels, soak, burst. The burst is reckoned to its end and with the
idle timeout of all the workers that it brings up. Single jobs, cold starts and what workers idle in between come on
top; the limit has to leave room for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from go_live.errors import UsageError
from go_live.judge.pace import HOUR_S
from go_live.planning.needs import SOAK, planned

if TYPE_CHECKING:
    from collections.abc import Collection

    from go_live.checklist import Plan
    from go_live.config import Config, ProfileName

LOGS = frozenset({"LOG-1", "LOG-2", "LOG-3"})
LEVELS_FOR = LOGS | {f"PERF-{n}" for n in range(1, 12)}
SOAK_FOR = LOGS | {"PERF-6", "PERF-7", "PERF-9", *(f"SOAK-{n}" for n in range(1, 7)), "INF-5"}
BURST_FOR = frozenset({"INF-6"})
"""Items that need the load of the levels, of the soak, and of the burst."""


def expected(
    config: Config, profile: ProfileName, *, items: Collection[str] | None = None, soak_s: float | None = None
) -> float:
    """Dollars of a run that answers ``items`` (None: all); 0 for a local target."""
    found = planned(config, profile, soak_s=soak_s)
    if found.local:
        return 0.0
    levels = sum(phase.dollars for phase in found.phases if phase.scope != SOAK)
    parts = {LEVELS_FOR: levels, SOAK_FOR: found.phase(SOAK).dollars, BURST_FOR: of_burst(config)}
    return sum(dollars for needed_by, dollars in parts.items() if items is None or needed_by & set(items))


def of_burst(config: Config) -> float:
    """Dollars of the burst, if it takes all of its time: every worker until it has idled away."""
    declared = config.endpoint.expected
    seconds = config.burst.within_s + declared.idle_timeout_s
    return declared.workers_max * seconds * config.price.dollars_per_worker_hour / HOUR_S


def costed(plan: Plan, max_cost: float | None) -> Plan:
    """``plan`` with what it is expected to cost, and may.

    Args:
        plan: of a run.
        max_cost: dollars that the user allowed; None: ``price.max_dollars``.

    Raises:
        UsageError: it is expected to cost more than it may, or ``max_cost`` is no price.
    """
    limit = plan.config.price.max_dollars if max_cost is None else price(max_cost)
    if plan.target.kind == "local":
        return plan
    dollars = expected(plan.config, plan.profile, items=plan.selected, soak_s=plan.soak_s)
    if dollars > limit:
        raise UsageError(
            f"this run is expected to cost ${dollars:.2f} and may cost ${limit:.2f}: nothing was started. Allow more "
            f"with --max-cost or price.max_dollars, or ask less with --only or a shorter soak_minutes"
        )
    return msgspec.structs.replace(plan, expected_dollars=dollars, max_dollars=limit)


def price(dollars: float) -> float:
    """A price that can be a limit.

    Raises:
        UsageError: it is not above zero, or no number.
    """
    if not 0 < dollars < float("inf"):
        raise UsageError(f"--max-cost takes dollars above 0, not {dollars:g}")
    return dollars
