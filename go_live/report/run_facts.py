"""What was run, where, and on what: the facts a report ends with. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from go_live.checklist import Plan
from go_live.decide import RELEASED, Decision
from go_live.report import text
from go_live.report.model import Fact, FactGroup
from go_live.tuning.effective import cap_told

SPENT, LOGS = "spent", "worker_logs"
OURS = (SPENT, LOGS, "burst")
"""What a run itself has found, beside what the worker told: shown apart, and the burst by its verdict."""
SHORT = 12
"""Hex digits of a commit in a headline."""


def head(plan: Plan, decision: Decision, started: str, finished: str) -> tuple[Fact, ...]:
    """What an engineer asks first."""
    commit = plan.repository.commit[:SHORT] + (" + uncommitted changes" if plan.repository.dirty else "")
    counted = f"{decision.satisfied} of {decision.required}"
    partial = not set(plan.required) <= set(plan.selected)
    held = f"{counted} selected satisfied; a GO needs all {len(plan.required)}" if partial else f"{counted} satisfied"
    return (
        Fact(name="Required items", value=held),
        Fact(name="Profile", value=plan.profile),
        Fact(name="Target", value=f"{plan.target.kind} ({plan.target.device})"),
        Fact(name="Commit", value=commit),
        Fact(name="Started", value=started),
        Fact(name="Took", value=_took(started, finished)),
        Fact(name="Run", value=plan.run_id),
        *_holds_until(decision),
    )


def _holds_until(decision: Decision) -> tuple[Fact, ...]:
    """Until when a release can be made of this: the end of the first evidence or waiver that it rests on."""
    if decision.answer not in RELEASED or decision.valid_until is None:
        return ()
    return (Fact(name="Holds until", value=f"{datetime.fromtimestamp(decision.valid_until, UTC):%Y-%m-%dT%H:%M:%SZ}"),)


def subject(plan: Plan) -> str:
    """What was released, and what stood in for it."""
    name = plan.config.model.name
    if plan.target.kind == "runpod":
        return f"{name} on endpoint {plan.target.endpoint_id}"
    stand_in = _worker_env(plan).get("MODEL_PATH")
    return f"{stand_in}, standing in for {name}, on a local endpoint" if stand_in else f"{name} on a local endpoint"


def dummy_weights(plan: Plan, probe: Mapping[str, Any]) -> bool:
    """Whether the engine ran without the model's weights (LOAD_FORMAT=dummy)."""
    said = {value.lower() for name, value in _flat("", probe) if name.lower().endswith("load_format")}
    return "dummy" in said or (plan.target.kind == "local" and _worker_env(plan).get("LOAD_FORMAT") == "dummy")


def _worker_env(plan: Plan) -> Mapping[str, str]:
    profile = plan.config.profile.get(plan.profile)
    return profile.worker_env if profile else {}


def groups(plan: Plan, probe: Mapping[str, Any], started: str, finished: str) -> tuple[FactGroup, ...]:
    """Run, repository, target, engine, versions and digests."""
    repository, target = plan.repository, plan.target
    run = {
        "run": plan.run_id,
        "profile": plan.profile,
        "planned": plan.created_at,
        "started": started,
        "finished": finished or "not finished",
        "planned soak": text.duration(plan.soak_s),
        "load levels": ", ".join(f"c={level}" for level in plan.config.load.concurrency),
        "requests a level": plan.config.load.requests_per_level,
        "client cap": cap_told(plan.config),
    }
    code = {
        "version": plan.config.release.version,
        "commit": repository.commit,
        "tree": repository.tree,
        "branch": repository.branch or "none (detached HEAD)",
        "uncommitted changes": repository.dirty,
        "shallow clone": repository.shallow,
    }
    where = {
        "target": target.kind,
        "endpoint": target.endpoint_id,
        "job API": target.job_api,
        "device": target.device,
        "model": subject(plan),
    }
    told = {name: value for name, value in probe.items() if name not in OURS}
    named: list[tuple[str, Mapping[str, Any]]] = [("Run", run), ("Commit", code), ("Endpoint", where)]
    named += [("Cost", _cost(plan, probe.get(SPENT, {}))), *_probe(told)]
    named += [("Worker logs", probe.get(LOGS, {}))]
    named += [("Versions", plan.versions), ("sha256 of what was judged by", plan.digests)]
    return tuple(_group(title, values) for title, values in named if values)


def _cost(plan: Plan, spent: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the run cost as it was counted; nothing for a target that costs nothing."""
    if plan.max_dollars is None or not spent:
        return {}
    return {
        "counted": f"${spent['dollars']:.2f}",
        "expected": f"${plan.expected_dollars:.2f}",
        "allowed": f"${plan.max_dollars:.2f}",
        "worker time": text.duration(spent["worker_s"]),
        "of a time in which /health did not tell": text.duration(spent["unseen_s"]),
    }


def _probe(probe: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The probe's own words: single values first, then each nested object as a group."""
    single = {name: value for name, value in probe.items() if not isinstance(value, Mapping)}
    nested = [(f"Worker: {name}", value) for name, value in probe.items() if isinstance(value, Mapping)]
    return [("Worker", single), *nested]


def _group(title: str, values: Mapping[str, Any]) -> FactGroup:
    return FactGroup(title=title, rows=tuple(Fact(name=name, value=value) for name, value in _flat("", values)))


def _flat(prefix: str, value: Any) -> list[tuple[str, str]]:
    """Nested values as ``a.b`` = text."""
    if isinstance(value, Mapping):
        return [
            row for name, inner in value.items() for row in _flat(f"{prefix}.{name}" if prefix else str(name), inner)
        ]
    return [(prefix, _shown(value))]


def _shown(value: Any) -> str:
    """One value in words."""
    match value:
        case None:
            return text.NOTHING
        case bool():
            return "yes" if value else "no"
        case str():
            return value or text.NOTHING
        case Sequence():
            return ", ".join(_shown(inner) for inner in value) or text.NOTHING
    return str(value) if isinstance(value, int | float) else msgspec.json.encode(value).decode()


def _took(started: str, finished: str) -> str:
    """The run's length."""
    try:
        return text.duration((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds())
    except (ValueError, TypeError):
        return "not finished" if not finished else text.NOTHING
