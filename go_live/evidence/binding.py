"""Evidence of another commit, endpoint or image never counts, and no other checks than the plan's judge it. Pure."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec

from go_live.checklist import Plan, Target
from go_live.decide import ItemResult
from go_live.errors import UsageError
from go_live.outcome import SATISFYING, Outcome

SHOWN = 12


def count_only_ours(
    plan: Plan, told: Sequence[Mapping[str, Any]], results: Sequence[ItemResult]
) -> tuple[ItemResult, ...]:
    """``results`` as they count: when the target was not the plan's, nothing is satisfied, and what failed stays so.

    Args:
        plan: names commit and endpoint.
        told: the facts that were noted each time the target was opened.
        results: of all items.
    """
    trouble = foreign(plan, told)
    if not trouble:
        return tuple(results)
    reason = f"its evidence does not count: {trouble}"
    return tuple(
        msgspec.structs.replace(result, outcome=Outcome.NOT_RUN, reason=reason)
        if result.outcome in SATISFYING
        else result
        for result in results
    )


def foreign(plan: Plan, told: Sequence[Mapping[str, Any]]) -> str:
    """Why what was measured is not about the plan's commit, endpoint and one image; empty when it is."""
    return foreign_to(plan.repository.commit, plan.target, told)


def foreign_to(commit: str, target: Target, told: Sequence[Mapping[str, Any]]) -> str:
    """As :func:`foreign`, of the parts of a plan that it rests on."""
    probes = [facts["probe"] for facts in told if isinstance(facts.get("probe"), Mapping)]
    commits = {str(probe.get("commit")) for probe in probes} - {commit}
    if commits:
        return f"the endpoint served commit {_listed(commits)}, and the plan is about {commit[:SHOWN]}"
    images = {str(probe.get("image")) for probe in probes}
    if len(images) > 1:
        return f"the image changed within the run: {_listed(images)}"
    if target.kind == "runpod":
        return _other_endpoint(target, told)
    return ""


def _other_endpoint(target: Target, told: Sequence[Mapping[str, Any]]) -> str:
    """The live endpoint has one address, which the plan names."""
    apis = {str(facts["job_api"]) for facts in told if "job_api" in facts} - {target.job_api}
    return f"the requests went to {_listed(apis)}, and the plan is about {target.job_api}" if apis else ""


def _listed(names: set[str]) -> str:
    """Commits and images are told by their beginnings."""
    return " and ".join(sorted(name if "://" in name else name.removeprefix("sha256:")[:SHOWN] for name in names))


def image(told: Sequence[Mapping[str, Any]]) -> str:
    """The image that the probe named; ``unknown`` when it named none."""
    named = [facts["probe"].get("image") for facts in told if isinstance(facts.get("probe"), Mapping)]
    return next((str(name) for name in named if name), "unknown")


def refuse_other_checks(plan: Plan, here: Mapping[str, str]) -> None:
    """Refuse to judge by other checks than those the plan froze.

    Args:
        plan: of the run.
        here: sha256 by file of the checks that would judge it.

    Raises:
        UsageError: a check was changed, added or removed since.
    """
    planned, found = _checks(plan.digests), _checks(here)
    other = sorted(name for name in planned.keys() | found.keys() if planned.get(name) != found.get(name))
    if other:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        raise UsageError(
            f"the checks here are not those of run {plan.run_id} ({other[0]}{more} differ): "
            f"judge it in a checkout of commit {plan.repository.commit[:SHOWN]}"
        )


def _checks(digests: Mapping[str, str]) -> dict[str, str]:
    """The Python files among ``digests``, by bare name: a vendored and an installed folder of checks are the same."""
    return {PurePosixPath(name).name: digest for name, digest in digests.items() if name.endswith(".py")}
