"""PERF: the SLOs at every level up to the client cap. Judged from the records alone, so they can be judged again."""

import pytest

from checks.levels import Level, Measured
from go_live.config import Config, Slo
from go_live.judge import attribution, claims, offered, validity
from go_live.pytest_plugin import Verdicts, item


@item("PERF-1")
def test_exec_p50_within_slo(load_level: Level, slo: Slo, verdict: Verdicts) -> None:
    """Half of the requests execute within the limit."""
    verdict(claims.exec_p50(slo, load_level.records, level=load_level.name, allow_timed=load_level.allow_timed))


@item("PERF-2")
def test_exec_p95_within_slo(load_level: Level, slo: Slo, verdict: Verdicts) -> None:
    """95 % of the requests execute within the limit."""
    verdict(claims.exec_p95(slo, load_level.records, level=load_level.name, allow_timed=load_level.allow_timed))


@item("PERF-3")
def test_total_p50_within_slo(load_level: Level, slo: Slo, verdict: Verdicts) -> None:
    """Half of the users have their answer within the limit."""
    verdict(claims.total_p50(slo, load_level.records, level=load_level.name, allow_timed=load_level.allow_timed))


@item("PERF-4")
def test_total_p95_within_slo(load_level: Level, slo: Slo, verdict: Verdicts) -> None:
    """95 % of the users have their answer within the limit."""
    verdict(claims.total_p95(slo, load_level.records, level=load_level.name, allow_timed=load_level.allow_timed))


@item("PERF-5")
def test_queue_p50_within_slo(load_level: Level, slo: Slo, verdict: Verdicts) -> None:
    """Half of the requests find a worker within the limit."""
    verdict(claims.queue_p50(slo, load_level.records, level=load_level.name, allow_timed=load_level.allow_timed))


@item("PERF-6")
def test_success_over_levels_and_soak(measured: Measured, slo: Slo, verdict: Verdicts) -> None:
    """All due requests, of the levels up to the cap and of the soak, succeed often enough."""
    verdict(
        claims.success_claim(
            measured.records,
            slo.success_rate,
            claims.pooled_rule(slo, anytime=True),
            scope="levels and soak",
            allow_timed=measured.allow_timed,
        )
    )


@item("PERF-7")
@pytest.mark.usefixtures("meaning")
def test_right_answers_over_levels_and_soak(measured: Measured, config: Config, verdict: Verdicts) -> None:
    """The answers given under load are right often enough, on the same requests."""
    verdict(
        claims.correct_claim(
            measured.records,
            config.golden.correct_rate,
            claims.pooled_rule(config.slo, anytime=True),
            scope="levels and soak",
            allow_timed=measured.allow_timed,
        )
    )


@item("PERF-8")
def test_tokens_per_second(load_level: Level, slo: Slo, verdict: Verdicts) -> None:
    """Half of the requests get their tokens fast enough, counted over the request's total time."""
    verdict(claims.tokens_per_s_p50(slo, load_level.records, level=load_level.name, allow_timed=load_level.allow_timed))


@item("PERF-9")
def test_the_measurement_is_valid(measured: Measured, config: Config, verdict: Verdicts) -> None:
    """The planned load was offered in time by sane clocks, the times are real, and every due request is there."""
    verdict(
        validity.client_lag(config.client, measured.records, scope="levels and soak"),
        validity.real_times(measured.records, scope="levels and soak"),
        validity.accounted(measured.records, scope="levels and soak"),
        *offered.as_planned(config.client, measured.records),
    )


@item("PERF-10")
def test_where_the_time_goes(load_level: Level, config: Config, verdict: Verdicts) -> None:
    """Client wait, network, queue and execution add up to what the users waited."""
    records, allow_timed = load_level.records, load_level.allow_timed
    verdict(
        attribution.where_the_time_goes(config.attribution, records, scope=load_level.name, allow_timed=allow_timed)
    )


@item("PERF-11")
def test_cold_and_warm_requests_apart(load_level: Level, config: Config, verdict: Verdicts) -> None:
    """Warm requests are answered in time by themselves, and so are cold ones, where there are any."""
    verdict(
        *claims.cold_and_warm(
            config.slo,
            config.cold,
            load_level.records,
            level=load_level.name,
            idle_s=config.endpoint.expected.idle_timeout_s,
            allow_timed=load_level.allow_timed,
        )
    )
