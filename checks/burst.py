"""The burst that brings a live endpoint up to its workersMax."""

from collections.abc import Callable
from typing import Any

import msgspec

from checks.target import Target
from go_live.gate import Gate
from go_live.judge.burst import PHASE, Seen
from go_live.load.burst import Burst, as_seen
from go_live.load.runner import LoadPlan, Prompt


def seen_in_burst(gate: Gate, target: Callable[[], Target], prompts: Callable[[], tuple[Prompt, ...]]) -> Seen:
    """What was seen of the workers, measured now, or as the log that is judged again has kept it.

    Raises:
        msgspec.ValidationError: the log has kept none.
    """
    if gate.recorded is not None:
        return as_seen(gate.recorded.facts.get(PHASE))
    limits = gate.config.burst
    plan = LoadPlan(
        phase=PHASE,
        concurrency=limits.in_flight,
        requests=limits.requests,
        duration_s=limits.within_s,
        prompts=prompts(),
        deadline_s=gate.config.client.timeout_s,
    )
    burst = Burst(plan, gate.config.endpoint.expected.workers_max)

    def keep(record: Any) -> None:
        gate.record(record)
        gate.progress.update(record)

    gate.progress.start(f"{PHASE} {plan.level}", duration_s=plan.duration_s)
    try:
        under = target()
        seen: Seen = under.call(lambda: burst.run(under.endpoint, on_record=keep, on_due=gate.due))
    finally:
        gate.progress.finish()
    gate.fact({PHASE: msgspec.to_builtins(seen)})
    return seen
