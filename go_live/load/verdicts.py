"""The claims that a load or a soak run by hand answers. Pure."""

from collections.abc import Iterable, Sequence

from go_live.config import Config
from go_live.judge import claims, offered, soak, validity
from go_live.outcome import Outcome, Verdict
from go_live.records import Record
from go_live.table import Table


def load_verdicts(
    config: Config,
    records: Iterable[Record],
    required: Sequence[str],
    reported: Sequence[str],
    *,
    whole: bool = True,
    allow_timed: bool = False,
) -> tuple[list[Verdict], list[Verdict]]:
    """The verdicts that decide, and those that are only reported.

    Args:
        config: limits.
        records: of all levels.
        required: levels that decide; success and correctness are judged once over all of them.
        reported: levels above the client cap.
        whole: whether each was served to its planned end; one that was ended early leaves success and correctness
            without a fixed size, so that they are judged by the test that holds at every look.
        allow_timed: whether answers of the timed engine count: only in the harness's own test profile.
    """
    table = Table.of(records)
    counted = table.at_levels(required)
    need = claims.pooled_rule(config.slo, anytime=not whole)
    rates = (
        claims.success_claim(counted, config.slo.success_rate, need, allow_timed=allow_timed),
        claims.correct_claim(counted, config.golden.correct_rate, need, allow_timed=allow_timed),
    )
    deciding, beyond = (
        [verdict for level in levels for verdict in _level(config, table, level, allow_timed=allow_timed)]
        for levels in (required, reported)
    )
    return [*deciding, *rates], beyond


def soak_verdicts(
    config: Config, records: Iterable[Record], planned_s: float, *, ended: str | None = None, wished: bool = False
) -> tuple[list[Verdict], list[Verdict]]:
    """The verdicts of a soak that decide, and those that are only reported.

    What only a whole soak can show, that it was served and that nothing drifts, decides nothing where the user wished
    for its early end, unless it is shown to be bad.

    Args:
        config: limits.
        records: of the soak.
        planned_s: how long it was to last.
        ended: why it was ended early by design; None: it was not.
        wished: whether the user asked for an early end once every share is decided.
    """
    due, limits, slo = claims.judged(records, phase="soak"), config.soak, config.slo
    whole = [
        *(soak.cut_short(verdict, ended) for verdict in soak.trends(limits, due).values()),
        soak.duration(due, planned_s=planned_s, ended=ended),
    ]
    aside = [verdict for verdict in whole if wished and ended is not None and verdict.outcome is Outcome.INCONCLUSIVE]
    deciding = [
        soak.total_p50(limits, slo, due),
        soak.total_p95(limits, slo, due),
        *(verdict for verdict in whole if verdict not in aside),
        soak.no_timeouts(due),
        soak.success(limits, slo, due),
        claims.correct_claim(due, config.golden.correct_rate, soak.rule(slo), scope=soak.SCOPE),
        *_valid(config, due, soak.SCOPE),
    ]
    return deciding, aside


def required_levels(concurrency: Sequence[int], cap: int) -> tuple[list[str], list[str]]:
    """The levels that decide and those that are only reported: above the client cap, unless nothing else was asked."""
    within = [level for level in concurrency if level <= cap] or list(concurrency)
    beyond = [level for level in concurrency if level not in within]
    return [f"c={level}" for level in within], [f"c={level}" for level in beyond]


def _level(config: Config, records: Table, level: str, *, allow_timed: bool) -> list[Verdict]:
    due = claims.judged(records, phase="load", level=level)
    return [*claims.load_claims(config.slo, due, level=level, allow_timed=allow_timed), *_valid(config, due, level)]


def _valid(config: Config, due: Table, scope: str) -> tuple[Verdict, ...]:
    """Whether the load itself was as planned: offered, sent in time by sane clocks, and every request accounted for."""
    return (
        validity.client_lag(config.client, due, scope=scope),
        validity.accounted(due, scope=scope),
        *offered.as_planned(config.client, due),
    )
