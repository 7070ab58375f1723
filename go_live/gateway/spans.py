"""A trace of each request, told to OpenTelemetry once the request has ended.

The spans are made from what is kept of it anyway: a gateway without traces does nothing for them, and nothing can be in
a span that is not in the record. Never a prompt, an answer or a key.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from go_live.gateway.telemetry import Keep, Served
from go_live.monitor.metrics import RequestOutcome

SERVICE = "golive-gateway"
FAILED = frozenset({RequestOutcome.FAILED, RequestOutcome.TIMEOUT})


@contextmanager
def told() -> Iterator[Keep]:
    """What tells of each request; when the context ends, what is left is sent within the exporter's own time."""
    # A name that OTEL_SERVICE_NAME gives stands before ours.
    resource = Resource.create({"service.name": SERVICE}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer(__name__)
    try:
        yield lambda served: trace(tracer, served)
    finally:
        provider.shutdown()


def trace(tracer: Tracer, served: Served) -> None:
    """One request: its whole, and inside it the wait and the job."""
    start, end = _ns(served.wall), _ns(served.wall + served.total_ms / 1000)
    whole = tracer.start_span(
        f"runsync {served.endpoint}", _parent(served.trace), start_time=start, kind=SpanKind.SERVER
    )
    _describe(whole, served)
    inside = set_span_in_context(whole, Context())
    sent = end if served.wait_ms is None else _ns(served.wall + served.wait_ms / 1000)
    tracer.start_span("wait", inside, start_time=start).end(sent)
    if served.wait_ms is not None:
        job = tracer.start_span("job", inside, start_time=sent, kind=SpanKind.CLIENT)
        job.set_attributes(_of_job(served))
        job.end(end)
    whole.end(end)


def _describe(span: Span, served: Served) -> None:
    """What the caller was answered."""
    attributes = {
        "http.request.method": "POST",
        "http.route": "/v2/{endpoint}/runsync",
        "http.response.status_code": served.http_status,
        "error.type": served.error,
        "golive.endpoint": served.endpoint,
        "golive.caller": served.caller,
        "golive.outcome": served.outcome.value,
    }
    span.set_attributes({name: value for name, value in attributes.items() if value is not None})
    if served.outcome in FAILED:
        span.set_status(StatusCode.ERROR)


def _of_job(served: Served) -> dict[str, str | int | float]:
    """What the platform told."""
    attributes = {
        "golive.job": served.job,
        "golive.job_status": served.job_status,
        "golive.worker": served.worker,
        "golive.delay_ms": served.delay_ms,
        "golive.exec_ms": served.exec_ms,
        "gen_ai.usage.output_tokens": served.tokens,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _parent(traceparent: str | None) -> Context:
    """The caller's span; none: the beginning of a trace."""
    carrier = {"traceparent": traceparent} if traceparent else {}
    return TraceContextTextMapPropagator().extract(carrier, context=Context())


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
