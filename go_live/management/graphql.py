"""GraphQL, for what REST v2 has no word for: the query, and its answer. Pure.

The platform retires it in early 2027; until then it tells an idle timeout that v2 leaves out.
"""

from typing import Any

import msgspec

from go_live.management.errors import GraphQlError
from go_live.management.models import LegacyEndpoint

ENDPOINTS = (
    "query { myself { endpoints { "
    "id idleTimeout templateId scalerType scalerValue workersMin workersMax gpuIds version } } }"
)
"""Every endpoint of the account: there is no query of one."""


class _Message(msgspec.Struct, frozen=True):
    message: str = ""


class _Myself(msgspec.Struct, frozen=True):
    endpoints: tuple[LegacyEndpoint, ...] | None = None


class _Data(msgspec.Struct, frozen=True):
    myself: _Myself | None = None


class Answer(msgspec.Struct, frozen=True):
    """What GraphQL answers with HTTP 200, right or wrong."""

    data: _Data | None = None
    errors: tuple[_Message, ...] | None = None


def pick(answer: Answer, endpoint_id: str) -> LegacyEndpoint | None:
    """The endpoint in ``answer``; None: it is not among the account's.

    Raises:
        GraphQlError: the answer holds errors, or nothing about this account.
    """
    if answer.errors:
        said = "; ".join(one.message for one in answer.errors)[:200]
        raise GraphQlError(f"GraphQL: {said or 'an error without a message'}: golive may be older than the API")
    myself = answer.data.myself if answer.data else None
    if myself is None or myself.endpoints is None:
        raise GraphQlError("GraphQL knows no account behind this key: check that the key may read over GraphQL")
    return next((one for one in myself.endpoints if one.id == endpoint_id), None)


def envelope(endpoints: list[dict[str, Any]]) -> dict[str, Any]:
    """An answer about ``endpoints``, as the API shapes it."""
    return {"data": {"myself": {"endpoints": endpoints}}}
