"""Steps of a verification: the log is whole, and the decision follows again from what is recorded. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from go_live.decide import RELEASED, Decision
from go_live.errors import UsageError
from go_live.evidence.binding import foreign_to, image
from go_live.evidence.log import links
from go_live.release.binding import step
from go_live.release.recorded import DECISION, LOG, PLAN, VERDICTS, Recorded, decide_again
from go_live.release.verification import Case, Step


def log_step(case: Case) -> Step:
    """Chained from the plan to the end, about the plan's commit and endpoint, and what was concluded was from it."""
    recorded = case.recorded
    if recorded.log is None:
        return step("log", [one for one in recorded.troubles if LOG in one], "")
    try:
        entries, problems = _log_problems(case)
    except UsageError as error:
        return step("log", [str(error)], "")
    return step("log", problems, f"{entries} entries, chained from the plan to the end of the run")


def decision_step(case: Case) -> Step:
    """The decision follows from plan and verdicts, as of the end of the run, and is the one that was released."""
    recorded = case.recorded
    plan, concluded, decision = recorded.plan, recorded.concluded, recorded.decision
    if plan is None or concluded is None or decision is None:
        return step("decision", [one for one in recorded.troubles if LOG not in one], "")
    if decision.at is None:
        return step("decision", ["the recorded decision is of a run that was not finished"], "")
    try:
        again = decide_again(plan, concluded, decision.at)
    except UsageError as error:
        return step("decision", [str(error)], "")
    problems = [*_differences(decision, again), *_released_problems(case, again)]
    return step("decision", problems, f"{again.answer}: {again.reason}")


def _log_problems(case: Case) -> tuple[int, list[str]]:
    """Number of entries, and what is wrong with them.

    Raises:
        UsageError: the chain is broken, or an entry cannot be read.
    """
    recorded, files = case.recorded, case.found.files
    count, started, finished = 0, "", None
    told: list[Mapping[str, Any]] = []
    for entry, _ in links((recorded.log or b"").splitlines(keepends=True), LOG):
        count += 1
        finished = entry.at if entry.kind == "finish" else None
        if entry.kind in {"start", "facts"}:
            body = _body(entry.body, entry.n)
            if entry.kind == "facts":
                told.append(body)
            elif entry.n == 0:
                started = str(body.get("plan_sha256"))
    problems = []
    if PLAN in files and started != hashlib.sha256(files[PLAN]).hexdigest():
        problems.append("the recorded log was begun with another plan")
    if finished is None:
        problems.append("the recorded log does not end with the end of the run")
    elif recorded.judged_at != finished:
        problems.append("the decision was not made as of the end of the log")
    problems += _foreign_problems(recorded, told)
    return count, [*problems, *_drawn_problems(recorded)]


def _body(raw: msgspec.Raw, number: int) -> dict[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise UsageError(f"entry {number} of the recorded log cannot be read: {error}") from error


def _foreign_problems(recorded: Recorded, told: list[Mapping[str, Any]]) -> Iterator[str]:
    """Where what was measured is not what was released."""
    plan, document = recorded.plan, recorded.metadata
    if plan and (trouble := foreign_to(plan.repository.commit, plan.target, told)):
        yield f"the evidence is about something else: {trouble}"
    if document and document["image"] != image(told):
        yield f"the metadata names the image {document['image']}, and the log {image(told)}"


def _drawn_problems(recorded: Recorded) -> Iterator[str]:
    """Where conclusions were drawn from another log than the one recorded."""
    digest = hashlib.sha256(recorded.log or b"").hexdigest()
    for name, found in ((VERDICTS, recorded.concluded), (DECISION, recorded.decision)):
        if found is not None and found.evidence.get(LOG) != digest:
            yield f"the recorded {name} was computed from another log"


def _differences(decision: Decision, again: Decision) -> Iterator[str]:
    """Where the recorded decision is not what follows."""
    if decision.answer != again.answer:
        yield f"the record says {decision.answer}, and from its verdicts follows {again.answer}: {again.reason}"
    elif msgspec.structs.replace(decision, evidence={}) != again:
        yield "the recorded decision is not the one that follows from plan and verdicts"


def _released_problems(case: Case, again: Decision) -> Iterator[str]:
    """Where what was released is not what was decided."""
    plan, document = case.recorded.plan, case.recorded.metadata
    if again.answer not in RELEASED:
        yield f"the decision is {again.answer}, and nothing may be released on it"
    if plan is None or document is None:
        return
    told = (plan.run_id, plan.profile, plan.repository.commit, plan.config.release.version)
    if told != (document["run_id"], document["profile"], document["git_commit"], document["version"]):
        yield f"the recorded plan is of run {plan.run_id} at {plan.repository.commit[:12]}, and the metadata of another"
    counted = (again.answer.value, again.required, again.satisfied)
    said = document["decision"]
    if counted != (said["answer"], said["required"], said["satisfied"]):
        yield "the metadata states another decision than the one that follows from the record"
