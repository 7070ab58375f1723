"""What is compared, and a row of the comparison. Pure."""

import msgspec

from go_live.management.models import Endpoint, LegacyEndpoint, ReleaseList, WorkerList
from go_live.outcome import Outcome, Verdict


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What GraphQL said about an idle timeout that REST v2 leaves out."""

    seconds: int | None = None
    trouble: str = ""
    """Why it told none; empty: it was not asked, or told one."""
    asked: bool = True
    """False: it could not be asked, so that nothing is known."""


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """The live endpoint, read once."""

    endpoint: Endpoint
    workers: WorkerList
    releases: ReleaseList
    pools: dict[str, str | None] = {}
    """GPU type -> serverless pool, of the platform's catalog; empty: it could not be read."""
    idle: Told = Told()
    legacy: LegacyEndpoint | None = None
    """What GraphQL tells of it; None: it knows no such endpoint, or is gone."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One setting: declared, live, verdict."""

    item: str
    """The checklist's item that it belongs to."""
    setting: str
    """The setting's name, as the platform or the worker has it."""
    declared: str
    live: str
    outcome: Outcome
    reason: str

    def verdict(self) -> Verdict:
        """The row as a check reports it."""
        claim = f"{self.setting} is {self.declared}"
        return Verdict(claim=claim, outcome=self.outcome, reason=self.reason, scope=self.setting, n=1)


def same(item: str, setting: str, declared: str, live: str, *, why: str = "") -> Row:
    """PASS where both read the same, else FAIL.

    Args:
        item: of the checklist.
        setting: its name.
        declared: as golive.toml has it.
        live: as the platform has it.
        why: what explains a difference.
    """
    if declared == live:
        reason = f"{setting} is {live}, as declared"
        return Row(item=item, setting=setting, declared=declared, live=live, outcome=Outcome.PASS, reason=reason)
    reason = f"{setting} is {live}, declared is {declared}" + (f": {why}" if why else "")
    return Row(item=item, setting=setting, declared=declared, live=live, outcome=Outcome.FAIL, reason=reason)
