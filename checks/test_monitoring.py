"""MON: who is told, and when."""

import time

from checks.workload import shown
from go_live.gate import Gate
from go_live.monitor import conformity
from go_live.monitor.drill import kept
from go_live.monitor.drill.proof import AGE_DAYS, drill_verdict
from go_live.monitor.drill.receipts import receipt_verdict
from go_live.monitor.generated import RULES
from go_live.outcome import Outcome, Verdict
from go_live.pytest_plugin import Verdicts, item

DRILLED = "MON-4"
LOCAL = "a local endpoint is started by the run itself: no Alertmanager is deployed for it"


@item("MON-2")
def test_alert_rules_carry_the_thresholds(gate: Gate, verdict: Verdicts) -> None:
    """Each alert that golive.toml asks for stands in monitoring/rules.yml, with its limit, duration and severity."""
    asked = conformity.expected(gate.config)
    try:
        rules = conformity.parse((gate.root / RULES).read_text(encoding="utf-8"))
        problems = conformity.differences(rules, gate.config)
    except OSError:
        problems = [f"{RULES} is missing: golive monitor rules writes it"]
    except ValueError as error:
        problems = [f"{RULES} holds no alert rules: {error}"]
    verdict(shown(f"{RULES} holds the {len(asked)} alerts of golive.toml", problems, n=len(asked)))


@item("MON-4")
def test_each_alert_was_drilled(gate: Gate, verdict: Verdicts) -> None:
    """The newest drill of the rules and the routing that lie here saw each alert fire in time, arrive and resolve."""
    drill = kept.newest(gate.root)
    if drill is not None:
        gate.fact({"drill": drill})
    verdict(drill_verdict(drill, gate.config, kept.present(gate.root), now=time.time(), days=_days(gate)))


@item("MON-4")
def test_the_deployed_alertmanager_was_heard(gate: Gate, verdict: Verdicts) -> None:
    """Test alerts of the deployed Alertmanager reached PagerDuty and Slack, as somebody who received them has said."""
    if gate.plan.target.kind != "runpod":
        claim = "test alerts of the deployed Alertmanager arrived"
        verdict(Verdict(claim=claim, outcome=Outcome.NOT_APPLICABLE, reason=LOCAL))
        return
    receipts = kept.newest_receipts(gate.root)
    if receipts is not None:
        gate.fact({"receipts": receipts})
    verdict(receipt_verdict(receipts, kept.present(gate.root), now=time.time(), days=_days(gate)))


def _days(gate: Gate) -> float:
    """How long evidence for MON-4 counts, by the plan."""
    return next((one.evidence_days for one in gate.plan.items if one.id == DRILLED), AGE_DAYS)
