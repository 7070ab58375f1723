"""Traces over OTLP: what a collector on a real socket receives of requests that a gateway served."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from go_live.errors import UsageError
from go_live.gateway import tracing
from go_live.gateway.telemetry import Served
from go_live.gateway.tracing import exporting
from go_live.local_endpoint.launch import LaunchedEndpoint
from go_live.monitor.metrics import RequestOutcome
from go_live.records import ErrorClass
from tests.go_live.gateway.conftest import Behind, Fronted

TRACE, CALLERS_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{CALLERS_SPAN}-01"


class Collector:
    """Keeps the spans that it is sent."""

    def __init__(self) -> None:
        """None yet."""
        self.url = ""
        self.service = ""
        self.spans: list[Span] = []

    def named(self, name: str) -> Span:
        """The only span whose name begins like this."""
        (found,) = [span for span in self.spans if span.name.startswith(name)]
        return found


@contextmanager
def collecting() -> Iterator[Collector]:
    """An OTLP collector on loopback."""
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                named = {each.key: each.value.string_value for each in group.resource.attributes}
                kept.service = named["service.name"]
                kept.spans += [span for scope in group.scope_spans for span in scope.spans]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector, named by OpenTelemetry's own variable."""
    with collecting() as kept:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", kept.url)
        yield kept


def attributes(span: Span) -> dict[str, object]:
    """A span's attributes."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in span.attributes}


def test_only_opentelemetrys_variables_ask() -> None:
    """No variable, no traces; one of the two is enough; and it can be switched off."""
    assert not tracing.asked({})
    assert not tracing.asked({"OTEL_EXPORTER_OTLP_ENDPOINT": " "})
    assert tracing.asked({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
    assert tracing.asked({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"})
    assert not tracing.asked({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"})


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        PARENT.upper(),
        f"{PARENT}-x",
        f"00-{'0' * 32}-{CALLERS_SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
    ],
)
def test_what_is_no_trace_is_none(header: str | None) -> None:
    """A header that is no traceparent is dropped, and never kept or passed on."""
    assert tracing.traceparent(header) is None
    assert tracing.traceparent(PARENT) == PARENT


def test_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that asks for what is not installed is no silence."""
    monkeypatch.setattr(tracing, "PACKAGES", ("no_such_package",))
    with pytest.raises(UsageError, match=r"golive\[traces\]"), exporting():
        pass


def test_a_request_is_a_trace(collector: Collector) -> None:
    """Whole, wait and job with their times and the platform's figures, as the caller's child."""
    with exporting() as keep:
        keep(
            Served(
                wall=1000.0,
                endpoint="e1",
                caller="web",
                outcome=RequestOutcome.FAILED,
                http_status=200,
                total_ms=3000.0,
                wait_ms=500.0,
                delay_ms=100.0,
                exec_ms=2300.0,
                tokens=150,
                job="job-1",
                worker="w1",
                error=ErrorClass.FAILED,
                trace=PARENT,
            )
        )
    whole, wait, job = collector.named("runsync e1"), collector.named("wait"), collector.named("job")
    assert collector.service == "golive-gateway"
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert whole.parent_span_id.hex() == CALLERS_SPAN
    assert wait.parent_span_id == job.parent_span_id == whole.span_id
    assert (whole.start_time_unix_nano, whole.end_time_unix_nano) == (1_000_000_000_000, 1_003_000_000_000)
    assert wait.end_time_unix_nano == job.start_time_unix_nano == 1_000_500_000_000
    assert whole.status.code == Status.STATUS_CODE_ERROR
    assert attributes(whole)["golive.outcome"] == "failed"
    assert attributes(job) == {
        "golive.job": "job-1",
        "golive.worker": "w1",
        "golive.delay_ms": 100.0,
        "golive.exec_ms": 2300.0,
        "gen_ai.usage.output_tokens": 150,
    }


def test_what_was_never_sent_has_no_job(collector: Collector) -> None:
    """A request that got no place is all waiting, and no error of the endpoint."""
    with exporting() as keep:
        keep(Served(wall=1.0, endpoint="e1", caller="web", outcome=RequestOutcome.REJECTED, total_ms=10.0))
    assert {span.name for span in collector.spans} == {"runsync e1", "wait"}
    assert collector.named("runsync").status.code == Status.STATUS_CODE_UNSET


async def test_a_gateway_tells_of_what_it_served(
    collector: Collector, timed: LaunchedEndpoint, fronted: Fronted
) -> None:
    """Through real sockets: the caller's traceparent in, a span out, and the same id in the gateway's record."""
    async with fronted(timed.job_api, timed.endpoint_id, timed.key, traces=True) as behind:
        assert isinstance(behind, Behind)
        headers = {"Authorization": f"Bearer {behind.keys['web']}", "traceparent": PARENT}
        body = {"input": {"prompt": "How do I become a data engineer?"}}
        async with behind.http.post(f"{behind.url}/runsync", json=body, headers=headers) as response:
            assert response.status == 200
            job = response.headers["X-Request-Id"]
    assert behind.kept[0].trace == PARENT
    assert attributes(collector.named("job"))["golive.job"] == job
    said = b"".join(span.SerializeToString() for span in collector.spans)
    assert b"data engineer" not in said, "never a prompt"
    assert behind.keys["web"].encode() not in said, "never a key"
