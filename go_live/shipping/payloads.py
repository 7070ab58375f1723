"""What Loki and Datadog are sent, as their references document it. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from go_live.config import Logs
from go_live.shipping.batches import NS, Entry

JOB = SOURCE = "golive"


def labels_of(logs: Logs, endpoint: str) -> dict[str, str]:
    """Loki's labels that every line of an endpoint has in common."""
    return {"job": JOB, "endpoint": endpoint, **logs.labels}


def push(worker: str, entries: Sequence[Entry], labels: Mapping[str, str]) -> dict[str, Any]:
    """One push to Loki: a stream of the worker's labels, times as strings of nanoseconds."""
    stream = {**labels, "worker": worker}
    return {"streams": [{"stream": stream, "values": [[str(one.ns), one.text] for one in entries]}]}


def common_of(worker: str, endpoint: str, labels: Mapping[str, str]) -> dict[str, str]:
    """What Datadog is told of every line."""
    tags = ",".join(f"{name}:{value}" for name, value in (*labels.items(), ("endpoint", endpoint)) if name != "service")
    return {"ddsource": SOURCE, "ddtags": tags, "hostname": worker, "service": labels["service"]}


def intake(worker: str, entries: Sequence[Entry], endpoint: str, labels: Mapping[str, str]) -> list[dict[str, str]]:
    """One request to Datadog: each line as ``message``, whose JSON Datadog reads into attributes."""
    common = common_of(worker, endpoint, labels)
    return [{**common, "timestamp": iso(one.ns / NS), "message": one.text} for one in entries]


def iso(at: float) -> str:
    """A Unix time as RFC 3339, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
