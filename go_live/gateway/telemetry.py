"""What is kept of each request: one line of JSON, and the metrics that ``go_live.monitor.metrics`` names."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from go_live.errors import UsageError
from go_live.gateway.line import Line
from go_live.gateway.routing import ALL, Arm
from go_live.monitor import metrics
from go_live.monitor.metrics import ENDPOINT_LABEL, OUTCOME_LABEL, ROUTE_LABEL, RequestOutcome
from go_live.records import ErrorClass


class Served(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The truth about one request that only the gateway sees. Never a prompt, an answer or a key."""

    wall: float
    """Unix time of its receipt."""
    endpoint: str
    """The one that served it, or would have."""
    caller: str
    outcome: RequestOutcome
    http_status: int | None = None
    """What the caller was answered; None: he had gone."""
    total_ms: float
    """From receipt to the answer, the waiting line included."""
    wait_ms: float | None = None
    """Of that, in the gateway's line; None: it was never sent."""
    delay_ms: float | None = None
    """``delayTime``."""
    exec_ms: float | None = None
    """``executionTime``."""
    tokens: int | None = None
    """Output tokens."""
    chars: int | None = None
    """Characters of the answer's text; the text itself is not kept."""
    job: str | None = None
    """RunPod's job id: the ``request_id`` of the worker's log lines."""
    job_status: str | None = None
    worker: str | None = None
    error: ErrorClass | None = None
    route: str | None = None
    """The endpoint that was asked for, where a rollout has decided about it; None: nothing was decided, or the request
    was refused before it was given to an arm."""
    arm: Arm | None = None
    rollout: str | None = None
    serial: int | None = None
    """Of the decision under which the arm was chosen."""
    trace: str | None = None
    """The caller's ``traceparent`` (W3C Trace Context), where he sent one."""

    @property
    def service_ms(self) -> float | None:
        """From its sending to its answer, ms: what the endpoint took, as a client within the cap sees it."""
        return None if self.wait_ms is None else self.total_ms - self.wait_ms


Keep = Callable[[Served], None]


class JsonLines:
    """A file that gets one line a request, readable by its owner alone; a context manager."""

    def __init__(self, path: Path) -> None:
        """Open ``path`` for appending.

        Raises:
            UsageError: it cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", 0)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}; name another file with --record") from error
        self._encoder = msgspec.json.Encoder()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def keep(self, served: Served) -> None:
        """Append one line, in one write: a killed gateway leaves no half line behind."""
        self._file.write(self._encoder.encode(served) + b"\n")


class Metrics:
    """The gateway's metrics, in a registry of their own."""

    def __init__(self, buckets_s: Sequence[float]) -> None:
        """``buckets_s`` are the upper ends of the histograms' buckets (``metrics.buckets_s``)."""
        self.registry = registry = CollectorRegistry()
        by = [ENDPOINT_LABEL]

        def histogram(name: str, text: str) -> Histogram:
            return Histogram(name, text, by, registry=registry, buckets=buckets_s)

        self._duration = histogram(metrics.REQUEST_DURATION, "Receipt of a request to its answer, waiting included.")
        self._queue = histogram(metrics.REQUEST_QUEUE, "The platform's delayTime.")
        self._execution = histogram(metrics.REQUEST_EXECUTION, "The platform's executionTime.")
        self._total = Counter(
            metrics.REQUESTS_TOTAL, "Requests that ended, by outcome.", [*by, OUTCOME_LABEL], registry=registry
        )
        self._tokens = Counter(metrics.OUTPUT_TOKENS, "Tokens of the answers.", by, registry=registry)
        self._in_flight = Gauge(metrics.REQUESTS_IN_FLIGHT, "Jobs under way upstream.", by, registry=registry)
        self._waiting = Gauge(metrics.REQUESTS_WAITING, "Requests in the gateway's line.", by, registry=registry)
        self._cap = Gauge(metrics.CONCURRENCY_CAP, "Most jobs under way upstream.", by, registry=registry)
        self._memory = Gauge(metrics.DEVICE_MEMORY, "Device memory in use, a share of all.", by, registry=registry)

        self._foreign = Gauge(metrics.FOREIGN_JOBS, "Jobs that somebody else sent.", by, registry=registry)
        self._share = Gauge(
            metrics.ROUTE_CANDIDATE, "Candidate's share of a route's requests.", [ROUTE_LABEL], registry=registry
        )
        self._serial = Gauge(
            metrics.ROUTE_SERIAL, "Rollout's decision in force about a route.", [ROUTE_LABEL], registry=registry
        )

    def watch(self, endpoint: str, line: Line) -> None:
        """Let the gauges of ``endpoint`` tell of ``line``.

        Counters and histograms are there from the start, at 0: an endpoint that nobody asks yet has not fallen silent.
        """
        self._in_flight.labels(endpoint).set_function(lambda: line.under_way)
        self._waiting.labels(endpoint).set_function(lambda: line.waiting)
        self._cap.labels(endpoint).set(line.cap)
        for outcome in RequestOutcome:
            self._total.labels(endpoint, outcome.value)
        self._tokens.labels(endpoint)
        for histogram in (self._duration, self._queue, self._execution):
            histogram.labels(endpoint)

    def device_memory(self, endpoint: str, ratio: float) -> None:
        """The worker that was probed last uses this share of its device's memory."""
        self._memory.labels(endpoint).set(ratio)

    def strangers(self, endpoint: str, jobs: int) -> None:
        """So many of the endpoint's jobs are somebody else's."""
        self._foreign.labels(endpoint).set(jobs)

    def route(self, route: str, percent: int, serial: int) -> None:
        """The decision in force about ``route`` (``serial`` 0: none), and the candidate's share by it."""
        self._share.labels(route).set(percent / ALL)
        self._serial.labels(route).set(serial)

    def keep(self, served: Served) -> None:
        """Count one request that has ended (what each metric covers: ``go_live.monitor.metrics``)."""
        self._total.labels(served.endpoint, served.outcome.value).inc()
        waited_in_vain = served.outcome is RequestOutcome.REJECTED and served.error is ErrorClass.DEADLINE
        if served.outcome in {RequestOutcome.OK, RequestOutcome.FAILED, RequestOutcome.TIMEOUT} or waited_in_vain:
            self._duration.labels(served.endpoint).observe(served.total_ms / 1000)
        if served.tokens is not None:
            self._tokens.labels(served.endpoint).inc(served.tokens)
        if served.delay_ms is not None:
            self._queue.labels(served.endpoint).observe(served.delay_ms / 1000)
        if served.exec_ms is not None:
            self._execution.labels(served.endpoint).observe(served.exec_ms / 1000)
