"""A caller's request from its receipt to its answer: judged, admitted, sent, kept."""

import asyncio
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec

from go_live.errors import UsageError
from go_live.gateway.admission import NotAdmittedError
from go_live.gateway.split import Choose, straight
from go_live.gateway.telemetry import Keep, Served
from go_live.gateway.upstream import Job, Upstream
from go_live.jobs import Answer, TransportError
from go_live.monitor.metrics import RequestOutcome
from go_live.records import ErrorClass

REQUEST_ID = "X-Request-Id"
"""Header of an answer: the job's id, which is the ``request_id`` of the worker's log lines."""
MARGIN_S = 15
"""How much longer than the client's time a job may live, should the gateway die while it is under way."""
LEAST_TTL_MS = 10_000
"""The platform takes no shorter time to live."""


class Reply(msgspec.Struct, frozen=True):
    """What the caller is answered."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


Told = TypeVar("Told", bound=Reply | None)


class _Body(msgspec.Struct):
    """A request's body; webhook, policy and s3Config are the operator's, and are not passed on."""

    input: msgspec.Raw


def problem(status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> Reply:
    """An error, in the shape the platform's edge gives its own."""
    content = {"status": int(status), "title": status.phrase, "detail": detail}
    return Reply(int(status), msgspec.json.encode(content), headers or {})


class Gateway:
    """Every endpoint behind the gateway."""

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        *,
        timeout_s: float,
        keep: Keep,
        choose: Choose = straight,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``upstreams`` by endpoint id; ``timeout_s`` is the client's time; ``keep`` hears of each request's end.

        ``choose`` says which endpoint a request goes to. One that finds no room there is turned away: had the other arm
        served it, a candidate that is too slow would shed its load and look quick.
        """
        self.upstreams = upstreams
        self.timeout_s = timeout_s
        self._choose = choose
        self._keep, self._clock, self._wall = keep, clock, wall

    async def ask(
        self, endpoint_id: str, caller: str, body: bytes, wait_s: float | None = None, trace: str | None = None
    ) -> Reply:
        """Serve one request of ``caller``; ``wait_s`` shortens the client's time. Cancel this when he has gone."""
        request = _Request(self, endpoint_id, caller, trace)
        try:
            job_body, needs_text = read(body, self.timeout_s)
        except UsageError as error:
            return request.ended(
                RequestOutcome.REFUSED, problem(HTTPStatus.BAD_REQUEST, str(error)), ErrorClass.BAD_REQUEST
            )
        request.chosen = self._choose(endpoint_id, caller)
        upstream = self.upstreams[request.chosen.endpoint]
        limit_s = self.timeout_s if wait_s is None else min(wait_s, self.timeout_s)
        deadline = request.received + limit_s
        try:
            await upstream.admission.enter(caller, deadline)
            request.job = Job(sent=self._clock(), needs_text=needs_text)
            await upstream.complete(request.job, job_body, deadline)
        except NotAdmittedError as error:
            late = ErrorClass.DEADLINE if self._clock() >= deadline else None
            reply = problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"Retry-After": str(error.retry_after_s)})
            return request.ended(RequestOutcome.REJECTED, reply, late)
        except TimeoutError:
            text = f"the job had not ended within {limit_s:g} s; it is cancelled"
            reply = problem(HTTPStatus.GATEWAY_TIMEOUT, text, _named(request.job))
            return request.ended(RequestOutcome.TIMEOUT, reply, ErrorClass.DEADLINE)
        except TransportError as error:
            reply = problem(HTTPStatus.BAD_GATEWAY, f"the endpoint gave no whole answer ({error.error})")
            return request.ended(RequestOutcome.FAILED, reply, error.error)
        except asyncio.CancelledError:
            sent = request.job is not None
            request.ended(RequestOutcome.TIMEOUT if sent else RequestOutcome.REJECTED, None, ErrorClass.CANCELLED)
            raise
        return self._answered(request, upstream)

    def _answered(self, request: "_Request", upstream: Upstream) -> Reply:
        """The endpoint has spoken: pass on what it says of a job, and name what is no job."""
        job = request.job
        assert job is not None and job.answer is not None and job.reply is not None  # noqa: S101, PT018 - it has ended
        answer = job.answer
        outcome = outcome_of(answer)
        if answer.terminal or answer.error is ErrorClass.BAD_REQUEST:
            return request.ended(outcome, Reply(job.reply.http_status, job.reply.body, _named(job)), answer.error)
        if answer.error is ErrorClass.RATE_LIMITED:
            retry = {"Retry-After": str(upstream.admission.retry_after_s())}
            reply = problem(HTTPStatus.SERVICE_UNAVAILABLE, "the endpoint takes no more requests just now", retry)
            return request.ended(outcome, reply, answer.error)
        text = f"the endpoint's answer is no job ({answer.error})"
        return request.ended(outcome, problem(HTTPStatus.BAD_GATEWAY, text, _named(job)), answer.error)

    def keep(self, served: Served) -> None:
        """A request has ended."""
        self._keep(served)

    def now(self) -> tuple[float, float]:
        """The gateway's clock and the wall's, seconds."""
        return self._clock(), self._wall()


class _Request:
    """One request under way in the gateway."""

    def __init__(self, gateway: Gateway, endpoint_id: str, caller: str, trace: str | None) -> None:
        self._gateway, self._caller, self._trace = gateway, caller, trace
        self.chosen = straight(endpoint_id, caller)
        self.received, self._wall = gateway.now()
        self.job: Job | None = None

    def ended(self, outcome: RequestOutcome, reply: Told, error: ErrorClass | None) -> Told:
        """Keep the truth about it; ``reply`` (None: the caller has gone) is handed back."""
        job, answer = self.job, (self.job.answer if self.job else None) or Answer()
        now, _ = self._gateway.now()
        self._gateway.keep(
            Served(
                wall=self._wall,
                endpoint=self.chosen.endpoint,
                caller=self._caller,
                outcome=outcome,
                http_status=reply.status if isinstance(reply, Reply) else None,
                total_ms=_ms(now - self.received),
                wait_ms=None if job is None else _ms(job.sent - self.received),
                delay_ms=answer.delay_ms,
                exec_ms=answer.execution_ms,
                tokens=answer.output_tokens,
                chars=None if answer.text is None else len(answer.text),
                job=job.id if job else None,
                job_status=answer.job_status,
                worker=answer.worker,
                error=error,
                route=self.chosen.route,
                arm=self.chosen.arm,
                rollout=self.chosen.rollout,
                serial=self.chosen.serial,
                trace=self._trace,
            )
        )
        return reply


def outcome_of(answer: Answer) -> RequestOutcome:
    """How a request ended that the endpoint has answered."""
    if answer.error is None:
        return RequestOutcome.OK
    refused = {ErrorClass.REFUSED, ErrorClass.BAD_REQUEST}
    return RequestOutcome.REFUSED if answer.error in refused else RequestOutcome.FAILED


def read(body: bytes, timeout_s: float) -> tuple[bytes, bool]:
    """The body that is sent upstream, with its job's time limited; and whether its answer must have a text.

    Raises:
        UsageError: it is no request; the text is for the caller.
    """
    try:
        raw = msgspec.json.decode(body, type=_Body).input
        job_input = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f'the body must be {{"input": {{…}}}}: {type(error).__name__}') from None
    if not job_input:
        raise UsageError("the input is empty")
    return limited(raw, timeout_s), "probe" not in job_input


def limited(job_input: object, timeout_s: float) -> bytes:
    """The body that is sent upstream: the input, and a job's time that ends soon after the client's."""
    lives_ms = max(LEAST_TTL_MS, round((timeout_s + MARGIN_S) * 1000))
    return msgspec.json.encode({"input": job_input, "policy": {"ttl": lives_ms, "executionTimeout": lives_ms}})


def _named(job: Job | None) -> dict[str, str]:
    return {REQUEST_ID: job.id} if job is not None and job.id is not None else {}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
