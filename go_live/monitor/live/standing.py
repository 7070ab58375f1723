"""Is the endpoint within its SLO? One word and one sentence, from what was counted. Pure.

The word is never better than the figures it rests on: old figures, none, or too few of them are no health.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from go_live.config import Config
from go_live.judge import binomial
from go_live.monitor.metrics import REQUESTS_TOTAL, RequestOutcome
from go_live.monitor.objectives import Objective, objectives, window_s
from go_live.monitor.queries import Growth, Look, Percentile
from go_live.outcome import Outcome
from go_live.report import text

Tone = Literal["good", "bad", "warn", "mute"]
State = Literal["kept", "broken", "few", "nothing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer."""

    word: str
    why: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How one objective stands within the window."""

    objective: Objective
    state: State
    n: int
    misses: int
    figure_s: float | None
    """Its percentile, seconds; None for the success rate, and where nothing was observed."""

    @property
    def share(self) -> float | None:
        """The share that keeps to it; None where there is none."""
        return 1 - self.misses / self.n if self.n else None


def kept(config: Config, look: Look) -> tuple[Kept, ...]:
    """How every objective of golive.toml stands."""
    return tuple(_kept(objective, config, look) for objective in objectives(config))


def _kept(objective: Objective, config: Config, look: Look) -> Kept:
    window = window_s(config)
    n = round(objective.asked(window).value(look) or 0)
    share = objective.kept(window).value(look)
    misses = round(n * (1 - share)) if n and share is not None else 0
    percentile = Percentile(objective.percentile, objective.histogram, window) if objective.histogram else None
    return Kept(
        objective=objective,
        state=state(misses, n, objective.target, config) if share is not None else "nothing",
        n=n,
        misses=misses,
        figure_s=percentile.value(look) if percentile else None,
    )


def state(misses: int, n: int, target: float, config: Config) -> State:
    """Whether ``misses`` of ``n`` keep to ``target``.

    From ``alerts.fail_min_requests`` on the share is taken as it is. Of fewer it is broken only where so many
    misses show it (the judge's own test, at ``slo.confidence``), and never kept.
    """
    if n < 1:
        return "nothing"
    if n >= config.alerts.fail_min_requests:
        return "kept" if 1 - misses / n >= target else "broken"
    alpha = 1 - config.slo.confidence
    return "broken" if binomial.decide(misses, n, target, alpha, alpha) is Outcome.FAIL else "few"


def standing(every: Sequence[Kept], config: Config, look: Look) -> Standing:
    """The answer, from figures that are fresh."""
    span = look(window_s(config))
    if span.seconds <= 0:
        return Standing("WAITING", "One reading so far: the next one gives the first figures.", "mute")
    window = f"in the last {text.duration(span.seconds)}"
    rejected = round(_rejected(config).value(look) or 0)
    if not every[0].n:
        return _nothing(window, rejected)
    answer = _judged(every, window, config)
    turned_away = f" {text.counted(rejected, 'request')} more never got a place." if rejected else ""
    return replace(answer, why=answer.why + turned_away)


def _nothing(window: str, rejected: int) -> Standing:
    """The answer where no request was sent."""
    if not rejected:
        return Standing("NO TRAFFIC", f"Nobody asked anything {window}: nothing is shown, good or bad.", "mute")
    came = f"{text.counted(rejected, 'request')} came {window}, and the gateway could send none."
    return Standing("NOTHING SENT", came, "bad")


def _judged(every: Sequence[Kept], window: str, config: Config) -> Standing:
    """The answer, from requests that were sent."""
    if broken := [one for one in every if one.state == "broken"]:
        others = text.listed([one.objective.name for one in broken[1:]])
        why = f"{_said(broken[0])}, {window}." if not others else f"{_said(broken[0])}, {window}; also {others}."
        return Standing("OUT OF SLO", why, "bad")
    if silent := [one.objective.name for one in every if one.state == "nothing"]:
        return Standing("UNKNOWN", f"No figure for {text.listed(silent)} {window}.", "warn")
    least = text.counted(min(one.n for one in every), "request")
    if any(one.state == "few" for one in every):
        needed = config.alerts.fail_min_requests
        return Standing("TOO FEW", f"{least} {window}: from {needed} on, shares of them mean something.", "warn")
    return Standing("WITHIN SLO", f"All {len(every)} limits are kept: {least} {window}.", "good")


def unheard(problem: str, silent_s: float | None) -> Standing:
    """The answer where the figures are old, or where there are none."""
    if silent_s is None:
        return Standing("UNKNOWN", f"The gateway has not been heard: {problem}.", "bad")
    old = text.duration(max(round(silent_s), 1))
    return Standing("UNKNOWN", f"The gateway was last heard {old} ago: {problem}. All figures are that old.", "bad")


def _said(one: Kept) -> str:
    """``total p95 is 9.1 s (limit 8 s, n = 231)``."""
    objective = one.objective
    if objective.histogram:
        figure = "unknown" if one.figure_s is None else text.ms(one.figure_s * 1000)
        return f"{objective.name} is {figure} (limit {text.ms(objective.limit_s * 1000)}, n = {one.n:,})"
    share = text.percent(one.share or 0.0)
    return f"{one.misses:,} of {one.n:,} requests failed ({share} succeeded, {text.percent(objective.target)} needed)"


def _rejected(config: Config) -> Growth:
    return Growth(REQUESTS_TOTAL, window_s(config), (RequestOutcome.REJECTED,))
