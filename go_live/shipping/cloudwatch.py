"""CloudWatch Logs: PutLogEvents by boto3, found again with FilterLogEvents.

Each worker is a log stream. CloudWatch has no way to know an event that is sent twice: after a kill some of the last
request may stand there twice. boto3 comes with the extra ``cloudwatch``.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from go_live.config import CloudWatch
from go_live.errors import UsageError
from go_live.shipping.batches import DAY_NS, NS, Entry, Limits
from go_live.shipping.destination import DestinationError, LinesRefusedError, PassingError, Refused

LIMITS = Limits(
    # PutLogEvents: 1,048,576 bytes with 26 for each event, 10,000 events, no more than 24 hours from first to last.
    most_bytes=1_048_576,
    most_entries=10_000,
    overhead_bytes=26,
    most_span_ns=DAY_NS - 1_000_000,
    # Older than 14 days, or more than 2 hours ahead: HTTP 200, and not kept.
    oldest_ns=14 * DAY_NS - 60 * NS,
    newest_ns=2 * 3600 * NS - 60 * NS,
)
TIMEOUT_S = 30
PASSING = frozenset(
    {"ThrottlingException", "Throttling", "RequestLimitExceeded", "ServiceUnavailableException", "InternalFailure"}
)
CONTENT = frozenset({"InvalidParameterException", "ValidationException", "SerializationException"})
SERVER_ERROR = 500
NOT_THERE = "boto3 is not installed: pip install 'golive[cloudwatch]', or choose another destination in golive.toml"
NO_CREDENTIALS = (
    "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role"
)
MOST_PAGES = 20
"""Of one look: a group that answers in more pages than this is looked at again."""

Answer = TypeVar("Answer")


class CloudWatchDestination:
    """A log group, with a stream for each worker."""

    def __init__(self, declared: CloudWatch) -> None:
        """Nothing is asked before the first call.

        Raises:
            UsageError: boto3 is not installed.
        """
        try:
            import boto3  # noqa: PLC0415 - an extra
            from botocore.config import Config  # noqa: PLC0415 - likewise
        except ImportError as error:
            raise UsageError(NOT_THERE) from error
        self._declared = declared
        days = min(LIMITS.oldest_ns or 0, declared.retention_days * DAY_NS)
        self.limits = msgspec.structs.replace(LIMITS, oldest_ns=days)
        self.name = f"CloudWatch, group {declared.group} in {declared.region}"
        # It is this project's shipper that repeats, so that the lines' place is known all the time.
        once = Config(
            retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S
        )
        self._client: Any = boto3.Session(region_name=declared.region).client("logs", config=once)

    def payload(self, worker: str, entries: Sequence[Entry]) -> str:
        """The request, as JSON."""
        return msgspec.json.format(msgspec.json.encode(self._events(worker, entries))).decode()

    def _events(self, worker: str, entries: Sequence[Entry]) -> dict[str, Any]:
        events = [{"timestamp": one.ns // 1_000_000, "message": one.text} for one in entries]
        return {"logGroupName": self._declared.group, "logStreamName": worker, "logEvents": events}

    async def send(self, worker: str, entries: Sequence[Entry]) -> Sequence[Refused]:
        """Put; the group and the stream are made where they are missing."""
        try:
            answer = await self._call(lambda: self._client.put_log_events(**self._events(worker, entries)))
        except _NotThereError:
            await self._make(worker)
            answer = await self._call(lambda: self._client.put_log_events(**self._events(worker, entries)))
        return rejected(entries, answer.get("rejectedLogEventsInfo") or {})

    async def _make(self, worker: str) -> None:
        """The group, if it is missing, and the stream."""
        group = self._declared.group
        if await self._made(lambda: self._client.create_log_group(logGroupName=group)):
            keep = {"logGroupName": group, "retentionInDays": self._declared.retention_days}
            await self._call(lambda: self._client.put_retention_policy(**keep))
        await self._made(lambda: self._client.create_log_stream(logGroupName=group, logStreamName=worker))

    async def _made(self, make: Callable[[], Any]) -> bool:
        """Whether it was not there before."""
        try:
            await self._call(make)
        except _ThereError:
            return False
        return True

    async def find(self, request_id: str, since_s: float, until_s: float) -> Sequence[str]:
        """Events of all the group's streams that hold the id."""
        asked: dict[str, Any] = {
            "logGroupName": self._declared.group,
            "filterPattern": f'"{request_id}"',
            "startTime": round(since_s * 1000),
            "endTime": round(until_s * 1000),
        }
        found: list[str] = []
        for _ in range(MOST_PAGES):
            try:
                answer = await self._call(lambda: self._client.filter_log_events(**asked))
            except _NotThereError:
                return []
            found += [str(event["message"]) for event in answer.get("events", [])]
            if not (token := answer.get("nextToken")):
                break
            asked["nextToken"] = token
        return found

    async def close(self) -> None:
        """Close every connection."""
        self._client.close()

    async def _call(self, call: Callable[[], Answer]) -> Answer:
        """Call boto3 in a thread; what it raises as what is to be done about it."""
        from botocore import exceptions as raised  # noqa: PLC0415 - boto3 is there: the client was made

        try:
            return await asyncio.to_thread(call)
        except raised.ClientError as error:
            raise self._named(error.response) from error
        except (raised.NoCredentialsError, raised.PartialCredentialsError, raised.CredentialRetrievalError) as error:
            raise DestinationError(NO_CREDENTIALS) from error
        except (raised.HTTPClientError, raised.ConnectionError) as error:
            raise PassingError(f"{self.name}: {type(error).__name__}: {error}") from error
        except raised.BotoCoreError as error:
            raise DestinationError(
                f"{self.name}: {type(error).__name__}: {error}: correct [logs.cloudwatch]"
            ) from error

    def _named(self, response: Any) -> Exception:
        code = str(response.get("Error", {}).get("Code", ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        told = f"{self.name}: {code}: {response.get('Error', {}).get('Message', '')}"
        if code == "ResourceNotFoundException":
            return _NotThereError(told)
        if code == "ResourceAlreadyExistsException":
            return _ThereError(told)
        if code in PASSING or status >= SERVER_ERROR:
            return PassingError(told)
        if code in CONTENT:
            return LinesRefusedError(told)
        rights = "logs:PutLogEvents, CreateLogGroup, CreateLogStream, PutRetentionPolicy, and FilterLogEvents for MON-1"
        return DestinationError(f"{told}: check the credentials and their rights ({rights})")


class _NotThereError(DestinationError):
    """There is no such group or stream."""


class _ThereError(DestinationError):
    """There is one already."""


def rejected(entries: Sequence[Entry], told: dict[str, int]) -> list[Refused]:
    """What ``rejectedLogEventsInfo`` says was not kept: indexes into the events that were sent.

    The ends are exclusive; one that is told at all tells of one event at least.
    """
    ends = [told[name] for name in ("tooOldLogEventEndIndex", "expiredLogEventEndIndex") if name in told]
    old = max(1, *ends) if ends else 0
    new = told.get("tooNewLogEventStartIndex", len(entries))
    lost = []
    if old:
        lost.append(Refused(entries[:old], "older than 14 days or than the group's retention"))
    if new < len(entries):
        lost.append(Refused(entries[max(new, old) :], "more than 2 hours in the future"))
    return lost
