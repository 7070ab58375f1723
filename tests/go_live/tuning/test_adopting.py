"""An adopted cap: what may be adopted, where it counts, and what is refused."""

import argparse
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from go_live import config as configuration
from go_live.begin import prepare
from go_live.config import Config
from go_live.errors import UsageError
from go_live.gateway.serving import settings_from
from go_live.outcome import Outcome
from go_live.plan import Options
from go_live.planning.needs import planned as planned_run
from go_live.rollback.session import capped
from go_live.tuning import directory as kept
from go_live.tuning.adopting import addressed, read_record, with_cap, write_record
from go_live.tuning.cells import Count
from go_live.tuning.effective import cap_told, effective_cap
from go_live.tuning.judging import Told
from go_live.tuning.plan import DEPLOYED, TuningPlan
from go_live.tuning.record import CapRecord, record_of
from selftest.project import git, make, shipped_config
from tests.go_live.tuning.simulated import ROOT, SHIPPED, measured, planned, with_limits, written

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
LIVE = [SHIPPED.endpoint.id]
RECORD = "tuning/record.json"
IMAGE = "sha256:" + "ab" * 32
CONFIG = with_limits(SHIPPED, tokens_per_s_p50=1)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a live sweep whose cap is 4."""
    plan = planned(levels=(1, 2, 3, 4), settings=(DEPLOYED,), config=CONFIG)
    folder = tmp_path_factory.mktemp("tune") / plan.run_id
    return written(folder, plan, measured(plan, {DEPLOYED: 4}), {DEPLOYED: Told(max_concurrency=32, image=IMAGE)})


@pytest.fixture(scope="module")
def record(sweep: Path) -> CapRecord:
    """Its record."""
    plan, tuning = kept.judged(sweep)
    return record_of(tuning, plan, tuning.evidence)


def declaring(config: Config = CONFIG, **changes: Any) -> Config:
    """``config`` that names the record."""
    client = msgspec.structs.replace(config.client, cap_record=RECORD)
    return msgspec.structs.replace(config, client=client, **changes)


def placed(folder: Path, record: CapRecord, **changes: Any) -> Path:
    """The record, with ``changes``, where golive.toml names it."""
    write_record(folder / RECORD, msgspec.structs.replace(record, **changes))
    return folder


def test_without_a_record_the_declared_cap_counts(tmp_path: Path) -> None:
    """The shipped golive.toml declares no record: its own number, and where it comes from."""
    found = with_cap(SHIPPED, tmp_path, endpoints=LIVE, now=NOW)
    assert found is SHIPPED
    assert effective_cap(found) == SHIPPED.client.concurrency_cap == 3
    assert cap_told(found) == "3 (client.concurrency_cap)"


def test_a_record_counts_everywhere(tmp_path: Path, record: CapRecord) -> None:
    """Gateway and planned run take the measured cap, and the report's line names the record by digest."""
    config = with_cap(declaring(), placed(tmp_path, record), endpoints=LIVE, now=NOW)
    assert effective_cap(config) == 4
    gateway = settings_from(config, job_api="http://x", endpoints=("e",), key="k", callers=Path("c"))
    assert gateway.cap == 4
    assert planned_run(config, "production").phase("c=4").required
    _, digest = read_record(tmp_path / RECORD)
    assert cap_told(config) == f"4, measured 2026-11-24T18:00:00Z ({RECORD}, sha256 {digest[:12]})"


def test_a_declared_record_is_never_passed_over() -> None:
    """Whoever asks for the cap before the record was read is refused, and does not get the declared number."""
    with pytest.raises(UsageError, match="was not read"):
        effective_cap(declaring())


def forged_counts(record: CapRecord) -> dict[str, Any]:
    """A level of which one claim's misses are too many."""
    levels = list(record.levels)
    counts = {**levels[3].counts, "total_p95": Count(124, 9)}
    levels[3] = msgspec.structs.replace(levels[3], counts=counts)
    return {"levels": tuple(levels)}


def forged_gain(record: CapRecord) -> dict[str, Any]:
    """A highest level that adds nothing."""
    levels = list(record.levels)
    levels[3] = msgspec.structs.replace(levels[3], per_round=levels[2].per_round)
    return {"levels": tuple(levels)}


def changed(**values: Any) -> Callable[[CapRecord], dict[str, Any]]:
    """Other values, whatever the record."""
    return lambda _: values


@pytest.mark.parametrize(
    ("forge", "told"),
    [
        (changed(cap=8), "its cap is 8, and its own counts support 4"),
        (changed(cap=3), "it was changed by hand"),
        (forged_counts, "do not show c=4 to meet every limit"),
        (forged_gain, "its own counts support 3"),
        (changed(levels=()), "its levels are missing"),
        (changed(timed=True), "timed engine"),
        (changed(engine="timed"), "timed engine"),
        (changed(version=2), "version 2"),
        (changed(measured_at="2026-10-25T00:00:00Z"), "holds for 30 days"),
        (changed(measured_at="2026-11-26T00:00:00Z"), "still to come"),
        (changed(measured_at="yesterday"), "is no time"),
        (changed(measured_at="2026-11-24T18:00:00"), "no time zone"),
        (changed(endpoint_id="another"), "it is of the endpoint another"),
        (changed(job_api="http://127.0.0.1:9/v2"), "it is of the endpoint"),
        (changed(endpoint_id="local"), "says nothing of a live one"),
        (changed(model="another/model"), "it is of the model another/model"),
        (changed(max_concurrency="1"), "measured with MAX_CONCURRENCY 1"),
        (changed(workers_max=3), "measured with 2 to 3 workers, and golive.toml declares 2 to 5"),
        (changed(correct_rate=0.5), "other limits"),
        (changed(slo=SHIPPED.slo), "other limits"),
        (changed(tuning=msgspec.structs.replace(SHIPPED.tuning, gain_min=0.5)), "gain_min"),
    ],
)
def test_a_record_that_does_not_hold(
    tmp_path: Path, record: CapRecord, forge: Callable[[CapRecord], dict[str, Any]], told: str
) -> None:
    """Each is refused in one line that names the file, why, and what to do."""
    placed(tmp_path, record, **forge(record))
    with pytest.raises(UsageError, match=told) as refused:
        with_cap(declaring(), tmp_path, endpoints=LIVE, now=NOW)
    assert "golive tune" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_record_of_another_image(tmp_path: Path, record: CapRecord) -> None:
    """Where golive.toml declares the image, the cap has to be that image's; one that no worker named is no such."""
    expected = msgspec.structs.replace(CONFIG.endpoint.expected, image="registry/name@" + IMAGE)
    other = declaring(endpoint=msgspec.structs.replace(CONFIG.endpoint, expected=expected))
    placed(tmp_path, record)
    assert effective_cap(with_cap(other, tmp_path, endpoints=LIVE, now=NOW)) == 4
    for image, told in (("sha256:" + "0" * 64, "it is of the image sha256:0"), (None, "that no worker named")):
        placed(tmp_path, record, image=image)
        with pytest.raises(UsageError, match=told):
            with_cap(other, tmp_path, endpoints=LIVE, now=NOW)


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"cap": 99}', b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_record(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty, of another shape or not even text: refused in one line, never taken for no record."""
    if content is not None:
        (tmp_path / "tuning").mkdir()
        (tmp_path / RECORD).write_bytes(content)
    with pytest.raises(UsageError, match=r"tuning/record\.json"):
        with_cap(declaring(), tmp_path, endpoints=LIVE, now=NOW)


def test_another_endpoint_keeps_to_the_smaller_cap(tmp_path: Path, record: CapRecord) -> None:
    """Before an endpoint that nobody measured the declared cap counts; the local one rehearses the measured cap."""
    placed(tmp_path, record)
    beside = with_cap(declaring(), tmp_path, endpoints=[*LIVE, "candidate"], now=NOW)
    assert cap_told(beside) == "3 (client.concurrency_cap)"
    assert effective_cap(with_cap(declaring(), tmp_path, endpoints=["local"], now=NOW)) == 4


def test_a_rollback_does_not_wait_for_a_sweep(
    tmp_path: Path, record: CapRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    """A record that does not hold is said, and the rollback measures up to the declared cap."""
    placed(tmp_path, record, measured_at="2020-01-01T00:00:00Z")
    found = capped(argparse.Namespace(config=tmp_path / "golive.toml"), declaring())
    assert effective_cap(found) == 3
    assert "holds for 30 days" in capsys.readouterr().err


def test_an_endpoint_elsewhere_is_another_one() -> None:
    """The same id at another job API was not measured; the local endpoint is local wherever it listens."""
    declared, api = SHIPPED.endpoint.id, SHIPPED.endpoint.job_api
    assert [addressed(SHIPPED, name, base) for name, base in ((None, None), (declared, api))] == [declared, declared]
    assert addressed(SHIPPED, declared, "http://127.0.0.1:1/v2") != declared
    assert addressed(SHIPPED, "local", "http://127.0.0.1:1/v2") == "local"


def test_the_gate_has_to_measure_the_cap(tmp_path: Path, record: CapRecord) -> None:
    """A cap at which the checklist measures no level would be released unmeasured."""
    load = msgspec.structs.replace(CONFIG.load, concurrency=(1, 2, 3))
    with pytest.raises(UsageError, match=r"load\.concurrency does not measure"):
        with_cap(declaring(load=load), placed(tmp_path, record), endpoints=LIVE, now=NOW)


def test_what_may_not_be_adopted(tmp_path: Path, sweep: Path) -> None:
    """A sweep on the timed engine, one that recommends nothing, and one that was cut off."""
    plan, tuning = kept.judged(sweep)
    for change, told in (
        ({"timed": True}, "timed engine"),
        ({"cap": None, "outcome": Outcome.FAIL}, "recommends no cap"),
        ({"complete": False}, "cut off"),
    ):
        with pytest.raises(UsageError, match=told):
            record_of(msgspec.structs.replace(tuning, **change), plan, {})
    env = msgspec.structs.replace(CONFIG.endpoint.expected, env={"MAX_CONCURRENCY": "8"})
    other = msgspec.structs.replace(
        plan, config=msgspec.structs.replace(CONFIG, endpoint=msgspec.structs.replace(CONFIG.endpoint, expected=env))
    )
    with pytest.raises(UsageError, match="ran with MAX_CONCURRENCY 32 and"):
        record_of(tuning, other, {})
    assert not list(tmp_path.iterdir())


def test_a_measured_cap_is_never_written_by_hand() -> None:
    """golive.toml cannot state what a record says: the field is filled from the record alone."""
    text = (
        (ROOT / "golive.toml")
        .read_text()
        .replace(
            "[tuning]",
            '[client.measured]\ncap = 16\nrecord = "x"\nsha256 = "x"\nendpoint_id = "x"\nmeasured_at = "x"\n\n[tuning]',
        )
    )
    with pytest.raises(UsageError, match="leave it out"):
        configuration.parse(text)


def test_a_run_freezes_the_cap_and_its_record(tmp_path: Path, record: CapRecord) -> None:
    """plan.json holds the cap and its record's digest beside golive.toml's; with a forged record no run begins."""
    values = {"slo.tokens_per_s_p50": "1", "load.concurrency": "[1, 2, 3, 4]"}
    values |= {"client.concurrency_cap": f'3\ncap_record = "{RECORD}"'}
    text = shipped_config(values)
    project = make(tmp_path, config=text)
    own = configuration.parse(text)
    write_record(project / RECORD, msgspec.structs.replace(record, slo=own.slo, measured_at=_today()))
    git(project, "add", RECORD)
    git(project, "commit", "-qm", "The measured cap")
    plan, _ = prepare(Options(profile="test"), project)
    assert plan.config.client.measured is not None
    assert plan.config.client.measured.cap == effective_cap(plan.config) == 4
    assert plan.digests[RECORD] == plan.config.client.measured.sha256
    assert msgspec.json.decode(msgspec.json.encode(plan), type=type(plan)) == plan
    write_record(project / RECORD, msgspec.structs.replace(record, slo=own.slo, measured_at=_today(), cap=8))
    with pytest.raises(UsageError, match="its cap is 8, and its own counts support 4"):
        prepare(Options(profile="test"), project)


def _today() -> str:
    return f"{dt.datetime.now(dt.UTC) - dt.timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"


def test_the_same_files_give_the_same_answer(sweep: Path) -> None:
    """Judged twice, a sweep says the same to the last byte; its plan survives being written."""
    plan, first = kept.judged(sweep)
    assert msgspec.json.encode(kept.judged(sweep)[1]) == msgspec.json.encode(first)
    assert isinstance(plan, TuningPlan)
    assert first.cap == 4
    assert sorted(first.evidence) == ["plan.json", "records/max-concurrency-as-deployed.jsonl", "told.json"]
