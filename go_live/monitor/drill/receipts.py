"""Test alerts that a deployed Alertmanager was given, and whether those who had to hear of them did. Pure.

Each alert carries a short random code that stands nowhere but in what PagerDuty or Slack shows: whoever can say it has
received it. Only its salted hash is kept.
"""

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from go_live.config import Config
from go_live.errors import UsageError
from go_live.monitor.drill.proof import CLOCK_S, DAY_S
from go_live.monitor.drill.record import ROUTING
from go_live.outcome import Outcome, Verdict
from go_live.release.trust import iso

NAME = "receipt.json"
ALERT = "GoliveTestAlert"
GUIDE = "docs/drill.md"
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without what is read for something else on a phone: 0, O, 1, I, L, U."""
CODE_LENGTH = 8
"""30^8: 39 bits, and nobody can try them against anything but the hash."""
LASTS_S = 300
"""After that the test alert ends by itself."""
CHANNELS: Mapping[Literal["page", "slack"], str] = {"page": "PagerDuty", "slack": "Slack"}
"""Where the code of each severity is shown, and nowhere else."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One test alert."""

    severity: Literal["page", "slack"]
    salt: str
    code_hash: str
    confirmed_at: float | None = None
    """Unix time at which somebody said its code; None: nobody did."""
    by: str = ""
    """Who, as the machine knows them."""


class Receipts(msgspec.Struct, frozen=True, kw_only=True):
    """The test alerts of one sending (``receipt.json``)."""

    id: str
    sent_at: float
    """Unix time."""
    alertmanager: str
    endpoint: str
    routing: str
    """sha256 of monitoring/alertmanager.yml as it lay in the project."""
    alerts: tuple[Sent, ...]


def new_code() -> str:
    """``7QX4-M2KD``."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def hashed(code: str, salt: str) -> str:
    """What is kept of a code; case and hyphens do not matter."""
    plain = code.upper().replace("-", "").strip().encode()
    return hashlib.scrypt(plain, salt=salt.encode(), n=2**14, r=8, p=1).hex()


def sent(severity: Literal["page", "slack"], code: str) -> Sent:
    """What is kept of an alert with ``code``."""
    salt = secrets.token_hex(8)
    return Sent(severity=severity, salt=salt, code_hash=hashed(code, salt))


def alert(severity: Literal["page", "slack"], code: str, config: Config, now: float) -> dict[str, Any]:
    """A test alert as Alertmanager's v2 API takes it; it ends by itself.

    PagerDuty lists every annotation, Slack the summary alone: each code has a place that the other does not show.
    """
    what = f"endpoint {config.endpoint.id}: a TEST of alerting, nothing is wrong; say that it arrived"
    receipt = f"golive monitor receipt {code}"
    annotations = {"summary": f"{what}: {receipt}"} if severity == "slack" else {"summary": what, "receipt": receipt}
    return {
        "labels": {"alertname": ALERT, "endpoint": config.endpoint.id, "severity": severity, "drill": "true"},
        "annotations": annotations | {"runbook_url": GUIDE},
        "startsAt": _rfc3339(now),
        "endsAt": _rfc3339(now + LASTS_S),
    }


def _rfc3339(unix: float) -> str:
    return dt.datetime.fromtimestamp(unix, dt.UTC).isoformat()


def confirmed(receipts: Receipts, codes: Sequence[str], *, now: float, by: str) -> Receipts:
    """``receipts`` with every alert confirmed whose code is among ``codes``.

    Raises:
        UsageError: a code is none of theirs.
    """
    alerts = list(receipts.alerts)
    for code in codes:
        found = [
            number
            for number, one in enumerate(alerts)
            if hmac.compare_digest(hashed(code, one.salt).encode(), one.code_hash.encode())
        ]
        if not found:
            raise UsageError(f"no test alert of {iso(receipts.sent_at)} has the code {code}: read it again")
        one = alerts[found[0]]
        alerts[found[0]] = msgspec.structs.replace(one, confirmed_at=one.confirmed_at or now, by=one.by or by)
    return msgspec.structs.replace(receipts, alerts=tuple(alerts))


def waiting(receipts: Receipts) -> list[str]:
    """Channels whose receipt nobody has confirmed."""
    there = {one.severity: one.confirmed_at for one in receipts.alerts}
    return [channel for severity, channel in CHANNELS.items() if there.get(severity) is None]


def parse(content: bytes, name: str) -> Receipts:
    """The record in a file's bytes.

    Raises:
        UsageError: it is none.
    """
    try:
        return msgspec.json.decode(content, type=Receipts)
    except msgspec.DecodeError as error:
        raise UsageError(f"{name} is no record of test alerts: {error}; send them again") from error


def receipt_verdict(receipts: Receipts | None, present: Mapping[str, str], *, now: float, days: float) -> Verdict:
    """Whether test alerts from the deployed Alertmanager reached everybody who has to be told.

    Args:
        receipts: the newest; None: none were sent.
        present: sha256 of the rules and the routing that lie in the project now, by path.
        now: Unix time.
        days: how long a receipt counts.
    """
    claim = f"test alerts of the deployed Alertmanager arrived at {' and '.join(CHANNELS.values())}"
    if receipts is None:
        why = "no test alert was sent: golive monitor drill --alertmanager URL"
        return Verdict(claim=claim, outcome=Outcome.NOT_RUN, reason=why)
    when = iso(receipts.sent_at)
    if not now - days * DAY_S <= receipts.sent_at <= now + CLOCK_S:
        gone = f"expired: the test alerts of {when} count for {days:g} d"
        why = gone if receipts.sent_at < now else f"dated ahead: {when}"
        return Verdict(claim=claim, outcome=Outcome.NOT_RUN, reason=why)
    if receipts.routing != present.get(ROUTING):
        why = f"{ROUTING} is not what lay there when they were sent on {when}: send them again"
        return Verdict(claim=claim, outcome=Outcome.NOT_RUN, reason=why)
    n = len(CHANNELS)
    if missing := waiting(receipts):
        why = f"{missing[0]}: nobody has said the code of the test alert of {when} (golive monitor receipt CODE)"
        return Verdict(claim=claim, outcome=Outcome.FAIL, reason=why, n=n, misses=len(missing))
    names = " and ".join(dict.fromkeys(one.by for one in receipts.alerts if one.by))
    why = f"sent to {receipts.alertmanager} on {when}, confirmed by {names or 'somebody'}"
    return Verdict(claim=claim, outcome=Outcome.PASS, reason=why, n=n, misses=0)
