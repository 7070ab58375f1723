"""MON: who is told, and when."""

from checks.workload import shown
from go_live.gate import Gate
from go_live.monitor import conformity
from go_live.monitor.generated import RULES
from go_live.pytest_plugin import Verdicts, item


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
