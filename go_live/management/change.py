"""From a difference to the one write that ends it. Pure."""

from msgspec import UNSET, UnsetType

from go_live.config import ExpectedEndpoint
from go_live.management.compare import MS
from go_live.management.environment import digest_of
from go_live.management.gpu import pools
from go_live.management.models import (
    EndpointUpdate,
    GpuChange,
    QueueDelay,
    RequestCount,
    Scaling,
    WorkersChange,
)
from go_live.management.table import Live, Row
from go_live.outcome import Outcome


def change_for(expected: ExpectedEndpoint, live: Live, rows: tuple[Row, ...]) -> EndpointUpdate:
    """The update that makes every setting that failed the declared one; members that agree are not sent.

    What no update can set (an idle timeout that v2 does not have, a value that the worker refuses, a name that nothing
    reads) is left out: ``cannot_set`` names it.
    """
    failed = {row.setting for row in rows if row.outcome is Outcome.FAIL}
    return EndpointUpdate(
        workers=_workers(expected, live, failed),
        scaling=_scaling(expected) if failed & {"scaler type", "scalerValue"} else UNSET,
        timeout=expected.execution_timeout_s * MS if "executionTimeout" in failed else UNSET,
        flashboot=("FLASHBOOT" if expected.flashboot else "OFF") if "FlashBoot" in failed else UNSET,
        gpu=_gpu(expected.gpu, live) if "GPU" in failed else UNSET,
        image=expected.image if "image" in failed and expected.image and digest_of(expected.image) else UNSET,
        env={**live.endpoint.env, **expected.env} if failed & set(expected.env) else UNSET,
    )


def is_empty(change: EndpointUpdate) -> bool:
    """Whether there is nothing to send."""
    return change == EndpointUpdate()


def makes_a_release(change: EndpointUpdate) -> bool:
    """Whether workers will be replaced: a change of the container or of where it runs, not of how it scales."""
    return any(member is not UNSET for member in (change.image, change.env, change.gpu, change.flashboot))


def cannot_set(expected: ExpectedEndpoint, rows: tuple[Row, ...], live: Live) -> list[Row]:
    """Failed rows that no update of golive ends."""
    by_hand = {"worker settings", "variable names", "MAX_MODEL_LEN / MAX_NUM_BATCHED_TOKENS", "workers' GPU"}
    if not _takes_idle_timeout(expected, live):
        by_hand.add("idleTimeout")
    return [row for row in rows if row.outcome is Outcome.FAIL and row.setting in by_hand]


def _workers(expected: ExpectedEndpoint, live: Live, failed: set[str]) -> WorkersChange | UnsetType:
    """Both bounds go together: one alone may lie beyond the other."""
    idle = "idleTimeout" in failed and _takes_idle_timeout(expected, live)
    bounds = bool(failed & {"workersMin", "workersMax"})
    if not (idle or bounds):
        return UNSET
    return WorkersChange(
        min=expected.workers_min if bounds else UNSET,
        max=expected.workers_max if bounds else UNSET,
        idle_timeout=expected.idle_timeout_s if idle else UNSET,
    )


def _takes_idle_timeout(expected: ExpectedEndpoint, live: Live) -> bool:
    """Whether the API takes one: it told one, and the update does not turn the endpoint into one that has none."""
    becomes = expected.scaler_type == "REQUEST_COUNT" and not isinstance(live.endpoint.scaling, RequestCount)
    return live.endpoint.workers.idle_timeout is not None and not (live.endpoint.type == "QUEUE" and becomes)


def _scaling(expected: ExpectedEndpoint) -> Scaling:
    if expected.scaler_type == "QUEUE_DELAY":
        return QueueDelay(queue_delay=expected.scaler_value)
    return RequestCount(request_count=round(expected.scaler_value))


def _gpu(declared: str, live: Live) -> GpuChange | UnsetType:
    """The pool of the declared GPU without its other cards, or the declared pool."""
    known = pools(live)
    if declared in known.values():
        return GpuChange(pools=(declared,))
    pool = known.get(declared)
    if live.endpoint.gpu is None or pool is None:
        return UNSET
    others = tuple(sorted(name for name, of in known.items() if of == pool and name != declared))
    return GpuChange(pools=(pool,), excluded_types=others) if others else GpuChange(pools=(pool,))
