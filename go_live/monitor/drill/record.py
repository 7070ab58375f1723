"""drill.json: what was done and what arrived, and what follows from it. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Annotated

import msgspec

from go_live.config import Config
from go_live.errors import UsageError
from go_live.monitor.alertmanager import alertmanager_file
from go_live.monitor.alerts import alert_rules
from go_live.monitor.drill.arrivals import Arrival
from go_live.monitor.rules import rule_file

NAME = "drill.json"
EVIDENCE, LOOK = "drill", "look"
"""What the id of a whole drill begins with, and that of one which was only to look at and is evidence for nothing."""
RULES, ROUTING = "monitoring/rules.yml", "monitoring/alertmanager.yml"


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, from its cause to its end; seconds after the drill began."""

    incident: str
    endpoint: str
    began: float
    ended: float | None
    """When what was broken worked again; None: it never did."""


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """One drill that ended."""

    id: str
    began_at: float
    """Unix time."""
    seconds: float
    """How long it took."""
    chosen: tuple[str, ...]
    """The incidents that were to be caused."""
    factor: Annotated[int, msgspec.Meta(ge=1)]
    """What the times of rules, routing, limits and engine were divided by."""
    quiet_from: float
    """From when on healthy traffic was watched, seconds after the beginning."""
    digests: Mapping[str, str]
    """sha256 of what was drilled, unscaled, by path in the project."""
    programs: Mapping[str, str]
    """Versions of Prometheus and Alertmanager."""
    simulated: tuple[str, ...]
    """What was not real."""
    requests: Mapping[str, int]
    """How many of the requests of healthy and bad traffic ended, by endpoint."""
    spans: tuple[Span, ...]
    arrivals: tuple[Arrival, ...]
    """What the sinks that stand for PagerDuty, Slack and the dead-man's switch were sent."""
    lost_beats: tuple[float, ...] = ()
    """Beats of the Alertmanager that was killed, as its switch heard them."""
    strange: tuple[str, ...] = ()
    """Notifications that could not be read."""


def digests(config: Config) -> dict[str, str]:
    """sha256 of the rules and the routing that golive.toml gives, by path."""
    texts = {RULES: rule_file(alert_rules(config)), ROUTING: alertmanager_file(config.alerts)}
    return {path: hashlib.sha256(text.encode()).hexdigest() for path, text in texts.items()}


def parse(content: bytes, name: str) -> Drill:
    """The record in a file's bytes.

    Raises:
        UsageError: it is none.
    """
    try:
        return msgspec.json.decode(content, type=Drill)
    except msgspec.DecodeError as error:
        raise UsageError(f"{name} is no record of a drill: {error}; drill again") from error
