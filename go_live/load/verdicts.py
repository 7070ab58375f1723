"""The claims that a load or a soak run by hand answers. Pure."""

from collections.abc import Iterable, Sequence

from go_live.config import Config
from go_live.judge import claims, soak, validity
from go_live.outcome import Verdict
from go_live.records import Record
from go_live.table import Table


def load_verdicts(
    config: Config, records: Iterable[Record], required: Sequence[str], reported: Sequence[str]
) -> tuple[list[Verdict], list[Verdict]]:
    """The verdicts that decide, and those that are only reported.

    Args:
        config: limits.
        records: of all levels.
        required: levels that decide; success and correctness are judged once over all of them.
        reported: levels above the client cap.
    """
    table = Table.of(records)
    counted = table.at_levels(required)
    rates = (
        claims.success_claim(counted, config.slo.success_rate, config.slo.confidence),
        claims.correct_claim(counted, config.golden.correct_rate, config.slo.confidence),
    )
    deciding = [verdict for level in required for verdict in _level(config, table, level)]
    return [*deciding, *rates], [verdict for level in reported for verdict in _level(config, table, level)]


def soak_verdicts(config: Config, records: Iterable[Record], planned_s: float) -> list[Verdict]:
    """Every claim that a soak answers alone."""
    due = claims.judged(records, phase="soak")
    return [
        *soak.soak_claims(config.soak, config.slo, due, planned_s=planned_s),
        soak.success(config.soak, config.slo, due),
        claims.correct_claim(due, config.golden.correct_rate, soak.rule(config.slo), scope=soak.SCOPE),
        *_valid(config, due, soak.SCOPE),
    ]


def required_levels(concurrency: Sequence[int], cap: int) -> tuple[list[str], list[str]]:
    """The levels that decide and those that are only reported: above the client cap, unless nothing else was asked."""
    within = [level for level in concurrency if level <= cap] or list(concurrency)
    beyond = [level for level in concurrency if level not in within]
    return [f"c={level}" for level in within], [f"c={level}" for level in beyond]


def _level(config: Config, records: Table, level: str) -> list[Verdict]:
    due = claims.judged(records, phase="load", level=level)
    return [*claims.load_claims(config.slo, due, level=level), *_valid(config, due, level)]


def _valid(config: Config, due: Table, scope: str) -> tuple[Verdict, Verdict]:
    """Whether the load itself was as planned: sent in time, and every request accounted for."""
    return validity.client_lag(config.client, due, scope=scope), validity.accounted(due, scope=scope)
