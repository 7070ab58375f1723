"""SEC: who may use the endpoint, and whether anybody else could."""

import datetime as dt
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

import msgspec
import pytest

from checks.target import Target
from checks.workload import job_input, open_prompts, shown
from go_live.errors import GoliveError
from go_live.gate import Gate
from go_live.jobs.client import ENCODER, Endpoint
from go_live.jobs.transport import Reply
from go_live.keys import baseline, rotation
from go_live.keys.baseline import Judged
from go_live.keys.fingerprint import fingerprint, new_salt
from go_live.keys.rotation import Exposed
from go_live.keys.rules import RUNPOD
from go_live.keys.scan import scan
from go_live.keys.verify import gather, key_of
from go_live.outcome import Outcome, Verdict
from go_live.pytest_plugin import Verdicts, item
from go_live.release.metadata import KEY_FINGERPRINT

REFUSED = {401, 403}
BODY = ENCODER.encode({"input": job_input(open_prompts()[0].prompt, max_tokens=64)}).encode()
CHAT = b'{"model": "default", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 64}'
ROUTES: dict[str, bytes | None] = {
    "health": None,
    "status/x": None,
    "status-sync/x": None,
    "stream/x": None,
    "openai/v1/models": None,
    "run": BODY,
    "runsync": BODY,
    "cancel/x": b"",
    "retry/x": b"",
    "openai/v1/chat/completions": CHAT,
    "openai/v1/completions": CHAT,
    "purge-queue": b"",
}
"""Every route, with what is sent to it; None: a GET. What does harm comes last, and only if all before it refused."""
QUERIES = ("api_key", "apikey", "key", "token", "access_token", "authorization")
"""Where a careless API looks for a key in the address, which is logged everywhere."""


def ask(path: str, body: bytes | None) -> Callable[[Endpoint], Awaitable[Reply]]:
    """A request to ``path``."""
    return lambda endpoint: endpoint.get_raw(path) if body is None else endpoint.post_raw(path, body)


def let_in(target: Target, kind: str, key: str, query: str = "") -> list[str]:
    """Routes that did not refuse ``key``, one line each; after the first of them, those that do harm are not tried."""
    problems: list[str] = []
    for route, body in ROUTES.items():
        if problems and body is not None:
            break
        status = target.with_key(key, ask(route + query, body)).http_status
        if status not in REFUSED:
            problems.append(f"/{route} with {kind} answered HTTP {status}")
    return problems


@item("SEC-1")
def test_no_key_and_wrong_keys_are_refused(gate: Gate, target: Target, verdict: Verdicts) -> None:
    """Without a key, and with a made-up, a cut, an old and a misplaced key, every route refuses."""
    right = target.endpoint.hide[0]
    keys = {"no key": "", "a made-up key": f"rpa_{secrets.token_hex(20).upper()}", "the key cut by one": right[:-1]}
    if old := key_of(os.environ, gate.config.keys.old_api_key_env):
        keys["the old key"] = old
    problems = [line for kind, key in keys.items() for line in let_in(target, kind, key)]
    for name in QUERIES:
        problems += let_in(target, f"the key in ?{name}=", "", f"?{name}={quote(right, safe='')}")
    n = (len(keys) + len(QUERIES)) * len(ROUTES)
    verdict(shown("every route refuses a missing, a wrong and a misplaced key", problems, n=n))


Scanned = tuple[Judged | None, str]
"""What the scan finds and the baseline does not accept, or None and why nothing can be said."""


@pytest.fixture(scope="session")
def scanned(gate: Gate) -> Scanned:
    """The scan of the commit that is being released."""
    try:
        entries = baseline.load(gate.root / gate.config.keys.baseline)
        seen = scan(gate.root)
    except GoliveError as error:
        return None, str(error)
    if seen.head != gate.plan.repository.commit:
        return None, f"HEAD is {str(seen.head)[:12]}, and the plan is about {gate.plan.repository.commit[:12]}"
    return baseline.judge(seen.found, entries, dt.datetime.now(dt.UTC).date()), ""


@item("SEC-2")
def test_the_key_is_rotated(gate: Gate, request: pytest.FixtureRequest, verdict: Verdicts) -> None:
    """The new key works, the old one is refused and is the last release's, and nothing else uses or shows it."""
    if gate.plan.target.kind == "local":
        pytest.skip("a local endpoint's key lives as long as the run: there is none to rotate")
    found, trouble = request.getfixturevalue("scanned")
    exposed = Exposed(count=sum(one.rule == RUNPOD for one in found.blocking) if found else 0, trouble=trouble)
    environment: Mapping[str, str] = os.environ
    facts = gather(gate.config, gate.root, environment, exposed=exposed, profile=gate.plan.profile)
    gate.fact({KEY_FINGERPRINT: fingerprint(key_of(environment, gate.config.keys.api_key_env), new_salt())})
    verdict(*(msgspec.structs.replace(one, item="SEC-2") for one in rotation.judge(facts)))


@item("SEC-3")
def test_no_secret_stands_in_the_repository(scanned: Scanned, verdict: Verdicts) -> None:
    """No secret stands in the tree, the index, a stash or any object of the history that nobody answers for."""
    found, trouble = scanned
    claim = "the scan finds no secret"
    if found is None:
        verdict(Verdict(claim=claim, outcome=Outcome.ERROR, reason=trouble))
        return
    problems = [f"{one.rule} at {one.where}: {one.masked}" for one in found.blocking]
    verdict(shown(claim, problems, n=max(1, len(problems))))
