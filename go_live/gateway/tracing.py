"""Whether requests are traced, and to whose trace they belong. OpenTelemetry itself is an extra: ``spans.py``."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

from go_live.errors import UsageError
from go_live.gateway.telemetry import Keep

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""OpenTelemetry's own variables (OTLP exporter specification): where traces go. None set: no traces."""
DISABLED = "OTEL_SDK_DISABLED"
PACKAGES = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, level 1."""


def asked(environment: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's variables ask for traces."""
    off = environment.get(DISABLED, "").strip().lower() == "true"
    return not off and any(environment.get(name, "").strip() for name in ENDPOINTS)


def traceparent(header: str | None) -> str | None:
    """The caller's trace, where he named one; anything else is none."""
    return header if header is not None and TRACEPARENT.fullmatch(header) else None


@contextmanager
def exporting() -> Iterator[Keep]:
    """What tells of each request, to where the variables say, until the context ends.

    Raises:
        UsageError: OpenTelemetry is not installed.
    """
    if not _installed():
        raise UsageError(
            f"{ENDPOINTS[0]} asks for traces, and OpenTelemetry is not installed: pip install 'golive[traces]'"
        )
    from go_live.gateway.spans import told  # noqa: PLC0415 - an extra

    with told() as keep:
        yield keep


def _installed() -> bool:
    try:
        return all(find_spec(name) is not None for name in PACKAGES)
    except ModuleNotFoundError:  # of a parent package
        return False
