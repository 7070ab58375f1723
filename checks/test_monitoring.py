"""MON: who is told, and when; and where the logs are."""

import time
from html import escape

import pytest
from anyio.from_thread import BlockingPortal

from checks.arrival import marker_found
from checks.monitoring import Seen, in_grafana, seen
from checks.target import Target
from checks.workload import shown
from go_live.gate import Gate
from go_live.monitor import conformity, dashboard, panels
from go_live.monitor.drill import kept
from go_live.monitor.drill.proof import AGE_DAYS, drill_verdict
from go_live.monitor.drill.receipts import receipt_verdict
from go_live.monitor.generated import DASHBOARD, RULES
from go_live.monitor.live.exposition import names
from go_live.outcome import Outcome, Verdict
from go_live.pytest_plugin import Verdicts, item

DRILLED = "MON-4"
LOCAL = "a local endpoint is started by the run itself: no Alertmanager is deployed for it"


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


@item("MON-3")
def test_dashboard_shows_what_golive_toml_limits(gate: Gate, verdict: Verdicts) -> None:
    """Each panel stands in monitoring/dashboard.json, with its queries, and with golive.toml's limits drawn in."""
    try:
        found = dashboard.parse((gate.root / DASHBOARD).read_bytes())
        problems = dashboard.differences(found, gate.config)
    except OSError:
        problems = [f"{DASHBOARD} is missing: golive monitor dashboard writes it"]
    except ValueError as error:
        problems = [f"{DASHBOARD} holds no dashboard: {error}"]
    every = panels.panels(gate.config)
    verdict(shown(f"{DASHBOARD} shows the {len(every)} panels of golive.toml", problems, n=len(every)))


@pytest.fixture(scope="module")
def served(gate: Gate, portal: BlockingPortal) -> Seen:
    """What a gateway serves, and the local page beside it."""
    return portal.call(seen, gate.config)


@item("MON-3")
def test_every_query_reads_what_the_gateway_serves(gate: Gate, served: Seen, verdict: Verdicts) -> None:
    """No panel asks for a metric that no gateway tells: it would be empty for ever, and look calm."""
    try:
        found = dashboard.parse((gate.root / DASHBOARD).read_bytes())
    except (OSError, ValueError):
        problems = [f"{DASHBOARD} cannot be read"]
    else:
        problems = dashboard.unserved(found, names(served.metrics))
    lines = sum(len(panel.lines) for panel in panels.panels(gate.config))
    verdict(shown("every query reads what the gateway serves", problems, n=lines))


@item("MON-3")
def test_the_local_page_shows_the_same(gate: Gate, served: Seen, verdict: Verdicts) -> None:
    """`golive monitor serve` reads a gateway's metrics and shows compliance, flow, times, throughput and budget."""
    drawn = [row for row in panels.rows(gate.config) if row.title != panels.FIRING]
    over_time = [panel for row in drawn for panel in row.panels if panel.kind != "figure"]
    headings = [*(f"<h2>{row.title}</h2>" for row in drawn), *(f"<h4>{panel.title}</h4>" for panel in over_time)]
    limits = [f">{escape(words)}</text>" for panel in over_time for words in panels.words_of(panel)]
    wanted = [*headings, *limits]
    problems = [f"the page does not show {there.strip('>')}" for there in wanted if there not in served.page]
    if served.problem:
        problems.insert(0, f"the page cannot read the gateway's metrics: {served.problem}")
    verdict(shown("the local page shows every panel and limit", problems, n=len(wanted)))


@item("MON-3")
def test_somebody_can_look_at_it(gate: Gate, portal: BlockingPortal, verdict: Verdicts) -> None:
    """Live: Grafana has this dashboard, or it is decided that the local page is enough. Locally no Grafana is asked."""
    if gate.plan.target.kind == "local":
        verdict(shown("a rehearsal is watched on the local page", [], n=1))
    elif gate.config.dashboard.grafana_url is not None:
        verdict(in_grafana(gate.config, portal))
    else:
        lacks = "dashboard.grafana_url names no Grafana, and dashboard.page_is_enough does not say that none is needed"
        problems = [] if gate.config.dashboard.page_is_enough else [lacks]
        verdict(shown("dashboard.page_is_enough: the local page is what is watched", problems, n=1))


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
