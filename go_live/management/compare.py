"""Declared against live: one table. Pure.

Each row belongs to a checklist item: INF-1 workers, INF-2 scaling and time-outs, INF-3 the GPU, INF-4 FlashBoot,
INF-8 image and environment. What the API does not tell is an ERROR, or NOT_APPLICABLE where it is shown that there is
no such setting; it is never a pass.
"""

import msgspec

from go_live.config import ExpectedEndpoint
from go_live.management.environment import environment_rows, image_row
from go_live.management.gpu import gpu_rows
from go_live.management.models import RequestCount
from go_live.management.table import Live, Row, same
from go_live.outcome import Outcome

SCALED_DOWN = {
    2: "it looks like the platform's silent scale-down after 3 days without requests",
    0: "it looks like the platform's silent scale-down after 7 days without requests; the endpoint is off",
}
"""workersMax -> what the platform does to endpoints that nobody uses (RunPod documentation)."""
RAISE = "`golive config apply` raises it again, nothing else does"
MS = 1000


def compare(expected: ExpectedEndpoint, live: Live) -> tuple[Row, ...]:
    """Every declared setting, in the order of the checklist."""
    return (
        *workers_rows(expected, live),
        *scaling_rows(expected, live),
        idle_row(expected, live),
        timeout_row(expected, live),
        *gpu_rows(expected.gpu, live),
        flashboot_row(expected, live),
        image_row(expected.image, live.endpoint.image),
        *environment_rows(expected, live.endpoint.env),
    )


def workers_rows(expected: ExpectedEndpoint, live: Live) -> tuple[Row, Row]:
    """INF-1: the bounds of the number of workers; the platform's silent scale-down is named."""
    bounds = live.endpoint.workers
    silent = silent_scale_down(expected.workers_max, bounds.max)
    lowered = silent if bounds.min < expected.workers_min and bounds.min <= bounds.max else ""
    return (
        same("INF-1", "workersMin", str(expected.workers_min), str(bounds.min), why=lowered),
        same("INF-1", "workersMax", str(expected.workers_max), str(bounds.max), why=silent),
    )


def silent_scale_down(declared: int, live: int) -> str:
    """The words for a workersMax that the platform lowered by itself; empty: it does not look like that."""
    return f"{SCALED_DOWN[live]}; {RAISE}" if live < declared and live in SCALED_DOWN else ""


def scaling_rows(expected: ExpectedEndpoint, live: Live) -> tuple[Row, Row]:
    """INF-2: what the autoscaler goes by, and its value."""
    scaling = live.endpoint.scaling
    counts = isinstance(scaling, RequestCount)
    kind = "REQUEST_COUNT" if counts else "QUEUE_DELAY"
    value = scaling.request_count if isinstance(scaling, RequestCount) else scaling.queue_delay
    unit = {"REQUEST_COUNT": " requests a worker", "QUEUE_DELAY": " s"}
    return (
        same("INF-2", "scaler type", expected.scaler_type, kind),
        same(
            "INF-2", "scalerValue", f"{expected.scaler_value:g}{unit[expected.scaler_type]}", f"{value:g}{unit[kind]}"
        ),
    )


def idle_row(expected: ExpectedEndpoint, live: Live) -> Row:
    """INF-2: idleTimeout, which REST v2 does not have for every endpoint (docs/decisions/0113)."""
    declared, endpoint = f"{expected.idle_timeout_s} s", live.endpoint
    if endpoint.workers.idle_timeout is not None:
        return same("INF-2", "idleTimeout", declared, f"{endpoint.workers.idle_timeout} s")
    counts = isinstance(endpoint.scaling, RequestCount)
    if not (endpoint.type == "QUEUE" and counts):
        why = "the API told no idleTimeout, though it has one for this endpoint: nothing is known"
        return _untold(declared, "not told", Outcome.ERROR, why)
    if live.idle.seconds is not None:
        row = same("INF-2", "idleTimeout", declared, f"{live.idle.seconds} s")
        told = f"{row.reason} (told by GraphQL; REST v2 neither tells nor sets it here: set it in the console)"
        return msgspec.structs.replace(row, reason=told)
    if not live.idle.asked:
        return _untold(declared, "unknown", Outcome.ERROR, f"idleTimeout could not be asked for: {live.idle.trouble}")
    why = (
        "REST v2 has no idleTimeout for a queue endpoint that scales on REQUEST_COUNT: it left it out of its answer, "
        f"and GraphQL told none either ({live.idle.trouble or 'null'})"
    )
    return _untold(declared, "no such setting", Outcome.NOT_APPLICABLE, why)


def timeout_row(expected: ExpectedEndpoint, live: Live) -> Row:
    """INF-2: the execution timeout; 0 is what a create leaves that names none."""
    declared, ms = expected.execution_timeout_s, live.endpoint.timeout
    why = "none was ever set: a create that leaves it out may leave 0" if ms == 0 else ""
    return same("INF-2", "executionTimeout", f"{declared} s", f"{ms / MS:g} s", why=why)


def flashboot_row(expected: ExpectedEndpoint, live: Live) -> Row:
    """INF-4: FlashBoot, with priority or without."""
    mode = live.endpoint.flashboot
    declared, on = ("on" if expected.flashboot else "off"), mode != "OFF"
    row = same("INF-4", "FlashBoot", declared, "on" if on else "off")
    return msgspec.structs.replace(row, live=mode)


def _untold(declared: str, live: str, outcome: Outcome, why: str) -> Row:
    return Row(item="INF-2", setting="idleTimeout", declared=declared, live=live, outcome=outcome, reason=why)
