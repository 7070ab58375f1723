"""ROL: did traffic move to the release step by step, none of them worse, and did it stay well for a day?

Asked of what `golive rollout` left behind, for which nothing has to be measured again. Both are answered after the tag.
"""

from go_live.gate import Gate
from go_live.pytest_plugin import Verdicts, item
from go_live.rollout.proof import STEPPED, WATCHED, answer


@item("ROL-1")
def test_traffic_moved_in_steps(gate: Gate, verdict: Verdicts) -> None:
    """Each step has signed decisions, a signed judgement and its requests, which pass again when they are judged."""
    verdict(answer(STEPPED, gate.root, gate.config))


@item("ROL-2")
def test_the_watch_passed(gate: Gate, verdict: Verdicts) -> None:
    """The requests of the hours after 100 % stayed within the limits, spent no budget too fast, and did not drift."""
    verdict(answer(WATCHED, gate.root, gate.config))
