"""Statements: made strictly, read strictly, each refusal with its own reason."""

import json
from typing import Any

import pytest

from go_live.evidence.statement import (
    STATEMENT,
    TEST_RESULT,
    Authorization,
    Check,
    Resource,
    StatementError,
    TestResult,
    decode,
    encode,
    predicate_type,
)

GIT = Resource(name="git", digest={"gitCommit": "a" * 40, "gitTree": "b" * 40})
IMAGE = Resource(name="image", digest={"sha256": "c" * 64})
PLAN = Resource(name="plan.json", digest={"sha256": "d" * 64})
SUBJECT = (GIT, IMAGE)
PASSED = TestResult(result="PASSED", configuration=(PLAN,), passed=("SMK-1",), warned=(), failed=())


def edited(*path: str | int, value: Any) -> bytes:
    """A good statement with another value at ``path``."""
    statement = json.loads(encode(SUBJECT, TEST_RESULT, PASSED))
    place = statement
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return json.dumps(statement).encode()


def refusal(payload: bytes) -> str:
    """Why a payload is no test result on SUBJECT."""
    with pytest.raises(StatementError) as caught:
        decode(payload, TEST_RESULT, TestResult, subject=SUBJECT)
    return str(caught.value)


def test_round_trip() -> None:
    """What is written is in-toto's Statement v1, and reads as what it was."""
    payload = encode(SUBJECT, TEST_RESULT, PASSED)
    assert decode(payload, TEST_RESULT, TestResult, subject=SUBJECT) == PASSED
    told = json.loads(payload)
    assert (told["_type"], told["predicateType"]) == (STATEMENT, TEST_RESULT)
    assert told["subject"][0] == {"name": "git", "digest": {"gitCommit": "a" * 40, "gitTree": "b" * 40}}
    assert told["predicate"]["passedTests"] == ["SMK-1"]
    assert payload == encode(SUBJECT, TEST_RESULT, PASSED)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("predicate", "result"), "OK", "Invalid enum value 'OK'"),
        (("predicate", "result"), "FAILED", "says FAILED, but its lists say PASSED"),
        (("predicate", "failedTests"), ["X-1"], "says PASSED, but its lists say FAILED"),
        (("predicate", "warnedTests"), ["SMK-1"], "lists SMK-1 twice"),
        (("predicate", "passedTests"), [], "lists no test"),
        (("predicate", "extra"), 1, "unknown field `extra`"),
        (("predicate", "configuration", 0, "digest"), {}, "plan.json has no digest"),
        (("predicate",), {}, "missing required field"),
        (("subject",), [], "is about nothing"),
        (("subject", 0, "digest"), {}, "git has no digest"),
        (("subject", 0, "digest"), {"md5": "a" * 32}, "unknown kind, md5"),
        (("subject", 0, "digest"), {"gitCommit": "main"}, "no valid gitCommit: 'main'"),
        (("subject", 0, "digest"), {"gitCommit": "a" * 40 + "\n"}, "no valid gitCommit"),
        (("subject", 1, "digest"), {"sha256": "c" * 40}, "no valid sha256"),
        (("subject", 0, "digest"), {"gitCommit": "e" * 40, "gitTree": "b" * 40}, "about another git (gitCommit eeee"),
        (("subject", 0, "digest"), {"gitCommit": "a" * 40}, "about another git"),
        (("subject", 1, "name"), "git", "names git twice"),
        (("subject", 1, "name"), "picture", "says nothing about image"),
        (("_type",), "https://in-toto.io/Statement/v0.1", "is of type https://in-toto.io/Statement/v0.1"),
        (("predicateType",), predicate_type("check", "production"), "predicate is https://golive.example/"),
        (("predicateType",), None, "no in-toto statement"),
        (("more",), 1, "no in-toto statement"),
    ],
)
def test_refusals(path: tuple[str | int, ...], value: Any, told: str) -> None:
    """Each deviation is refused, and the text says which."""
    assert told in refusal(edited(*path, value=value))


def test_one_subject_that_matches_is_not_enough() -> None:
    """Swapped, added and missing subjects: all have to be ours, or the rest would be vouched for as well."""
    other = Resource(name="image", digest={"sha256": "f" * 64})
    assert "another image" in refusal(encode((GIT, other), TEST_RESULT, PASSED))
    assert "says nothing about image" in refusal(encode((GIT,), TEST_RESULT, PASSED))
    stranger = Resource(name="more", digest={"sha256": "f" * 64})
    assert "about more as well" in refusal(encode((GIT, IMAGE, stranger), TEST_RESULT, PASSED))


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b"{}", b"null"])
def test_no_statement(payload: bytes) -> None:
    """Bytes that are none."""
    assert "no in-toto statement" in refusal(payload)


def test_nothing_is_attested_of_nothing() -> None:
    """A statement is not even made without a subject, or on one without a digest."""
    for subject in ((), (Resource(name="x", digest={}),), (GIT, GIT)):
        with pytest.raises(StatementError):
            encode(subject, TEST_RESULT, PASSED)


def test_profiles_have_predicates_of_their_own() -> None:
    """A rehearsal's and a test's statements are of other types than production's."""
    names = {predicate_type("check", profile) for profile in ("production", "test", "rehearsal")}
    assert len(names) == 3
    assert predicate_type("authorization", "production") == "https://golive.example/attestation/authorization/v1"


def test_unknown_states_and_decisions() -> None:
    """An outcome or a decision that golive does not know is refused, whoever signed it."""
    check = {"mode": "production", "runId": "r", "gate": {}, "endpoint": {}, "evidence": [], "checks": [
        {"id": "SMK-1", "state": "fine", "required": True, "waived": False, "concludedOn": None, "validFor": "P1D",
         "reason": ""}]}  # fmt: skip
    name = predicate_type("check", "production")
    payload = json.loads(encode(SUBJECT, TEST_RESULT, PASSED)) | {"predicateType": name, "predicate": check}
    with pytest.raises(StatementError, match="Invalid enum value 'fine'"):
        decode(json.dumps(payload).encode(), name, Check, subject=SUBJECT)
    allowed: dict[str, Any] = {
        "decision": "NO-GO",
        "environment": "production",
        "runId": "r",
        "notBefore": "",
        "notAfter": "",
        "inputAttestations": [],
        "policy": [],
        "rollbackTarget": None,
    }
    name = predicate_type("authorization", "production")
    payload |= {"predicateType": name, "predicate": allowed}
    with pytest.raises(StatementError, match="Invalid enum value 'NO-GO'"):
        decode(json.dumps(payload).encode(), name, Authorization, subject=SUBJECT)
