"""SEC: who may use the endpoint."""

import secrets
from collections.abc import Awaitable, Callable

from checks.target import Target
from checks.workload import job_input, open_prompts, shown
from go_live.jobs.client import Endpoint
from go_live.jobs.transport import Reply
from go_live.pytest_plugin import Verdicts, item

REFUSED = {401, 403}
ASK = job_input(open_prompts()[0].prompt, max_tokens=64)
Route = Callable[[Endpoint], Awaitable[Reply]]

ROUTES: dict[str, Route] = {
    "/run": lambda endpoint: endpoint.run(ASK),
    "/runsync": lambda endpoint: endpoint.runsync(ASK),
    "/status": lambda endpoint: endpoint.status("x"),
    "/stream": lambda endpoint: endpoint.get_raw("stream/x"),
    "/cancel": lambda endpoint: endpoint.cancel("x"),
    "/retry": lambda endpoint: endpoint.retry("x"),
    "/health": lambda endpoint: endpoint.get_raw("health"),
    "/purge-queue": lambda endpoint: endpoint.post_raw("purge-queue", b""),
}


@item("SEC-1")
def test_no_key_and_wrong_keys_are_refused(target: Target, verdict: Verdicts) -> None:
    """Without a key, with a made-up key, and with the right key cut by one character, every route refuses."""
    right = target.endpoint.hide[0]
    keys = {"no key": "", "a made-up key": f"rpa_{secrets.token_hex(20).upper()}", "the key cut by one": right[:-1]}
    problems = []
    for kind, key in keys.items():
        for route, send in ROUTES.items():
            status = target.with_key(key, send).http_status
            if status not in REFUSED:
                problems.append(f"{route} with {kind} answered HTTP {status}")
    verdict(shown("every route refuses a missing and a wrong key", problems, n=len(keys) * len(ROUTES)))
