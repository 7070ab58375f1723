"""Names, labels, outcomes and histogram buckets of every metric: the one place for gateway and alert rules. Pure.

Times are seconds, as Prometheus' conventions want them. A threshold can be told from a histogram only where a bucket
ends, so every limit of golive.toml is the end of a bucket.
"""

from enum import StrEnum
from typing import Final

from go_live.config import Config

REQUEST_DURATION: Final = "golive_request_duration_seconds"
"""Histogram: from the gateway's receipt of a request to its answer, waiting line included. Requests that were sent
upstream, or that gave up while they waited; neither ``rejected`` ones nor those that the guardrails ``refused``."""
REQUEST_QUEUE: Final = "golive_request_queue_seconds"
"""Histogram: the platform's ``delayTime``, where it was told."""
REQUEST_EXECUTION: Final = "golive_request_execution_seconds"
"""Histogram: the platform's ``executionTime``, where it was told."""
REQUESTS_TOTAL: Final = "golive_requests_total"
"""Counter: requests that ended, by ``outcome``."""
OUTPUT_TOKENS: Final = "golive_output_tokens_total"
"""Counter: tokens of the answers, where the worker told them."""
REQUESTS_IN_FLIGHT: Final = "golive_requests_in_flight"
"""Gauge: jobs under way upstream."""
REQUESTS_WAITING: Final = "golive_requests_waiting"
"""Gauge: requests in the gateway's line."""
CONCURRENCY_CAP: Final = "golive_gateway_concurrency_cap"
"""Gauge: most jobs that the gateway ever has under way upstream."""
FOREIGN_JOBS: Final = "golive_endpoint_foreign_jobs"
"""Gauge: jobs at the endpoint, in each of the latest looks, that neither this gateway nor its replicas sent."""
DEVICE_MEMORY: Final = "golive_worker_device_memory_ratio"
"""Gauge: device memory in use as a share of what there is, of the worker that was probed last."""
ROUTE_CANDIDATE: Final = "golive_route_candidate_ratio"
"""Gauge: the candidate's share of the requests of a ``route``, by the rollout's decision in force at this moment."""
ROUTE_SERIAL: Final = "golive_route_decision_serial"
"""Gauge: number of the rollout's decision in force about a ``route``; 0: none is in force any more."""

ENDPOINT_LABEL: Final = "endpoint"
OUTCOME_LABEL: Final = "outcome"
"""Only of ``REQUESTS_TOTAL``."""
ROUTE_LABEL: Final = "route"
"""The endpoint id that callers ask for, whichever serves them."""


class RequestOutcome(StrEnum):
    """How a request ended: the values of the label ``outcome``, and no others."""

    OK = "ok"
    FAILED = "failed"
    """The endpoint failed it: no whole answer, a failed job, an error in the output, an empty answer."""
    REFUSED = "refused"
    """A guardrail refused it, or its body is no request: the caller's mistake, never a failure of the service."""
    TIMEOUT = "timeout"
    """It had been sent, and the client's time was up before its job had ended."""
    REJECTED = "rejected"
    """The gateway never sent it: the line was full, or its time was up there, or its caller went away."""


GRID_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 3.5, 6.0, 10.0, 15.0, 30.0, 60.0)
"""Ends of buckets beside the limits: prometheus-client's own, refined where an LLM's answers lie."""


def limits_s(config: Config) -> frozenset[float]:
    """Every latency limit of golive.toml in seconds: SLOs of levels and soak, alerts, the client's time-out."""
    slo, soak = config.slo, config.soak
    limits_ms = [slo.exec_ms_p50, slo.exec_ms_p95, slo.total_ms_p50, slo.total_ms_p95, slo.queue_ms_p50]
    limits_ms += [soak.total_ms_p50, soak.total_ms_p95]
    limits_ms += [rule.above for rule in config.alerts.rules if "_ms" in rule.metric]
    return frozenset({limit / 1000 for limit in limits_ms} | {float(config.client.timeout_s)})


def buckets_s(config: Config) -> tuple[float, ...]:
    """Upper ends of the buckets of all three histograms, ascending, seconds; the library adds ``+Inf``."""
    return tuple(sorted(limits_s(config) | set(GRID_S)))
