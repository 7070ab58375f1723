"""The records that a drill and receipts would have left which went well: what MON-4's controls break."""

import json
from pathlib import Path

import msgspec

from go_live.config import Config
from go_live.monitor.alerts import WATCHDOG, AlertRule, alert_rules
from go_live.monitor.drill import kept
from go_live.monitor.drill.arrivals import Arrival
from go_live.monitor.drill.incidents import CHANNELS, DEADMAN, Incident, incident_of, wanted
from go_live.monitor.drill.receipts import Receipts, confirmed, new_code, sent
from go_live.monitor.drill.record import ROUTING, Drill, Span, digests
from go_live.monitor.drill.scale import PATIENCE, Times, due, quiet_s, times

DRILL, RECEIPTS = "reports/drill-healthy/drill.json", "reports/receipt-healthy/receipt.json"
BEGAN_S = 60.0
"""When healthy traffic begins to be watched."""
TAKES_S = 200.0


def healthy_drill(config: Config, began_at: float) -> Drill:
    """A drill in which each alert came half-way between too early and too late, and went half-way to too late."""
    rules, at = alert_rules(config), times(config, config.drill.time_factor)
    first = BEGAN_S + quiet_s(rules, at) + 1
    spans, arrivals = [], [_beat(at.beat_s * n) for n in range(1, int(TAKES_S / at.beat_s) + 1)]
    for incident in (one for one in wanted(rules) if one is not DEADMAN):
        own = [rule for rule in rules if incident_of(rule) is incident]
        ended = first + max(due(rule, at).fires_s for rule in own)
        spans.append(Span(incident=incident.name, endpoint=incident.endpoint(config), began=first, ended=ended))
        arrivals += [told for rule in own for told in _told(rule, incident, config, at, (first, ended))]
    rung = first + PATIENCE * at.beat_s
    spans.append(Span(incident=DEADMAN.name, endpoint=DEADMAN.endpoint(config), began=first, ended=rung))
    return Drill(
        id="drill-healthy",
        began_at=began_at,
        seconds=TAKES_S,
        chosen=tuple(incident.name for incident in wanted(rules)),
        factor=config.drill.time_factor,
        quiet_from=BEGAN_S,
        digests=digests(config),
        programs={"prometheus": "2.42.0", "alertmanager": "0.25.0"},
        simulated=(),
        requests={span.endpoint: 1000 for span in spans},
        spans=tuple(spans),
        arrivals=tuple(sorted(arrivals, key=lambda arrival: arrival.at)),
        lost_beats=(first - 1, rung + 1),
    )


def _beat(at: float) -> Arrival:
    return Arrival(at=at, receiver="deadman", status="firing", alert=WATCHDOG)


def _told(rule: AlertRule, incident: Incident, config: Config, at: Times, span: tuple[float, float]) -> list[Arrival]:
    """What each receiver is sent of one alert."""
    when, metrics = due(rule, at), (rule.metric,) if rule.kind == "absence" else ()
    told = {"firing": span[0] + (when.not_before_s + when.fires_s) / 2, "resolved": span[1] + when.resolves_s / 2}
    return [
        Arrival(
            at=seconds,
            receiver=receiver,
            status="firing" if status == "firing" else "resolved",
            alert=rule.name,
            endpoint=incident.endpoint(config),
            metrics=metrics,
        )
        for status, seconds in told.items()
        for receiver in CHANNELS[rule.severity]
    ]


def healthy_receipts(config: Config, sent_at: float, routing: str) -> Receipts:
    """Test alerts that both arrived, as somebody said."""
    codes = [new_code(), new_code()]
    receipts = Receipts(
        id="receipt-healthy",
        sent_at=sent_at,
        alertmanager="https://alertmanager.example",
        endpoint=config.endpoint.id,
        routing=routing,
        alerts=(sent("page", codes[0]), sent("slack", codes[1])),
    )
    return confirmed(receipts, codes, now=sent_at, by="ada")


def leave(project: Path, config: Config, now: float) -> None:
    """Put both records into ``project``, a field a line, for controls to change."""
    routing = kept.present(project)[ROUTING]
    records = {DRILL: healthy_drill(config, now), RECEIPTS: healthy_receipts(config, now, routing)}
    for name, record in records.items():
        path = project / name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(msgspec.to_builtins(record), indent=1), encoding="utf-8")
