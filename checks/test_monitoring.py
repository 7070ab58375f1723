"""MON: who is told, and when; and where the logs are."""

import pytest

from checks.arrival import marker_found
from checks.target import Target
from checks.workload import shown
from go_live.gate import Gate
from go_live.monitor import conformity
from go_live.monitor.generated import RULES
from go_live.pytest_plugin import Verdicts, item


@pytest.fixture
def declared(gate: Gate) -> str:
    """The declared destination of the workers' logs."""
    if gate.config.logs.destination == "none":
        pytest.skip("no destination is declared: golive.toml, [logs] destination (docs/logs.md)")
    if gate.plan.target.kind == "local":
        pytest.skip("nothing ships the logs of the local endpoint that this run starts and ends")
    return gate.config.logs.destination


@item("MON-1")
def test_worker_logs_arrive(declared: str, target: Target, gate: Gate, verdict: Verdicts) -> None:
    """The start and the end line of a request are found again at the declared destination, within the stated time."""
    assert declared
    verdict(marker_found(target, gate))


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
