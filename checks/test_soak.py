"""SOAK: steady load. Judged from the records alone, so they can be judged again."""

from checks.levels import Measured
from go_live.config import Config
from go_live.gate import Gate
from go_live.judge import soak as claims
from go_live.judge import strata
from go_live.judge.soak import Memory
from go_live.pytest_plugin import Verdicts, item


@item("SOAK-1")
def test_total_p50(soak: Measured, config: Config, verdict: Verdicts) -> None:
    """Half of the users have their answer within the soak's limit."""
    verdict(claims.total_p50(config.soak, config.slo, soak.records, allow_timed=soak.allow_timed))


@item("SOAK-2")
def test_total_p95(soak: Measured, config: Config, verdict: Verdicts) -> None:
    """95 % of the users have their answer within the soak's limit."""
    verdict(claims.total_p95(config.soak, config.slo, soak.records, allow_timed=soak.allow_timed))


@item("SOAK-3")
def test_exec_ms_is_stable(soak: Measured, soak_memory: Memory, config: Config, verdict: Verdicts) -> None:
    """The execution time does not grow from the soak's beginning to its end."""
    found = claims.stable_exec(config.soak, soak.records, memory=soak_memory, allow_timed=soak.allow_timed)
    verdict(claims.cut_short(found, soak.ended))


@item("SOAK-4")
def test_throughput_does_not_degrade(soak: Measured, soak_memory: Memory, config: Config, verdict: Verdicts) -> None:
    """The tokens per second do not fall from the soak's beginning to its end."""
    found = claims.throughput(config.soak, soak.records, memory=soak_memory, allow_timed=soak.allow_timed)
    verdict(claims.cut_short(found, soak.ended))


@item("SOAK-5")
def test_the_planned_duration_without_a_timeout(soak: Measured, gate: Gate, verdict: Verdicts) -> None:
    """The endpoint was under load for the whole planned time, and no request timed out."""
    verdict(
        claims.duration(soak.records, planned_s=gate.plan.soak_s, ended=soak.ended, allow_timed=soak.allow_timed),
        claims.no_timeouts(soak.records, allow_timed=soak.allow_timed),
    )


@item("SOAK-6")
def test_nothing_else_wears_out(soak: Measured, soak_memory: Memory, config: Config, verdict: Verdicts) -> None:
    """Total and queue time, right answers, workers and their memory end the soak as they began it."""
    found = claims.stable(config.soak, soak.records, memory=soak_memory, allow_timed=soak.allow_timed)
    verdict(*(claims.cut_short(one, soak.ended) for one in found))


@item("INF-5")
def test_no_cold_start(soak: Measured, config: Config, verdict: Verdicts) -> None:
    """Every request of the soak found a worker that was up."""
    idle_s = config.endpoint.expected.idle_timeout_s
    verdict(strata.warmed(soak.records, config.cold, idle_s=idle_s, scope=claims.SCOPE, allow_timed=soak.allow_timed))
