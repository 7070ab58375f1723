"""Defects of who is let in, of a rotation, and of what the repository holds."""

from go_live.outcome import Outcome
from selftest.control import Act, Change, Control

API = "go_live/local_endpoint/api.py"
ADMITTED = "        if not authorized(request, self._settings.key):\n"
SENT = '    sent = request.headers.get("Authorization", "")\n'
OLD = 'request.headers.get("Authorization", "").startswith("Bearer old_")'


def rotation(
    name: str,
    reason: str,
    change: Change,
    *,
    item: str = "SEC-2",
    outcome: Outcome = Outcome.FAIL,
    disturbs: tuple[str, ...] = (),
) -> Control:
    """A control of a rotated key."""
    return Control(
        id=name, item=item, reason=reason, scene="keys", changes=(change,), outcome=outcome, disturbs=disturbs
    )


def answers_old_with(status: str) -> Change:
    """The endpoint meets the old key with another refusal than 401."""
    refusal = f'        if {OLD}:\n            raise RefusedError(HTTPStatus.{status}, "not today")\n'
    return Change(file=API, old=ADMITTED, new=f"{refusal}{ADMITTED}")


def declares(old: str, new: str) -> Change:
    """Another line in golive.toml."""
    return Change(file="golive.toml", old=old, new=new)


def holds(name: str, reason: str, act: Act, *, item: str = "SEC-3", outcome: Outcome = Outcome.FAIL) -> Control:
    """A control of what the repository holds."""
    return Control(
        id=name,
        item=item,
        reason=reason,
        scene="answers" if item == "SEC-3" else "keys",
        act=act,
        outcome=outcome,
        disturbs=("SEC-2", "SEC-3", "REL-1"),
    )


KEYS = (
    rotation(
        "a-key-in-the-address-opens",
        "/health with the key in ?api_key= answered HTTP 200",
        Change(file=API, old=SENT, new=SENT.replace("\n", ' or request.query.get("api_key", "")\n')),
        item="SEC-1",
    ),
    rotation(
        "the-old-key-still-opens",
        "/health with the old key answered HTTP 200",
        Change(file=API, old=ADMITTED, new=f"        if not {OLD} and not authorized(request, self._settings.key):\n"),
        item="SEC-1",
        disturbs=("SEC-2",),
    ),
    rotation(
        "the-old-key-was-not-disabled",
        "the old key: works (HTTP 200)",
        Change(file=API, old=ADMITTED, new=f"        if not {OLD} and not authorized(request, self._settings.key):\n"),
        disturbs=("SEC-1",),
    ),
    rotation(
        "the-api-breaks-on-the-old-key",
        "the old key: a server error (HTTP 5xx)",
        answers_old_with("SERVICE_UNAVAILABLE"),
        outcome=Outcome.ERROR,
        disturbs=("SEC-1",),
    ),
    rotation(
        "the-old-key-is-the-new-one",
        "old and new key are the same",
        declares('old_api_key_env = "RUNPOD_OLD_API_KEY"', 'old_api_key_env = "RUNPOD_API_KEY"'),
        disturbs=("SEC-1",),
    ),
    rotation(
        "the-gateway-kept-the-old-key",
        "gateway uses another key",
        declares(
            'gateway_fingerprint_env = "GATEWAY_KEY_FINGERPRINT"', 'gateway_fingerprint_env = "OLD_KEY_FINGERPRINT"'
        ),
    ),
    rotation(
        "ci-kept-the-old-key",
        "CI uses another key",
        declares('ci_fingerprint_env = "CI_KEY_FINGERPRINT"', 'ci_fingerprint_env = "OLD_KEY_FINGERPRINT"'),
    ),
    holds(
        "the-last-release-had-another-key",
        "the old key is not the one that v0.9-production was released with",
        "released with another key",
        item="SEC-2",
    ),
    holds("a-runpod-key-stands-in-a-message", "1 found: `golive keys scan`", "key in a message", item="SEC-2"),
    holds("a-token-was-removed-in-the-next-commit", "github at ", "secret in the history"),
    holds("a-token-stands-in-the-work-tree", "hugging-face at work tree", "secret in the work tree"),
    holds("an-object-is-damaged", "cannot be read", "damaged object", outcome=Outcome.ERROR),
    holds("the-history-is-cut-off", "history cannot be scanned", "shallow clone", outcome=Outcome.ERROR),
)
