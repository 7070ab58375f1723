"""What PagerDuty, Slack and the dead-man's switch are sent, read as they would read it. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Status = Literal["firing", "resolved"]
METRIC = re.compile(r"\((golive_[a-z_]+)\)|metric = (golive_[a-z_]+)")
ENDPOINT = re.compile(r"endpoint ([A-Za-z0-9_-]+):")


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One notification about one group of alerts."""

    at: float
    """Seconds after the drill began."""
    receiver: str
    """``pagerduty``, ``slack``, ``deadman``."""
    status: Status
    alert: str
    endpoint: str = ""
    metrics: tuple[str, ...] = ()
    """Which metrics it names, where the alert is about a metric that is missing."""

    def tells(self, alert: str, endpoint: str, metric: str = "") -> bool:
        """Whether it is about this alert of this endpoint (and this missing metric)."""
        return self.alert == alert and self.endpoint == endpoint and (not metric or metric in self.metrics)


def parse(path: str, body: Mapping[str, Any], at: float) -> Arrival:
    """The notification that was sent to ``path`` (``/pagerduty``, ``/slack``, ``/deadman``).

    Raises:
        ValueError: it is none that the generated configuration sends.
    """
    receiver = path.strip("/")
    try:
        match receiver:
            case "pagerduty":
                status, alert, text = _pagerduty(body)
            case "slack":
                status, alert, text = _slack(body)
            case "deadman":
                status, alert, text = body["status"], body["alerts"][0]["labels"]["alertname"], ""
            case _:
                raise ValueError(f"nobody is told at {path}")
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{receiver} was sent what it does not understand: no {error}") from error
    endpoint = ENDPOINT.search(text)
    metrics = tuple(dict.fromkeys(one or other for one, other in METRIC.findall(text)))
    return Arrival(
        at=at,
        receiver=receiver,
        status=status,
        alert=alert,
        endpoint=endpoint[1] if endpoint else "",
        metrics=metrics,
    )


def _pagerduty(body: Mapping[str, Any]) -> tuple[Status, str, str]:
    """An event of PagerDuty's Events API v2."""
    firing = body["event_action"] == "trigger"
    payload = body["payload"]
    summary: str = payload["summary"]
    details = payload["custom_details"]["firing" if firing else "resolved"]
    return "firing" if firing else "resolved", summary.partition(":")[0], f"{summary}\n{details}"


def _slack(body: Mapping[str, Any]) -> tuple[Status, str, str]:
    """A message to Slack's incoming webhook."""
    attachment = body["attachments"][0]
    status, _, alert = attachment["title"].partition(" ")
    return "firing" if status == "FIRING" else "resolved", alert, attachment["text"]
