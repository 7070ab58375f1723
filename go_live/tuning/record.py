"""An adopted cap: what is committed of a sweep, and whether it holds for a configuration. Pure.

The record carries the counts that the cap rests on, so that whoever uses it judges them again: by the same tests, by
today's limits, in milliseconds. A cap that does not follow from them is refused. That the counts are those of real
requests, the run directory shows (``golive tune --judge``), whose files the record names by digest.
"""

from __future__ import annotations

import msgspec

from go_live.config import Config, Slo
from go_live.config import Tuning as TuningConfig
from go_live.errors import UsageError
from go_live.judge.pace import HOUR_S
from go_live.management.environment import digest_of
from go_live.tuning.cells import Level, supported
from go_live.tuning.judging import VERSION, Tuning
from go_live.tuning.plan import DEFAULT, DEPLOYED, TuningPlan
from go_live.tuning.recommend import recommend

DAY_S = 24 * HOUR_S
LOCAL = "local"
"""Endpoint id of the local endpoint, whose evidence is rehearsal evidence for ever."""
VARIABLE = "MAX_CONCURRENCY"


class CapRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file that ``client.cap_record`` names."""

    version: int
    cap: int
    max_concurrency: str | None
    """MAX_CONCURRENCY that golive.toml has to declare with it; None: none."""
    endpoint_id: str
    job_api: str
    engine: str
    workers: int
    workers_max: int
    image: str | None
    model: str
    commit: str
    """Of the project that measured."""
    measured_at: str
    """UTC, ISO 8601."""
    timed: bool
    run_id: str
    slo: Slo
    correct_rate: float
    tuning: TuningConfig
    levels: tuple[Level, ...]
    """Of the setting that was measured with this cap, without its sentences."""
    evidence: dict[str, str]
    """sha256 of plan, records and tuning.json in the run directory."""


def record_of(tuning: Tuning, plan: TuningPlan, evidence: dict[str, str]) -> CapRecord:
    """What is adopted of a sweep.

    Raises:
        UsageError: it recommends no cap, is no evidence, or was cut off.
    """
    if tuning.timed:
        raise UsageError(f"{tuning.run_id} was measured on the timed engine: it shows the mechanism and is no evidence")
    if tuning.cap is None:
        raise UsageError(f"{tuning.run_id} recommends no cap ({tuning.outcome}: {tuning.reason}): nothing to adopt")
    if not tuning.complete:
        raise UsageError(f"{tuning.run_id} was cut off: only a whole sweep can be adopted")
    sweep = next(one for one in tuning.sweeps if one.setting == tuning.setting)
    declared, config = declared_setting(plan.config), plan.config
    if sweep.setting == DEPLOYED and declared is not None and str(sweep.told.max_concurrency) != declared:
        raise UsageError(
            f"the endpoint ran with {VARIABLE} {sweep.told.max_concurrency} and golive.toml declares {declared}: set "
            f"it (golive config apply) and measure again"
        )
    return CapRecord(
        version=VERSION,
        cap=tuning.cap,
        max_concurrency={DEFAULT: None, DEPLOYED: declared}.get(sweep.setting, sweep.setting),
        endpoint_id=plan.where.endpoint_id,
        job_api=plan.where.job_api,
        engine=plan.where.engine,
        workers=plan.where.workers,
        workers_max=plan.where.workers_max,
        image=sweep.told.image,
        model=tuning.model,
        commit=tuning.commit,
        measured_at=tuning.measured_at,
        timed=tuning.timed,
        run_id=tuning.run_id,
        slo=config.slo,
        correct_rate=config.golden.correct_rate,
        tuning=config.tuning,
        levels=tuple(msgspec.structs.replace(level, verdicts=(), queue=(), reason="") for level in sweep.levels),
        evidence=evidence,
    )


def declared_setting(config: Config) -> str | None:
    """MAX_CONCURRENCY that golive.toml declares; None: none."""
    return config.endpoint.expected.env.get(VARIABLE)


def refusal(record: CapRecord, config: Config, *, age_s: float, local: bool) -> str | None:
    """Why ``record`` does not hold for ``config``; None: it does.

    Args:
        record: What was adopted.
        config: Today's golive.toml.
        age_s: Seconds since it was measured.
        local: Whether what the cap is for is the local endpoint: then rehearsal evidence will do.
    """
    return (
        _no_evidence(record, config, age_s)
        or _of_another(record, config, local=local)
        or _other_limits(record, config)
        or _not_reproduced(record, config)
    )


def _no_evidence(record: CapRecord, config: Config, age_s: float) -> str | None:
    if record.version != VERSION:
        return f"it has version {record.version}, and this golive reads {VERSION}"
    if record.timed or record.engine == "timed":
        return "it was measured on the timed engine, which is no evidence"
    days = config.tuning.record_days
    if age_s < 0:
        return f"it was measured at {record.measured_at}, which is still to come"
    if age_s > days * DAY_S:
        return f"it was measured at {record.measured_at} and holds for {days} days (tuning.record_days)"
    return None


def _of_another(record: CapRecord, config: Config, *, local: bool) -> str | None:
    if record.endpoint_id != LOCAL and (why := _of_another_endpoint(record, config)):
        return why
    if record.endpoint_id == LOCAL and not local:
        return "it was measured on the local endpoint, which says nothing of a live one"
    if record.model != config.model.name:
        return f"it is of the model {record.model}, and golive.toml declares {config.model.name}"
    if (found := declared_setting(config)) != record.max_concurrency:
        return (
            f"it was measured with {VARIABLE} {record.max_concurrency or 'unset'}, and endpoint.expected.env "
            f"declares {found or 'none'}"
        )
    return None


def _of_another_endpoint(record: CapRecord, config: Config) -> str | None:
    """Why a live endpoint's record is not of the declared one as it is declared."""
    declared, expected = config.endpoint, config.endpoint.expected
    if (record.endpoint_id, record.job_api) != (declared.id, declared.job_api):
        return (
            f"it is of the endpoint {record.endpoint_id} at {record.job_api}, and golive.toml declares {declared.id} "
            f"at {declared.job_api}"
        )
    if (record.workers, record.workers_max) != (expected.workers_min, expected.workers_max):
        return (
            f"it was measured with {record.workers} to {record.workers_max} workers, and golive.toml declares "
            f"{expected.workers_min} to {expected.workers_max}"
        )
    if expected.image is not None and record.image != digest_of(expected.image):
        return f"it is of the image {record.image or 'that no worker named'}, not of {expected.image}"
    return None


def _other_limits(record: CapRecord, config: Config) -> str | None:
    if record.slo != config.slo or record.correct_rate != config.golden.correct_rate:
        return "it was judged by other limits than golive.toml's [slo] and [golden]"
    if record.tuning.gain_min != config.tuning.gain_min:
        return "it was judged by another tuning.gain_min"
    return None


def _not_reproduced(record: CapRecord, config: Config) -> str | None:
    """The cap has to follow from the counts again."""
    levels = [level.concurrency for level in record.levels]
    if not levels or levels != sorted(set(levels)):
        return "its levels are missing or out of order"
    upto = [level for level in record.levels if level.concurrency <= record.cap]
    if bad := next((level for level in upto if not supported(level, config.slo)), None):
        return f"its own counts do not show c={bad.concurrency} to meet every limit"
    found = recommend(record.levels, config).cap
    if found is None or record.cap > found:
        return f"its cap is {record.cap}, and its own counts support {found or 'none'}"
    if record.cap < found:
        return f"its cap is {record.cap}, and its own counts give {found}: it was changed by hand"
    if record.cap not in config.load.concurrency:
        return f"its cap is {record.cap}, which load.concurrency does not measure: add that level to it"
    return None
