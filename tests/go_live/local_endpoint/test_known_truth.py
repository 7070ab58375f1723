"""The table "what this gate says of each": every scenario measured on a socket, and judged as promised."""

from pathlib import Path

import msgspec
import pytest

from go_live.local_endpoint.scenarios import NAMES, Scale, Truth, known
from tests.go_live.local_endpoint.known_truth import HOUR_S, LOAD, PROMISES, golive, label_off, served

EXIT = {"pass": 0, "fail": 1}


def test_something_is_promised_of_every_scenario() -> None:
    """Healthy passes; nothing else is ever promised to."""
    assert set(PROMISES) == set(NAMES)
    assert [name for name, promise in PROMISES.items() if promise.outcome == "pass"] == ["healthy"]
    assert all(promise.failing for name, promise in PROMISES.items() if name != "healthy")


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("name", NAMES)
def test_the_gate_says_what_is_promised(name: str, tmp_path: Path) -> None:
    """Outcome and exit code, and the claims that fail and that pass; the endpoint told its truth meanwhile."""
    promise = PROMISES[name]
    with served(name, tmp_path) as endpoint, label_off():
        told = msgspec.convert(endpoint.scenario()["truth"], Truth)
        said = golive(endpoint, tmp_path, promise.arguments)
    assert told == known(name, Scale(promise.exec_ms, HOUR_S)).truth
    summary = [(v["outcome"], v["claim"], v["reason"]) for v in said.judgement["verdicts"]]
    assert (said.judgement["outcome"], said.exit_code) == (promise.outcome, EXIT[promise.outcome]), summary
    for words in promise.failing:
        assert any(words in claim for claim in said.claims("fail")), summary
    for words in promise.passing:
        assert any(words in claim for claim in said.claims("pass")), summary


@pytest.mark.slow
@pytest.mark.alone
def test_with_its_label_the_healthy_one_is_no_evidence(tmp_path: Path) -> None:
    """The commands as they are shipped refuse the timed engine: exit 4, and no claim on its times passes."""
    with served("healthy", tmp_path) as endpoint:
        said = golive(endpoint, tmp_path, (*LOAD[:3], "--runs", "20", "--warmup", "0"))
    assert (said.exit_code, said.judgement["outcome"]) == (4, "error")
    assert not any("p95" in claim or "p50" in claim for claim in said.claims("pass"))
