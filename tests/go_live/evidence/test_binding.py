"""Evidence of another commit, endpoint or image, and judgement by other checks: each smuggled in, each found."""

from typing import Any

import msgspec
import pytest

from go_live.checklist import Plan
from go_live.decide import ItemResult
from go_live.errors import UsageError
from go_live.evidence import binding
from go_live.outcome import SATISFYING, Outcome
from tests.go_live.report import samples

COMMIT = "3389986f0d" * 4
API = "https://api.runpod.ai/v2"


def told(*, job_api: str = API, **probe: Any) -> dict[str, Any]:
    """The facts of one opening of the target."""
    return {"job_api": job_api, "probe": {"nonce": "n", "commit": COMMIT, "image": "sha256:ab12", **probe}}


def outcomes(plan: Plan, *facts: dict[str, Any]) -> list[Outcome]:
    """What becomes of one result of each outcome."""
    results = [ItemResult(item=f"X-{i}", outcome=outcome, reason="r") for i, outcome in enumerate(Outcome)]
    return [result.outcome for result in binding.count_only_ours(plan, facts, results)]


def test_our_own_evidence_counts() -> None:
    """The commit of the plan, one image, the endpoint of the plan: every result stays as it is."""
    plan = samples.plan("production")
    assert outcomes(plan, told(), told(nonce="m")) == list(Outcome)


def test_a_run_that_asked_no_endpoint_is_bound_to_none() -> None:
    """Checks of the repository alone leave no probe, and are judged all the same."""
    assert outcomes(samples.plan("production")) == list(Outcome)
    assert outcomes(samples.plan("production"), {"image": "sha256:ab12"}) == list(Outcome)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ([told(commit="f" * 40)], "served commit ffffffffffff"),
        ([told(commit=None)], "served commit None"),
        ([told(), told(commit="f" * 40)], "served commit ffffffffffff"),
        ([told(), told(image="sha256:cd34")], "the image changed within the run: ab12 and cd34"),
        ([told(job_api="http://127.0.0.1:1/v2")], "the requests went to http://127.0.0.1:1/v2"),
    ],
)
def test_evidence_of_something_else_satisfies_nothing(facts: list[dict[str, Any]], why: str) -> None:
    """Another commit, an image that changed, another endpoint: nothing holds, and what failed has failed."""
    plan = samples.plan("production")
    assert why in binding.foreign(plan, facts)
    expected = [Outcome.NOT_RUN if outcome in SATISFYING else outcome for outcome in Outcome]
    assert outcomes(plan, *facts) == expected


def test_a_local_endpoint_may_move() -> None:
    """A local endpoint gets a new port at each start; it is the commit that counts."""
    plan = samples.plan("rehearsal")
    assert binding.foreign(plan, [told(job_api="http://127.0.0.1:1/v2"), told(job_api="http://127.0.0.1:2/v2")]) == ""


def test_the_image_is_the_probe_s() -> None:
    """The image is what the probe named, or unknown."""
    assert binding.image([{"a": 1}, told()]) == "sha256:ab12"
    assert binding.image([told(image=None)]) == "unknown"


@pytest.mark.parametrize(
    "here",
    [
        {"checks/test_a.py": "2", "checks/test_b.py": "1"},
        {"checks/test_a.py": "1"},
        {"checks/test_a.py": "1", "checks/test_b.py": "1", "checks/test_c.py": "1"},
        {},
    ],
)
def test_other_checks_are_refused(here: dict[str, str]) -> None:
    """A check that was changed, removed or added does not judge a run that was planned without it."""
    plan = samples.plan("rehearsal", digests={"golive.toml": "0", "checks/test_a.py": "1", "checks/test_b.py": "1"})
    with pytest.raises(UsageError, match=r"test_[abc]\.py.*checkout of commit 3389986f0d33"):
        binding.refuse_other_checks(plan, here)


def test_the_plan_s_checks_judge_wherever_they_lie() -> None:
    """The same files in an installed folder of checks are the same checks."""
    plan = samples.plan("rehearsal", digests={"golive.toml": "0", "checks/test_a.py": "1"})
    binding.refuse_other_checks(plan, {"test_a.py": "1"})


def test_the_reason_is_told() -> None:
    """Who reads the item reads why its evidence does not count."""
    result = ItemResult(item="X-1", outcome=Outcome.PASS, reason="124 of 124")
    (found,) = binding.count_only_ours(samples.plan("production"), [told(commit="f" * 40)], [result])
    assert found == msgspec.structs.replace(result, outcome=Outcome.NOT_RUN, reason=found.reason)
    assert "its evidence does not count" in found.reason
