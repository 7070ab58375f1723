"""What on-call is told of each alert: its meaning and the first three actions. Figures stand in golive.toml."""

from typing import NamedTuple

from go_live.monitor import alerts
from go_live.monitor.metrics import (
    CONCURRENCY_CAP,
    DEVICE_MEMORY,
    REQUEST_DURATION,
    REQUEST_EXECUTION,
    REQUEST_QUEUE,
    REQUESTS_IN_FLIGHT,
    REQUESTS_TOTAL,
    REQUESTS_WAITING,
)


class Entry(NamedTuple):
    """What to know and to do, and what else to ask Prometheus or the worker's log."""

    meaning: str
    actions: tuple[str, str, str]
    queries: tuple[str, ...]
    """PromQL beside the alert's own expression; ``[WINDOW]`` stands for the window of golive.toml."""
    log: str = ""
    """A jq line over the worker's log."""


SLOWEST = "jq -nRc '[inputs | fromjson? | select(.event==\"end\")] | sort_by(-.exec_ms)[:10][]' worker.log"
ERRORS = "jq -nRr 'inputs | fromjson? | select(.event==\"end\" and .ok!=true) | .error' worker.log | sort | uniq -c"


def _p95_of(metric: str) -> str:
    return f"histogram_quantile(0.95, sum by (endpoint, le) (rate({metric}_bucket[WINDOW])))"


RUNBOOK: dict[str, Entry] = {
    "GoliveTotalP95High": Entry(
        "One request in twenty takes longer than the service promises, from the gateway's receipt to the answer. "
        "Callers see it now.",
        (
            "Find the part that is slow with the queries below: queue, execution, or neither (network, gateway).",
            "Queue: see GoliveDelayP50High. Execution: see GoliveExecP95High.",
            "If it began with a release, roll back to the version before (docs/releasing.md).",
        ),
        (_p95_of(REQUEST_QUEUE), _p95_of(REQUEST_EXECUTION), REQUESTS_WAITING),
        SLOWEST,
    ),
    "GoliveFailRateHigh": Entry(
        "Requests that were sent to the endpoint fail or run into the client's time-out. What callers did wrong "
        "(refused) and what the gateway never sent (rejected) is not counted.",
        (
            "See by outcome whether they fail or time out, and read the errors in the worker's log.",
            "Ask the endpoint's /health: are workers up, throttled or unhealthy? Restart or replace what is unhealthy.",
            "If it began with a release, roll back to the version before (docs/releasing.md).",
        ),
        (
            f"sum by (endpoint, outcome) (increase({REQUESTS_TOTAL}[WINDOW]))",
            f'sum by (endpoint) (increase({REQUESTS_TOTAL}{{outcome="rejected"}}[WINDOW]))',
        ),
        ERRORS,
    ),
    "GoliveExecP95High": Entry(
        "The worker itself is slow: the time that a job spends in execution, without any queue.",
        (
            "See whether all workers are slow or one: the log names the worker of each job.",
            "Compare tokens with before: longer answers are slower answers. Check MAX_NUM_SEQS and the batch settings.",
            "Check the GPU: another type than declared, a clock that is throttled, CUDA graphs off (GPU-1).",
        ),
        (
            _p95_of(REQUEST_EXECUTION),
            f"histogram_quantile(0.5, sum by (le) (rate({REQUEST_EXECUTION}_bucket[WINDOW])))",
        ),
        SLOWEST,
    ),
    "GoliveDelayP50High": Entry(
        "Half of the jobs wait in the platform's queue: too few workers for what is asked, or workers that start cold.",
        (
            "Ask the endpoint's /health: are there jobs in the queue and workers that start or are throttled?",
            "Check that workersMin, workersMax and the scaler are as golive.toml declares.",
            "See that callers keep to the concurrency cap; lower it, or raise workersMax.",
        ),
        (f"sum by (endpoint) ({REQUESTS_IN_FLIGHT})", f"sum by (endpoint) ({CONCURRENCY_CAP})", REQUESTS_WAITING),
    ),
    "GoliveTotalP50High": Entry(
        "Half of the requests take longer than promised: everything is slow, not only a few. A page is likely next.",
        (
            "Find the part that is slow with the queries below: queue or execution.",
            "Compare the traffic with yesterday's: more callers, longer prompts, longer answers?",
            "Raise workersMax or lower the cap before the page comes.",
        ),
        (
            f"histogram_quantile(0.5, sum by (le) (rate({REQUEST_QUEUE}_bucket[WINDOW])))",
            f"histogram_quantile(0.5, sum by (le) (rate({REQUEST_EXECUTION}_bucket[WINDOW])))",
            f"sum by (endpoint) (rate({REQUEST_DURATION}_count[WINDOW])) * 60",
        ),
    ),
    alerts.DEVICE_MEMORY: Entry(
        "The GPU's memory is nearly full. The next large batch can end in CUDA out-of-memory, which kills the worker.",
        (
            "Look for CUDA out-of-memory in the worker's log; a worker that had one is replaced, not trusted.",
            "Check GPU_MEMORY_UTILIZATION and MAX_NUM_SEQS of the deployed image against the released ones.",
            "If it grows from hour to hour, something leaks: restart the worker, and open an incident.",
        ),
        (f"max by (endpoint) (max_over_time({DEVICE_MEMORY}[1h]))", f"deriv({DEVICE_MEMORY}[1h])"),
        "grep -ci 'out of memory' worker.log",
    ),
    alerts.ABSENT: Entry(
        "A metric that the alerts need is missing; its name stands in the label `metric`. Meanwhile the alerts "
        "that need it cannot fire: the endpoint is unwatched, and perhaps down.",
        (
            "Ask the gateway: is it up, and does its /metrics show the metric?",
            "Ask Prometheus (Status, Targets): can it reach the gateway, and under the right address?",
            "If only the device's memory is missing, the workers' probe does not tell it: ask the endpoint by hand.",
        ),
        ("up", f"count by (endpoint, outcome) ({REQUESTS_TOTAL})"),
    ),
    alerts.WATCHDOG: Entry(
        "Not an incident: it fires always, and reaches the dead-man's switch. When the switch rings, "
        "no other alert can arrive either.",
        (
            "See whether Prometheus runs and evaluates rules (Status, Rules).",
            "See whether Alertmanager runs, and what its log says of sending.",
            "Until it beats again, watch the endpoint by hand.",
        ),
        ('ALERTS{alertname="Watchdog"}', "prometheus_notifications_errors_total"),
    ),
}
"""By the alert's name."""
