"""``/health`` as a caller sees it: of an endpoint, or of the two that a rollout splits a route between."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from go_live.errors import MeasurementError
from go_live.gateway.routes import Routes
from go_live.gateway.routing import ALL, Arm, RouteDecision
from go_live.gateway.service import Gateway, Reply, problem

COUNTED = ("jobs", "workers")
"""What the platform counts, by state."""


async def health(gateway: Gateway, routes: Routes | None, asked: str) -> Reply:
    """The platform's ``health`` of the endpoint that was asked for, or the sum over the arms that have a share.

    A candidate that does not answer makes nobody take the gateway for dead: 502 only where no arm answers.
    """
    decision = routes.decision if routes is not None else None
    if routes is None or decision is None or decision.current != asked:
        return await _of(gateway, asked)
    percent = routes.percent()
    names = _with_share(decision, percent)
    replies = await asyncio.gather(*(_of(gateway, name) for name in names.values()))
    told = {arm: _object(reply) for arm, reply in zip(names, replies, strict=True)}
    answered = [each for each in told.values() if each is not None]
    if not answered:
        return replies[0]
    route = {
        "current": decision.current,
        "candidate": decision.candidate,
        "candidate_percent": percent,
        "rollout": decision.rollout,
        "serial": decision.serial,
        "answers": {arm: each is not None for arm, each in told.items()},
    }
    return Reply(
        HTTPStatus.OK, msgspec.json.encode({**{part: _sum(answered, part) for part in COUNTED}, "route": route})
    )


def _with_share(decision: RouteDecision, percent: int) -> dict[Arm, str]:
    """Endpoints of the arms that get requests."""
    shares: dict[Arm, int] = {"current": ALL - percent, "candidate": percent}
    return {arm: decision.endpoint(arm) for arm, share in shares.items() if share}


async def _of(gateway: Gateway, endpoint_id: str) -> Reply:
    """One endpoint's."""
    try:
        said = await gateway.upstreams[endpoint_id].endpoint.get_raw("health")
    except MeasurementError:
        return problem(HTTPStatus.BAD_GATEWAY, "the endpoint does not answer")
    if said.http_status != HTTPStatus.OK:
        return problem(HTTPStatus.BAD_GATEWAY, f"the endpoint answers {said.http_status}")
    return Reply(HTTPStatus.OK, said.body)


def _object(reply: Reply) -> Mapping[str, Any] | None:
    """The health object; None: it is none."""
    if reply.status != HTTPStatus.OK:
        return None
    try:
        return msgspec.json.decode(reply.body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _sum(answered: list[Mapping[str, Any]], part: str) -> dict[str, int]:
    """Counts by state, over the arms."""
    total: dict[str, int] = {}
    for each in answered:
        counts = each.get(part)
        for state, count in counts.items() if isinstance(counts, dict) else ():
            if type(count) is int:
                total[state] = total.get(state, 0) + count
    return total
