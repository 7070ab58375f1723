"""Run directories: conclusions fit their evidence, evidence ages by the log's own times, and a record is a run."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from go_live.decide import Answer
from go_live.errors import UsageError
from go_live.evidence import log as logs
from go_live.evidence import run_directory as room
from go_live.evidence.run_directory import CheckReport
from go_live.outcome import Outcome
from go_live.waivers import DAY_S
from tests.go_live.report import samples

BEGAN = 1_795_430_000.0
COMMIT = "3389986f0d" * 4


def made_run(root: Path, *, took: float = 400.0, facts: tuple[dict[str, Any], ...] = (), **changes: Any) -> Path:
    """A finished run whose items all hold; ``took`` seconds lie between the last conclusion and the end."""
    clock = iter([*(BEGAN + second for second in range(len(samples.GOOD) + len(facts) + 1)), BEGAN + took])
    directory, log = room.create(root, samples.plan("rehearsal", **changes), clock.__next__)
    for found in facts:
        log.append("facts", found)
    for name, verdicts in samples.GOOD.items():
        log.append("check", CheckReport(test=name, items=(name,), verdicts=tuple(verdicts)))
    log.append("finish", {})
    log.close()
    return directory


@pytest.fixture
def concluded(tmp_path: Path) -> Path:
    """A run with its conclusions written."""
    directory = made_run(tmp_path)
    room.write_conclusions(directory, room.read_run(directory))
    return directory


def test_each_item_is_dated_by_its_first_conclusion(tmp_path: Path) -> None:
    """The log's times say when an item was concluded; a second, later report of it makes it no younger."""
    directory, log = room.create(tmp_path, samples.plan("rehearsal"), iter([1.0, 2.0, 3.0, 4.0, 5.0]).__next__)
    for name in ("CODE-3", "PERF-3", "CODE-3"):
        log.append("check", CheckReport(test=name, items=(name,), verdicts=tuple(samples.GOOD[name])))
    log.append("finish", {})
    log.close()
    data = room.read_run(directory)
    assert data.log.concluded == {"CODE-3": 2.0, "PERF-3": 3.0}
    assert {result.item: result.concluded_at for result in data.results if result.verdicts} == data.log.concluded


@pytest.mark.parametrize(("days", "answer"), [(6.9, Answer.GO), (7.1, Answer.INCONCLUSIVE)])
def test_evidence_ages_within_a_run(tmp_path: Path, days: float, answer: Answer) -> None:
    """A run that ends more than seven days after it concluded what is valid for seven does not end in GO."""
    decision = room.read_run(made_run(tmp_path, took=days * DAY_S)).decision
    assert decision.answer is answer
    assert decision.at == BEGAN + days * DAY_S
    assert all(blocked.reason.startswith("expired: ") for blocked in decision.blocking)


def test_a_run_is_decided_as_of_its_end(concluded: Path) -> None:
    """Read again at any time, a run has the decision it had: the log's time counts, not the clock's."""
    first = room.read_run(concluded).decision
    assert first.answer is Answer.GO
    assert first.valid_until == BEGAN + 1 + 7 * DAY_S
    assert room.read_run(concluded).decision == first


@pytest.mark.parametrize("probe", [{"commit": "f" * 40, "image": "a"}, {"commit": COMMIT, "image": "b"}])
def test_another_build_within_the_run_takes_the_go_away(tmp_path: Path, probe: dict[str, str]) -> None:
    """A target that was opened again and then served another commit or image: nothing of the run counts."""
    ours = {"probe": {"commit": COMMIT, "image": "a"}}
    assert room.read_run(made_run(tmp_path / "a", facts=(ours, ours))).decision.answer is Answer.GO
    decision = room.read_run(made_run(tmp_path / "b", facts=(ours, {"probe": probe}))).decision
    assert decision.answer is Answer.INCONCLUSIVE
    assert decision.blocking[0].outcome is Outcome.NOT_RUN
    assert "its evidence does not count" in decision.reason


def test_conclusions_carry_the_digests_of_their_evidence(concluded: Path) -> None:
    """verdicts.json and decision.json name plan and log by the sha256 of the files."""
    told = room.read_conclusions(concluded)
    assert told.evidence == {
        name: hashlib.sha256((concluded / name).read_bytes()).hexdigest() for name in ("plan.json", "log.jsonl")
    }
    assert told.evidence["log.jsonl"] in (concluded / "decision.json").read_text(encoding="utf-8")
    assert {item.item for item in told.items} >= set(samples.GOOD)


@pytest.mark.parametrize("name", ["verdicts.json", "decision.json"])
def test_conclusions_of_another_log_are_refused(tmp_path: Path, concluded: Path, name: str) -> None:
    """A whole and well-chained log of another run of the same plan is not the one that was judged."""
    other = made_run(tmp_path / "other", took=500.0)
    (concluded / "log.jsonl").write_bytes((other / "log.jsonl").read_bytes())
    assert room.read_run(other).decision.answer is Answer.GO
    for file in {"verdicts.json", "decision.json"} - {name}:
        (concluded / file).unlink()
    with pytest.raises(UsageError, match=rf"{name} was computed from another log.jsonl"):
        room.read_run(concluded)


def test_conclusions_without_digests_are_refused(concluded: Path) -> None:
    """Conclusions that name no evidence follow from none."""
    (concluded / "decision.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"another plan.json and log.jsonl"):
        room.read_run(concluded)


@pytest.mark.parametrize("text", ["", "[]", '{"evidence": 1}'])
def test_conclusions_that_cannot_be_read_are_refused(concluded: Path, text: str) -> None:
    """A file that is no conclusion is named."""
    (concluded / "verdicts.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"verdicts.json cannot be read"):
        room.read_run(concluded)


@pytest.fixture
def record(tmp_path: Path, concluded: Path) -> Path:
    """A release record: the conclusions, the plan, and the log compressed."""
    logs.pack(concluded / "log.jsonl")
    folder = tmp_path / "record"
    folder.mkdir()
    for name in ("plan.json", "log.jsonl.gz", "verdicts.json", "decision.json"):
        (folder / name).write_bytes((concluded / name).read_bytes())
    return folder


def test_a_record_is_read_like_the_run_it_is_of(concluded: Path, record: Path) -> None:
    """The compressed log gives the same results and the same decision."""
    assert room.read_run(record).results == room.read_run(concluded).results
    assert room.read_run(record).decision == room.read_run(concluded).decision


def test_the_compressed_log_is_the_same_every_time(concluded: Path) -> None:
    """No time and no name stands in it, so that the record's commit has one id."""
    first = logs.pack(concluded / "log.jsonl").read_bytes()
    assert logs.pack(concluded / "log.jsonl").read_bytes() == first
    assert b"log.jsonl" not in first


@pytest.mark.parametrize("how", ["cut", "no gzip", "gone"])
def test_a_broken_record_is_refused(record: Path, how: str) -> None:
    """A compressed log that is cut, is none, or is not there is one line with its path."""
    path = record / "log.jsonl.gz"
    whole = path.read_bytes()
    path.unlink()
    if how != "gone":
        path.write_bytes(whole[:-12] if how == "cut" else b"no gzip at all")
    with pytest.raises(UsageError, match=r"cannot read .*log\.jsonl"):
        room.read_run(record)
