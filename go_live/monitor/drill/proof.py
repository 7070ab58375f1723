"""A drill as evidence for MON-4: how old it is, what it was about, and whether it showed every alert. Pure."""

from collections.abc import Mapping

from go_live.config import Config
from go_live.monitor.alerts import alert_rules
from go_live.monitor.drill.judging import problems, rows
from go_live.monitor.drill.record import Drill
from go_live.outcome import Outcome, Verdict
from go_live.release.trust import iso

DAY_S = 86_400.0
CLOCK_S = 300.0
"""How far another machine's clock may be ahead."""
AGE_DAYS = 30
"""How long a drill counts where no checklist says it."""


def drill_verdict(
    drill: Drill | None, config: Config, present: Mapping[str, str], *, now: float, days: float = AGE_DAYS
) -> Verdict:
    """Whether ``drill`` shows that each alert fires within its time, arrives and resolves.

    Args:
        drill: the newest; None: there is none.
        config: what golive.toml says now.
        present: sha256 of the rules and the routing that lie in the project now, by path.
        now: Unix time.
        days: how long a drill counts.
    """
    claim = f"each of {len(alert_rules(config))} alerts has fired within its time, arrived and resolved"
    if drill is None:
        return Verdict(claim=claim, outcome=Outcome.NOT_RUN, reason="there was no drill: nox -s drill")
    when = iso(drill.began_at)
    if not now - days * DAY_S <= drill.began_at <= now + CLOCK_S:
        why = f"expired: the drill of {when} counts for {days:g} d" if drill.began_at < now else f"dated ahead: {when}"
        return Verdict(claim=claim, outcome=Outcome.NOT_RUN, reason=why)
    if other := [path for path, digest in present.items() if drill.digests.get(path) != digest]:
        why = f"{other[0]} is not what was drilled on {when}: drill again"
        return Verdict(claim=claim, outcome=Outcome.NOT_RUN, reason=why)
    if drill.factor > config.drill.time_factor:
        why = f"times were divided by {drill.factor}, and golive.toml allows {config.drill.time_factor}"
        return Verdict(claim=claim, outcome=Outcome.NOT_RUN, reason=why)
    found = rows(drill, config)
    wrong = problems(found, drill, config)
    if wrong:
        failed = min(len(found), len(wrong))
        return Verdict(claim=claim, outcome=Outcome.FAIL, reason=f"{when}: {wrong[0]}", n=len(found), misses=failed)
    why = f"{len(found)} alerts on {when}, every time divided by {drill.factor}"
    return Verdict(claim=claim, outcome=Outcome.PASS, reason=why, n=len(found), misses=0)
