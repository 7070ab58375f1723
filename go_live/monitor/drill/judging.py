"""What was done and what arrived -> whether each alert fired within its time, arrived where it belongs and resolved.

Pure. Nothing that is missing counts for the alert: no span, no arrival and no end are each a reason.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from go_live.config import Config
from go_live.monitor.alerts import WATCHDOG, AlertRule, alert_rules
from go_live.monitor.drill.arrivals import Arrival
from go_live.monitor.drill.incidents import BY_NAME, CHANNELS, incident_of, rule_name
from go_live.monitor.drill.record import Drill, Span
from go_live.monitor.drill.scale import MARGIN_S, PATIENCE, Due, Times, due, quiet_s, times
from go_live.outcome import Outcome


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One alert; times are seconds of the drill."""

    alert: str
    incident: str
    due_s: float
    fired_s: float | None
    """From the incident's beginning to the last receiver that had to hear of it."""
    receivers: tuple[str, ...]
    """Who heard of it."""
    resolved_s: float | None
    """From the incident's end to the last receiver that had to hear of that."""
    outcome: Literal[Outcome.PASS, Outcome.FAIL]
    reason: str


def rows(drill: Drill, config: Config) -> tuple[Row, ...]:
    """One row for each alert that ``config`` asks for."""
    at = times(config, drill.factor)
    return tuple(row(rule, drill, at) for rule in alert_rules(config))


def chosen_rows(drill: Drill, config: Config) -> tuple[Row, ...]:
    """Those whose incident was to be caused: all of them, unless it was only a look."""
    return tuple(one for one in rows(drill, config) if one.incident in drill.chosen)


def row(rule: AlertRule, drill: Drill, at: Times) -> Row:
    """How it went with one alert."""
    incident = incident_of(rule)
    span = next((span for span in drill.spans if span.incident == incident.name), None)
    if rule.name == WATCHDOG:
        return _watchdog(rule, span, drill, at)
    when = due(rule, at)
    fired = _first(rule, span, drill, "firing")
    resolved = _first(rule, span, drill, "resolved") if span is not None and span.ended is not None else {}
    problem = next(_problems(rule, span, when, fired, resolved), None)
    return _row(rule, when.fires_s, problem, _span_s(rule, fired), tuple(sorted(fired)), _span_s(rule, resolved))


def _first(rule: AlertRule, span: Span | None, drill: Drill, status: str) -> dict[str, float]:
    """Receiver -> seconds after the beginning (firing) or the end (resolved) until it first heard of that."""
    if span is None or (since := span.began if status == "firing" else span.ended) is None:
        return {}
    metric = rule.metric if rule.kind == "absence" else ""
    heard: dict[str, float] = {}
    for arrival in drill.arrivals:
        told = arrival.status == status and arrival.tells(rule.name, span.endpoint, metric)
        if told and arrival.at >= since:
            heard.setdefault(arrival.receiver, round(arrival.at - since, 3))
    return heard


def _span_s(rule: AlertRule, heard: dict[str, float]) -> float | None:
    """When the last of those who had to hear of it did; None: not all did."""
    needed = CHANNELS[rule.severity]
    return max(heard[one] for one in needed) if set(needed) <= set(heard) else None


def _problems(
    rule: AlertRule, span: Span | None, when: Due, fired: dict[str, float], resolved: dict[str, float]
) -> Iterator[str]:
    """What is wrong, the first cause first."""
    if span is None:
        yield "its incident was not caused"
        return
    needed = CHANNELS[rule.severity]
    yield from (f"it never arrived at {one}" for one in needed if one not in fired)
    yield from (f"it arrived at {one}, where it does not belong" for one in fired if one not in needed)
    for one, after in fired.items():
        if after < when.not_before_s:
            yield f"it arrived at {one} after {after:.1f} s, before its {when.not_before_s:g} s were over"
        if after > when.fires_s:
            yield f"it arrived at {one} after {after:.1f} s, due within {when.fires_s:g} s"
    if span.ended is None:
        yield "its incident never ended"
    yield from (f"its end never arrived at {one}" for one in needed if one not in resolved)
    for one, after in resolved.items():
        if after > when.resolves_s:
            yield f"its end arrived at {one} after {after:.1f} s, due within {when.resolves_s:g} s"


def _watchdog(rule: AlertRule, span: Span | None, drill: Drill, at: Times) -> Row:
    """The dead-man's switch: beats of what lives; of what is killed a silence in which it rings, and beats again.

    ``fired_s`` is when the switch rang after the kill, ``resolved_s`` when it heard a beat after the restart.
    """
    told = [arrival for arrival in drill.arrivals if arrival.alert == WATCHDOG]
    beats = [arrival.at for arrival in told if arrival.receiver == "deadman"]
    astray = [arrival.receiver for arrival in told if arrival.receiver != "deadman"]
    silence = max((later - earlier for earlier, later in pairwise([*beats, drill.seconds])), default=0.0)
    living_s = at.beat_s + at.seen_s + at.group_interval_s + MARGIN_S
    rang, back = _rang(span, drill, at)
    problem = None
    if span is None:
        problem = "its incident was not caused"
    elif not beats:
        problem = "the dead-man's switch heard nothing"
    elif astray:
        problem = f"it arrived at {astray[0]}, where it does not belong"
    elif silence > living_s:
        problem = f"a living Alertmanager was silent for {silence:.1f} s"
    elif rang is None:
        problem = "the switch did not notice that Alertmanager was dead"
    elif back is None:
        problem = "it was not heard again after Alertmanager's restart"
    return _row(rule, PATIENCE * at.beat_s, problem, rang, ("deadman",) if beats else (), back)


def _rang(span: Span | None, drill: Drill, at: Times) -> tuple[float | None, float | None]:
    """When the switch of the Alertmanager that is killed rang after that, and heard it again after its restart."""
    if span is None or span.ended is None:
        return None, None
    last = max((beat for beat in drill.lost_beats if beat <= span.began), default=None)
    after = min((beat for beat in drill.lost_beats if beat > span.began), default=None)
    silent_until = drill.seconds if after is None else after
    patience = PATIENCE * at.beat_s
    rang = None if last is None or silent_until - last < patience else round(last + patience - span.began, 3)
    back = None if after is None or after < span.ended else round(after - span.ended, 3)
    return rang, back


def _row(
    rule: AlertRule,
    due_s: float,
    problem: str | None,
    fired_s: float | None,
    receivers: tuple[str, ...],
    resolved_s: float | None,
) -> Row:
    good = f"arrived at {' and '.join(CHANNELS[rule.severity])}, and resolved"
    if rule.name == WATCHDOG:
        good = "beats while Alertmanager lives, is missed when it is killed, and beats again"
    return Row(
        alert=rule_name(rule),
        incident=incident_of(rule).name,
        due_s=round(due_s, 3),
        fired_s=fired_s,
        receivers=receivers,
        resolved_s=resolved_s,
        outcome=Outcome.PASS if problem is None else Outcome.FAIL,
        reason=problem or good,
    )


def strays(drill: Drill, config: Config) -> list[str]:
    """What arrived without a cause: before the first incident, or of an endpoint whose incident does not raise it."""
    rules = alert_rules(config)
    first = min((span.began for span in drill.spans), default=drill.seconds)
    found = [f"unreadable: {text}" for text in drill.strange]
    for arrival in drill.arrivals:
        if arrival.alert == WATCHDOG or arrival.status == "resolved":
            continue
        if arrival.at < first:
            found.append(f"{arrival.alert} of {arrival.endpoint} arrived before anything was wrong")
        elif not any(_causes(span, arrival) for span in drill.spans):
            found.append(f"{arrival.alert} of {arrival.endpoint} arrived at {arrival.receiver} without a cause")
    at = times(config, drill.factor)
    if drill.spans and first - drill.quiet_from < quiet_s(rules, at):
        found.append(
            f"healthy traffic was watched for {first - drill.quiet_from:.1f} s only, and not {quiet_s(rules, at):g} s"
        )
    if quiet := [endpoint for endpoint, n in drill.requests.items() if n < config.alerts.fail_min_requests]:
        found.append(f"{quiet[0]} had fewer requests than a rate needs")
    return list(dict.fromkeys(found))


def _causes(span: Span, arrival: Arrival) -> bool:
    """Whether the incident may raise what arrived."""
    incident = BY_NAME.get(span.incident)
    return (
        incident is not None
        and arrival.endpoint == span.endpoint
        and arrival.alert in (*incident.alerts, *incident.may)
        and arrival.at >= span.began
    )


def problems(found: Sequence[Row], drill: Drill, config: Config) -> list[str]:
    """Everything that speaks against the drill, one line each; empty: each alert of ``found`` was shown."""
    failed = [f"{one.alert}: {one.reason}" for one in found if one.outcome is Outcome.FAIL]
    return [*failed, *strays(drill, config)]
