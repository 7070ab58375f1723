"""What on-call is told of each alert: its meaning, the first three actions, when to ask for help.

Figures stand in golive.toml.
"""

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


class Action(NamedTuple):
    """One of the first three things to do, and the commands for it."""

    what: str
    commands: tuple[str, ...] = ()
    """Shell lines; ``TAG`` stands for the release to go back to, ``ENDPOINT`` for the endpoint; default ports."""


class Entry(NamedTuple):
    """What to know and to do, and what else to ask Prometheus or the worker's log."""

    meaning: str
    actions: tuple[Action, Action, Action]
    queries: tuple[str, ...]
    """PromQL beside the alert's own expression; ``[WINDOW]`` stands for the window of golive.toml."""
    escalate: str
    """When to ask for help."""
    log: str = ""
    """A jq line over the worker's log."""


SLOWEST = "jq -nRc '[inputs | fromjson? | select(.event==\"end\")] | sort_by(-.exec_ms)[:10][]' worker.log"
ERRORS = "jq -nRr 'inputs | fromjson? | select(.event==\"end\" and .ok!=true) | .error' worker.log | sort | uniq -c"
HEALTH = 'curl -s -H "Authorization: Bearer $CALLER_KEY" http://127.0.0.1:8080/v2/ENDPOINT/health'
PARTS = (
    "tail -n 200 reports/gateway.jsonl | jq -s -c "
    "'sort_by(-.total_ms)[:10][] | {total_ms, wait_ms, delay_ms, exec_ms, worker, error}'"
)
OUTCOMES = "tail -n 500 reports/gateway.jsonl | jq -r '[.outcome, .error, .worker] | @tsv' | sort | uniq -c | sort -rn"
BY_WORKER = (
    "tail -n 500 reports/gateway.jsonl | jq -s -c "
    "'map(select(.exec_ms)) | group_by(.worker)[] | "
    "{worker: .[0].worker, n: length, exec_ms: (map(.exec_ms) | add / length)}'"
)
CALLERS = "tail -n 500 reports/gateway.jsonl | jq -r .caller | sort | uniq -c | sort -rn"
TARGETS = (
    "curl -s http://127.0.0.1:9090/api/v1/targets | jq -c '.data.activeTargets[] | {scrapeUrl, health, lastError}'"
)
DIFF = "golive config diff"
BACK = Action(
    "If it began with a release, go back to the version before: look first, then do it (docs/rollback.md).",
    ("golive prerollback TAG", "golive rollback TAG"),
)


def _p95_of(metric: str) -> str:
    return f"histogram_quantile(0.95, sum by (endpoint, le) (rate({metric}_bucket[WINDOW])))"


RUNBOOK: dict[str, Entry] = {
    "GoliveTotalP95High": Entry(
        "One request in twenty takes longer than the service promises, from the gateway's receipt to the answer. "
        "Callers see it now.",
        (
            Action(
                "Find the part that is slow, with the queries or in the gateway's record: waiting line, queue, "
                "execution, or none of them (network).",
                (PARTS,),
            ),
            Action("Queue: see GoliveDelayP50High. Execution: see GoliveExecP95High.", (HEALTH,)),
            BACK,
        ),
        (_p95_of(REQUEST_QUEUE), _p95_of(REQUEST_EXECUTION), REQUESTS_WAITING),
        "No part stands out, or it is the network between gateway and platform: the platform's support, with job ids "
        "from the gateway's record.",
        SLOWEST,
    ),
    "GoliveFailRateHigh": Entry(
        "Requests that were sent to the endpoint fail or run into the client's time-out. What callers did wrong "
        "(refused) and what the gateway never sent (rejected) is not counted.",
        (
            Action(
                "See by outcome whether they fail or time out, and of which worker; read the errors in its log.",
                (OUTCOMES,),
            ),
            Action(
                "Ask the endpoint's /health: are workers up, throttled or unhealthy? Restart or replace what is "
                "unhealthy. If every request is refused with 401, the key was changed.",
                (HEALTH, "golive keys verify"),
            ),
            BACK,
        ),
        (
            f"sum by (endpoint, outcome) (increase({REQUESTS_TOTAL}[WINDOW]))",
            f'sum by (endpoint) (increase({REQUESTS_TOTAL}{{outcome="rejected"}}[WINDOW]))',
        ),
        "Half of the requests fail, or nothing has helped for fifteen minutes.",
        ERRORS,
    ),
    "GoliveExecP95High": Entry(
        "The worker itself is slow: the time that a job spends in execution, without any queue.",
        (
            Action("See whether all workers are slow or one: the record names the worker of each job.", (BY_WORKER,)),
            Action(
                "Compare tokens with before: longer answers are slower answers. Check MAX_NUM_SEQS and the batch "
                "settings.",
                ("tail -n 500 reports/gateway.jsonl | jq -s 'map(.tokens | numbers) | add / length'", DIFF),
            ),
            Action(
                "Check the GPU: another type than declared, a clock that is throttled, CUDA graphs off (GPU-1). "
                "If it began with a release, go back (docs/rollback.md).",
                ("golive run --profile production --only INF-3 GPU-1", "golive prerollback TAG"),
            ),
        ),
        (
            _p95_of(REQUEST_EXECUTION),
            f"histogram_quantile(0.5, sum by (le) (rate({REQUEST_EXECUTION}_bucket[WINDOW])))",
        ),
        "All workers are slow on the declared GPU with the released settings: whoever owns the model.",
        SLOWEST,
    ),
    "GoliveDelayP50High": Entry(
        "Half of the jobs wait in the platform's queue: too few workers for what is asked, or workers that start cold.",
        (
            Action(
                "Ask the endpoint's /health: are there jobs in the queue and workers that start or are throttled?",
                (HEALTH,),
            ),
            Action(
                "Check that workersMin, workersMax and the scaler are as golive.toml declares; the platform lowers "
                "them silently on idle endpoints.",
                (DIFF, "golive config apply"),
            ),
            Action("See that callers keep to the concurrency cap; lower it, or raise workersMax.", (CALLERS,)),
        ),
        (f"sum by (endpoint) ({REQUESTS_IN_FLIGHT})", f"sum by (endpoint) ({CONCURRENCY_CAP})", REQUESTS_WAITING),
        "Workers stay throttled although the settings are right: the platform has no GPU of that type just now.",
    ),
    "GoliveTotalP50High": Entry(
        "Half of the requests take longer than promised: everything is slow, not only a few. A page is likely next.",
        (
            Action("Find the part that is slow with the queries below: queue or execution.", (PARTS,)),
            Action("Compare the traffic with yesterday's: more callers, longer prompts, longer answers?", (CALLERS,)),
            Action("Raise workersMax or lower the cap before the page comes.", (DIFF,)),
        ),
        (
            f"histogram_quantile(0.5, sum by (le) (rate({REQUEST_QUEUE}_bucket[WINDOW])))",
            f"histogram_quantile(0.5, sum by (le) (rate({REQUEST_EXECUTION}_bucket[WINDOW])))",
            f"sum by (endpoint) (rate({REQUEST_DURATION}_count[WINDOW])) * 60",
        ),
        "It stays for half an hour, or GoliveTotalP95High joins it.",
    ),
    alerts.DEVICE_MEMORY: Entry(
        "The GPU's memory is nearly full. The next large batch can end in CUDA out-of-memory, which kills the worker.",
        (
            Action("Look for CUDA out-of-memory in the worker's log; a worker that had one is replaced, not trusted."),
            Action(
                "Check GPU_MEMORY_UTILIZATION and MAX_NUM_SEQS of the deployed image against the released ones.",
                (DIFF,),
            ),
            Action("If it grows from hour to hour, something leaks: restart the worker, and open an incident."),
        ),
        (f"max by (endpoint) (max_over_time({DEVICE_MEMORY}[1h]))", f"deriv({DEVICE_MEMORY}[1h])"),
        "A worker has died of it, or it comes back within a day of a restart.",
        "grep -ci 'out of memory' worker.log",
    ),
    alerts.ABSENT: Entry(
        "A metric that the alerts need is missing; its name stands in the label `metric`. Meanwhile the alerts "
        "that need it cannot fire: the endpoint is unwatched, and perhaps down.",
        (
            Action(
                "Ask the gateway: is it up, and does its /metrics show the metric?",
                ("curl -s http://127.0.0.1:8080/healthz", "curl -s http://127.0.0.1:9180/metrics | grep golive_"),
            ),
            Action(
                "Ask Prometheus (Status, Targets): can it reach the gateway, and under the right address?",
                (TARGETS,),
            ),
            Action(
                "If only the device's memory is missing, the workers' probe does not tell it: ask the endpoint by "
                "hand.",
                (HEALTH,),
            ),
        ),
        ("up", f"count by (endpoint, outcome) ({REQUESTS_TOTAL})"),
        "The gateway is down and does not start again: callers have no service.",
    ),
    alerts.WATCHDOG: Entry(
        "Not an incident: it fires always, and reaches the dead-man's switch. When the switch rings, "
        "no other alert can arrive either.",
        (
            Action(
                "See whether Prometheus runs and evaluates rules (Status, Rules).",
                ("curl -s http://127.0.0.1:9090/-/ready",),
            ),
            Action(
                "See whether Alertmanager runs, and what its log says of sending.",
                (
                    "curl -s http://127.0.0.1:9093/-/ready",
                    "amtool --alertmanager.url=http://127.0.0.1:9093 alert query",
                ),
            ),
            Action(
                "Until it beats again, watch the endpoint by hand; afterwards see that people are reached.",
                (HEALTH, "golive monitor drill --alertmanager http://127.0.0.1:9093"),
            ),
        ),
        ('ALERTS{alertname="Watchdog"}', "prometheus_notifications_errors_total"),
        "Alerting stays dead for half an hour: somebody watches the endpoint by hand until it is back.",
    ),
}
"""By the alert's name."""
