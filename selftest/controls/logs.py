"""Defects that a live endpoint shows: in its burst, in its soak, and in the logs that the management API streams."""

from go_live.outcome import Outcome
from selftest.control import Change, Control
from selftest.controls.load import CLASSIFYING, GENERATING, after, saying, under

STREAM = "go_live/local_endpoint/management_double/logs.py"
READING = "        journal = self._journal(request, worker)\n"
"""Where the double has admitted a request for a worker's log."""


def stream(name: str, item: str, reason: str, old: str, new: str, outcome: Outcome = Outcome.ERROR) -> Control:
    """A control of what the platform streams; nothing else is disturbed but what rests on the same log."""
    change = Change(file=STREAM, old=old, new=new)
    return under("scaling", name, item, reason, change, outcome=outcome, disturbs=("LOG",))


LIVE = (
    under(
        "scaling",
        "a-worker-fewer-than-declared",
        "INF-6",
        "at most 2 of 3 workers were up",
        Change(
            file="go_live/local_endpoint/autoscaler.py",
            old="    return max(scaler.workers_min, min(scaler.workers_max, wanted))\n",
            new="    return max(scaler.workers_min, min(scaler.workers_max - 1, wanted))\n",
        ),
    ),
    under(
        "scaling",
        "health-tells-of-no-workers",
        "INF-6",
        "/health told of no workers",
        Change(
            file="go_live/local_endpoint/api.py",
            old='return web.json_response({"jobs": jobs, "workers": self._fleet.counts()})',
            new='return web.json_response({"jobs": jobs})',
        ),
        outcome=Outcome.ERROR,
    ),
    stream(
        "the-log-stream-is-refused",
        "LOG-1",
        "not one line of the workers' log was read: GET /serverless/local/workers/w1/logs: HTTP 403",
        READING,
        f'        raise RefusedError(403, "access denied")\n{READING}',
    ),
    stream(
        "no-worker-is-listed",
        "LOG-2",
        "not one line of the workers' log was read",
        "        endpoint = self._double.one(request)\n",
        '        raise RefusedError(404, "worker not found")\n        endpoint = self._double.one(request)\n',
    ),
    stream(
        "every-other-line-is-lost",
        "LOG-3",
        "requests found their end line",
        "                if entry.source not in sources:\n",
        "                if entry.source not in sources or entry.number % 2:\n",
    ),
    under(
        "scaling",
        "an-nccl-error-in-the-live-log",
        "LOG-1",
        "an NCCL error",
        after(GENERATING, saying("[rank0] NCCL WARN Cuda failure")),
    ),
    under(
        "scaling",
        "a-time-out-in-the-live-log",
        "LOG-2",
        "a time-out",
        after(CLASSIFYING, saying("Read timed out.")),
    ),
    under(
        "scaling",
        "live-times-are-long",
        "LOG-3",
        "logged exec_ms",
        Change(
            file="worker/events.py",
            old="(self._clock() - self._began) * 1000",
            new="(self._clock() - self._began) * 1_000_000",
        ),
    ),
)

SOAK = (
    under(
        "soak",
        "nothing-tells-of-a-start",
        "INF-5",
        "it is not known",
        Change(
            file="go_live/load/runner.py",
            old="        delay_ms=answer.delay_ms,\n",
            new="        delay_ms=None,\n",
        ),
        outcome=Outcome.ERROR,
        disturbs=("SOAK",),
    ),
)

GPU = (
    Control(
        id="a-worker-began-with-full-memory",
        item="GPU-2",
        reason="24500 of 24564 MiB are in use, a ready line says",
        scene="gpu",
        changes=(
            Change(
                file="worker/serve.py",
                old='self._write("ready", **self._engine.facts(), max_concurrency',
                new='full = {"device_memory_used_mib": 24500}\n'
                '        self._write("ready", **(self._engine.facts() | full), max_concurrency',
            ),
        ),
    ),
)
