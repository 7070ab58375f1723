"""Every way in which a call of the management API can fail.

    ManagementError                exit 4; everything below
    +-- UnreachableError           no whole HTTP response
    |   +-- TimedOutError          not in time
    |   +-- BrokenConnectionError  refused, reset, no such host, bad certificate
    +-- StatusError                the API answered with an error: ``status``, ``detail``
    |   +-- BadRequestError        400
    |   +-- UnauthorizedError      401
    |   +-- ForbiddenError         403
    |   +-- NotFoundError          404
    |   +-- UnprocessableError     422
    |   +-- RateLimitedError       429: ``wait_s``
    |   +-- ServerError            5xx
    +-- UnreadableError            an answer, but not the documented one
    |   +-- HtmlError              a page of a proxy or of the platform's edge
    |   +-- ShapeError             no JSON, or not of the documented shape
    +-- GraphQlError               GraphQL answered 200 and "errors"

``maybe_applied`` says of a write whether it may have taken effect all the same: such a write is never repeated, and the
message says how to look. A message is one line, and holds no key.
"""

from collections.abc import Mapping

from go_live.errors import MeasurementError


class ManagementError(MeasurementError):
    """The management API could not be asked, or did not do what was asked."""

    maybe_applied: bool = False
    """Whether a write may have taken effect although it failed."""

    def __init__(self, message: str, *, maybe_applied: bool = False) -> None:
        """``message`` names the call, what happened and the remedy."""
        hint = "; it may have been applied all the same: read the endpoint before you repeat it"
        super().__init__(message + hint * maybe_applied)
        self.maybe_applied = maybe_applied


class UnreachableError(ManagementError):
    """No whole HTTP response arrived."""


class TimedOutError(UnreachableError):
    """No whole response in time."""


class BrokenConnectionError(UnreachableError):
    """The connection was refused, reset or cut, or the host's name or certificate is wrong."""


class StatusError(ManagementError):
    """The API answered with an error of its own."""

    def __init__(self, message: str, *, status: int, detail: str = "", maybe_applied: bool = False) -> None:
        """``status`` is HTTP's; ``detail`` what the API says."""
        super().__init__(message, maybe_applied=maybe_applied)
        self.status = status
        self.detail = detail


class BadRequestError(StatusError):
    """400: the request contradicts itself or the endpoint."""


class UnauthorizedError(StatusError):
    """401: no key, or one that is not valid."""


class ForbiddenError(StatusError):
    """403: the key is valid, and may not do this."""


class NotFoundError(StatusError):
    """404: no such endpoint or template, or not for this key."""


class UnprocessableError(StatusError):
    """422: a member is unknown, out of range, or does not apply to this endpoint."""


class RateLimitedError(StatusError):
    """429: the quota is used up."""

    wait_s: float | None = None
    """Seconds until it may be asked again; None: the API did not say."""


class ServerError(StatusError):
    """5xx: the platform failed."""


class UnreadableError(ManagementError):
    """An answer came, but not the documented one."""


class HtmlError(UnreadableError):
    """A page instead of JSON: a proxy, or the platform's edge."""


class ShapeError(UnreadableError):
    """No JSON, or not of the documented shape."""


class GraphQlError(ManagementError):
    """GraphQL answered HTTP 200 with ``errors``."""


STATUSES: Mapping[int, tuple[type[StatusError], str]] = {
    400: (BadRequestError, "the request contradicts itself or the endpoint: read the detail"),
    401: (UnauthorizedError, "the API key is missing or not valid: put a valid one into the environment"),
    403: (ForbiddenError, "the API key may not do this: give it read and write access to this endpoint"),
    404: (NotFoundError, "check the id in golive.toml, and that the key may see it"),
    422: (UnprocessableError, "the API does not take this value for this endpoint: read the detail"),
    429: (RateLimitedError, "the account's quota is used up: wait and try again"),
}
"""Status -> its class and its remedy."""


def status_error(status: int, what: str, detail: str, *, maybe_applied: bool = False) -> StatusError:
    """The error of an HTTP status.

    Args:
        status: HTTP's, not 2xx.
        what: ``GET /serverless/x``.
        detail: what the API says, clean.
        maybe_applied: whether a write may have taken effect.
    """
    server = (ServerError, "the platform failed: try again, and look at its status page")
    other = (StatusError, "this status is not documented here")
    kind, remedy = STATUSES.get(status) or (server if status >= 500 else other)  # noqa: PLR2004 - HTTP's own bound
    said = f" ({detail})" if detail else ""
    return kind(f"{what}: HTTP {status}{said}: {remedy}", status=status, detail=detail, maybe_applied=maybe_applied)
