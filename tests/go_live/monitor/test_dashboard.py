"""The Grafana dashboard: written, compared, and read by the programs that there are."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from go_live.cli import main
from go_live.config import Config
from go_live.errors import ExitCode
from go_live.gateway.line import Line
from go_live.gateway.telemetry import Metrics
from go_live.monitor import dashboard, dashboard_command, grafana, metrics, panels
from go_live.monitor.alerts import alert_rules
from go_live.monitor.generated import DASHBOARD
from go_live.monitor.live.exposition import names
from tests.go_live.monitor.conftest import ROOT, Edit

CONFIG = str(ROOT / "golive.toml")
REQUIRED = {"SLO compliance", "Request flow", "Queue against execution", "Throughput", "Error budget"}
Dashboard = dict[str, Any]


@pytest.fixture
def written(config: Config) -> Dashboard:
    """The dashboard as golive.toml gives it."""
    document: Dashboard = json.loads(grafana.dashboard_file(config))
    return document


def test_the_committed_dashboard_is_golive_tomls() -> None:
    """What `nox -s lint` asks."""
    assert main(["monitor", "dashboard", "--check", "--root", str(ROOT), "--config", CONFIG]) == ExitCode.GO


def test_a_difference_fails_and_writing_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing, then written, then edited by hand: told by name, and nothing is written by the check."""
    where = ["monitor", "dashboard", "--root", str(tmp_path), "--config", CONFIG]
    assert main([*where, "--check"]) == ExitCode.NO_GO
    assert not (tmp_path / DASHBOARD).exists()
    assert main(where) == ExitCode.GO
    assert main([*where, "--check"]) == ExitCode.GO
    (tmp_path / DASHBOARD).write_text("{}", encoding="utf-8")
    capsys.readouterr()
    assert main([*where, "--check", "--json"]) == ExitCode.NO_GO
    told = json.loads(capsys.readouterr().out)
    assert told["outcome"] == "fail"
    assert "run golive monitor dashboard and commit" in told["reason"]
    assert told["notes"] == ["alerts.docs_url is a place-holder (docs.example): the dashboard's links lead nowhere"]


def test_without_grafanas_sdk_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the remedy, and the code of a usage error."""
    monkeypatch.setattr(dashboard_command, "SDK", "no_such_package")
    assert main(["monitor", "dashboard", "--check", "--config", CONFIG]) == ExitCode.USAGE
    assert "pip install 'golive[dashboard]'" in capsys.readouterr().err


def test_it_has_the_rows_that_are_asked_for(written: Dashboard) -> None:
    """SLO compliance, request flow, queue against execution, throughput, error budget; ids are unique."""
    assert {panel["title"] for panel in written["panels"] if panel["type"] == "row"} >= REQUIRED
    places = [tuple(panel["gridPos"].values()) for panel in written["panels"] if panel["type"] != "row"]
    assert len(set(places)) == len(places), "no panel lies on another"
    ids = [panel["id"] for panel in written["panels"]]
    assert sorted(set(ids)) == ids, "a link to a panel stays a link to it"


def test_no_requests_are_neither_green_nor_red(written: Dashboard) -> None:
    """0 of 0 is no number: every panel shows it grey and in words."""
    for panel in (panel for panel in written["panels"] if panel["type"] != "row"):
        (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
        assert mapping["options"]["match"] == "null+nan"
        assert mapping["options"]["result"] == {"text": "nothing to tell", "color": "#808080"}


def test_grafanas_own_types_read_it(written: Dashboard) -> None:
    """The SDK's types, which are generated from Grafana's schema, read the file and lose nothing of it."""
    read = model.Dashboard.from_json(json.loads(json.dumps(written)))
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == written


def test_prometheus_and_endpoint_are_chosen_in_grafana(written: Dashboard, config: Config) -> None:
    """No panel names a datasource of its own, and the endpoint is golive.toml's until another is chosen."""
    variables = {variable["name"]: variable for variable in written["templating"]["list"]}
    assert set(variables) == {"datasource", "endpoint"}
    assert variables["datasource"]["query"] == "prometheus"
    assert variables["endpoint"]["current"]["value"] == config.endpoint.id
    drawn = [panel for panel in written["panels"] if panel["type"] != "row"]
    named = [place["datasource"] for panel in drawn for place in (panel, *panel["targets"])]
    assert {place["uid"] for place in named} == {"${datasource}"}


def test_links_lead_to_what_an_alert_means(written: Dashboard, config: Config) -> None:
    """The page of all alerts, and beside a panel the runbook of the one that watches it, an alert there is."""
    docs = config.alerts.docs_url
    assert f"{docs}/ALERTING_RULES.md" in [link["url"] for link in written["links"]]
    pages = {link["url"] for panel in written["panels"] for link in panel.get("links") or ()}
    known = {alert.runbook_url for alert in alert_rules(config)}
    assert pages
    assert pages <= known


def test_what_was_written_has_no_difference(config: Config, written: Dashboard) -> None:
    """Neither as a file nor as Grafana answers with it, its own fields added."""
    assert dashboard.differences(dashboard.parse(json.dumps(written)), config) == []
    fetched = {"meta": {"slug": "x"}, "dashboard": written | {"id": 7, "version": 3, "schemaVersion": 41}}
    assert dashboard.differences(dashboard.parse_fetched(json.dumps(fetched)), config) == []


def _panel(document: Dashboard, title: str) -> dict[str, Any]:
    found: dict[str, Any] = next(panel for panel in document["panels"] if panel["title"] == title)
    return found


Damage = Callable[[Dashboard], object]
DAMAGES: dict[str, tuple[Damage, str]] = {
    "panel gone": (lambda d: d["panels"].remove(_panel(d, "Total time")), "panel 'Total time' is missing"),
    "panel twice": (
        lambda d: d["panels"].append(_panel(d, "Total time")),
        "panel 'Total time' is there more than once",
    ),
    "strange panel": (
        lambda d: d["panels"].append({"type": "stat", "title": "Own"}),
        "panel 'Own' is not of golive.toml",
    ),
    "row gone": (lambda d: d["panels"].remove(_panel(d, "Error budget")), "row 'Error budget' is missing"),
    "query": (lambda d: _panel(d, "Total time")["targets"][1].update(expr="1"), "'Total time': its query is 1"),
    "query hidden": (lambda d: _panel(d, "Fail rate")["targets"][0].update(hide=True), "'Fail rate': its query is"),
    "unit": (
        lambda d: _panel(d, "Total time")["fieldConfig"]["defaults"].update(unit="ms"),
        "'Total time': its unit is ms",
    ),
    "limit": (
        lambda d: _panel(d, "Total time")["fieldConfig"]["defaults"]["thresholds"]["steps"][2].update(value=80),
        "'Total time': its limit is 80.0, golive.toml gives 8",
    ),
    "limits not drawn": (
        lambda d: _panel(d, "Total time")["fieldConfig"]["defaults"]["custom"].update(thresholdsStyle={"mode": "off"}),
        "'Total time': its limits are not drawn",
    ),
    "type": (lambda d: _panel(d, "Total time").update(type="stat"), "'Total time': its type is stat"),
    "uid": (lambda d: d.update(uid="mine"), "uid is mine"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_every_damage_is_named(config: Config, written: Dashboard, name: str) -> None:
    """Each way in which somebody may have changed it is told, and told as what it is."""
    damage, said = DAMAGES[name]
    damage(written)
    assert any(said in line for line in dashboard.differences(dashboard.parse(json.dumps(written)), config))


def test_a_changed_limit_is_a_difference(edited: Edit, written: Dashboard) -> None:
    """golive.toml moves on, and the dashboard that stayed is told."""
    moved = edited("memory_used_max = 0.97", "memory_used_max = 0.9")
    differences = dashboard.differences(dashboard.parse(json.dumps(written)), moved)
    assert differences == ["panel 'Device memory in use': its limit is 0.97, golive.toml gives 0.9"]


@pytest.mark.parametrize("text", ["", "null", "[]", '{"panels": 3}', '{"dashboard": []}', "\udcff"])
def test_what_is_no_dashboard_is_refused(text: str) -> None:
    """In one line, whatever it is."""
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        dashboard.parse_fetched(text.encode("utf-8", "surrogateescape"))


def test_every_query_reads_what_a_gateway_serves(config: Config, written: Dashboard) -> None:
    """Names and suffixes are the gateway's own, and one that nobody serves is told with its panel."""
    from prometheus_client import generate_latest  # noqa: PLC0415 - only here

    told = Metrics(metrics.buckets_s(config))
    told.watch(config.endpoint.id, Line(cap=3, room=3))
    served = names(generate_latest(told.registry).decode())
    found = dashboard.parse(json.dumps(written))
    assert dashboard.unserved(found, served) == []
    lacking = dashboard.unserved(found, served - {metrics.OUTPUT_TOKENS})
    assert (
        lacking[0]
        == f"panel 'Output tokens per second' asks for {metrics.OUTPUT_TOKENS}, which the gateway does not serve"
    )


@pytest.mark.usefixtures("programs")
def test_promtool_parses_every_query(config: Config, tmp_path: Path) -> None:
    """As Prometheus will read them, the endpoint filled in."""
    lines = [line for panel in panels.panels(config) for line in panel.lines]
    rules = [{"record": f"q:{n}", "expr": line.query.promql(config.endpoint.id)} for n, line in enumerate(lines)]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "q", "rules": rules}]}), encoding="utf-8")
    command = ["promtool", "check", "rules", str(tmp_path / "queries.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(lines)} rules found" in done.stdout
