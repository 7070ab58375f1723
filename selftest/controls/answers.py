"""Defects that show in single jobs and lie outside the worker: in the endpoint, and in the client."""

from selftest.control import Change, Control

API, FLEET = (f"go_live/local_endpoint/{name}.py" for name in ("api", "fleet"))
CALLER, WHOLE = (f"go_live/jobs/{name}.py" for name in ("client", "whole"))


def single(
    name: str, item: str, reason: str, file: str, old: str, new: str, *, disturbs: tuple[str, ...] = ()
) -> Control:
    """A control among single jobs."""
    change = Change(file=file, old=old, new=new)
    return Control(id=name, item=item, reason=reason, scene="answers", changes=(change,), disturbs=disturbs)


ENDPOINT = (
    single(
        "no-answer-gets-through",
        "SMK-1",
        "internal error: KeyError",
        "worker/handler.py",
        "        generated = 0\n",
        '        generated = {}["usage"]\n',
        disturbs=("*",),
    ),
    single(
        "engine-dies-at-first-job",
        "SMK-1",
        "engine dead",
        "golive.toml",
        'TIMED_EXEC_MS = "400"',
        'TIMED_EXEC_MS = "400"\nTIMED_DIES_AT_JOB = "1"',
        disturbs=("*",),
    ),
    single(
        "queued-jobs-fail",
        "SMK-1",
        "is FAILED",
        "go_live/local_endpoint/exchange.py",
        "        job = self.store.submit(request, policy, sync=sync, held=held)\n",
        "        job = self.store.submit(request, policy, sync=sync, held=held)\n"
        "        if not sync:\n"
        '            self.store.fail(job.id, "lost")\n',
        disturbs=("CODE-10", "CODE-11", "CLI-1"),
    ),
    single(
        "no-worker-is-up",
        "SMK-3",
        "0 workers are up, 1 are expected",
        API,
        '"workers": self._fleet.counts()})',
        '"workers": self._fleet.counts() | {"ready": 0, "idle": 0, "running": 0}})',
    ),
    single(
        "a-worker-is-unhealthy",
        "SMK-3",
        "1 workers are unhealthy",
        FLEET,
        '        return named | {"ready": named["idle"] + named["running"]}\n',
        '        return named | {"ready": named["idle"] + named["running"], "unhealthy": 1}\n',
    ),
    single(
        "no-key-is-asked-for",
        "SEC-1",
        "35 of 108: /health with no key answered HTTP 200",
        API,
        "        if not authorized(request, self._settings.key):\n",
        '        if "Authorization" in request.headers and not authorized(request, self._settings.key):\n',
    ),
    single(
        "a-cut-key-opens",
        "SEC-1",
        "with the key cut by one answered HTTP",
        API,
        '    return hmac.compare_digest(token.encode("utf-8", "surrogateescape"), key.encode())\n',
        "    return bool(token) and key.startswith(token)\n",
    ),
    single(
        "health-is-open-to-all",
        "SEC-1",
        "9 of 108: /health with no key answered HTTP 200",
        API,
        "                self._admit(request)\n",
        '                if name != "health":\n                    self._admit(request)\n',
    ),
)

CLIENT = (
    single(
        "a-late-job-is-not-cancelled",
        "CLI-1",
        "and not CANCELLED",
        WHOLE,
        "        job.endpoint.in_background(_cancel(job.endpoint, job.last.job))\n",
        "        return\n",
    ),
    single(
        "the-deadline-is-not-kept",
        "CLI-1",
        "it was not given up but ended as answered",
        CALLER,
        "whole.complete_streaming(\n            self, job_input, deadline_s=deadline_s or self.timeout_s",
        "whole.complete_streaming(\n            self, job_input, deadline_s=self.timeout_s",
    ),
    single(
        "the-client-waits-five-minutes",
        "CLI-1",
        "the client waits 300 s",
        CALLER,
        "        self.timeout_s = timeout_s\n",
        "        self.timeout_s = 300.0\n",
    ),
)
